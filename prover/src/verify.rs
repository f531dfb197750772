//! Verification on the host, by arkworks. (The chain's own verifier, which also runs on the host,
//! is the crate `veilpool-groth16`.)

use ark_bn254::Bn254;
use ark_groth16::{Groth16, PreparedVerifyingKey};
use veilpool_circuits::PublicInputs;
use veilpool_params::VerifyingKey;
use veilpool_protocol::{ProofBytes, PublicInputBytes};

use crate::proof::{InvalidProofBytes, Proof};

/// Why a proof was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The bytes are no proof.
    #[error(transparent)]
    Malformed(#[from] InvalidProofBytes),
    /// The pairing equation does not hold.
    #[error("the proof is not valid for this public input and verifying key")]
    Invalid,
    /// The key has another number of public inputs: it could not be checked.
    #[error("the verifying key isn't one of a circuit with this public input")]
    WrongKey,
}

/// Verifies a proof.
///
/// # Errors
/// [`VerifyError`].
pub fn verify(
    key: &VerifyingKey,
    public: &PublicInputBytes,
    proof: &ProofBytes,
) -> Result<(), VerifyError> {
    let proof = Proof::from_bytes(proof)?;
    verify_prepared(&key.prepare(), PublicInputs::from_bytes(*public), &proof)
}

pub(crate) fn verify_prepared(
    key: &PreparedVerifyingKey<Bn254>,
    public: PublicInputs,
    proof: &Proof,
) -> Result<(), VerifyError> {
    match Groth16::<Bn254>::verify_proof(key, proof.as_ark(), &public.to_fields()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(VerifyError::Invalid),
        Err(_) => Err(VerifyError::WrongKey),
    }
}
