//! Token bucket: at most `rate · t + burst` bytes in any time t.

use std::time::{Duration, Instant};

/// How long a burst may last at the full rate.
const BURST: Duration = Duration::from_millis(25);
pub(crate) const BYTES_PER_MBIT: f64 = 125_000.0;

/// A token bucket in bytes. Without a rate it grants everything.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    bytes_per_second: Option<f64>,
    tokens: f64,
    filled: Instant,
    asked: u64,
}

impl TokenBucket {
    /// A bucket of so many megabits per second, or without limit.
    #[must_use]
    pub fn new(mbit_per_second: Option<f64>, now: Instant) -> Self {
        Self {
            bytes_per_second: mbit_per_second.map(bytes_per_second),
            tokens: 0.0,
            filled: now,
            asked: 0,
        }
    }

    /// Goes on with another rate; what was granted and what is owed stay.
    pub fn set_rate(&mut self, mbit_per_second: Option<f64>, now: Instant) {
        self.refill(now);
        self.filled = now;
        self.bytes_per_second = mbit_per_second.map(bytes_per_second);
    }

    /// Megabits per second.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.bytes_per_second.map(|rate| rate / BYTES_PER_MBIT)
    }

    /// Bytes that were asked for since this was called last, granted or not.
    pub const fn take_asked(&mut self) -> u64 {
        std::mem::replace(&mut self.asked, 0)
    }

    /// Adds what time has brought.
    pub fn refill(&mut self, now: Instant) {
        let Some(rate) = self.bytes_per_second else {
            return;
        };
        let elapsed = now.saturating_duration_since(self.filled);
        self.filled = now;
        self.tokens = (self.tokens + rate * elapsed.as_secs_f64()).min(burst(rate));
    }

    /// How many bytes may go now.
    #[must_use]
    pub fn available(&self) -> usize {
        match self.bytes_per_second {
            None => usize::MAX,
            Some(_) => self.tokens.max(0.0) as usize,
        }
    }

    /// Takes bytes even from an empty bucket, as long as the debt stays within one burst; later refills
    /// pay it, and those who ask for [`Self::available`] wait meanwhile. `false` when it would be more.
    #[must_use]
    pub fn overdraw(&mut self, bytes: usize) -> bool {
        self.asked = self.asked.saturating_add(bytes as u64);
        let Some(rate) = self.bytes_per_second else {
            return true;
        };
        let left = self.tokens - bytes as f64;
        let granted = left >= -burst(rate);
        if granted {
            self.tokens = left;
        }
        granted
    }

    /// Takes bytes; a debt is paid by later refills.
    pub fn take(&mut self, bytes: usize) {
        self.asked = self.asked.saturating_add(bytes as u64);
        if self.bytes_per_second.is_some() {
            self.tokens -= bytes as f64;
        }
    }

    /// Whether a limit is set.
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        self.bytes_per_second.is_some()
    }
}

fn bytes_per_second(mbit: f64) -> f64 {
    mbit.max(0.0) * BYTES_PER_MBIT
}

// It always holds one packet, or a low rate would never send any.
fn burst(rate: f64) -> f64 {
    (rate * BURST.as_secs_f64()).max(2048.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_grants_its_rate_and_one_burst() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Some(8.0), start);
        let mut granted = 0;
        for step in 1..=1000u64 {
            bucket.refill(start + Duration::from_millis(step));
            let grant = bucket.available();
            bucket.take(grant);
            granted += grant;
        }
        assert!((990_000..=1_000_000).contains(&granted), "{granted}");
        bucket.refill(start + Duration::from_secs(100));
        assert_eq!(bucket.available(), 25_000);
        assert_eq!(TokenBucket::new(None, start).available(), usize::MAX);
    }

    #[test]
    fn a_bucket_says_what_was_asked_of_it_and_goes_on_with_another_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Some(8.0), start);
        while bucket.overdraw(1000) {}
        bucket.take(500);
        assert_eq!(bucket.take_asked(), 26_500, "the refused one too");
        assert_eq!(bucket.take_asked(), 0);
        let mut bucket = TokenBucket::new(None, start);
        bucket.set_rate(Some(16.0), start + Duration::from_secs(5));
        assert_eq!((bucket.rate(), bucket.available()), (Some(16.0), 0));
        bucket.refill(start + Duration::from_millis(5010));
        assert_eq!(bucket.available(), 20_000);
    }

    #[test]
    fn a_bucket_is_overdrawn_by_at_most_one_burst_and_pays_it_back() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Some(8.0), start);
        let mut granted = 0;
        while bucket.overdraw(100) {
            granted += 100;
        }
        assert_eq!(granted, 25_000);
        bucket.refill(start + Duration::from_millis(10));
        assert_eq!(bucket.available(), 0, "10,000 bytes pay a part of the debt");
        bucket.refill(start + Duration::from_millis(30));
        assert_eq!(bucket.available(), 5_000);
        assert!(TokenBucket::new(None, start).overdraw(usize::MAX));
    }
}
