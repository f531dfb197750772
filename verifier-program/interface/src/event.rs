//! Events: what an instruction did, logged as data (`Program data:`), so that anybody can follow a pool's books
//! from its transactions alone, and recompute that what was paid in an epoch never exceeded its budget.
//!
//! One event for each instruction that moves money or changes rules: a tag byte, then borsh fields. Append-only.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::{AddressBytes, ClassId, EpochId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum PoolEvent {
    /// Tokens for shares.
    Deposited {
        /// The pool.
        pool: AddressBytes,
        /// Tokens in.
        amount: u64,
        /// Shares minted.
        shares: u64,
    },
    /// Shares handed in.
    WithdrawalRequested {
        /// The pool.
        pool: AddressBytes,
        /// Shares burned.
        shares: u64,
        /// Unix seconds.
        ready_at: i64,
    },
    /// Tokens out for shares.
    Withdrawn {
        /// The pool.
        pool: AddressBytes,
        /// Tokens out.
        amount: u64,
        /// Shares that are gone.
        shares: u64,
    },
    /// An operator bonded.
    Registered {
        /// The pool.
        pool: AddressBytes,
        /// Its leaf's place.
        leaf_index: u32,
        /// Tokens in.
        bond: u64,
    },
    /// An operator left.
    Exited {
        /// The pool.
        pool: AddressBytes,
        /// Its leaf's place.
        leaf_index: u32,
    },
    /// An operator's bond was taken.
    Slashed {
        /// The pool.
        pool: AddressBytes,
        /// Its leaf's place.
        leaf_index: u32,
        /// To whoever showed the secret.
        reward: u64,
        /// To the pool.
        to_pool: u64,
    },
    /// A bond was given back.
    BondReleased {
        /// The pool.
        pool: AddressBytes,
        /// Its leaf's place.
        leaf_index: u32,
        /// Tokens out.
        bond: u64,
    },
    /// An epoch opened.
    EpochOpened {
        /// The pool.
        pool: AddressBytes,
        /// Its number.
        epoch: EpochId,
        /// What weight 1 earns.
        rate: u64,
        /// The most that its claims can be paid.
        budget: u64,
        /// The most claims that can be true.
        operators: u32,
        /// Of traffic, from now on.
        price: u64,
    },
    /// A claim was paid.
    Claimed {
        /// The pool.
        pool: AddressBytes,
        /// The epoch.
        epoch: EpochId,
        /// The class.
        class: ClassId,
        /// Tokens out, the relayer's fee among them.
        reward: u64,
        /// Of them to the relayer.
        fee: u64,
    },
    /// An epoch closed.
    EpochClosed {
        /// The pool.
        pool: AddressBytes,
        /// Its number.
        epoch: EpochId,
        /// Claims paid.
        claims: u32,
        /// Of its budget, what was not claimed.
        released: u64,
    },
    /// More valid claims than operators: claims are frozen, and nothing was paid (attack P9).
    Frozen {
        /// The pool.
        pool: AddressBytes,
        /// The epoch.
        epoch: EpochId,
    },
    /// A channel opened or was topped up.
    ChannelFunded {
        /// The pool.
        pool: AddressBytes,
        /// Of the channel.
        generation: u64,
        /// Tokens in.
        amount: u64,
    },
    /// A voucher was settled.
    ChannelSettled {
        /// The pool.
        pool: AddressBytes,
        /// Of the channel.
        generation: u64,
        /// To the pool.
        to_pool: u64,
        /// To the hub.
        hub_fee: u64,
    },
    /// A channel's rest was given back.
    ChannelFinished {
        /// The pool.
        pool: AddressBytes,
        /// Of the channel.
        generation: u64,
        /// Tokens out.
        rest: u64,
    },
    /// A change was proposed.
    Proposed {
        /// The pool.
        pool: AddressBytes,
        /// Its number.
        number: u32,
        /// Unix seconds.
        ready_at: i64,
    },
    /// A change was made.
    Executed {
        /// The pool.
        pool: AddressBytes,
        /// Its number.
        number: u32,
    },
    /// Claims were paused or resumed.
    Paused {
        /// The pool.
        pool: AddressBytes,
        /// Unix seconds; now when they go on.
        until: i64,
    },
    /// The authority was handed over.
    AuthorityChanged {
        /// The pool.
        pool: AddressBytes,
        /// To whom.
        authority: AddressBytes,
    },
    /// A channel begins to close: its hub settles now or never.
    ChannelClosing {
        /// The pool.
        pool: AddressBytes,
        /// Of the channel.
        generation: u64,
        /// Unix seconds.
        closes_at: i64,
    },
    /// A proposal was taken back.
    ProposalCancelled {
        /// The pool.
        pool: AddressBytes,
        /// Its number.
        number: u32,
    },
    /// The authority is being handed over.
    AuthorityProposed {
        /// The pool.
        pool: AddressBytes,
        /// To whom; zeros to nobody.
        authority: AddressBytes,
    },
}

impl PoolEvent {
    /// All bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // Writing to memory can't fail.
        let _ = self.serialize(&mut out);
        out
    }

    /// From exactly these bytes; `None` when they are no event of this version.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        Self::try_from_slice(bytes).ok()
    }
}
