//! The compiled program in the Solana runtime: one module for each instruction, and the attack rows that
//! concern all of them. See `veilpool-program-harness` for the chain and the people.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod accounts;
mod arithmetic;
mod binary;
mod books;
mod claim;
mod claim_accounts;
mod close_claim;
mod close_epoch;
mod compute_units;
mod deposit;
mod encoding;
mod initialise_pool;
mod open_epoch;
mod register_operator;
