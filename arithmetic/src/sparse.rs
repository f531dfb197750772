//! Products of a sparse matrix that never changes with secret vectors.
//!
//! ```text
//! (M·z)_row = Σ coefficient · z_column,  eight rows side by side, products added before they are reduced
//! ```
//! Rows are sorted by their number of terms, so that the eight of one group are about equally long;
//! a shorter one is filled up with zero coefficients. Circuits have few different coefficients: they
//! stand in a dictionary, and a term takes eight bytes.
//!
//! z is taken as arkworks has it in memory, `z · 2^256`, which an engine reads as `z · 2^−shift`;
//! the dictionary has `coefficient · 2^shift` in return.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Zero};
use rayon::prelude::*;

use crate::{
    engine::{Engine, Kernel, LANES, Lanes, MAX_PRODUCTS, Words},
    progress::{Cancelled, Token},
    secret::Secret,
    words::Raw,
};

/// Groups of rows that make one task.
const TASK: usize = 128;

/// A matrix prepared for one engine.
pub struct Sparse<E: Engine> {
    engine: E,
    rows: usize,
    columns: usize,
    dictionary: Vec<Words>,
    groups: Vec<RowGroup>,
    terms: Vec<[Term; LANES]>,
}

/// Eight rows; a row that isn't there is [`NO_ROW`].
#[derive(Clone, Copy)]
struct RowGroup {
    rows: [u32; LANES],
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, Default)]
struct Term {
    column: u32,
    coefficient: u32,
}

const NO_ROW: u32 = u32::MAX;

/// A term names a column that isn't there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row names column {column}, there are {columns}")]
pub struct NoSuchColumn {
    /// Named.
    pub column: usize,
    /// There are.
    pub columns: usize,
}

struct Rows<'a, E: Engine> {
    matrix: &'a Sparse<E>,
    groups: &'a [RowGroup],
    vector: &'a [Words],
    values: &'a mut [[Words; LANES]],
}

impl<E: Engine> Kernel<E> for Rows<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run(self, engine: E) {
        let dictionary = &self.matrix.dictionary;
        for (group, out) in self.groups.iter().zip(self.values) {
            let terms = &self.matrix.terms[group.start as usize..group.end as usize];
            let mut value = E::Fr::splat(engine, &[0; 4]);
            for part in terms.chunks(MAX_PRODUCTS) {
                let mut sum = E::Fr::no_products(engine);
                for t in part {
                    let coefficients = E::Fr::gather(
                        engine,
                        [
                            &dictionary[t[0].coefficient as usize],
                            &dictionary[t[1].coefficient as usize],
                            &dictionary[t[2].coefficient as usize],
                            &dictionary[t[3].coefficient as usize],
                            &dictionary[t[4].coefficient as usize],
                            &dictionary[t[5].coefficient as usize],
                            &dictionary[t[6].coefficient as usize],
                            &dictionary[t[7].coefficient as usize],
                        ],
                    );
                    let z = E::Fr::gather(
                        engine,
                        [
                            &self.vector[t[0].column as usize],
                            &self.vector[t[1].column as usize],
                            &self.vector[t[2].column as usize],
                            &self.vector[t[3].column as usize],
                            &self.vector[t[4].column as usize],
                            &self.vector[t[5].column as usize],
                            &self.vector[t[6].column as usize],
                            &self.vector[t[7].column as usize],
                        ],
                    );
                    sum = E::Fr::add_product(sum, coefficients, z);
                }
                value = value.add(E::Fr::total(sum));
            }
            *out = value.scatter();
        }
    }
}

impl<E: Engine> Sparse<E> {
    /// From rows of (coefficient, column) pairs.
    ///
    /// # Errors
    /// [`NoSuchColumn`].
    pub fn new(engine: E, rows: &[Vec<(Fr, usize)>], columns: usize) -> Result<Self, NoSuchColumn> {
        let shift = Fr::from(1u64 << <E::Fr as Lanes>::SHIFT);
        let mut dictionary = vec![<E::Fr as Lanes>::encode(&Fr::ZERO)];
        let mut known = HashMap::new();
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.sort_by_key(|row| rows[*row as usize].len());
        let mut groups = Vec::with_capacity(rows.len().div_ceil(LANES));
        let mut terms = Vec::new();
        for eight in order.chunks(LANES) {
            let start = terms.len();
            let length = eight.iter().map(|row| rows[*row as usize].len()).max();
            terms.resize(start + length.unwrap_or(0), [Term::default(); LANES]);
            let mut group = RowGroup {
                rows: [NO_ROW; LANES],
                start: start as u32,
                end: terms.len() as u32,
            };
            for (lane, row) in eight.iter().enumerate() {
                group.rows[lane] = *row;
                for (term, (coefficient, column)) in
                    terms[start..].iter_mut().zip(&rows[*row as usize])
                {
                    if *column >= columns {
                        return Err(NoSuchColumn {
                            column: *column,
                            columns,
                        });
                    }
                    if coefficient.is_zero() {
                        continue;
                    }
                    let coefficient = *known.entry(*coefficient).or_insert_with(|| {
                        dictionary.push(<E::Fr as Lanes>::encode(&(*coefficient * shift)));
                        dictionary.len() as u32 - 1
                    });
                    term[lane] = Term {
                        column: *column as u32,
                        coefficient,
                    };
                }
            }
            groups.push(group);
        }
        Ok(Self {
            engine,
            rows: rows.len(),
            columns,
            dictionary,
            groups,
            terms,
        })
    }

    /// How many rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes that the matrix takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of_val(&*self.dictionary) + size_of_val(&*self.groups) + size_of_val(&*self.terms)
    }

    /// Writes `M·z` in word form to the beginning of `out`.
    ///
    /// # Errors
    /// [`Cancelled`].
    ///
    /// # Panics
    /// If z has fewer entries than the matrix has columns, or `out` is shorter than its rows.
    pub fn multiply(
        &self,
        vector: &[Fr],
        out: &mut [Words],
        token: &Token,
    ) -> Result<(), Cancelled> {
        assert!(vector.len() >= self.columns && out.len() >= self.rows);
        let mut words = Secret::new([0; 4], vector.len());
        for (words, value) in words.iter_mut().zip(vector) {
            *words = value.to_words();
        }
        let mut values = Secret::new([[0; 4]; LANES], self.groups.len());
        values
            .par_chunks_mut(TASK)
            .zip(self.groups.par_chunks(TASK))
            .try_for_each(|(values, groups)| {
                token.check()?;
                self.engine.run(Rows {
                    matrix: self,
                    groups,
                    vector: &words,
                    values,
                });
                Ok(())
            })?;
        for (group, values) in self.groups.iter().zip(values.iter()) {
            for (row, value) in group.rows.iter().zip(values) {
                if *row != NO_ROW {
                    out[*row as usize] = *value;
                }
            }
        }
        Ok(())
    }
}
