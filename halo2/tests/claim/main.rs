//! The claim circuit against the R1CS one.

#![allow(clippy::unwrap_used)]

mod common;
mod differential;
mod frozen;
#[path = "../frozen/mod.rs"]
mod frozen_proofs;
mod shape;
