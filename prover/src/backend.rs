//! From an assignment to a Groth16 proof: one trait, two implementations.
//!
//! ```text
//! A = α + Σ zᵢ·aᵢ + r·δ      B = β + Σ zᵢ·bᵢ + s·δ
//! C = Σ_{witness} zᵢ·lᵢ + Σ_j hⱼ·Hⱼ + s·A + r·B − rs·δ
//! ```
//! [`Fast`] is what proves; [`Stock`] is arkworks' prover, kept as the definition: for equal r, s
//! and a satisfying assignment both give the same three points (tested). Neither knows anything of
//! claims: a backend proves for any Groth16 key over BN254, with the matrices that belong to it.
//!
//! A key says in which [`QuotientBasis`] its h query is. Our keys and all `.zkey` files have the odd
//! coset; arkworks' own setup makes coefficients. Both are served.

use std::time::Duration;

use ark_bn254::{Bn254, Fr};
use ark_groth16::Proof;
use ark_relations::{gr1cs::SynthesisError, utils::matrix::Matrix};
use veilpool_arithmetic::progress::{Cancelled, Token};

mod fast;
mod stock;

pub use fast::{Arithmetic, Fast, Options};
pub use stock::Stock;

/// Makes proofs with one key.
pub trait Backend: Send + Sync {
    /// For tables of measurements.
    fn name(&self) -> &'static str;

    /// A proof for the whole assignment (the constant 1, public columns, witness columns) and the
    /// two blinding scalars, which have to be uniform and fresh. Whether the assignment satisfies
    /// the constraints isn't checked: if it doesn't, the proof is refused by every verifier.
    ///
    /// # Errors
    /// [`BackendError`].
    fn prove(
        &self,
        assignment: &[Fr],
        r: Fr,
        s: Fr,
        token: &Token,
    ) -> Result<(Proof<Bn254>, PhaseTimings), BackendError>;
}

/// In which basis a key's h query is, and so what the prover computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotientBasis {
    /// Coefficients of `h`: arkworks' and libsnark's setup.
    Coefficients,
    /// Values of `A·B − C` on the odd coset: ours, circom's and snarkjs'.
    OddCoset,
}

/// The constraints that a proving key is for.
#[derive(Clone, Copy)]
pub struct Constraints<'a> {
    /// The matrix A; a row is (coefficient, column) pairs.
    pub a: &'a Matrix<Fr>,
    /// The matrix B, with as many rows.
    pub b: &'a Matrix<Fr>,
    /// Columns of the instance, the constant 1 included.
    pub public_columns: usize,
    /// Columns of the witness.
    pub witness_columns: usize,
}

/// How long each phase of a proof took: wall-clock time. With several threads phases overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseTimings {
    /// Values of A and B, and the quotient.
    pub witness_map: Duration,
    /// `Σ zᵢ·aᵢ`.
    pub a: Duration,
    /// `Σ zᵢ·bᵢ` in G1.
    pub b_g1: Duration,
    /// `Σ zᵢ·bᵢ` in G2.
    pub b_g2: Duration,
    /// `Σ zᵢ·lᵢ`.
    pub l: Duration,
    /// `Σ hⱼ·Hⱼ`.
    pub h: Duration,
    /// From the sums to the proof.
    pub assembly: Duration,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// Another circuit's assignment.
    #[error("the assignment has {found} columns, the proving key is for {expected}")]
    Columns {
        /// By the key.
        expected: usize,
        /// Of the assignment.
        found: usize,
    },
    /// The first column is the constant.
    #[error("the first column of the assignment is not 1")]
    NoOne,
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// arkworks' prover failed.
    #[error("the proof could not be computed: {0}")]
    Synthesis(#[from] SynthesisError),
}

/// Why a key cannot be proven with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A part of the key has the wrong length.
    #[error("the proving key's {part} query has {found} points, the constraints need {expected}")]
    QueryLength {
        /// Which query.
        part: &'static str,
        /// By the constraints.
        expected: usize,
        /// In the key.
        found: usize,
    },
    /// A and B have different numbers of rows.
    #[error("the matrices have {a} and {b} rows")]
    Rows {
        /// Of A.
        a: usize,
        /// Of B.
        b: usize,
    },
    /// A term of a row names a column that isn't there.
    #[error("a constraint names column {column}, there are {columns}")]
    Column {
        /// Named.
        column: usize,
        /// There are.
        columns: usize,
    },
    /// The domain would be too large.
    #[error("{0} constraints are more than can be proven")]
    TooLarge(usize),
    /// The instructions aren't there.
    #[error("this machine doesn't have the arithmetic that was asked for")]
    NoSuchArithmetic,
    /// The threads could not be started.
    #[error("the prover's threads could not be started: {0}")]
    Threads(String),
    /// Somebody cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Constraints<'_> {
    /// Rows, without those that bind public columns.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.a.len()
    }

    /// Columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.public_columns + self.witness_columns
    }

    /// The domain's size: a power of two of at least 8, with room for one row more for each public
    /// column.
    fn domain(&self) -> Result<usize, PrepareError> {
        let rows = self.rows() + self.public_columns;
        rows.checked_next_power_of_two()
            .filter(|size| *size <= 1 << 27)
            .ok_or(PrepareError::TooLarge(rows))
    }
}

fn check_assignment(assignment: &[Fr], expected: usize) -> Result<(), BackendError> {
    if assignment.len() != expected {
        return Err(BackendError::Columns {
            expected,
            found: assignment.len(),
        });
    }
    if assignment.first() != Some(&Fr::from(1u8)) {
        return Err(BackendError::NoOne);
    }
    Ok(())
}
