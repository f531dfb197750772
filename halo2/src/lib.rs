//! Two circuits in halo2 (KZG over BN254), verified off chain:
//!
//! * [`listing`]: "I am some bonded operator, this is my subject of the epoch, and this is my share of
//!   the epoch for this listing", so that two different listings of one epoch reveal the secret;
//! * [`claim`]: the claim, written a second time and independently of the R1CS circuit, to be compared
//!   with it.
//!
//! The proof system is `halo2_proofs` by way of the package `halo2-axiom`, pinned exactly. What it
//! gives for a circuit (layout, keys, transcript) has no specification besides its code.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod claim;
pub mod field;
pub mod gadget;
pub mod grid;
pub mod listing;
pub mod manifest;
mod reader;
pub mod relation;
pub mod share;
pub mod sheet;
pub mod system;
pub mod universal;

pub use listing::{ListingProof, ListingProver, ListingVerifier};
pub use share::{ListingHash, Share};
pub use universal::UniversalParameters;
