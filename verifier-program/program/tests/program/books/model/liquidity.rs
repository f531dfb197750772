//! Deposits and withdrawals.

use veilpool_interface::PoolError;

use super::{Model, NO_FUNDS, Outcome, refused};

impl Model {
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
}
