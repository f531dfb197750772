//! Inputs to proof and back (T9), encodings, refusals.

mod common;

mod encoding;
mod inputs;
mod refusals;
mod round_trip;
mod snarkjs;
