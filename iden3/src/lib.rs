//! The file formats of iden3's tools (circom, snarkjs, rapidsnark) for Groth16 over BN254, so that
//! others can check us with tools that aren't ours, and we can run on keys that aren't ours.
//!
//! | format | holds | here |
//! | --- | --- | --- |
//! | `.zkey` | a proving key and the matrices A and B | [`zkey`] |
//! | `.wtns` | an assignment: **secret** | [`wtns`] |
//! | `.r1cs` | the matrices A, B and C | [`r1cs`] |
//! | `.ptau` | powers of tau, from phase 1 of a setup | [`ptau`] |
//! | JSON | verifying key, proof, public inputs | [`json`] |
//!
//! # The container
//!
//! The four binary formats share one. All integers are little-endian.
//!
//! ```text
//! file    = magic (4 bytes: "zkey", "wtns", "r1cs", "ptau") ‖ version u32 ‖ number of sections u32 ‖ section…
//! section = type u32 ‖ size u64 ‖ that many bytes
//! ```
//! Sections come in any order. Here a type that the format doesn't have, one that comes twice, one that is missing, and
//! bytes after the last section are all errors.
//!
//! # Elements
//!
//! 32 bytes, little-endian, less than the field's order p. With R = 2²⁵⁶, an element x is written in one of three forms:
//!
//! ```text
//! plain               x              .wtns; coefficients of .r1cs
//! Montgomery          x·R mod p      coordinates of points
//! double Montgomery   x·R² mod p     coefficients of .zkey
//! ```
//! A point is affine, `x ‖ y`; in G2 a coordinate is `c0 ‖ c1`; the identity is zeros.
//!
//! # Trust
//!
//! A file goes from bytes to a `Raw…` type, whose sizes and counts fit each other and the bytes that are really there,
//! and from there by `validate` to a type whose every element is canonical and every point on its curve and in its
//! group. Nothing is allocated by a length field that wasn't compared with the bytes first; no bytes make these functions
//! panic; an [`InvalidFile`] says what was expected and what was found.

#![forbid(unsafe_code)]

mod container;
mod elements;
mod error;
pub mod json;
pub mod ptau;
pub mod r1cs;
mod terms;
pub mod wtns;
pub mod zkey;

pub use error::{Format, InvalidFile, Place};
pub use json::InvalidJson;
pub use ptau::{PowersOfTau, RawPtau};
pub use r1cs::{R1cs, RawR1cs};
pub use wtns::{RawWtns, Wtns};
pub use zkey::{RawZkey, Zkey};
