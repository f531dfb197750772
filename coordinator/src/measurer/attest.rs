//! From a measurer's own results to the values that it signs. Nothing that a node says enters.
//!
//! ```text
//! uptime    = slots answered          latency = median round trip of them in ms; 65,535 without any
//! bandwidth = median of three rounds, one that failed or is missing as 0
//! ```

use veilpool_protocol::{
    Bandwidth, Latency, Metrics, Uptime, Zone,
    api::{RoundResult, SlotResult},
};

use super::schedule::ROUNDS;

/// What is attested.
#[must_use]
pub fn metrics(slots: &[SlotResult], rounds: &[RoundResult], zone: Zone) -> Metrics {
    let mut trips: Vec<u32> = slots
        .iter()
        .filter_map(|slot| slot.outcome.round_trip())
        .collect();
    trips.sort_unstable();
    let latency = match trips.get(trips.len().saturating_sub(1) / 2) {
        None => u16::MAX,
        Some(micros) => u16::try_from(micros.saturating_add(500) / 1000).unwrap_or(u16::MAX),
    };
    let mut rates = [Bandwidth::default(); ROUNDS as usize];
    for result in rounds {
        if let Some(rate) = rates.get_mut(usize::from(result.round)) {
            *rate = result.outcome.bandwidth();
        }
    }
    rates.sort_unstable();
    Metrics {
        bandwidth: rates[usize::from(ROUNDS) / 2],
        uptime: Uptime::new(u16::try_from(trips.len()).unwrap_or(u16::MAX)),
        latency: Latency::new(latency),
        zone,
    }
}

#[cfg(test)]
mod tests {
    use veilpool_protocol::api::{RoundOutcome, SlotOutcome};

    use super::*;

    fn slots(outcomes: &[SlotOutcome]) -> Vec<SlotResult> {
        outcomes
            .iter()
            .enumerate()
            .map(|(slot, outcome)| SlotResult {
                slot: slot as u16,
                outcome: *outcome,
            })
            .collect()
    }

    fn done(round: u8, download: u16, upload: u16) -> RoundResult {
        RoundResult {
            round,
            outcome: RoundOutcome::Done {
                download: Bandwidth::new(download),
                upload: Bandwidth::new(upload),
            },
        }
    }

    #[test]
    fn the_smaller_direction_and_the_median_round_count() {
        let rounds = [done(0, 900, 100), done(1, 300, 500), done(2, 700, 800)];
        assert_eq!(metrics(&[], &rounds, Zone::new(4)).bandwidth.get(), 300);
        assert_eq!(
            metrics(&[], &rounds[1..], Zone::new(4)).bandwidth.get(),
            300
        );
        assert_eq!(metrics(&[], &rounds[2..], Zone::new(4)).bandwidth.get(), 0);
        assert_eq!(metrics(&[], &rounds, Zone::new(4)).zone.get(), 4);
    }

    #[test]
    fn m3_a_round_that_was_forged_truncated_or_never_connected_counts_as_zero() {
        for outcome in [
            RoundOutcome::Forged,
            RoundOutcome::Truncated,
            RoundOutcome::NoConnection,
            RoundOutcome::MeasurerDown,
            RoundOutcome::NotListed,
        ] {
            let failed = |round| RoundResult { round, outcome };
            let rounds = [done(0, 900, 900), failed(1), failed(2)];
            assert_eq!(metrics(&[], &rounds, Zone::new(0)).bandwidth.get(), 0);
        }
    }

    #[test]
    fn m2_slots_that_a_measurer_did_not_see_are_not_attested() {
        use SlotOutcome::*;
        let seen = slots(&[
            Answered { rtt_us: 9_000 },
            MeasurerDown,
            Lossy { rtt_us: 11_400 },
            NoHandshake,
            Asymmetric,
            NoRoute,
            Forged,
            NotListed,
            Answered { rtt_us: 90_000 },
        ]);
        let metrics = metrics(&seen, &[], Zone::new(0));
        assert_eq!((metrics.uptime.get(), metrics.latency.get()), (3, 11));
    }

    #[test]
    fn without_an_answer_there_is_no_latency() {
        let metrics = metrics(&slots(&[SlotOutcome::NoRoute]), &[], Zone::new(0));
        assert_eq!((metrics.uptime.get(), metrics.latency.get()), (0, u16::MAX));
    }
}
