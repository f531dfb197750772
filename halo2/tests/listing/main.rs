//! The listing circuit, by the circuit pattern of the conventions.

#![allow(clippy::unwrap_used)]

mod common;
mod completeness;
mod fingerprint;
mod frozen;
#[path = "../frozen/mod.rs"]
mod frozen_proofs;
mod public_inputs;
mod round_trip;
mod soundness;
