//! A local Solana chain: the runtime embedded (litesvm: agave's program runtime with mainnet's
//! features) behind genuine Solana JSON-RPC, so that daemons are ordinary RPC clients and work
//! unchanged against devnet.
//!
//! ```no_run
//! # async fn run() -> Result<(), veilpool_localnet::StartError> {
//! use veilpool_localnet::{Localnet, LocalnetConfig};
//!
//! let chain = Localnet::start(LocalnetConfig::default()).await?;
//! println!("{}", chain.rpc_url());
//! chain.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! What it does as a cluster does: signatures, blockhashes that expire after 150 blocks, exactly-once
//! (a message lands at most once), fees, rent, compute limits, logs, preflight, SPL programs, a slot
//! clock that runs when nothing happens, and a `Clock` that follows the system's and never goes back.
//!
//! What it is **not**:
//! - no consensus, no validators, no votes, no forks: one process decides, and a transaction is
//!   final when `sendTransaction` answers. Every commitment level means the same;
//! - no fee market: base and priority fees are charged and burnt, and buy no precedence. Transactions
//!   land one after another in the order of arrival;
//! - no WebSocket (`signatureSubscribe` and its like), no blocks (`getBlock`), no gossip, TPU, stake or rewards;
//! - no durable nonces, no version 1 transactions, and none of the signature-checking precompiles;
//! - no `jsonParsed` transactions (accounts can be had so).
//!
//! Like a cluster, it answers a `sendTransaction` that skips preflight with the signature even when
//! the transaction can't land; whoever sends must ask for the status.

#![forbid(unsafe_code)]

mod chain;
mod config;
mod engine;
mod localnet;
mod rpc;
mod server;
mod store;

pub use config::{
    DEFAULT_BLOCK_TIME, DEFAULT_PORT, GenesisAirdrop, GenesisProgram, GenesisToken,
    LAMPORTS_PER_SOL, LocalnetConfig, StartError,
};
pub use localnet::Localnet;
pub use server::{MAX_BATCH, MAX_BODY_BYTES};
