//! Gadgets: gates with the functions that fill their rows.

pub mod poseidon;
pub mod registry;
