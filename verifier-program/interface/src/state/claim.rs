//! A claim that has been paid.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::{AddressBytes, EpochId, NullifierBytes};

use super::{Deadline, Record, discriminator};

/// A nullifier that has been paid. Its address holds pool, epoch and nullifier.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Claim {
    /// Of the claim's address.
    pub bump: u8,
    /// The pool.
    pub pool: AddressBytes,
    /// The epoch.
    pub epoch: EpochId,
    /// The nullifier.
    pub nullifier: NullifierBytes,
    /// When the epoch's window shuts, from when on the account may be closed.
    pub claim_until: Deadline,
    /// Who gets the rent back.
    pub rent_payer: AddressBytes,
}

impl Record for Claim {
    const DISCRIMINATOR: u8 = discriminator::CLAIM;
}
