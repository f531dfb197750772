//! A node's limit, shared by the peers that are active.
//!
//! Max-min fair: nobody gets less so that somebody gets more than that one, `rᵢ = min(dᵢ, level)` with the one level
//! that spends the limit (Bertsekas and Gallager, *Data Networks*, section 6.5.2).

use std::{sync::Arc, time::Instant};

use crate::{Peer, shaper::BYTES_PER_MBIT};

/// Rates for demands of one unit. Their sum is the lesser of the limit and all demands, and nobody has less than the
/// lesser of its demand and an equal part. A demand may be infinite; what is no positive number is none.
#[must_use]
pub fn share(limit: f64, demands: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = demands
        .iter()
        .map(|demand| demand.max(0.0))
        .enumerate()
        .collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut rates = vec![0.0; demands.len()];
    let (mut left, mut waiting) = (limit.max(0.0), demands.len());
    for (place, demand) in order {
        let rate = demand.min(left / waiting as f64);
        if let Some(slot) = rates.get_mut(place) {
            *slot = rate;
        }
        left = (left - rate).max(0.0);
        waiting -= 1;
    }
    rates
}

/// Whoever used this part of its rate is held back by it, and wants more.
const HELD_BACK: f64 = 0.9;
/// What others are expected to want next: as much again and a quarter.
const GROWTH: f64 = 1.25;

/// Which of a peer's buckets.
#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

/// What the peers of an end have together, each way.
pub(crate) struct Node {
    /// Megabits per second.
    limit: f64,
    shared: Instant,
}

impl Node {
    pub(crate) const fn new(limit: f64, now: Instant) -> Self {
        Self { limit, shared: now }
    }

    /// Sets what each bucket grants from what was asked of it since the last time. Peers have at most `each`.
    pub(crate) fn share(&mut self, peers: &[Arc<Peer>], each: Option<f64>, now: Instant) {
        let seconds = now.saturating_duration_since(self.shared).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        self.shared = now;
        for way in [Way::Up, Way::Down] {
            self.share_way(peers, way, each.unwrap_or(f64::INFINITY), seconds, now);
        }
    }

    fn share_way(&self, peers: &[Arc<Peer>], way: Way, each: f64, seconds: f64, now: Instant) {
        let mut demands = Vec::new();
        let mut active = Vec::new();
        let mut silent = Vec::new();
        for peer in peers {
            let mut state = peer.state();
            let bucket = match way {
                Way::Up => &mut state.up,
                Way::Down => &mut state.down,
            };
            let asked = bucket.take_asked() as f64 / BYTES_PER_MBIT / seconds;
            let rate = bucket.rate().unwrap_or(f64::INFINITY);
            drop(state);
            if asked == 0.0 {
                silent.push(peer);
                continue;
            }
            let demand = match asked >= rate * HELD_BACK {
                true => f64::INFINITY,
                false => asked * GROWTH,
            };
            demands.push(demand.min(each));
            active.push(peer);
        }
        let set = |peer: &Peer, rate: f64| {
            let mut state = peer.state();
            match way {
                Way::Up => state.up.set_rate(Some(rate), now),
                Way::Down => state.down.set_rate(Some(rate), now),
            }
        };
        let rates = share(self.limit, &demands);
        // What nobody asked for lies ready in equal parts, so that a growing flow isn't held back for a turn.
        let spare = self.limit - rates.iter().sum::<f64>();
        let spare = spare.max(0.0) / active.len().max(1) as f64;
        for (peer, rate) in active.iter().zip(rates) {
            set(peer, (rate + spare).min(each));
        }
        // Who begins may have an equal part at once: for one turn all together may have more than the limit.
        let part = self.limit / (active.len() + 1) as f64;
        for peer in silent {
            set(peer, part.min(each));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arb_demand() -> impl Strategy<Value = f64> {
        prop_oneof![Just(0.0), 0.0..1000.0, Just(f64::INFINITY)]
    }

    proptest! {
        #[test]
        fn shares_spend_the_limit_and_no_more_and_nobody_has_less_than_an_equal_part(
            limit in 0.0..2000.0,
            demands in prop::collection::vec(arb_demand(), 0..40),
        ) {
            let rates = share(limit, &demands);
            let slack = 1e-6;
            let sum: f64 = rates.iter().sum();
            prop_assert!(sum <= limit + slack);
            prop_assert!((sum - limit.min(demands.iter().sum())).abs() < slack, "work-conserving");
            let part = limit / demands.len().max(1) as f64;
            for (rate, demand) in rates.iter().zip(&demands) {
                prop_assert!(*rate <= demand + slack);
                prop_assert!(*rate >= demand.min(part) - slack);
            }
            // Who is held back has as much as anybody.
            for (rate, demand) in rates.iter().zip(&demands) {
                if rate + slack < *demand {
                    prop_assert!(rates.iter().all(|other| *other <= rate + slack));
                }
            }
        }
    }

    #[test]
    fn a_small_demand_is_met_and_the_others_share_the_rest() {
        assert_eq!(
            share(100.0, &[f64::INFINITY, 10.0, 60.0]),
            [45.0, 10.0, 45.0]
        );
        assert_eq!(share(100.0, &[5.0, f64::NAN, -1.0]), [5.0, 0.0, 0.0]);
        assert_eq!(share(-1.0, &[5.0]), [0.0]);
        assert!(share(100.0, &[]).is_empty());
    }
}
