//! From the inputs of a claim to a proof that has been verified.
//!
//! ```text
//! inputs → native check → witness → Groth16 proof → verification → bytes
//! ```
//! The native check names the statement that does not hold, so that an operator learns why a claim
//! can't be made; the verification means that nobody pays a fee for a proof that a bug has spoilt.
//!
//! # Without the rest of Veilpool
//!
//! What is proven is of use to others: *some member of a list, who doesn't say which, was attested by a
//! majority of n known signers to reach these thresholds, and claims once.* Three kinds of people: members,
//! who have a secret and are known by its commitment; signers, who see a member's pseudonym of one
//! epoch; and a verifier, who sees the nullifier. Nobody can connect the three names.
//!
//! ```
//! use rand::SeedableRng;
//! use rand_chacha::ChaCha20Rng;
//! use veilpool_primitives::{
//!     MeasurerSecret, MeasurerSet, OperatorSecret, RegistryTree,
//! };
//! use veilpool_protocol::{
//!     Bandwidth, BindingBytes, CommitmentBytes, DomainBytes, EpochId, FieldBytes, Latency, MeasurerCount,
//!     Metrics, Thresholds, Uptime, Zone, claim,
//! };
//! use veilpool_prover::{AttestationDocument, ClaimInputs, Prover, verify};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rng = &mut ChaCha20Rng::seed_from_u64(1); // In earnest: the system's generator.
//!
//! // Members register by a commitment; everybody knows the list, and its root.
//! let member = OperatorSecret::generate(rng);
//! let others = [2, 3].map(|i| CommitmentBytes::from_field(FieldBytes::from_u128(i)));
//! let list = RegistryTree::from_leaves([member.commitment().to_bytes()].into_iter().chain(others))?;
//!
//! // Three signers, in a fixed order, and a domain: signatures are worth nothing elsewhere.
//! let signers: Vec<MeasurerSecret> = (0..3).map(|_| MeasurerSecret::generate(rng)).collect();
//! let set = MeasurerSet::new(signers.iter().map(MeasurerSecret::key).collect())?;
//! let domain = DomainBytes::from_field(FieldBytes::from_digest(&[7; 32]));
//!
//! // In epoch 5 they see a pseudonym. Two sign what they saw of it, the third is silent.
//! let epoch = EpochId::new(5);
//! let pseudonym = member.subject(epoch).to_bytes();
//! let seen = Metrics {
//!     bandwidth: Bandwidth::new(700), // up to 65535 each; what they mean is yours
//!     uptime: Uptime::new(143),
//!     latency: Latency::new(30),
//!     zone: Zone::new(0),
//! };
//! let message = veilpool_primitives::attestation::message(&domain, &pseudonym, epoch, &seen);
//! let attestations: Vec<_> = signers
//!     .iter()
//!     .enumerate()
//!     .map(|(i, signer)| {
//!         (i < 2).then(|| AttestationDocument {
//!             metrics: seen,
//!             schnorr: signer.sign(&message, rng).to_bytes(),
//!         })
//!     })
//!     .collect();
//!
//! // The member proves that a majority attested at least 500, 140, and at most 80. What the proof is bound to
//! // (here 0) can be the hash of whatever it is to be good for.
//! let claimed = claim::PublicInputs {
//!     registry_root: list.root(),
//!     set_hash: set.hash(domain),
//!     epoch,
//!     thresholds: Thresholds {
//!         bandwidth: Bandwidth::new(500),
//!         uptime: Uptime::new(140),
//!         latency: Latency::new(80),
//!         zone: Zone::new(0), // any
//!     },
//!     nullifier: member.nullifier(epoch).to_bytes(),
//!     binding: BindingBytes::from_field(FieldBytes::ZERO),
//! };
//! let path = list.path(0).ok_or("the member's place")?;
//! let inputs = ClaimInputs::new(claimed, domain, path, set, &attestations, member)?;
//! let prover = Prover::load(
//!     MeasurerCount::Three,
//!     &veilpool_params::default_cache_dir(),
//!     &mut |_stage, _fraction| {},
//! )?;
//! let proof = prover.prove(&inputs, rng)?;
//!
//! // The verifier rebuilds the one public input from what it knows itself, and keeps the nullifier.
//! let public = veilpool_primitives::claim::fold_bytes(&claimed);
//! verify(prover.verifying_key(), &public, &proof.to_bytes())?;
//! # Ok(())
//! # }
//! ```
//!
//! # Any other circuit
//!
//! [`Fast`] proves for any Groth16 key over BN254 whose h query is in one of two forms
//! ([`QuotientBasis`]), with or without AVX-512; the crate `veilpool-iden3` reads and writes snarkjs' files.

#![forbid(unsafe_code)]

pub mod backend;
pub mod inputs;
pub mod proof;
pub mod prove;
pub mod sample;
pub mod snarkjs;
pub mod verify;

pub use backend::{
    Arithmetic, Backend, BackendError, Constraints, Fast, Options, PhaseTimings, PrepareError,
    QuotientBasis, Stock,
};
pub use inputs::{AttestationDocument, ClaimDocument, ClaimInputs, InputError, PathDocument};
pub use proof::{InvalidProofBytes, Proof};
pub use prove::{LoadProverError, ProveError, Prover, Timings, UncheckedProof, VerifiedProof};
pub use sample::sample_inputs;
pub use verify::{VerifyError, verify};

pub use veilpool_arithmetic::progress::{Cancelled, Token};
pub use veilpool_circuits::{Statement, claim::Attestation};
