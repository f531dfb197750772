//! T2: every gadget gives what its native twin gives, with constants, public columns and witness
//! columns as inputs; and its rows hold.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod curve;
mod hashes;
mod mode;
mod registry;
mod threshold;
