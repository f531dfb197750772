//! Operators and their bonds.

use veilpool_interface::{Parameters, PoolError};

use super::{Model, NO_FUNDS, Operator, Outcome, Waits, refused};

impl Model {
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
}
