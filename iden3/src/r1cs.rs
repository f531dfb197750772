//! `.r1cs`: the matrices A, B and C of `⟨Aᵢ,z⟩·⟨Bᵢ,z⟩ = ⟨Cᵢ,z⟩`.
//!
//! ```text
//! version 1
//! 1 header        n8 u32 = 32 ‖ r (n8) ‖ columns u32 ‖ outputs u32 ‖ public inputs u32 ‖ private inputs u32 ‖ labels u64 ‖ rows u32
//! 2 constraints   for each row A ‖ B ‖ C, each: number of terms u32, then for each term column u32 ‖ coefficient (32, plain)
//! 3 labels        for each column u64: its name in circom's symbol file
//! ```
//! Columns: the constant 1, outputs, public inputs, private inputs, the rest; outputs and public inputs are what is public
//! in Groth16. Sections 4 and 5 (custom gates) belong to PLONK and are refused. A term twice in a combination is refused
//! too: snarkjs takes the last in one place and the sum in another. A term with coefficient zero says nothing and is left
//! out.
//!
//! Reference: the format's document in iden3's `r1csfile`.

use ark_bn254::Fr;
use ark_relations::gr1cs::Matrix;
use veilpool_circuits::matrices::Matrices;

use crate::{
    container::{Cursor, Layout, Sections, Writer},
    elements::{
        ELEMENT_LEN, SCALAR_ORDER_NAME, read_order, scalar_from_plain, scalar_order,
        scalar_to_plain,
    },
    error::{Format, InvalidFile},
    terms::{Row, added_up, each_once},
};

const HEADER: u32 = 1;
const CONSTRAINTS: u32 = 2;
const LABELS: u32 = 3;
const HEADER_LEN: usize = 4 + ELEMENT_LEN + 4 * 4 + 8 + 4;
const TERM_LEN: usize = 4 + ELEMENT_LEN;
const LABEL_LEN: usize = 8;
/// Three combinations without a term.
const MIN_ROW_LEN: u64 = 3 * 4;

static LAYOUT: Layout = Layout {
    format: Format::R1cs,
    version: 1,
    sections: &[
        (HEADER, "header"),
        (CONSTRAINTS, "constraints"),
        (LABELS, "labels"),
    ],
};

/// What a header counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Columns, the constant 1 included.
    pub columns: u32,
    /// Public: outputs.
    pub outputs: u32,
    /// Public: inputs.
    pub public_inputs: u32,
    /// Inputs that are not public.
    pub private_inputs: u32,
    /// Names that the source had.
    pub labels: u64,
    /// Rows.
    pub rows: u32,
}

/// A file whose sizes fit; nothing is known of its terms.
#[derive(Clone)]
pub struct RawR1cs<'a> {
    counts: Counts,
    constraints: Cursor<'a>,
    labels: Cursor<'a>,
}

/// A constraint system.
#[derive(Clone, PartialEq, Eq)]
pub struct R1cs {
    counts: Counts,
    matrices: Matrices,
    labels: Vec<u64>,
}

impl Counts {
    /// The constant 1, outputs and public inputs.
    #[must_use]
    pub const fn public_columns(&self) -> u64 {
        1 + self.outputs as u64 + self.public_inputs as u64
    }
}

impl<'a> RawR1cs<'a> {
    /// Of a file's bytes.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, InvalidFile> {
        let sections = Sections::parse(bytes, &LAYOUT)?;
        let mut header = sections.required(HEADER)?;
        read_order(&mut header, scalar_order(), SCALAR_ORDER_NAME)?;
        let counts = Counts {
            columns: header.u32()?,
            outputs: header.u32()?,
            public_inputs: header.u32()?,
            private_inputs: header.u32()?,
            labels: header.u64()?,
            rows: header.u32()?,
        };
        let least = counts.public_columns() + u64::from(counts.private_inputs);
        if u64::from(counts.columns) < least {
            let expected = format!("at least {least}, by outputs and inputs");
            return Err(header.number("columns", expected, counts.columns));
        }
        header.finish()?;

