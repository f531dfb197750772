//! The on-chain program as others see it: instructions and their accounts, account types, addresses,
//! error codes, builders, and the arithmetic that program and clients must agree on.
//!
//! Encodings are borsh; every account begins with a discriminator and a version, and a decoder takes
//! exactly its bytes: too few or too many are errors. Reference: `docs/protocol.md`, "Program".

#![forbid(unsafe_code)]

pub mod accounts;
pub mod address;
pub mod builder;
pub mod class;
pub mod error;
pub mod event;
pub mod hashing;
pub mod instruction;
pub mod price;
pub mod registry;
pub mod reward;
pub mod schedule;
pub mod state;
pub mod voucher;
pub mod wire;

pub use error::PoolError;
pub use event::PoolEvent;
pub use instruction::PoolInstruction;
pub use registry::Registry;
pub use state::{
    Books, Change, Channel, Claim, Deadline, DecodeError, Epoch, Exit, Key, Operator, Parameters,
    Pool, Proposal, Record, Rules, Withdrawal,
};
pub use wire::Wire;
