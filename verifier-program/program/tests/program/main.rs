//! The compiled program in the Solana runtime: one module for each instruction, and the attack rows that
//! concern all of them. See `veilpool-program-harness` for the chain and the people.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod arithmetic;
mod bad_input;
mod binary;
mod books;
mod changes;
mod channels;
mod claim;
mod claim_replay;
mod close_claim;
mod close_epoch;
mod compute_units;
mod deposit;
mod encoding;
mod events;
mod exit;
mod freeze;
mod governance;
mod governance_epochs;
mod initialise_pool;
mod liquidity;
mod open_epoch;
mod pause;
mod prefunded;
mod price;
mod publish_key;
mod register_operator;
mod shares;
mod slash;
mod vouchers;
mod wrong_accounts;
