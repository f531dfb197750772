//! Channels and vouchers.

use veilpool_interface::PoolError;

use super::{Channel, Model, NO_FUNDS, Outcome, refused};

impl Model {
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
}
