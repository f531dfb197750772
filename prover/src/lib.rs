//! From the inputs of a claim to a proof that has been verified.
//!
//! ```text
//! inputs → native check → witness → Groth16 proof → verification → bytes
//! ```
//! The native check names the statement that does not hold, so that an operator learns why a claim
//! can't be made; the verification means that nobody pays a fee for a proof that a bug has spoilt.

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
