//! A published verifying key.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::verifying_key::LEN;

use super::{Record, discriminator};

/// A verifying key, whose points were checked when it was published. Its address holds its SHA-256, so one key
/// has one account, which nobody can change or close: epochs that froze it stay claimable.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Key {
    /// Of the key's address.
    pub bump: u8,
    /// The key's file (`protocol::verifying_key`).
    pub file: [u8; LEN],
}

impl Record for Key {
    const DISCRIMINATOR: u8 = discriminator::KEY;
}
