//! A pool.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::{
    AddressBytes, Class, DomainBytes, EpochId, MeasurerCount, MeasurerKeyBytes, SetHashBytes,
};

use super::{HEAD_LEN, Record, discriminator};
use crate::{
    price::MIN_PRICE,
    registry::{FRONTIER, Registry},
    reward::{self, BASIS_POINTS},
    schedule::ADVANCE,
};

/// What governance may change, behind the timelock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Parameters {
    /// A new operator's bond, in the token's smallest unit.
    pub bond_amount: u64,
    /// Length of an epoch.
    pub epoch_seconds: u32,
    /// Length of a claim window.
    pub claim_window_seconds: u32,
    /// How long a withdrawal waits: longer than a claim window.
    pub cooldown_seconds: u32,
    /// How long a hub has to settle once a consumer begins to close.
    pub challenge_seconds: u32,
    /// The most that weight 1 earns in an epoch.
    pub rate_cap: u64,
    /// The most that an epoch may pay of what is available, in basis points.
    pub outflow_bps: u16,
    /// The most that a hub may keep of what it settles, in basis points.
    pub hub_fee_cap_bps: u16,
    /// What whoever shows a revealed secret gets of the bond, in basis points.
    pub slash_reward_bps: u16,
    /// Demand over supply at which the price of traffic stays, in basis points.
    pub target_utilisation_bps: u16,
    /// The least that the price can be, in millionths of the token's smallest unit per MiB.
    pub min_price: u64,
    /// The most that it can be.
    pub max_price: u64,
}

impl Parameters {
    /// The shortest timelock with these: two epochs, and no less than a withdrawal takes, be it for its cool-down or
    /// for the last window that was open. Whoever doesn't like a change is out before it comes.
    #[must_use]
    pub fn least_timelock(&self) -> u64 {
        let epoch = u64::from(self.epoch_seconds);
        let last_window =
            epoch + u64::from(self.epoch_seconds / ADVANCE) + u64::from(self.claim_window_seconds);
        last_window.max(2 * epoch).max(self.cooldown_seconds.into())
    }

    /// Whether they can be a pool's with such a timelock. Below a price of 8 an eighth of it is nothing.
    #[must_use]
    pub fn are_valid(&self, timelock_seconds: u32) -> bool {
        let Self {
            bond_amount,
            epoch_seconds,
            claim_window_seconds,
            cooldown_seconds,
            challenge_seconds,
            ..
        } = *self;
        bond_amount > 0
            && epoch_seconds > 0
            && claim_window_seconds > 0
            && challenge_seconds > 0
            && cooldown_seconds > claim_window_seconds
            && u64::from(timelock_seconds) >= self.least_timelock()
            && (1..=BASIS_POINTS).contains(&self.outflow_bps)
            && self.hub_fee_cap_bps <= BASIS_POINTS
            && self.slash_reward_bps < BASIS_POINTS
            && (1..BASIS_POINTS).contains(&self.target_utilisation_bps)
            && (MIN_PRICE..=self.max_price).contains(&self.min_price)
    }
}

/// What never changes, and what governance changes. All of fixed length.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Rules {
    /// Of the pool's address.
    pub bump: u8,
    /// Who made it: a part of its address, without power.
    pub founder: AddressBytes,
    /// Its token.
    pub mint: AddressBytes,
    /// Its token account for what it owns.
    pub vault: AddressBytes,
    /// Its token account for bonds.
    pub bond_vault: AddressBytes,
    /// Its token account for channels.
    pub escrow_vault: AddressBytes,
    /// The mint of its shares.
    pub share_mint: AddressBytes,
    /// Names the cluster.
    pub genesis_hash: [u8; 32],
    /// Ties signatures to cluster, program and pool.
    pub domain: DomainBytes,
    /// How long a change waits. Never changes.
    pub timelock_seconds: u32,
    /// Who proposes changes and pauses claims.
    pub authority: AddressBytes,
    /// To whom that is being handed over; zeros when to nobody.
    pub next_authority: AddressBytes,
    /// Of the measurers.
    pub set_hash: SetHashBytes,
    /// SHA-256 of the verifying key.
    pub verifying_key: [u8; 32],
    /// What governance may change.
    pub parameters: Parameters,
}

