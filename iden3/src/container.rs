//! Magic, version, sections; and a cursor that never reads past the end.

use crate::error::{Format, InvalidFile, Place};

/// Bytes before a section's content: type and size.
const SECTION_HEADER_LEN: usize = 4 + 8;
/// Bytes before the first section.
const FILE_HEADER_LEN: usize = 4 + 4 + 4;

/// What a format's file is made of.
pub(crate) struct Layout {
    pub(crate) format: Format,
    pub(crate) version: u32,
    /// Types and names.
    pub(crate) sections: &'static [(u32, &'static str)],
}

impl Layout {
    pub(crate) fn place(&self, id: u32) -> Place {
        Place {
            format: self.format,
            section: self
                .sections
                .iter()
                .copied()
                .find(|section| section.0 == id),
        }
    }
}

/// The sections of a file.
pub(crate) struct Sections<'a> {
    layout: &'static Layout,
    found: Vec<Option<&'a [u8]>>,
}

impl<'a> Sections<'a> {
    pub(crate) fn parse(bytes: &'a [u8], layout: &'static Layout) -> Result<Self, InvalidFile> {
        let format = layout.format;
        let mut cursor = Cursor {
            bytes,
            place: Place {
                format,
                section: None,
            },
        };
        let found = cursor.array()?;
        if found != format.magic() {
            return Err(InvalidFile::Magic {
                expected: format,
                found,
            });
        }
        let version = cursor.u32()?;
        if version != layout.version {
            return Err(InvalidFile::Version {
                format,
                expected: layout.version,
                found: version,
            });
        }
        let count = cursor.u32()?;
        // Every known section at most once: the loop ends early whatever the count says.
        let mut found = vec![None; layout.sections.len()];
        for _ in 0..count {
            let id = cursor.u32()?;
            let size = cursor.u64()?;
            let slot = layout
                .sections
                .iter()
                .position(|section| section.0 == id)
                .and_then(|index| found.get_mut(index))
                .ok_or(InvalidFile::UnknownSection { format, found: id })?;
            let place = layout.place(id);
            let content = Cursor {
                bytes: cursor.bytes,
                place,
            }
            .take(size)?;
            if slot.replace(content).is_some() {
                return Err(InvalidFile::RepeatedSection(place));
            }
            cursor.take(size)?;
        }
        cursor.finish()?;
        Ok(Self { layout, found })
    }

    /// A section that must be there.
    pub(crate) fn required(&self, id: u32) -> Result<Cursor<'a>, InvalidFile> {
        self.optional(id)
            .ok_or_else(|| InvalidFile::MissingSection(self.layout.place(id)))
    }

    pub(crate) fn optional(&self, id: u32) -> Option<Cursor<'a>> {
        let index = self
            .layout
            .sections
            .iter()
            .position(|section| section.0 == id)?;
        let bytes = (*self.found.get(index)?)?;
        Some(Cursor {
            bytes,
            place: self.layout.place(id),
        })
    }
}

/// Reads forward through a section.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    pub(crate) place: Place,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn remaining(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn take(&mut self, len: u64) -> Result<&'a [u8], InvalidFile> {
        usize::try_from(len)
            .ok()
            .and_then(|len| self.bytes.split_at_checked(len))
            .map(|(taken, rest)| {
                self.bytes = rest;
                taken
            })
            .ok_or(InvalidFile::Truncated {
                place: self.place,
                expected: len,
                found: self.remaining(),
            })
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], InvalidFile> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, InvalidFile> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, InvalidFile> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) const fn finish(self) -> Result<(), InvalidFile> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(InvalidFile::Trailing {
                place: self.place,
                found: self.remaining(),
            })
        }
    }

    /// The whole section, which must have this many items of this many bytes.
    pub(crate) fn exactly(self, items: u64, item_len: u64) -> Result<&'a [u8], InvalidFile> {
        // Neither factor is larger than 2³², so this saturates only on sizes that no file has.
        let expected = items.saturating_mul(item_len);
        if expected == self.remaining() {
            Ok(self.bytes)
        } else {
            Err(InvalidFile::Size {
                place: self.place,
                expected,
                found: self.remaining(),
            })
        }
    }

    pub(crate) fn number(
        &self,
        what: &'static str,
        expected: impl ToString,
        found: impl Into<u64>,
    ) -> InvalidFile {
        InvalidFile::Number {
            place: self.place,
            what,
            expected: expected.to_string(),
            found: found.into(),
        }
    }
}

/// Writes a file of which the size is known, so that its buffer never moves.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(layout: &Layout, section_sizes: &[usize]) -> Self {
        let content: usize = section_sizes.iter().sum();
        let len = FILE_HEADER_LEN + section_sizes.len() * SECTION_HEADER_LEN + content;
        let mut bytes = Vec::with_capacity(len);
        bytes.extend_from_slice(&layout.format.magic());
        bytes.extend_from_slice(&layout.version.to_le_bytes());
        bytes.extend_from_slice(&(section_sizes.len() as u32).to_le_bytes());
        Self { bytes }
    }

    pub(crate) fn section(&mut self, id: u32, size: usize) {
        self.u32(id);
        self.u64(size as u64);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        debug_assert!(
            self.bytes.capacity() - self.bytes.len() >= bytes.len(),
            "the sizes announced were too small"
        );
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        debug_assert_eq!(
            self.bytes.len(),
            self.bytes.capacity(),
            "the sizes announced were too large"
        );
        self.bytes
    }
}
