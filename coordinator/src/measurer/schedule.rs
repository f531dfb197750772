//! When a measurer does what, as a pure function of the epoch's times and two secrets.
//!
//! ```text
//! slot s        of 144 equal parts; its heartbeat at a time in it drawn by PRF(own secret, epoch, subject). In the first and
//!               the last it keeps a quarter of the slot away from both ends: nodes change keys at the epoch's edges
//! round r       of 3 equal parts; in it n turns one after another, so that each measurer has the whole of the
//!               node's capacity. Begin and order by PRF(schedule secret, epoch, subject, r): the same for all
//!               measurers, hidden from nodes
//! turn          download, pause, upload, pause: 2·(length + pause)
//! length        epoch/120 within [0.1 s, 10 s]; pause = 4/5 of it, at most 2 s
//! ```

use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha20Rng;
use veilpool_protocol::{EpochId, SubjectBytes, units::SLOTS_PER_EPOCH};

use super::keys::prf;

/// Bandwidth rounds in an epoch.
pub const ROUNDS: u8 = 3;
/// Milliseconds since the Unix epoch.
pub type Millis = i64;

/// An epoch's times, as the chain has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochTimes {
    /// Its number.
    pub number: EpochId,
    /// Unix seconds.
    pub starts_at: i64,
    /// Unix seconds.
    pub ends_at: i64,
    /// Unix seconds.
    pub claim_until: i64,
}

/// A measurer's turn in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// From 0.
    pub round: u8,
    /// When the download begins.
    pub download_at: Millis,
    /// When the upload begins.
    pub upload_at: Millis,
    /// When the next measurer's turn begins.
    pub ends_at: Millis,
    /// Of each direction.
    pub length: Millis,
    /// After each direction.
    pub pause: Millis,
}

impl EpochTimes {
    /// When it starts.
    #[must_use]
    pub const fn starts(&self) -> Millis {
        self.starts_at.saturating_mul(1000)
    }

    /// When it ends.
    #[must_use]
    pub const fn ends(&self) -> Millis {
        self.ends_at.saturating_mul(1000)
    }

    /// How long it is; at least 1.
    #[must_use]
    pub fn duration(&self) -> Millis {
        self.ends().saturating_sub(self.starts()).max(1)
    }

    /// The times of all heartbeats, in order.
    #[must_use]
    pub fn heartbeats(&self, secret: &[u8; 32], subject: &SubjectBytes) -> Vec<Millis> {
        let seed = prf(
            secret,
            &[&self.number.get().to_le_bytes(), subject.as_bytes()],
        );
        let mut rng = ChaCha20Rng::from_seed(*seed);
        (0..SLOTS_PER_EPOCH)
            .map(|slot| {
                let (from, to) = (self.slot_starts(slot), self.slot_starts(slot + 1));
                let edge = slot == 0 || slot + 1 == SLOTS_PER_EPOCH;
                let margin = if edge { (to - from) / 4 } else { 0 };
                let (from, to) = (from + margin, to - margin);
                rng.gen_range(from..to.max(from + 1))
            })
            .collect()
    }

    fn slot_starts(&self, slot: u16) -> Millis {
        let part = i128::from(self.duration()) * i128::from(slot) / i128::from(SLOTS_PER_EPOCH);
        self.starts()
            .saturating_add(i64::try_from(part).unwrap_or(i64::MAX))
    }

    /// How long each direction is measured.
    #[must_use]
    pub fn turn_length(&self) -> Millis {
        (self.duration() / 120).clamp(100, 10_000)
    }