/// What instructions count. All of fixed length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Books {
    /// What the pool owns. Donations to the vault don't count.
    pub assets: u64,
    /// Of `assets`, promised to open epochs.
    pub reserved: u64,
    /// Of all liquidity providers, handed-in ones among them.
    pub shares: u64,
    /// Of `shares`, handed in and not yet paid.
    pub queued: u64,
    /// What the vault of bonds owes.
    pub bonded: u64,
    /// What the vault of channels owes.
    pub escrowed: u64,
    /// In the registry now.
    pub operators: u32,
    /// Number of the next epoch.
    pub next_epoch: EpochId,
    /// When the latest epoch ends, in Unix seconds; 0 before the first.
    pub latest_ends_at: i64,
    /// When the last claim window shuts, in Unix seconds less all that claims had been paused for.
    pub last_window: i64,
    /// Price of traffic, in millionths of the token's smallest unit per MiB.
    pub price: u64,
    /// What the pool got from channels since the latest epoch opened.
    pub settled: u64,
    /// Bandwidth (0.1 Mbit/s) times slots that claims have shown since the latest epoch opened.
    pub attested: u64,
    /// Generation of the next channel.
    pub next_channel: u64,
    /// Until when claims are paused, in Unix seconds.
    pub paused_until: i64,
    /// For how long they have been paused, the whole of a running pause included.
    pub paused_seconds: u32,
    /// There have been more claims than operators: no claims and no new epochs until governance has looked.
    pub frozen: bool,
    /// Since when, in Unix seconds.
    pub frozen_at: i64,
}

impl Books {
    /// For how long claims had been paused by now.
    #[inline(never)]
    #[must_use]
    pub fn paused(&self, now: i64) -> u32 {
        let left = self.paused_until.saturating_sub(now).max(0);
        self.paused_seconds
            .saturating_sub(u32::try_from(left).unwrap_or(u32::MAX))
    }

    /// What no open epoch has reserved.
    #[must_use]
    pub const fn available(&self) -> Option<u64> {
        self.assets.checked_sub(self.reserved)
    }

    /// What a further epoch may be opened on: neither reserved nor owed to who is leaving.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        let queued = reward::assets_for(self.queued, self.shares, self.assets)?;
        Some(self.available()?.saturating_sub(queued))
    }
}

/// A pool: its rules, its books and the registry of its operators.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Pool {
    /// What instructions are carried out by.
    pub rules: Rules,
    /// What they count.
    pub books: Books,
    /// In order.
    pub measurers: Vec<MeasurerKeyBytes>,
    /// What earns what.
    pub classes: Vec<Class>,
    /// Of operators.
    pub registry: Registry,
}

impl Record for Pool {
    const DISCRIMINATOR: u8 = discriminator::POOL;

    fn is_consistent(&self) -> bool {
        MeasurerCount::try_from(self.measurers.len()).is_ok()
            && crate::class::is_valid_table(&self.classes)
            && self.registry.frontier.len() == FRONTIER
    }
}

/// Borsh length of [`Rules`].
pub const RULES_LEN: usize = 1 + 12 * 32 + 4 + PARAMETERS_LEN;
/// Borsh length of [`Parameters`].
pub const PARAMETERS_LEN: usize = 4 * 8 + 4 * 4 + 4 * 2;
/// Borsh length of [`Books`].
pub const BOOKS_LEN: usize = 6 * 8 + 4 + 4 + 2 * 8 + 4 * 8 + 8 + 4 + 1 + 8;
/// Where the books begin in the account.
pub const BOOKS_AT: usize = HEAD_LEN + RULES_LEN;
/// Length of the account with seven measurers and sixteen classes: a pool holds the rent of so much from the
/// beginning, so that a change never needs more.
pub const MAX_LEN: usize = BOOKS_AT
    + BOOKS_LEN
    + (4 + 7 * 64)
    + (4 + veilpool_protocol::units::MAX_CLASSES * 9)
    + (4 + 32 + 4 + FRONTIER * 32);
