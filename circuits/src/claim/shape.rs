//! What can be said of the claim circuit without a witness: which rows belong to which statement,
//! counts and the fingerprint.

use std::ops::Range;

use ark_relations::gr1cs::SynthesisError;

use super::{Circuit, Statement};
use crate::{matrices::Matrices, synthesizer::Synthesizer};

/// Rows by statement, and names of the witness columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    blocks: Vec<(Statement, Range<usize>)>,
    column_names: Vec<&'static str>,
}

impl Layout {
    /// Synthesises a block and records its rows under each of the statements.
    pub(super) fn record<T, const M: usize>(
        &mut self,
        cs: &mut Synthesizer,
        statements: [Statement; M],
        block: impl FnOnce(&mut Synthesizer) -> Result<T, SynthesisError>,
    ) -> Result<T, SynthesisError> {
        let start = cs.rows();
        let result = block(cs)?;
        for statement in statements {
            self.blocks.push((statement, start..cs.rows()));
        }
        Ok(result)
    }

    pub(super) fn name_columns(&mut self, cs: &Synthesizer) {
        self.column_names = cs.column_names().to_vec();
    }

    /// Whether a row belongs to a statement. The rows that compute the subject belong to the
    /// attestation validity of every slot.
    #[must_use]
    pub fn contains(&self, statement: Statement, row: usize) -> bool {
        self.blocks
            .iter()
            .any(|(owner, rows)| *owner == statement && rows.contains(&row))
    }

    /// Blocks in order of synthesis.
    #[must_use]
    pub fn blocks(&self) -> &[(Statement, Range<usize>)] {
        &self.blocks
    }

    /// Names of the witness columns, in order. They are not unique.
    #[must_use]
    pub fn column_names(&self) -> &[&'static str] {
        &self.column_names
    }
}

/// There is no circuit for this number of measurers.
pub use veilpool_protocol::measurer_set::UnsupportedMeasurerCount as UnsupportedSize;

/// Counts and fingerprint of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// Number of measurers.
    pub n: usize,
    /// Version of the circuit.
    pub version: u32,
    /// Rows.
    pub constraints: usize,
    /// Witness columns.
    pub witnesses: usize,
    /// Public columns, the constant 1 not counted.
    pub public_inputs: usize,
    /// Non-zero coefficients of A, B and C.
    pub non_zeros: [usize; 3],
    /// Columns on a B side.
    pub b_columns: usize,
    /// SHA-256 of the matrices ([`crate::matrices`]).
    pub fingerprint: [u8; 32],
}

impl Info {
    /// Of these matrices.
    #[must_use]
    pub fn of(n: usize, matrices: &Matrices) -> Self {
        Self {
            n,
            version: super::VERSION,
            constraints: matrices.rows(),
            witnesses: matrices.witness_columns,
            public_inputs: matrices.public_columns - 1,
            non_zeros: matrices.non_zeros(),
            b_columns: matrices.b_columns(),
            fingerprint: matrices.fingerprint(),
        }
    }
}

/// The matrices of the claim circuit for `n` measurers.
///
/// # Errors
/// [`UnsupportedSize`] when n isn't 3, 5 or 7.
pub fn matrices(n: usize) -> Result<Matrices, UnsupportedSize> {
    let synthesised = match n {
        3 => Matrices::of(Circuit::<3>::blank()),
        5 => Matrices::of(Circuit::<5>::blank()),
        7 => Matrices::of(Circuit::<7>::blank()),
        other => return Err(UnsupportedSize(other)),
    };
    match synthesised {
        Ok(matrices) => Ok(matrices),
        Err(error) => unreachable!("the shape needs no assignment: {error}"),
    }
}

/// Counts and fingerprint of the claim circuit for `n` measurers.
///
/// # Errors
/// [`UnsupportedSize`] when n isn't 3, 5 or 7.
pub fn info(n: usize) -> Result<Info, UnsupportedSize> {
    Ok(Info::of(n, &matrices(n)?))
}
