//! The compiled pool program in the real Solana runtime, in process, with people who use it.
//!
//! ```text
//! binary   the two `.so`, refused when missing or older than their sources
//! chain    runtime, clock, tokens, transactions and their exact outcome
//! caller   another program, which calls the pool's
//! points   curve points that no verifying key may have
//! people   operators and measurers, by seed
//! pool     a pool on a chain: deposit, withdraw, register, exit, open
//! claim    claims: made ready, proven, sent
//! proof    Groth16 proofs by the real prover, each made once in a process
//! honest   one instruction of each kind, where it is carried out
//! figures  compute units and sizes
//! ```
//! For tests and figures only: whatever goes wrong here is a panic with the reason.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

pub mod binary;
pub mod caller;
pub mod chain;
pub mod claim;
pub mod figures;
pub mod honest;
pub mod people;
pub mod points;
pub mod pool;
pub mod proof;

pub use chain::{Chain, Receipt, Refusal};
pub use claim::PreparedClaim;
pub use pool::{Holder, PoolOnChain};
