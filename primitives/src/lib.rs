//! The cryptography of Veilpool on the host: Poseidon, the operator's secret and what is derived
//! from it, the registry tree, measurers' signatures and the claim's folded public input.
//!
//! Each type here has a gadget of the same name with the suffix `Var` in `circuits`, tested equal.
//! Over the BN254 scalar field `Fr`; `P` is Poseidon with circomlib's parameters, the function that
//! the chain's `sol_poseidon` computes.

#![forbid(unsafe_code)]

pub mod attestation;
pub mod claim;
pub mod digits;
pub mod field;
pub mod measurer_key;
pub mod measurer_set;
pub mod montgomery;
pub mod operator;
pub mod poseidon;
pub mod registry;
pub mod schnorr;

pub use attestation::{AttestationSigner, InvalidAttestation};
pub use measurer_key::{InvalidMeasurerKey, MeasurerKey};
pub use measurer_set::{MeasurerSet, MeasurerSetError};
pub use operator::{Commitment, Nullifier, OperatorSecret, Subject};
pub use registry::{MerklePath, RegistryTree};
pub use schnorr::{MeasurerSecret, SchnorrSignature};

/// The BN254 scalar field, over which everything is hashed and proven.
pub use ark_bn254::Fr;
/// The scalar field of BabyJubJub's prime-order subgroup (order l).
pub use ark_ed_on_bn254::Fr as SubgroupScalar;
