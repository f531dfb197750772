//! The books in plain numbers: what the program must do, written from `docs/protocol.md` and not from its code.

use std::collections::BTreeMap;

use veilpool_interface::{Change, Parameters, PoolError, class};
use veilpool_program_harness::{
    Refusal, people,
    pool::{self, PRICE, TIMELOCK_SECONDS},
};
use veilpool_protocol::{Class, MeasurerCount, Weight};

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

    pub(crate) fn deposit(&mut self, who: usize, amount: u64) -> Outcome {
        let minted =
            u128::from(amount) * (u128::from(self.shares) + 1_000) / (u128::from(self.assets) + 1);
        if minted > u128::from(u64::MAX) {
            return refused(PoolError::Arithmetic);
        }
        let minted = minted as u64;
        if minted == 0 {
            return refused(PoolError::ZeroAmount);
        }
        if self.assets.checked_add(amount).is_none() || self.shares.checked_add(minted).is_none() {
            return refused(PoolError::Arithmetic);
        }
        if self.tokens[who] < amount {
            return Err(NO_FUNDS);
        }
        self.tokens[who] -= amount;
        self.shares_of[who] += minted;
        self.assets += amount;
        self.shares += minted;
        Ok(())
    }

    pub(crate) fn request(&mut self, now: i64, who: usize, number: u32, shares: u64) -> Outcome {
        if shares == 0 {
            return refused(PoolError::ZeroAmount);
        }
        if self.withdrawals.contains_key(&(who, number)) {
            return refused(PoolError::AlreadyExists);
        }
        if self.queued().checked_add(shares).is_none() {
            return refused(PoolError::Arithmetic);
        }
        if self.shares_of[who] < shares {
            return Err(NO_FUNDS);
        }
        self.shares_of[who] -= shares;
        // When the last window shuts, the rest of a pause included.
        let rest = (self.paused_until - now).max(0);
        let ready =
            (now + i64::from(self.parameters.cooldown_seconds)).max(self.last_window(now) + rest);
        let worth = self.worth(shares);
        self.withdrawals
            .insert((who, number), (shares, worth, ready));
        Ok(())
    }

    /// When the last window shuts if claims aren't paused further.
    fn last_window(&self, now: i64) -> i64 {
        let windows = self.epochs.iter().map(|epoch| epoch.until);
        let last = windows.map(|until| until.at - until.paused_before).max();
        last.unwrap_or(0) + self.paused(now)
    }

    pub(crate) fn withdraw(&mut self, now: i64, who: usize, number: u32) -> Outcome {
        let Some((shares, then, ready)) = self.withdrawals.get(&(who, number)).copied() else {
            return refused(PoolError::WrongOwner);
        };
        if now < ready {
            return refused(PoolError::WithdrawalNotReady);
        }
        let amount = self.worth(shares).min(then);
        if amount > self.assets - self.reserved() {
            return refused(PoolError::InsufficientLiquidity);
        }
        self.withdrawals.remove(&(who, number));
        self.assets -= amount;
        self.shares -= shares;
        self.tokens[who] += amount;
        Ok(())
    }

    pub(crate) fn register(&mut self, who: usize, operator: u8) -> Outcome {
        if self.operators.contains_key(&operator) {
            return refused(PoolError::AlreadyExists);
        }
        let bond = self.parameters.bond_amount;
        if self.tokens[who] < bond {
            return Err(NO_FUNDS);
        }
        self.tokens[who] -= bond;
        let bonded = Operator {
            bonder: who,
            bond,
            exit: None,
        };
        self.operators.insert(operator, bonded);
        Ok(())
    }

    fn leave(&mut self, now: i64, operator: u8) {
        let paused_before = self.paused(now);
        let Parameters {
            epoch_seconds,
            claim_window_seconds,
            ..
        } = self.parameters;
        let least = now + i64::from(epoch_seconds) + i64::from(claim_window_seconds);
        let at = least.max(self.last_window(now));
        let first_without = self.epochs.len() as u32;
        if let Some(one) = self.operators.get_mut(&operator) {
            let release = Waits { at, paused_before };
            one.exit.get_or_insert((first_without, release));
        }
    }

    pub(crate) fn exit(&mut self, now: i64, operator: u8) -> Outcome {
        match self.operators.get(&operator) {
            None => refused(PoolError::WrongOwner),
            Some(one) if one.exit.is_some() => refused(PoolError::OperatorLeft),
            Some(_) => {
                self.leave(now, operator);
                Ok(())
            }
        }
    }

    pub(crate) fn slash(&mut self, now: i64, who: usize, operator: u8) -> Outcome {
        let bond = match self.operators.get(&operator) {
            None => return refused(PoolError::WrongOwner),
            Some(one) if one.bond == 0 => return refused(PoolError::NothingToSlash),
            Some(one) => one.bond,
        };
        self.leave(now, operator);
        let reward = u128::from(bond) * u128::from(self.parameters.slash_reward_bps) / 10_000;
        self.tokens[who] += reward as u64;
        self.assets += bond - reward as u64;
        if let Some(one) = self.operators.get_mut(&operator) {
            one.bond = 0;
        }
        Ok(())
    }

    pub(crate) fn release(&mut self, now: i64, operator: u8) -> Outcome {
        let Some(one) = self.operators.get(&operator) else {
            return refused(PoolError::WrongOwner);
        };
        match one.exit {
            None => refused(PoolError::OperatorActive),
            Some((_, release)) if !self.is_over(release, now) => refused(PoolError::BondLocked),
            Some(_) => {
                self.tokens[one.bonder] += one.bond;
                self.operators.remove(&operator);
                Ok(())
            }
        }
    }

    pub(crate) fn open_epoch(&mut self, now: i64, opener: usize) -> Outcome {
        let length = i64::from(self.parameters.epoch_seconds);
        if self.active() == 0 {
            return refused(PoolError::NoOperators);
        }
        if now + length / 4 < self.latest_ends_at {
            return refused(PoolError::EpochNotEnded);
        }
        let most = self.classes.iter().map(|class| class.weight.get()).max();
        let parts = u128::from(self.active()) * u128::from(most.unwrap_or(0));
        let free = (self.assets - self.reserved()).saturating_sub(self.worth(self.queued()));
        let budget = u128::from(free) * u128::from(self.parameters.outflow_bps);
        let rate = (budget / (10_000 * parts)).min(u128::from(self.parameters.rate_cap)) as u64;
        let budget = (u128::from(rate) * parts) as u64;
        assert!(budget <= free, "an epoch reserves more than is free");
        self.move_price();
        self.latest_ends_at = self.latest_ends_at.max(now + length / 12) + length;
        let members = self.operators.iter().filter(|(_, one)| one.exit.is_none());
        self.epochs.push(Epoch {
            opener,
            ends_at: self.latest_ends_at,
            until: Waits {
                at: self.latest_ends_at + i64::from(self.parameters.claim_window_seconds),
                paused_before: self.paused(now),
            },
            rate,
            budget,
            reserved: budget,
            members: members.map(|(operator, _)| *operator).collect(),
            weights: self
                .classes
                .iter()
                .map(|class| {
                    let asked = &class.thresholds;
                    let shown = u64::from(asked.bandwidth.get()) * u64::from(asked.uptime.get());
                    (class.weight.get(), shown)
                })
                .collect(),
            claims: BTreeMap::new(),
            closed: false,
        });
        Ok(())
    }

    fn move_price(&mut self) {
        let Parameters {
            epoch_seconds,
            target_utilisation_bps,
            min_price,
            max_price,
            ..
        } = self.parameters;
        let mut price = i128::from(self.price);
        if self.settled > 0 || self.attested > 0 {
            let demand = i128::from(self.settled) * 1_000_000 / price;
            let bytes = i128::from(self.attested) * 12_500 * i128::from(epoch_seconds) / 144;
            let supply = bytes / (1 << 20);
            // Without supply: as much as can be, or, without demand either, nothing moves.
            let without = if self.settled == 0 {
                i128::from(target_utilisation_bps)
            } else {
                i128::from(u64::MAX)
            };
            let utilisation = (demand * 10_000).checked_div(supply).unwrap_or(without);
            let change =
                ((utilisation - i128::from(target_utilisation_bps)) / 8).clamp(-1_250, 1_250);
            let step = price * change.abs() / 10_000;
            price += if change < 0 { -step } else { step };
        }
        self.price = price.clamp(min_price.into(), max_price.into()) as u64;
        self.settled = 0;
        self.attested = 0;
    }

    pub(crate) fn close_epoch(&mut self, now: i64, epoch: usize) -> Outcome {
        match self.epochs.get(epoch) {
            Some(one) if !one.closed => {
                if !self.is_over(one.until, now) {
                    return refused(PoolError::ClaimWindowOpen);
                }
                self.epochs[epoch].closed = true;
                Ok(())
            }
            _ => refused(PoolError::WrongOwner),
        }
    }

    pub(crate) fn claim(
        &mut self,
        now: i64,
        operator: u8,
        epoch: usize,
        class: u8,
        fee: u64,
        relayer: usize,
    ) -> Outcome {
        let Some(one) = self.epochs.get(epoch).filter(|epoch| !epoch.closed) else {
            return refused(PoolError::WrongOwner);
        };
        if now < one.ends_at {
            return refused(PoolError::EpochNotEnded);
        }
        if self.is_over(one.until, now) {
            return refused(PoolError::ClaimWindowShut);
        }
        if now < self.paused_until {
            return refused(PoolError::ClaimsPaused);
        }
        if one.claims.contains_key(&operator) {
            return refused(PoolError::AlreadyClaimed);
        }
        let Some((weight, shown)) = one.weights.get(usize::from(class)).copied() else {
            return refused(PoolError::UnknownClass);
        };
        let reward = one.rate * u64::from(weight);
        if fee > reward {
            return refused(PoolError::FeeTooHigh);
        }
        if !one.members.contains(&operator) {
            return refused(PoolError::InvalidProof);
        }
        // Whatever happened before: there is money for it.
        let one = &mut self.epochs[epoch];
        one.claims.insert(operator, relayer);
        one.reserved -= reward;
        self.assets -= reward;
        self.attested += shown;
        self.tokens[relayer] += fee;
        self.paid_out += reward - fee;
        Ok(())
    }

    pub(crate) fn close_claim(&mut self, now: i64, operator: u8, epoch: usize) -> Outcome {
        let until = match self.epochs.get(epoch) {
            Some(one) if one.claims.contains_key(&operator) => one.until,
            _ => return refused(PoolError::WrongOwner),
        };
        if !self.is_over(until, now) {
            return refused(PoolError::ClaimWindowOpen);
        }
        self.epochs[epoch].claims.remove(&operator);
        Ok(())
    }

    pub(crate) fn open_channel(
        &mut self,
        now: i64,
        pair: (usize, usize),
        amount: u64,
        bps: u16,
        expires_at: i64,
    ) -> Outcome {
        let challenge = i64::from(self.parameters.challenge_seconds);
        if amount == 0 {
            return refused(PoolError::ZeroAmount);
        }
        if bps > self.parameters.hub_fee_cap_bps {
            return refused(PoolError::FeeTooHigh);
        }
        if expires_at <= now + challenge {
            return refused(PoolError::InvalidExpiry);
        }
        if self.channels.contains_key(&pair) {
            return refused(PoolError::AlreadyExists);
        }
        self.pay_in(pair.0, amount)?;
        let channel = Channel {
            generation: self.generations,
            deposited: amount,
            settled: 0,
            bps,
            challenge,
            expires_at,
            closes_at: None,
        };
        self.generations += 1;
        self.channels.insert(pair, channel);
        Ok(())
    }

    fn pay_in(&mut self, who: usize, amount: u64) -> Outcome {
        if self.escrowed().checked_add(amount).is_none() {
            return refused(PoolError::Arithmetic);
        }
        if self.tokens[who] < amount {
            return Err(NO_FUNDS);
        }
        self.tokens[who] -= amount;
        Ok(())
    }

    pub(crate) fn top_up(&mut self, pair: (usize, usize), amount: u64, expires_at: i64) -> Outcome {
        let Some(channel) = self.channels.get(&pair) else {
            return refused(PoolError::WrongOwner);
        };
        if channel.closes_at.is_some() {
            return refused(PoolError::ChannelClosing);
        }
        if expires_at < channel.expires_at {
            return refused(PoolError::InvalidExpiry);
        }
        if amount == 0 && expires_at == channel.expires_at {
            return refused(PoolError::ZeroAmount);
        }
        if channel.deposited.checked_add(amount).is_none() {
            return refused(PoolError::Arithmetic);
        }
        self.pay_in(pair.0, amount)?;
        if let Some(channel) = self.channels.get_mut(&pair) {
            channel.deposited += amount;
            channel.expires_at = expires_at;
        }
        Ok(())
    }

    pub(crate) fn settle(&mut self, pair: (usize, usize), sum: u64) -> Outcome {
        let Some(channel) = self.channels.get_mut(&pair) else {
            return refused(PoolError::WrongOwner);
        };
        if sum <= channel.settled {
            return refused(PoolError::VoucherNotNewer);
        }
        if sum > channel.deposited {
            return refused(PoolError::VoucherExceedsDeposit);
        }
        let amount = sum - channel.settled;
        let fee = (u128::from(amount) * u128::from(channel.bps) / 10_000) as u64;
        channel.settled = sum;
        self.tokens[pair.1] += fee;
        self.assets += amount - fee;
        self.settled = self.settled.saturating_add(amount - fee);
        Ok(())
    }

    pub(crate) fn close_channel(
        &mut self,
        now: i64,
        pair: (usize, usize),
        by_hub: bool,
    ) -> Outcome {
        let Some(channel) = self.channels.get_mut(&pair) else {
            return refused(PoolError::WrongOwner);
        };
        if by_hub {
            channel.closes_at = Some(channel.closes_at.map_or(now, |at| at.min(now)));
        } else if channel.closes_at.is_some() {
            return refused(PoolError::ChannelClosing);
        } else {
            channel.closes_at = Some(now + channel.challenge);
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self, now: i64, pair: (usize, usize)) -> Outcome {
        let Some(channel) = self.channels.get(&pair) else {
            return refused(PoolError::WrongOwner);
        };
        let over = now >= channel.expires_at || channel.closes_at.is_some_and(|at| now >= at);
        if !over {
            return refused(PoolError::ChannelOpen);
        }
        self.tokens[pair.0] += channel.deposited - channel.settled;
        self.channels.remove(&pair);
        Ok(())
    }

    /// The changes that are proposed in tests.
    pub(crate) fn change(number: u8) -> Change {
        let mut parameters = pool::parameters();
        let mut classes = class::default_table();
        match number {
            0 => {
                parameters.outflow_bps = 10_000;
                parameters.rate_cap = u64::MAX >> 24;
                Change::Parameters(parameters)
            }
            1 => {
                parameters.epoch_seconds = 600;
                parameters.claim_window_seconds = 900;
                parameters.cooldown_seconds = 901;
                parameters.bond_amount = 77;
                parameters.max_price = 400_000_000;
                Change::Parameters(parameters)
            }
            2 => {
                classes.truncate(2);
                classes[1].weight = Weight::new(100);
                Change::Classes(classes)
            }
            3 => Change::Measurers {
                measurers: people::measurer_keys(MeasurerCount::Three),
                verifying_key: pool::verifying_key_digest(MeasurerCount::Three),
            },
            4 => Change::Unfreeze,
            // A timelock shorter than two epochs: never a pool's.
            _ => {
                parameters.epoch_seconds = TIMELOCK_SECONDS;
                Change::Parameters(parameters)
            }
        }
    }

    pub(crate) fn propose(&mut self, now: i64, number: u32, change: u8) -> Outcome {
        match change {
            0..=3 => {}
            // Nothing is frozen: no proof is forged here.
            4 => return refused(PoolError::NotFrozen),
            _ => return refused(PoolError::InvalidParameters),
        }
        if self.proposals.contains_key(&number) {
            return refused(PoolError::AlreadyExists);
        }
        let ready = now + i64::from(TIMELOCK_SECONDS);
        self.proposals.insert(number, (Self::change(change), ready));
        Ok(())
    }

    pub(crate) fn cancel(&mut self, number: u32) -> Outcome {
        match self.proposals.remove(&number) {
            Some(_) => Ok(()),
            None => refused(PoolError::WrongOwner),
        }
    }

    pub(crate) fn execute(&mut self, now: i64, number: u32) -> Outcome {
        let Some((change, ready)) = self.proposals.get(&number).cloned() else {
            return refused(PoolError::WrongOwner);
        };
        if now < ready {
            return refused(PoolError::ProposalNotReady);
        }
        if now >= ready + i64::from(TIMELOCK_SECONDS) {
            return refused(PoolError::ProposalExpired);
        }
        self.proposals.remove(&number);
        match change {
            Change::Parameters(parameters) => {
                self.parameters = parameters;
                self.price = self.price.clamp(parameters.min_price, parameters.max_price);
            }
            Change::Classes(classes) => self.classes = classes,
            Change::Measurers { .. } | Change::Unfreeze => {}
        }
        Ok(())
    }

    pub(crate) fn pause(&mut self, now: i64, seconds: u32) -> Outcome {
        let timelock = i64::from(TIMELOCK_SECONDS);
        let too_early = self.paused_total > 0 && now < self.paused_until + timelock;
        if seconds == 0 || i64::from(seconds) > timelock || too_early {
            return refused(PoolError::PauseRefused);
        }
        self.paused_total += i64::from(seconds);
        self.paused_until = now + i64::from(seconds);
        Ok(())
    }

    pub(crate) fn resume(&mut self, now: i64) -> Outcome {
        if now >= self.paused_until {
            return refused(PoolError::NotPaused);
        }
        self.paused_total -= self.paused_until - now;
        self.paused_until = now;
        Ok(())
    }
}
