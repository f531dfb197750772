//! The formats, and what is refused; `snarkjs` and `ceremony` ask the real snarkjs.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod ceremony;
mod common;
mod containers;
mod json;
mod ptau;
mod r1cs;
mod snarkjs;
mod wtns;
mod zkey;
