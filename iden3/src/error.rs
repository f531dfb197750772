//! Why a file is refused.

use core::fmt;

use veilpool_params::encoding::InvalidPoint;

/// The four binary formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Proving key.
    Zkey,
    /// Assignment.
    Wtns,
    /// Constraint system.
    R1cs,
    /// Powers of tau.
    Ptau,
}

impl Format {
    /// The first four bytes of a file.
    #[must_use]
    pub const fn magic(self) -> [u8; 4] {
        match self {
            Self::Zkey => *b"zkey",
            Self::Wtns => *b"wtns",
            Self::R1cs => *b"r1cs",
            Self::Ptau => *b"ptau",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zkey => ".zkey",
            Self::Wtns => ".wtns",
            Self::R1cs => ".r1cs",
            Self::Ptau => ".ptau",
        })
    }
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of which file.
    pub format: Format,
    /// Type and name of the section; none is the container itself.
    pub section: Option<(u32, &'static str)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.section {
            None => write!(f, "the {} file", self.format),
            Some((id, name)) => write!(f, "section {id} ({name}) of the {} file", self.format),
        }
    }
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFile {
    /// Another kind of file.
    #[error("this isn't a {expected} file: expected it to begin with {:?}, found {found:02x?}", ascii(expected.magic()))]
    Magic {
        /// What it should be.
        expected: Format,
        /// The first bytes.
        found: [u8; 4],
    },
    /// A version that isn't known.
    #[error("the {format} file has version {found}, expected {expected}")]
    Version {
        /// Of which file.
        format: Format,
        /// Known.
        expected: u32,
        /// In the file.
        found: u32,
    },
    /// Bytes are missing.
    #[error("{place} is truncated: expected {expected} more bytes, found {found}")]
    Truncated {
        /// Where.
        place: Place,
        /// How many were to come.
        expected: u64,
        /// How many came.
        found: u64,
    },
    /// Bytes are left over.
    #[error("{place} goes on for {found} bytes after its end")]
    Trailing {
        /// Where.
        place: Place,
        /// How many.
        found: u64,
    },
    /// A section of a type that the format doesn't have.
    #[error("the {format} file has a section of type {found}, which isn't known")]
    UnknownSection {
        /// Of which file.
        format: Format,
        /// The type.
        found: u32,
    },
    /// A section twice.
    #[error("{0} is there twice")]
    RepeatedSection(Place),
    /// A section is missing.
    #[error("{0} is missing")]
    MissingSection(Place),
    /// A section whose size doesn't fit the header's counts.
    #[error("{place} has {found} bytes, the header's counts make it {expected}")]
    Size {
        /// Which.
        place: Place,
        /// By the header.
        expected: u64,
        /// In the file.
        found: u64,
    },
    /// Another field than BN254's.
    #[error("{place} is over another field: expected {expected} (BN254), found 0x{found}")]
    Prime {
        /// Where.
        place: Place,
        /// Name of the expected order.
        expected: &'static str,
        /// In hexadecimal, big-endian.
        found: String,
    },
    /// A number that doesn't fit the others.
    #[error("{place}: {what}: expected {expected}, found {found}")]
    Number {
        /// Where.
        place: Place,
        /// What it counts.
        what: &'static str,
        /// Value or range.
        expected: String,
        /// In the file.
        found: u64,
    },
    /// An element that isn't less than its field's order.
    #[error("{place}: element {index} isn't less than the field's order")]
    NonCanonical {
        /// Where.
        place: Place,
        /// Which, from 0.
        index: u64,
    },
    /// Bytes that are no point.
    #[error("{place}: point {index}: {source}")]
    Point {
        /// Where.
        place: Place,
        /// Which, from 0.
        index: u64,
        /// Why.
        source: InvalidPoint,
    },
    /// The identity where there must be something else.
    #[error("{place}: point {index} is the identity")]
    Identity {
        /// Where.
        place: Place,
        /// Which, from 0.
        index: u64,
    },
    /// Values that contradict one another.
    #[error("{place}: {reason}")]
    Contradiction {
        /// Where.
        place: Place,
        /// What doesn't fit what.
        reason: &'static str,
    },
}

fn ascii(magic: [u8; 4]) -> String {
    magic.iter().map(|byte| char::from(*byte)).collect()
}
