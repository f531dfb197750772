//! The claim circuit and its gadgets, as rank-1 constraints over the BN254 scalar field, with a
//! native twin of every statement. No input or output, no keys: those are in `params` and `prover`.
//!
//! Normative text: `docs/protocol.md`. Groth16 over BN254 (Groth, EUROCRYPT 2016) proves it.

#![forbid(unsafe_code)]

pub mod claim;
pub mod gadget;
pub mod matrices;
pub mod num;
pub mod synthesizer;

pub use claim::{Circuit, PublicInputs, Statement, Witness};
