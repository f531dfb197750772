//! Inputs to proof and back (T9), encodings, refusals.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod backend;
mod common;

mod encoding;
mod frozen;
mod inputs;
mod refusals;
mod round_trip;
mod snarkjs;
