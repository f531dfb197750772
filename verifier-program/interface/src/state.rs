//! What the program stores: account types, each `discriminator ‖ version ‖ borsh fields`, one file for each.
//! The length of an account is that of its encoding; a decoder refuses any other.

mod channel;
mod claim;
mod epoch;
mod key;
mod operator;
mod pool;
mod proposal;
mod withdrawal;

pub use channel::Channel;
pub use claim::Claim;
pub use epoch::Epoch;
pub use key::Key;
pub use operator::{Exit, Operator};
pub use pool::{
    BOOKS_AT, BOOKS_LEN, Books, MAX_LEN, PARAMETERS_LEN, Parameters, Pool, RULES_LEN, Rules,
};
pub use proposal::{Change, Proposal};
pub use withdrawal::Withdrawal;

use borsh::{BorshDeserialize, BorshSerialize};

/// Version of every account type. 1 was that of pools without withdrawals, channels and governance.
pub const VERSION: u8 = 2;
/// Discriminator and version.
pub const HEAD_LEN: usize = 2;

/// Why bytes are not an account of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Another discriminator.
    #[error("the account is of another type (discriminator {0:?})")]
    Discriminator(Option<u8>),
    /// Another version.
    #[error("the account is of version {0:?}, this software knows {VERSION}: upgrade it")]
    Version(Option<u8>),
    /// Truncated, trailing bytes, or a field out of range.
    #[error("the account's bytes are truncated, too many, or out of range")]
    Malformed,
}

/// An account type.
pub trait Record: BorshSerialize + BorshDeserialize {
    /// First byte.
    const DISCRIMINATOR: u8;

    /// Rules that the fields' types don't express.
    fn is_consistent(&self) -> bool {
        true
    }

    /// Length of the encoding in bytes.
    #[must_use]
    fn encoded_len(&self) -> usize {
        // Only lengths of vectors above 4 GiB fail.
        HEAD_LEN + borsh::object_length(self).unwrap_or(0)
    }

    /// All bytes.
    #[must_use]
    fn encode(&self) -> Vec<u8> {
        let mut out = vec![Self::DISCRIMINATOR, VERSION];
        // Writing to memory can't fail.
        let _ = self.serialize(&mut out);
        out
    }

    /// From exactly these bytes.
    ///
    /// # Errors
    /// [`DecodeError`].
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.first() != Some(&Self::DISCRIMINATOR) {
            return Err(DecodeError::Discriminator(bytes.first().copied()));
        }
        if bytes.get(1) != Some(&VERSION) {
            return Err(DecodeError::Version(bytes.get(1).copied()));
        }
        let fields = bytes.get(2..).ok_or(DecodeError::Malformed)?;
        let record = Self::try_from_slice(fields).map_err(|_| DecodeError::Malformed)?;
        if record.is_consistent() {
            Ok(record)
        } else {
            Err(DecodeError::Malformed)
        }
    }
}

/// Discriminators, append-only. 4 was that of a liquidity provider's position, before shares were tokens.
pub mod discriminator {
    /// Of a pool.
    pub const POOL: u8 = 1;
    /// Of an epoch.
    pub const EPOCH: u8 = 2;
    /// Of an operator.
    pub const OPERATOR: u8 = 3;
    /// Of a claim.
    pub const CLAIM: u8 = 5;
    /// Of a verifying key.
    pub const KEY: u8 = 6;
    /// Of a withdrawal.
    pub const WITHDRAWAL: u8 = 7;
    /// Of a channel.
    pub const CHANNEL: u8 = 8;
    /// Of a proposal.
    pub const PROPOSAL: u8 = 9;
}

/// A time that waits while claims are paused, so that a pause never eats a claim window.
///
/// ```text
/// in Unix seconds now  =  at + (paused until now − paused_before)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Deadline {
    /// Unix seconds, if claims had not been paused since it was set.
    pub at: i64,
    /// Seconds for which the pool's claims had been paused when it was set.
    pub paused_before: u32,
}

impl Deadline {
    /// In Unix seconds, when the pool's claims have been paused for so long. `None` at the end of time.
    #[must_use]
    pub fn unix(&self, paused: u32) -> Option<i64> {
        self.at
            .checked_add(i64::from(paused.saturating_sub(self.paused_before)))
    }

    /// Whether it is over.
    #[inline(never)]
    #[must_use]
    pub fn has_passed(&self, now: i64, paused: u32) -> bool {
        self.unix(paused).is_some_and(|at| now >= at)
    }
}
