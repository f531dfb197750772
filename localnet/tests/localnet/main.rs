//! The local chain as its clients see it, through the genuine RPC client.

#![allow(clippy::unwrap_used)]

mod accounts;
mod bad_input;
mod clock;
mod faucet;
mod folder;
mod random_input;
mod starting;
mod state;
mod support;
mod tokens;
mod told;
mod transactions;
