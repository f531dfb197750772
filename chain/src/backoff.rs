//! Waiting longer after each failure, so that a service that is down isn't kept there.

use std::time::Duration;

/// Doubles from a first delay to a longest one; [`Self::reset`] after a success.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// From `first` to `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            next: first,
        }
    }

    /// How long to wait now.
    #[must_use]
    pub fn step(&mut self) -> Duration {
        let now = self.next.min(self.longest);
        self.next = now.saturating_mul(2);
        now
    }

    /// After a success.
    pub const fn reset(&mut self) {
        self.next = self.first;
    }
}

impl Default for Backoff {
    /// A quarter of a second to half a minute.
    fn default() -> Self {
        Self::new(Duration::from_millis(250), Duration::from_secs(30))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_start_again() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        let steps: Vec<u64> = (0..5).map(|_| backoff.step().as_secs()).collect();
        assert_eq!(steps, [1, 2, 4, 5, 5]);
        backoff.reset();
        assert_eq!(backoff.step(), Duration::from_secs(1));
    }
}