    /// The turns of one of `measurers`, by its place in the set.
    #[must_use]
    pub fn turns(
        &self,
        secret: &[u8; 32],
        subject: &SubjectBytes,
        measurers: usize,
        place: usize,
    ) -> Vec<Turn> {
        let length = self.turn_length();
        let pause = (length * 4 / 5).min(2_000);
        let turn = 2 * (length + pause);
        let third = self.duration() / Millis::from(ROUNDS);
        let slack = third - turn * measurers as Millis;
        (0..ROUNDS)
            .map(|round| {
                let seed = prf(
                    secret,
                    &[
                        b"veilpool/schedule/v1",
                        &self.number.get().to_le_bytes(),
                        subject.as_bytes(),
                        &[round],
                    ],
                );
                let mut rng = ChaCha20Rng::from_seed(*seed);
                let begin =
                    self.starts() + third * Millis::from(round) + rng.gen_range(0..=slack.max(0));
                let mut order: Vec<usize> = (0..measurers).collect();
                order.shuffle(&mut rng);
                let before = order.iter().position(|other| *other == place).unwrap_or(0);
                let download_at = begin + turn * before as Millis;
                Turn {
                    round,
                    download_at,
                    upload_at: download_at + length + pause,
                    ends_at: download_at + turn,
                    length,
                    pause,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use veilpool_protocol::FieldBytes;

    use super::*;

    fn epoch(seconds: i64) -> EpochTimes {
        EpochTimes {
            number: EpochId::new(4),
            starts_at: 1_000_000,
            ends_at: 1_000_000 + seconds,
            claim_until: 1_000_000 + 3 * seconds,
        }
    }

    fn subject(i: u128) -> SubjectBytes {
        SubjectBytes::from_field(FieldBytes::from_u128(i))
    }

    #[test]
    fn a_day_has_turns_of_ten_seconds_and_a_minute_of_half_a_second() {
        assert_eq!(epoch(86_400).turn_length(), 10_000);
        assert_eq!(epoch(60).turn_length(), 500);
    }

    proptest! {
        #[test]
        fn each_slot_has_one_heartbeat_within_it(seconds in 12i64..200_000, secret: [u8; 32], who: u64) {
            let epoch = epoch(seconds);
            let times = epoch.heartbeats(&secret, &subject(who.into()));
            prop_assert_eq!(times.len(), usize::from(SLOTS_PER_EPOCH));
            let quarter = epoch.slot_starts(1) - epoch.starts();
            prop_assert!(times[0] >= epoch.starts() + quarter / 4);
            prop_assert!(times[143] < epoch.ends() - quarter / 4);
            for (slot, at) in times.iter().enumerate() {
                let slot = slot as u16;
                prop_assert!((epoch.slot_starts(slot)..epoch.slot_starts(slot + 1)).contains(at));
            }
        }

        #[test]
        fn turns_of_all_measurers_are_disjoint_and_stay_within_their_third(
            seconds in 20i64..200_000, secret: [u8; 32], who: u64, n in prop::sample::select(vec![3usize, 5, 7]),
        ) {
            let epoch = epoch(seconds);
            for round in 0..ROUNDS {
                let mut turns: Vec<Turn> = (0..n)
                    .map(|place| epoch.turns(&secret, &subject(who.into()), n, place)[usize::from(round)])
                    .collect();
                turns.sort_by_key(|turn| turn.download_at);
                let third = epoch.duration() / 3;
                let from = epoch.starts() + third * i64::from(round);
                prop_assert!(turns[0].download_at >= from);
                prop_assert!(turns[n - 1].ends_at <= from + third);
                for pair in turns.windows(2) {
                    prop_assert!(pair[0].upload_at >= pair[0].download_at + pair[0].length + pair[0].pause);
                    prop_assert!(pair[0].ends_at <= pair[1].download_at);
                }
            }
        }
    }

    #[test]
    fn m3_times_change_with_subject_epoch_and_secret() {
        let (one, other) = ([1; 32], [2; 32]);
        let turns = epoch(86_400).turns(&one, &subject(1), 5, 0);
        assert_ne!(turns, epoch(86_400).turns(&other, &subject(1), 5, 0));
        assert_ne!(turns, epoch(86_400).turns(&one, &subject(2), 5, 0));
        let mut next = epoch(86_400);
        next.number = EpochId::new(5);
        assert_ne!(turns, next.turns(&one, &subject(1), 5, 0));
        assert_ne!(
            epoch(86_400).heartbeats(&one, &subject(1)),
            epoch(86_400).heartbeats(&other, &subject(1))
        );
    }

    #[test]
    fn no_times_make_it_panic() {
        for (starts_at, ends_at) in [(i64::MIN, i64::MAX), (0, 0), (5, 1), (i64::MAX, i64::MAX)] {
            let epoch = EpochTimes {
                starts_at,
                ends_at,
                ..epoch(60)
            };
            let _ = epoch.duration();
        }
    }
}
