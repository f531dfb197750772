//! Section 4: the matrices A and B, as triples.

use ark_bn254::Fr;
use ark_ff::{One, Zero};
use ark_relations::gr1cs::Matrix;

use super::{COEFFICIENTS, Counts, LAYOUT, contradiction};
use crate::{
    elements::{ELEMENT_LEN, scalar_from_double_montgomery},
    error::InvalidFile,
    terms::each_once,
};

/// Matrix, row, column, coefficient.
pub(super) const COEFFICIENT_LEN: usize = 3 * 4 + ELEMENT_LEN;

/// What the section says.
pub(super) struct Rows {
    /// A and B without the rows for public columns.
    pub(super) ab: [Matrix<Fr>; 2],
    /// Whether a column has a coefficient, rows for public columns included.
    pub(super) used: [Vec<bool>; 2],
}

impl Rows {
    pub(super) fn read(bytes: &[u8], counts: Counts) -> Result<Self, InvalidFile> {
        let triples = bytes.chunks_exact(COEFFICIENT_LEN);
        let outside = |what, limit: u32, found: u32| {
            Err(InvalidFile::Number {
                place: LAYOUT.place(COEFFICIENTS),
                what,
                expected: format!("less than {limit}"),
                found: found.into(),
            })
        };
        // One pass for the bounds, so that the second allocates what is needed.
        let mut last_row = 0;
        for triple in triples.clone() {
            let [matrix, row, column] = indices(triple);
            if matrix > 1 {
                return outside("a coefficient's matrix", 2, matrix);
            }
            if row >= counts.domain {
                return outside("a coefficient's row", counts.domain, row);
            }
            if column >= counts.columns {
                return outside("a coefficient's column", counts.columns, column);
            }
            last_row = last_row.max(row as usize);
        }
        let public_columns = counts.public_columns();
        let Some(rows) = (last_row + 1).checked_sub(public_columns) else {
            return Err(contradiction(
                COEFFICIENTS,
                "the rows for public columns aren't there",
            ));
        };
        if (last_row + 1).next_power_of_two() != counts.domain as usize {
            return Err(InvalidFile::Number {
                place: LAYOUT.place(COEFFICIENTS),
                what: "rows, those for public columns included",
                expected: format!("more than {}, by the domain", counts.domain / 2),
                found: last_row as u64 + 1,
            });
        }
        // The domain's size was compared with the bytes of H, the columns with those of A.
        let mut ab: [Matrix<Fr>; 2] = core::array::from_fn(|_| vec![Vec::new(); last_row + 1]);
        let mut used: [Vec<bool>; 2] =
            core::array::from_fn(|_| vec![false; counts.columns as usize]);
        for (index, triple) in triples.enumerate() {
            let [matrix, row, column] = indices(triple).map(|index| index as usize);
            let coefficient =
                scalar_from_double_montgomery(&triple[12..]).ok_or(InvalidFile::NonCanonical {
                    place: LAYOUT.place(COEFFICIENTS),
                    index: index as u64,
                })?;
            if coefficient.is_zero() {
                continue;
            }
            used[matrix][column] = true;
            ab[matrix][row].push((coefficient, column));
        }
        for row in ab.iter_mut().flatten() {
            *row = each_once(core::mem::take(row)).ok_or(contradiction(
                COEFFICIENTS,
                "a row has two coefficients for one column",
            ))?;
        }
        let [a, b] = &mut ab;
        let public_rows = a.split_off(rows);
        let none_in_b = b.split_off(rows).iter().all(Vec::is_empty);
        let as_they_must_be = public_rows
            .iter()
            .enumerate()
            .all(|(column, row)| row.as_slice() == [(Fr::one(), column)]);
        if none_in_b && as_they_must_be {
            Ok(Self { ab, used })
        } else {
            Err(contradiction(
                COEFFICIENTS,
                "the last rows aren't those for public columns",
            ))
        }
    }
}

fn indices(triple: &[u8]) -> [u32; 3] {
    let mut indices = [0; 3];
    for (index, bytes) in indices.iter_mut().zip(triple.chunks_exact(4)) {
        let mut word = [0; 4];
        word.copy_from_slice(bytes);
        *index = u32::from_le_bytes(word);
    }
    indices
}
