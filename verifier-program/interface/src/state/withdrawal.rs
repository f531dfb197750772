//! A withdrawal that waits.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::AddressBytes;

use super::{Record, discriminator};

/// Shares that have been handed in. They are paid what they were worth then, or less if they have lost since: who is
/// leaving bears losses, but earns nothing while new epochs are opened without them.
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
    /// What they were worth.
    pub worth: u64,
    /// From when on it is paid, in Unix seconds.
    pub ready_at: i64,
}

impl Record for Withdrawal {
    const DISCRIMINATOR: u8 = discriminator::WITHDRAWAL;
}
