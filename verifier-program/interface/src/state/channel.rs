//! A consumer's channel to one hub.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::AddressBytes;

use super::{Record, discriminator};

/// A consumer's escrow, from which vouchers to one hub are settled (attacks P10, P11).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Channel {
    /// Of the channel's address.
    pub bump: u8,
    /// The pool.
    pub pool: AddressBytes,
    /// Who paid in, and gets the rest.
    pub consumer: AddressBytes,
    /// Whom vouchers are for.
    pub hub: AddressBytes,
    /// The Ed25519 key that signs vouchers.
    pub voucher_key: AddressBytes,
    /// Never the same for two channels of a pool: a voucher of a closed channel is none of its successor.
    pub generation: u64,
    /// Paid in, in total.
    pub deposited: u64,
    /// The last voucher's sum, settled.
    pub settled: u64,
    /// What the hub keeps of what it settles, in basis points.
    pub hub_fee_bps: u16,
    /// How long the hub has to settle after the consumer begins to close.
    pub challenge_seconds: u32,
    /// From when on the consumer may have the rest back in any case, in Unix seconds.
    pub expires_at: i64,
    /// From when on a closing channel is finished, in Unix seconds.
    pub closes_at: Option<i64>,
}

impl Record for Channel {
    const DISCRIMINATOR: u8 = discriminator::CHANNEL;

    fn is_consistent(&self) -> bool {
        self.settled <= self.deposited
    }
}

impl Channel {
    /// Length of the account when the channel is closing; until then it is shorter.
    pub const MAX_LEN: usize = 2 + 1 + 4 * 32 + 3 * 8 + 2 + 4 + 8 + 1 + 8;

    /// What the hub may still settle, and the consumer has back otherwise.
    #[must_use]
    pub const fn rest(&self) -> u64 {
        self.deposited.saturating_sub(self.settled)
    }

    /// From when on it may be finished.
    #[must_use]
    pub fn finishes_at(&self) -> i64 {
        self.closes_at
            .map_or(self.expires_at, |at| at.min(self.expires_at))
    }
}