        let constraints = sections.required(CONSTRAINTS)?;
        let most = constraints.remaining() / MIN_ROW_LEN;
        if u64::from(counts.rows) > most {
            return Err(InvalidFile::Truncated {
                place: constraints.place,
                expected: u64::from(counts.rows) * MIN_ROW_LEN,
                found: constraints.remaining(),
            });
        }
        let labels = sections.required(LABELS)?;
        labels
            .clone()
            .exactly(counts.columns.into(), LABEL_LEN as u64)?;
        Ok(Self {
            counts,
            constraints,
            labels,
        })
    }

    /// What the header counts.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Reads every term.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn validate(&self) -> Result<R1cs, InvalidFile> {
        let mut cursor = self.constraints.clone();
        // `parse` has compared the number of rows with the bytes that are there.
        let rows = self.counts.rows as usize;
        let mut abc: [Matrix<Fr>; 3] = core::array::from_fn(|_| Vec::with_capacity(rows));
        for _ in 0..rows {
            for matrix in &mut abc {
                matrix.push(read_combination(&mut cursor, self.counts.columns)?);
            }
        }
        cursor.finish()?;
        let mut cursor = self.labels.clone();
        let mut labels = Vec::with_capacity(self.counts.columns as usize);
        for _ in 0..self.counts.columns {
            let label = cursor.u64()?;
            if label >= self.counts.labels.max(1) {
                let expected = format!("less than {}", self.counts.labels);
                return Err(cursor.number("a label", expected, label));
            }
            labels.push(label);
        }
        let public_columns = self.counts.public_columns() as usize;
        Ok(R1cs {
            counts: self.counts,
            matrices: Matrices {
                abc,
                public_columns,
                witness_columns: self.counts.columns as usize - public_columns,
            },
            labels,
        })
    }
}

fn read_combination(cursor: &mut Cursor<'_>, columns: u32) -> Result<Row, InvalidFile> {
    let place = cursor.place;
    let terms = cursor.u32()?;
    let bytes = cursor.take(u64::from(terms) * TERM_LEN as u64)?;
    let mut row = Vec::with_capacity(bytes.len() / TERM_LEN);
    for (index, term) in bytes.chunks_exact(TERM_LEN).enumerate() {
        let (column, coefficient) = term.split_at(4);
        let mut word = [0; 4];
        word.copy_from_slice(column);
        let column = u32::from_le_bytes(word);
        if column >= columns {
            let expected = format!("less than {columns}");
            return Err(cursor.number("a term's column", expected, column));
        }
        let coefficient = scalar_from_plain(coefficient).ok_or(InvalidFile::NonCanonical {
            place,
            index: index as u64,
        })?;
        row.push((coefficient, column as usize));
    }
    each_once(row).ok_or(InvalidFile::Contradiction {
        place,
        reason: "a combination has two terms for one column",
    })
}

impl R1cs {
    /// Of matrices: the public columns after the constant are inputs (circom would call those that it computes outputs),
    /// no witness column is an input, and a column's label is its number. Terms of one column are added up. None when
    /// there are more columns or rows than the format counts.
    #[must_use]
    pub fn new(matrices: &Matrices) -> Option<Self> {
        let columns = matrices
            .public_columns
            .checked_add(matrices.witness_columns)?;
        let columns = u32::try_from(columns).ok()?;
        let counts = Counts {
            columns,
            outputs: 0,
            public_inputs: u32::try_from(matrices.public_columns.checked_sub(1)?).ok()?,
            private_inputs: 0,
            labels: columns.into(),
            rows: u32::try_from(matrices.rows()).ok()?,
        };
        Some(Self {
            counts,
            matrices: Matrices {
                abc: matrices.abc.each_ref().map(added_up),
                ..*matrices
            },
            labels: (0..columns.into()).collect(),
        })
    }

    /// Reads and validates.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidFile> {
        RawR1cs::parse(bytes)?.validate()
    }

    /// What the header counts.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// A, B and C.
    #[must_use]
    pub const fn matrices(&self) -> &Matrices {
        &self.matrices
    }

    /// The label of each column.
    #[must_use]
    pub fn labels(&self) -> &[u64] {
        &self.labels
    }

    /// As a file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let terms: usize = self.matrices.non_zeros().iter().sum();
        let rows = self.matrices.rows();
        let constraints_len = rows * MIN_ROW_LEN as usize + terms * TERM_LEN;
        let labels_len = self.labels.len() * LABEL_LEN;
        let mut writer = Writer::new(&LAYOUT, &[HEADER_LEN, constraints_len, labels_len]);
        let counts = &self.counts;
        writer.section(HEADER, HEADER_LEN);
        writer.u32(ELEMENT_LEN as u32);
        writer.bytes(&scalar_order());
        for count in [
            counts.columns,
            counts.outputs,
            counts.public_inputs,
            counts.private_inputs,
        ] {
            writer.u32(count);
        }
        writer.u64(counts.labels);
        writer.u32(counts.rows);
        writer.section(CONSTRAINTS, constraints_len);
        let [a, b, c] = &self.matrices.abc;
        for ((a, b), c) in a.iter().zip(b).zip(c) {
            for combination in [a, b, c] {
                writer.u32(combination.len() as u32);
                for (coefficient, column) in combination {
                    writer.u32(*column as u32);
                    writer.bytes(&scalar_to_plain(coefficient));
                }
            }
        }
        writer.section(LABELS, labels_len);
        for label in &self.labels {
            writer.u64(*label);
        }
        writer.finish()
    }
}
