//! When to ask again.

use std::time::Duration;

use crate::{mapping::Lease, router::Epoch};

/// No lease is believed beyond it.
const LONGEST_LEASE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Growing pauses, each twice the one before it.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            next: first,
        }
    }

    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next.min(self.longest);
        self.next = pause.saturating_mul(2);
        pause
    }

    pub(crate) const fn reset(&mut self) {
        self.next = self.first;
    }
}

/// From a grant to its renewal: half the lease, but neither less than `shortest` nor more than `check`, by which the
/// restart of a router is found out.
pub(crate) fn renewal(lease: Lease, shortest: Duration, check: Duration) -> Duration {
    let half = match lease {
        Lease::For(lease) => lease / 2,
        Lease::UntilRemoved => check,
    };
    half.min(check).max(shortest)
}

/// From a grant to its end.
pub(crate) fn end(lease: Lease) -> Duration {
    match lease {
        Lease::For(lease) => lease.min(LONGEST_LEASE),
        Lease::UntilRemoved => LONGEST_LEASE,
    }
}

/// Whether the router has lost its mappings in between (RFC 6886, section 3.6): its clock is behind seven eighths of
/// ours by more than two seconds.
pub(crate) fn restarted(before: Epoch, after: Epoch, elapsed: Duration) -> bool {
    const SLACK: Duration = Duration::from_secs(2);
    let expected = before.age().saturating_add(elapsed / 8 * 7);
    after.age().saturating_add(SLACK) < expected
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_lease_is_renewed_at_half_its_lifetime_within_bounds() {
        for (lease, at) in [
            (Lease::For(s(400)), s(200)),
            (Lease::For(s(7200)), s(300)),
            (Lease::For(s(u64::from(u32::MAX))), s(300)),
            (Lease::For(s(3)), s(15)),
            (Lease::For(s(0)), s(15)),
            (Lease::UntilRemoved, s(300)),
        ] {
            assert_eq!(renewal(lease, s(15), s(300)), at, "{lease:?}");
        }
        assert_eq!(end(Lease::For(s(u64::MAX))), LONGEST_LEASE);
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(s(5), s(30));
        let pauses: Vec<_> = (0..5).map(|_| backoff.pause().as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 30, 30]);
        backoff.reset();
        assert_eq!(backoff.pause(), s(5));
    }

    #[test]
    fn a_clock_that_fell_back_is_a_restart_and_a_slow_one_is_not() {
        let at = Epoch::from_seconds;
        assert!(!restarted(at(1000), at(1100), s(100)));
        assert!(!restarted(at(1000), at(1086), s(100)), "an eighth slower");
        assert!(restarted(at(1000), at(1085), s(100)));
        assert!(restarted(at(1000), at(0), s(100)));
        assert!(!restarted(at(u32::MAX), at(u32::MAX), s(1)));
        assert!(restarted(at(u32::MAX), at(0), Duration::MAX));
    }
}
