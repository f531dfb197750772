//! arkworks' prover.

use ark_bn254::{Bn254, Fr};
use ark_groth16::{Groth16, Proof, ProvingKey, r1cs_to_qap::LibsnarkReduction};
use ark_relations::utils::matrix::Matrix;
use veilpool_arithmetic::progress::Token;
use veilpool_params::OddCoset;

use super::{Backend, BackendError, PhaseTimings, QuotientBasis, check_assignment};

/// arkworks' prover with cached matrices. Tells no phases apart, and cannot be cancelled once it
/// has begun; what it leaves in memory is out of reach.
pub struct Stock<'a> {
    key: &'a ProvingKey<Bn254>,
    matrices: &'a [Matrix<Fr>; 3],
    public_columns: usize,
    columns: usize,
    basis: QuotientBasis,
}

impl<'a> Stock<'a> {
    /// With a key and the matrices A, B, C that belong to it.
    #[must_use]
    pub const fn new(
        key: &'a ProvingKey<Bn254>,
        matrices: &'a [Matrix<Fr>; 3],
        public_columns: usize,
        witness_columns: usize,
        basis: QuotientBasis,
    ) -> Self {
        Self {
            key,
            matrices,
            public_columns,
            columns: public_columns + witness_columns,
            basis,
        }
    }
}

impl Backend for Stock<'_> {
    fn name(&self) -> &'static str {
        "arkworks"
    }

    fn prove(
        &self,
        assignment: &[Fr],
        r: Fr,
        s: Fr,
        token: &Token,
    ) -> Result<(Proof<Bn254>, PhaseTimings), BackendError> {
        check_assignment(assignment, self.columns)?;
        token.check()?;
        let rows = self.matrices[0].len();
        let proof = match self.basis {
            QuotientBasis::Coefficients => {
                Groth16::<Bn254, LibsnarkReduction>::create_proof_with_reduction_and_matrices(
                    self.key,
                    r,
                    s,
                    self.matrices,
                    self.public_columns,
                    rows,
                    assignment,
                )
            }
            QuotientBasis::OddCoset => {
                Groth16::<Bn254, OddCoset>::create_proof_with_reduction_and_matrices(
                    self.key,
                    r,
                    s,
                    self.matrices,
                    self.public_columns,
                    rows,
                    assignment,
                )
            }
        }?;
        Ok((proof, PhaseTimings::default()))
    }
}
