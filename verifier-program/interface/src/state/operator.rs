//! A bonded operator.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::{AddressBytes, CommitmentBytes, EpochId};

use super::{Deadline, Record, discriminator};

/// A bonded operator. Its address holds the commitment, so one commitment is registered once at a time. The
/// account stays until the last epoch with its leaf has shut: from all operators' accounts anybody can rebuild
/// the tree of any epoch that can be claimed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Operator {
    /// Of the operator's address.
    pub bump: u8,
    /// Its pool.
    pub pool: AddressBytes,
    /// The leaf.
    pub commitment: CommitmentBytes,
    /// Where it stands in the registry.
    pub leaf_index: u32,
    /// What is bonded; 0 when it was slashed.
    pub bond: u64,
    /// Who bonded it.
    pub bonder: AddressBytes,
    /// When it left, or was slashed.
    pub exit: Option<Exit>,
}

/// How an operator left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Exit {
    /// The pool's next epoch then: the first without its leaf.
    pub epoch: EpochId,
    /// When its bond is released: no epoch with its leaf can be claimed any more.
    pub release: Deadline,
}

impl Record for Operator {
    const DISCRIMINATOR: u8 = discriminator::OPERATOR;
}

impl Operator {
    /// Length of the account when the operator has left; until then it is shorter.
    pub const MAX_LEN: usize = 2 + 1 + 32 + 32 + 4 + 8 + 32 + 1 + 4 + 8 + 4;

    /// Whether its leaf is in the frozen tree of an epoch, which had so many leaves.
    #[must_use]
    pub fn is_in(&self, epoch: EpochId, leaf_count: u32) -> bool {
        self.leaf_index < leaf_count && self.exit.is_none_or(|exit| epoch < exit.epoch)
    }
}
