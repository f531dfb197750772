//! Epochs, the price, and claims.

use std::collections::BTreeMap;

use veilpool_interface::{Parameters, PoolError};

use super::{Epoch, Model, Outcome, Waits, refused};

impl Model {
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
}
