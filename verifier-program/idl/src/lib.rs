//! The on-chain program for other languages: a Codama root node, from which clients are generated.
//!
//! ```text
//! types, fields, order, docs    the interface crate's sources, parsed
//! accounts and their flags      interface::accounts::ALL
//! refusals                      interface::PoolError::ALL
//! derived addresses             a table here, held against interface::address by a test
//! ```
//! Only derived addresses are described twice. Tests hold what comes out against what the interface crate does: samples of every
//! instruction, account and event are decoded and encoded again with nothing but the description. `veilpool.json` is
//! what comes out; `VEILPOOL_WRITE=1 cargo test -p veilpool-idl --test idl` writes it.

#![forbid(unsafe_code)]

pub mod node;

mod error;
mod pdas;
mod program;
mod source;
mod types;

pub use error::IdlError;
pub use node::Node;
pub use program::root;

use solana_pubkey::Pubkey;

/// Version of the Codama standard that the description follows.
pub const CODAMA_VERSION: &str = "1.6.0";

/// Where `veilpool localnet` has the program. On a cluster it is wherever it was deployed to: a client is told.
pub const LOCAL_PROGRAM: Pubkey = Pubkey::new_from_array(*b"veilpool-local-development-v0001");

/// The description as the file has it.
///
/// # Errors
/// [`IdlError`], when the interface uses something that isn't described here yet.
pub fn json() -> Result<String, IdlError> {
    let mut text = serde_json::to_string_pretty(&root()?)?;
    text.push('\n');
    Ok(text)
}
