//! Inner bytes by guest, both ways. The metered unit is the inner IP packet as it arrived or left.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use veilpool_protocol::api::WireGuardKeyBytes;

/// Inner bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the guest.
    pub up: u64,
    /// To the guest.
    pub down: u64,
}

impl Traffic {
    /// Sum, stopping at the largest number.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self {
            up: self.up.saturating_add(other.up),
            down: self.down.saturating_add(other.down),
        }
    }
}

/// Counters of this run.
#[derive(Debug, Default)]
pub struct Meter {
    up: AtomicU64,
    down: AtomicU64,
    // Since the last time they were taken for the store.
    guests: Mutex<HashMap<WireGuardKeyBytes, Traffic>>,
}

impl Meter {
    /// Adds what a guest moved.
    pub fn add(&self, guest: WireGuardKeyBytes, traffic: Traffic) {
        saturating(&self.up, traffic.up);
        saturating(&self.down, traffic.down);
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = guests.entry(guest).or_default();
        *entry = entry.saturating_add(traffic);
    }

    /// Of all guests in this run.
    #[must_use]
    pub fn total(&self) -> Traffic {
        Traffic {
            up: self.up.load(Ordering::Relaxed),
            down: self.down.load(Ordering::Relaxed),
        }
    }

    /// Takes what was counted since the last call, for the store.
    #[must_use]
    pub fn take(&self) -> Vec<(WireGuardKeyBytes, Traffic)> {
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        guests.drain().collect()
    }
}

fn saturating(counter: &AtomicU64, by: u64) {
    let add = |value: u64| Some(value.saturating_add(by));
    let _ = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stop_at_the_largest_number() {
        let meter = Meter::default();
        let guest = WireGuardKeyBytes::new([1; 32]);
        let near = Traffic {
            up: u64::MAX - 1,
            down: 5,
        };
        meter.add(guest, near);
        meter.add(guest, near);
        assert_eq!(
            meter.total(),
            Traffic {
                up: u64::MAX,
                down: 10
            }
        );
        assert_eq!(
            meter.take(),
            vec![(
                guest,
                Traffic {
                    up: u64::MAX,
                    down: 10
                }
            )]
        );
        assert!(meter.take().is_empty());
    }
}
