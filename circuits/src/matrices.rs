//! Constraint matrices A, B, C, what they say of an assignment, and their fingerprint.
//!
//! ```text
//! fingerprint = SHA-256("veilpool/r1cs/v1" ‖ public columns u64 ‖ witness columns u64 ‖ rows u64 ‖ A ‖ B ‖ C)
//! matrix      = for each row: number of terms u32, then for each term column u32 ‖ coefficient (32, big-endian)
//! ```
//! Integers little-endian; terms in ascending order of columns, without zeros; column 0 is the
//! constant 1, then public columns, then witness columns.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Zero};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, Matrix, R1CS_PREDICATE_LABEL,
    SynthesisError, SynthesisMode,
};
use sha2::{Digest, Sha256};
use veilpool_primitives::field;

const CONTEXT: &[u8] = b"veilpool/r1cs/v1";

/// A, B and C of one circuit.
#[derive(Clone, PartialEq, Eq)]
pub struct Matrices {
    /// In the order A, B, C; a row is (coefficient, column) pairs.
    pub abc: [Matrix<Fr>; 3],
    /// Columns of the instance, the constant 1 included.
    pub public_columns: usize,
    /// Columns of the witness.
    pub witness_columns: usize,
}

impl Matrices {
    /// Synthesises the shape of a circuit.
    ///
    /// # Errors
    /// Those of the circuit.
    pub fn of(circuit: impl ConstraintSynthesizer<Fr>) -> Result<Self, SynthesisError> {
        let cs = ConstraintSystem::<Fr>::new_ref();
        cs.set_mode(SynthesisMode::Setup);
        circuit.generate_constraints(cs.clone())?;
        Self::from_system(&cs)
    }

    /// Of a constraint system that was synthesised with matrices.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn from_system(cs: &ConstraintSystemRef<Fr>) -> Result<Self, SynthesisError> {
        cs.finalize();
        let mut all = cs.to_matrices()?;
        let rows = all
            .remove(R1CS_PREDICATE_LABEL)
            .ok_or(SynthesisError::PredicateNotFound)?;
        let abc = <[Matrix<Fr>; 3]>::try_from(rows).map_err(|_| SynthesisError::ArityMismatch)?;
        Ok(Self {
            abc: abc.map(normalise),
            public_columns: cs.num_instance_variables(),
            witness_columns: cs.num_witness_variables(),
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.abc[0].len()
    }

    /// Non-zero coefficients of A, B and C.
    #[must_use]
    pub fn non_zeros(&self) -> [usize; 3] {
        self.abc
            .each_ref()
            .map(|matrix| matrix.iter().map(Vec::len).sum())
    }

    /// Columns that stand on a B side: each costs the prover a G2 multiplication.
    #[must_use]
    pub fn b_columns(&self) -> usize {
        let mut seen = vec![false; self.public_columns + self.witness_columns];
        for (_, column) in self.abc[1].iter().flatten() {
            seen[*column] = true;
        }
        seen.into_iter().filter(|seen| *seen).count()
    }

    /// Rows where `⟨A,z⟩·⟨B,z⟩ ≠ ⟨C,z⟩`, evaluated here and now (a constraint system may have
    /// cached linear combinations, and miss an edit of its assignment).
    #[must_use]
    pub fn failing_rows(&self, assignment: &[Fr]) -> Vec<usize> {
        (0..self.rows())
            .filter(|row| !self.row_holds(*row, assignment))
            .collect()
    }

    /// Whether one row holds.
    #[must_use]
    pub fn row_holds(&self, row: usize, assignment: &[Fr]) -> bool {
        let [a, b, c] = self.abc.each_ref().map(|matrix| {
            matrix[row]
                .iter()
                .fold(Fr::ZERO, |sum, (coefficient, column)| {
                    sum + assignment[*column] * coefficient
                })
        });
        a * b == c
    }

    /// SHA-256 of the matrices, as the module says.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(CONTEXT);
        for count in [self.public_columns, self.witness_columns, self.rows()] {
            hasher.update((count as u64).to_le_bytes());
        }
        for row in self.abc.iter().flatten() {
            hasher.update((row.len() as u32).to_le_bytes());
            for (coefficient, column) in row {
                hasher.update((*column as u32).to_le_bytes());
                hasher.update(field::to_bytes(coefficient).as_bytes());
            }
        }
        hasher.finalize().into()
    }
}

fn normalise(mut matrix: Matrix<Fr>) -> Matrix<Fr> {
    for row in &mut matrix {
        row.retain(|(coefficient, _)| !coefficient.is_zero());
        row.sort_by_key(|(_, column)| *column);
    }
    matrix
}
