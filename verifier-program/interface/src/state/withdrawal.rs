//! A withdrawal that waits.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::AddressBytes;

use super::{Record, discriminator};

/// Shares that have been handed in. They are worth what all shares are worth until they are paid.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Withdrawal {
    /// Of the withdrawal's address.
    pub bump: u8,
    /// The pool.
    pub pool: AddressBytes,
    /// Who handed them in, and is paid.
    pub owner: AddressBytes,
    /// The owner's own number of it.
    pub number: u32,
    /// How many.
    pub shares: u64,
    /// From when on it is paid, in Unix seconds.
    pub ready_at: i64,
}

impl Record for Withdrawal {
    const DISCRIMINATOR: u8 = discriminator::WITHDRAWAL;
}
