//! The pool on the chain, as daemons see it: accounts read and transactions sent over JSON-RPC, with
//! every refusal turned into the program's own [`PoolError`](veilpool_interface::PoolError).
//!
//! [`Chain`] works against any cluster: the local one, devnet, or mainnet. Nothing is kept between calls, so
//! that a daemon that loses its RPC loses nothing else; [`Backoff`] is how it waits.

#![forbid(unsafe_code)]

pub mod backoff;
pub mod read;
pub mod send;

pub use backoff::Backoff;
pub use read::{Chain, ReadError, TokenAccount, frozen_leaves, present_leaves};
pub use send::{Receipt, SendError};
