//! The claim circuit against the circuit pattern's tests T1 to T8 (T9, with keys, is in `prover`).

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod common;

mod completeness;
mod fingerprint;
mod hints;
mod majority;
mod public_inputs;
mod soundness;
mod sweep;
mod vectors;
