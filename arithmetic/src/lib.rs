//! Arithmetic for proving over BN254.
#![deny(unsafe_code)]

pub mod curve;
pub mod engine;
mod inverse;
pub mod msm;
pub mod progress;
pub mod scalars;
pub mod words;
