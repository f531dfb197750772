//! The compiled program in the Solana runtime: one module for each instruction, and the attack rows that
//! concern all of them. See `veilpool-program-harness` for the chain and the people.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod arithmetic;
mod binary;
mod books;
mod channels;
mod claim;
mod claim_replay;
mod close_claim;
mod close_epoch;
mod compute_units;
mod deposit;
mod encoding;
mod exit;
mod freeze;
mod initialise_pool;
mod liquidity;
mod open_epoch;
mod publish_key;
mod register_operator;
mod slash;
mod vouchers;
mod wrong_accounts;
