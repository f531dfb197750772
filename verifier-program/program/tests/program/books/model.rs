//! The books in plain numbers: what the program must do, written from `docs/protocol.md` and not from its code.

mod channels;
mod epochs;
mod governance;
mod liquidity;
mod operators;

use std::collections::BTreeMap;

use veilpool_interface::{Change, Parameters, PoolError, class};
use veilpool_program_harness::{
    Refusal,
    pool::{self, PRICE},
};
use veilpool_protocol::Class;

use super::steps::ACTORS;

/// What a step must give.
pub(crate) type Outcome = Result<(), Refusal>;

/// SPL Token's own number for insufficient funds.
const NO_FUNDS: Refusal = Refusal::Custom(1);

pub(crate) fn refused(error: PoolError) -> Outcome {
    Err(Refusal::Pool(error))
}

/// A time that waits while claims are paused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    at: i64,
    paused_before: i64,
}

pub(crate) struct Operator {
    pub(crate) bonder: usize,
    pub(crate) bond: u64,
    /// The first epoch without it, and when the bond is released.
    pub(crate) exit: Option<(u32, Waits)>,
}

pub(crate) struct Epoch {
    pub(crate) opener: usize,
    pub(crate) ends_at: i64,
    pub(crate) until: Waits,
    pub(crate) rate: u64,
    pub(crate) budget: u64,
    pub(crate) reserved: u64,
    pub(crate) members: Vec<u8>,
    pub(crate) weights: Vec<(u16, u64)>,
    /// Operator, and who relayed.
    pub(crate) claims: BTreeMap<u8, usize>,
    pub(crate) closed: bool,
}

pub(crate) struct Channel {
    pub(crate) generation: u64,
    deposited: u64,
    settled: u64,
    bps: u16,
    challenge: i64,
    pub(crate) expires_at: i64,
    closes_at: Option<i64>,
}

/// One pool.
pub(crate) struct Model {
    pub(crate) tokens: [u64; ACTORS],
    pub(crate) shares_of: [u64; ACTORS],
    pub(crate) paid_out: u64,
    pub(crate) donated: [u64; 3],
    pub(crate) assets: u64,
    pub(crate) shares: u64,
    pub(crate) price: u64,
    pub(crate) settled: u64,
    pub(crate) attested: u64,
    pub(crate) parameters: Parameters,
    pub(crate) classes: Vec<Class>,
    pub(crate) operators: BTreeMap<u8, Operator>,
    /// Shares, what they were worth, and when they are paid.
    pub(crate) withdrawals: BTreeMap<(usize, u32), (u64, u64, i64)>,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) channels: BTreeMap<(usize, usize), Channel>,
    pub(crate) proposals: BTreeMap<u32, (Change, i64)>,
    pub(crate) generations: u64,
    latest_ends_at: i64,
    paused_until: i64,
    paused_total: i64,
}

impl Model {
    pub(crate) fn new(tokens: u64) -> Self {
        Self {
            tokens: [tokens; ACTORS],
            shares_of: [0; ACTORS],
            paid_out: 0,
            donated: [0; 3],
            assets: 0,
            shares: 0,
            price: PRICE,
            settled: 0,
            attested: 0,
            parameters: pool::parameters(),
            classes: class::default_table(),
            operators: BTreeMap::new(),
            withdrawals: BTreeMap::new(),
            epochs: Vec::new(),
            channels: BTreeMap::new(),
            proposals: BTreeMap::new(),
            generations: 0,
            latest_ends_at: 0,
            paused_until: 0,
            paused_total: 0,
        }
    }

    fn paused(&self, now: i64) -> i64 {
        self.paused_total - (self.paused_until - now).max(0)
    }

    fn is_over(&self, time: Waits, now: i64) -> bool {
        now >= time.at + (self.paused(now) - time.paused_before).max(0)
    }

    pub(crate) fn reserved(&self) -> u64 {
        let open = self.epochs.iter().filter(|epoch| !epoch.closed);
        open.map(|epoch| epoch.reserved).sum()
    }

    pub(crate) fn queued(&self) -> u64 {
        self.withdrawals.values().map(|(shares, ..)| shares).sum()
    }

    pub(crate) fn bonded(&self) -> u64 {
        self.operators.values().map(|operator| operator.bond).sum()
    }

    pub(crate) fn escrowed(&self) -> u64 {
        let channels = self.channels.values();
        channels
            .map(|channel| channel.deposited - channel.settled)
            .sum()
    }

    pub(crate) fn active(&self) -> u32 {
        let active = self.operators.values().filter(|one| one.exit.is_none());
        active.count() as u32
    }

    pub(crate) fn worth(&self, shares: u64) -> u64 {
        let worth =
            u128::from(shares) * (u128::from(self.assets) + 1) / (u128::from(self.shares) + 1_000);
        worth as u64
    }

    /// When the last window shuts if claims aren't paused further.
    fn last_window(&self, now: i64) -> i64 {
        let windows = self.epochs.iter().map(|epoch| epoch.until);
        let last = windows.map(|until| until.at - until.paused_before).max();
        last.unwrap_or(0) + self.paused(now)
    }
}
