//! The cryptography of Veilpool on the host: Poseidon, the operator's secret and what is derived
//! from it, the registry tree, measurers' signatures and the claim's folded public input.
//!
//! Each type here has a gadget of the same name with the suffix `Var` in `circuits`, tested equal.
//! Over the BN254 scalar field `Fr`; `P` is Poseidon with circomlib's parameters, the function that
//! the chain's `sol_poseidon` computes.
//!
//! ```
//! use rand::SeedableRng;
//! use rand_chacha::ChaCha20Rng;
//! use veilpool_primitives::{MeasurerKey, MeasurerSecret, OperatorSecret, attestation};
//! use veilpool_protocol::{DomainBytes, EpochId, FieldBytes, Metrics};
//!
//! let rng = &mut ChaCha20Rng::seed_from_u64(1); // In earnest: the system's generator.
//! let operator = OperatorSecret::generate(rng);
//! let epoch = EpochId::new(7);
//! // Three names of one operator that nobody without the secret can connect.
//! let _on_chain = operator.commitment().to_bytes();
//! let _at_payment = operator.nullifier(epoch).to_bytes();
//! let to_measurers = operator.subject(epoch).to_bytes();
//!
//! let measurer = MeasurerSecret::generate(rng);
//! let domain = DomainBytes::from_field(FieldBytes::from_digest(&[9; 32]));
//! let message = attestation::message(&domain, &to_measurers, epoch, &Metrics::default());
//! let signature = measurer.sign(&message, rng);
//! // 64 bytes of key: u of K and of 2⁶⁴·K, checked to belong together when they are decoded.
//! let key = MeasurerKey::from_bytes(&measurer.key().to_bytes())?;
//! key.verify(&message, &signature)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
mod secret_multiple;

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
