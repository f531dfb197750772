//! Every engine against arkworks, on random and edge inputs.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod lanes;
mod multiplication;
mod transforms;
