//! `.wtns`: an assignment of all columns. **Whoever has it knows the secret**: write it to a file
//! that only its owner may read.
//!
//! ```text
//! version 2
//! 1 header     n8 u32 = 32 ‖ r (n8) ‖ number of columns u32
//! 2 witness    each column (32, plain): the constant 1, outputs, public inputs, the rest
//! ```
//! Reference: `wtns_utils.js` of snarkjs.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zeroize::Zeroizing;

use crate::{
    container::{Layout, Sections, Writer},
    elements::{
        ELEMENT_LEN, SCALAR_ORDER_NAME, read_order, scalar_from_plain, scalar_order,
        scalar_to_plain,
    },
    error::{Format, InvalidFile, Place},
};

const HEADER: u32 = 1;
const WITNESS: u32 = 2;
const HEADER_LEN: usize = 4 + ELEMENT_LEN + 4;

static LAYOUT: Layout = Layout {
    format: Format::Wtns,
    version: 2,
    sections: &[(HEADER, "header"), (WITNESS, "witness")],
};

/// A file whose sizes fit; nothing is known of its elements.
#[derive(Clone)]
pub struct RawWtns<'a> {
    columns: u32,
    witness: &'a [u8],
    place: Place,
}

/// An assignment: canonical elements, the first of which is 1. Zeroized on drop.
pub struct Wtns(Zeroizing<Vec<Fr>>);

impl<'a> RawWtns<'a> {
    /// Of a file's bytes.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, InvalidFile> {
        let sections = Sections::parse(bytes, &LAYOUT)?;
        let mut header = sections.required(HEADER)?;
        read_order(&mut header, scalar_order(), SCALAR_ORDER_NAME)?;
        let columns = header.u32()?;
        if columns == 0 {
            return Err(header.number("columns", "at least 1", columns));
        }
        header.finish()?;
        let witness = sections.required(WITNESS)?;
        let place = witness.place;
        Ok(Self {
            columns,
            witness: witness.exactly(columns.into(), ELEMENT_LEN as u64)?,
            place,
        })
    }

    /// How many columns, the constant 1 included.
    #[must_use]
    pub const fn columns(&self) -> u32 {
        self.columns
    }

    /// Checks each element.
    ///
    /// # Errors
    /// [`InvalidFile::NonCanonical`], and [`InvalidFile::Contradiction`] when the first isn't 1.
    pub fn validate(&self) -> Result<Wtns, InvalidFile> {
        let mut values = Zeroizing::new(vec![Fr::ZERO; self.witness.len() / ELEMENT_LEN]);
        let chunks = self.witness.chunks_exact(ELEMENT_LEN);
        for (index, (value, bytes)) in values.iter_mut().zip(chunks).enumerate() {
            *value = scalar_from_plain(bytes).ok_or(InvalidFile::NonCanonical {
                place: self.place,
                index: index as u64,
            })?;
        }
        Wtns::new(values).ok_or(InvalidFile::Contradiction {
            place: self.place,
            reason: "expected the constant 1 in column 0, found another value",
        })
    }
}

impl Wtns {
    /// Of all columns; none when the first isn't 1 or there are more than a file can have.
    #[must_use]
    pub fn new(values: Zeroizing<Vec<Fr>>) -> Option<Self> {
        let fits = u32::try_from(values.len()).is_ok();
        (fits && values.first() == Some(&Fr::ONE)).then_some(Self(values))
    }

    /// Reads and validates.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidFile> {
        RawWtns::parse(bytes)?.validate()
    }

    /// The secret: every column, the constant 1 first.
    #[must_use]
    pub fn expose_assignment(&self) -> &[Fr] {
        &self.0
    }

    /// How many columns, the constant 1 included.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.0.len()
    }

    /// The secret as a file.
    #[must_use]
    pub fn expose_bytes(&self) -> Zeroizing<Vec<u8>> {
        let size = self.0.len() * ELEMENT_LEN;
        let mut writer = Writer::new(&LAYOUT, &[HEADER_LEN, size]);
        writer.section(HEADER, HEADER_LEN);
        writer.u32(ELEMENT_LEN as u32);
        writer.bytes(&scalar_order());
        writer.u32(self.0.len() as u32);
        writer.section(WITNESS, size);
        for value in self.0.iter() {
            writer.bytes(&*Zeroizing::new(scalar_to_plain(value)));
        }
        Zeroizing::new(writer.finish())
    }
}
