//! Export for iden3's tools, so that provers and verifiers that aren't ours can check us; the
//! formats are those of [`veilpool_iden3`].
//!
//! ```text
//! snarkjs groth16 verify verification_key.json public.json proof.json
//! snarkjs r1cs info claim.r1cs
//! snarkjs wtns check claim.r1cs claim.wtns
//! snarkjs groth16 prove claim.zkey claim.wtns proof.json public.json
//! ```

use serde_json::Value;
use veilpool_circuits::{PublicInputs, claim::Circuit};
use veilpool_iden3::{
    R1cs, Wtns, json,
    zkey::{self, Contributions, ExportError},
};
use veilpool_params::{Parameters, VerifyingKey};
use veilpool_protocol::{MeasurerCount, PublicInputBytes};

use crate::{
    inputs::ClaimInputs,
    proof::Proof,
    prove::{ProveError, assign},
};

/// Name of the key's file.
pub const VERIFICATION_KEY_FILE: &str = "verification_key.json";
/// Name of the proof's file.
pub const PROOF_FILE: &str = "proof.json";
/// Name of the public inputs' file.
pub const PUBLIC_FILE: &str = "public.json";
/// Name of the proving key's file.
pub const ZKEY_FILE: &str = "claim.zkey";
/// Name of the constraint system's file.
pub const R1CS_FILE: &str = "claim.r1cs";
/// Name of the assignment's file, which is secret.
pub const WTNS_FILE: &str = "claim.wtns";

/// Content of `verification_key.json`.
#[must_use]
pub fn verification_key(key: &VerifyingKey) -> Value {
    json::verifying_key(key.as_ark())
}

/// Content of `proof.json`.
#[must_use]
pub fn proof(proof: &Proof) -> Value {
    json::proof(proof.as_ark())
}

/// Content of `public.json`.
#[must_use]
pub fn public(public: &PublicInputBytes) -> Value {
    json::public(&PublicInputs::from_bytes(*public).to_fields())
}

/// The three files by name, for `veilpool export --format snarkjs`.
#[must_use]
pub fn files(
    key: &VerifyingKey,
    proof_: &Proof,
    public_: &PublicInputBytes,
) -> [(&'static str, Value); 3] {
    [
        (VERIFICATION_KEY_FILE, verification_key(key)),
        (PROOF_FILE, proof(proof_)),
        (PUBLIC_FILE, public(public_)),
    ]
}

/// The proving key, with the matrices A and B.
///
/// # Errors
/// [`ExportError`], for parameters that don't belong together.
pub fn zkey(parameters: &Parameters) -> Result<Vec<u8>, ExportError> {
    let matrices = &parameters.matrices;
    zkey::write(
        &parameters.proving_key,
        &matrices.abc,
        matrices.public_columns,
        &Contributions::default(),
    )
}

/// The constraint system.
///
/// # Errors
/// [`ExportError::TooLarge`].
pub fn r1cs(parameters: &Parameters) -> Result<R1cs, ExportError> {
    R1cs::new(&parameters.matrices).ok_or(ExportError::TooLarge("columns"))
}

/// The assignment, **secret**; whether it satisfies the circuit isn't checked here.
///
/// # Errors
/// [`ProveError`], but never for a statement.
pub fn wtns(inputs: &ClaimInputs) -> Result<Wtns, ProveError> {
    match inputs.count() {
        MeasurerCount::Three => wtns_sized::<3>(inputs),
        MeasurerCount::Five => wtns_sized::<5>(inputs),
        MeasurerCount::Seven => wtns_sized::<7>(inputs),
    }
}

fn wtns_sized<const N: usize>(inputs: &ClaimInputs) -> Result<Wtns, ProveError> {
    let Some(witness) = inputs.to_witness::<N>()? else {
        unreachable!("N is the inputs' own number of measurers");
    };
    let assignment = assign(&Circuit::new(inputs.public_inputs(), &witness))?;
    match Wtns::new(assignment) {
        Some(wtns) => Ok(wtns),
        None => unreachable!("an assignment begins with the constant 1"),
    }
}
