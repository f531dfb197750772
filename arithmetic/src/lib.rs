//! Arithmetic for proving over BN254.
#![deny(unsafe_code)]

pub mod curve;
pub mod engine;
mod inverse;
pub mod msm;
pub mod ntt;
pub mod progress;
pub mod quotient;
pub mod scalars;
pub mod secret;
pub mod sparse;
pub mod words;
