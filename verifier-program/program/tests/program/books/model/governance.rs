//! Proposals, pauses.

use veilpool_interface::{Change, PoolError, class};
use veilpool_program_harness::{
    people,
    pool::{self, TIMELOCK_SECONDS},
};
use veilpool_protocol::{MeasurerCount, Weight};

use super::{Model, Outcome, refused};

impl Model {
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
