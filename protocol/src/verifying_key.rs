//! The on-chain form of a verifying key: 616 bytes that the program embeds.
//!
//! ```text
//! "VPVK" ‖ version 1 ‖ status ‖ n ‖ number of IC points ‖ fingerprint (32) ‖ alpha (64)
//!   ‖ beta (128) ‖ gamma (128) ‖ delta (128) ‖ IC₀ (64) ‖ IC₁ (64)
//! ```
//! Points as in [`crate::ProofBytes`]. This module parses the layout only; curve checks and the
//! refusals of attack C3 are in `groth16`.

use crate::proof::{G1_LEN, G2_LEN};

/// First bytes of the file.
pub const MAGIC: [u8; 4] = *b"VPVK";
/// Version of this layout.
pub const VERSION: u8 = 1;
/// One public input.
pub const IC_POINTS: u8 = 2;
/// Length of the header before the points.
pub const HEADER_LEN: usize = MAGIC.len() + 4 + 32;
/// Length of the whole.
pub const LEN: usize = HEADER_LEN + 3 * G1_LEN + 3 * G2_LEN;

const _: () = assert!(LEN == 616);

/// Where the key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A deterministic development setup: anybody can forge claims.
    Development,
    /// A ceremony.
    Ceremony,
}

impl Status {
    /// As it stands in the file.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Development => 0,
            Self::Ceremony => 1,
        }
    }
}

/// Why bytes are not a verifying key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayoutError {
    /// Not [`LEN`] bytes.
    Length(usize),
    /// Does not begin with [`MAGIC`].
    Magic,
    /// Another version of the layout.
    Version(u8),
    /// Unknown status.
    Status(u8),
    /// Not 3, 5 or 7 measurers.
    MeasurerCount(u8),
    /// Another number of public inputs.
    IcPoints(u8),
}

impl core::fmt::Display for LayoutError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length(len) => write!(f, "a verifying key has {LEN} bytes, these are {len}"),
            Self::Magic => f.write_str("not a verifying key: the magic bytes are missing"),
            Self::Version(version) => write!(
                f,
                "verifying-key layout {version} is not known, only {VERSION}"
            ),
            Self::Status(status) => write!(f, "verifying-key status {status} is not known"),
            Self::MeasurerCount(n) => write!(
                f,
                "a verifying key for {n} measurers is not supported: 3, 5 or 7"
            ),
            Self::IcPoints(count) => write!(
                f,
                "a verifying key of this protocol has {IC_POINTS} IC points, this one has {count}"
            ),
        }
    }
}

impl core::error::Error for LayoutError {}

/// A verifying key by parts, in place.
#[derive(Clone, Copy, Debug)]
pub struct VerifyingKeyLayout<'a> {
    /// Where it comes from.
    pub status: Status,
    /// Number of measurers of its circuit.
    pub n: crate::MeasurerCount,
    /// SHA-256 of the circuit's constraint matrices.
    pub fingerprint: &'a [u8; 32],
    /// alpha in G1.
    pub alpha: &'a [u8; G1_LEN],
    /// beta in G2.
    pub beta: &'a [u8; G2_LEN],
    /// gamma in G2.
    pub gamma: &'a [u8; G2_LEN],
    /// delta in G2.
    pub delta: &'a [u8; G2_LEN],
    /// IC₀ and IC₁ in G1.
    pub ic: [&'a [u8; G1_LEN]; IC_POINTS as usize],
}

impl<'a> VerifyingKeyLayout<'a> {
    /// Takes the bytes apart.
    ///
    /// # Errors
    /// [`LayoutError`] with the first thing that is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LayoutError> {
        let wrong_length = LayoutError::Length(bytes.len());
        if bytes.len() != LEN {
            return Err(wrong_length);
        }
        let (magic, rest) = bytes.split_first_chunk::<4>().ok_or(wrong_length)?;
        if *magic != MAGIC {
            return Err(LayoutError::Magic);
        }
        let ([version, status, n, ic_points], rest) =
            rest.split_first_chunk::<4>().ok_or(wrong_length)?;
        if *version != VERSION {
            return Err(LayoutError::Version(*version));
        }
        let status = match *status {
            0 => Status::Development,
            1 => Status::Ceremony,
            other => return Err(LayoutError::Status(other)),
        };
        let n = crate::MeasurerCount::try_from(usize::from(*n))
            .map_err(|_| LayoutError::MeasurerCount(*n))?;
        if *ic_points != IC_POINTS {
            return Err(LayoutError::IcPoints(*ic_points));
        }
        let (fingerprint, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (alpha, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (beta, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (gamma, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (delta, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (ic0, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (ic1, _) = rest.split_first_chunk().ok_or(wrong_length)?;
        Ok(Self {
            status,
            n,
            fingerprint,
            alpha,
            beta,
            gamma,
            delta,
            ic: [ic0, ic1],
        })
    }

    /// Puts the parts together again.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; LEN] {
        crate::attestation::concat(&[
            &MAGIC,
            &[
                VERSION,
                self.status.to_byte(),
                self.n.get() as u8,
                IC_POINTS,
            ],
            self.fingerprint,
            self.alpha,
            self.beta,
            self.gamma,
            self.delta,
            self.ic[0],
            self.ic[1],
        ])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> [u8; LEN] {
        let mut bytes = [7u8; LEN];
        bytes[..8].copy_from_slice(&[b'V', b'P', b'V', b'K', VERSION, 0, 5, IC_POINTS]);
        bytes
    }

    #[test]
    fn a_key_survives_parsing() {
        assert_eq!(
            VerifyingKeyLayout::parse(&sample()).unwrap().to_bytes(),
            sample()
        );
    }

    #[test]
    fn each_byte_of_the_header_is_checked() {
        for (index, wrong, expected) in [
            (0, b'X', LayoutError::Magic),
            (4, 2, LayoutError::Version(2)),
            (5, 9, LayoutError::Status(9)),
            (6, 4, LayoutError::MeasurerCount(4)),
            (7, 7, LayoutError::IcPoints(7)),
        ] {
            let mut bytes = sample();
            bytes[index] = wrong;
            assert_eq!(VerifyingKeyLayout::parse(&bytes).unwrap_err(), expected);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
            if bytes.len() != LEN {
                prop_assert_eq!(VerifyingKeyLayout::parse(&bytes).unwrap_err(), LayoutError::Length(bytes.len()));
            }
        }
    }
}
