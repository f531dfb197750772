//! Which class a claim can be made for: the circuit's rule, in plain Rust.
//!
//! For each metric, a majority of **all** slots must pass; a slot without attestation passes nothing, and
//! different metrics may have different majorities.

use veilpool_protocol::{Class, ClassId, MeasurerCount, Metrics, Weight};

/// Whether a class can be proven from what measurers attested, by slot.
#[must_use]
pub fn is_met(class: &Class, slots: &[Option<Metrics>], n: MeasurerCount) -> bool {
    let mut passing = [0usize; 4];
    for metrics in slots.iter().take(n.get()).flatten() {
        for (count, passes) in passing.iter_mut().zip(class.thresholds.passes(metrics)) {
            *count += usize::from(passes);
        }
    }
    passing.iter().all(|count| *count >= n.majority())
}

/// The best-paid class that can be proven; of several with one weight the first, as everybody's software
/// does, so that the crowd in it is as large as it can be.
#[must_use]
pub fn best_class(
    classes: &[Class],
    slots: &[Option<Metrics>],
    n: MeasurerCount,
) -> Option<(ClassId, Weight)> {
    best_class_within(classes, slots, n, None)
}

/// [`best_class`] among those that pay at most `most`.
#[must_use]
pub fn best_class_within(
    classes: &[Class],
    slots: &[Option<Metrics>],
    n: MeasurerCount,
    most: Option<Weight>,
) -> Option<(ClassId, Weight)> {
    let mut best: Option<(ClassId, Weight)> = None;
    for (id, class) in (0u8..).zip(classes) {
        let better = best.is_none_or(|(_, weight)| class.weight > weight);
        let allowed = most.is_none_or(|most| class.weight <= most);
        if better && allowed && is_met(class, slots, n) {
            best = Some((ClassId::new(id), class.weight));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use veilpool_interface::class::default_table;
    use veilpool_protocol::{Bandwidth, Latency, Thresholds, Uptime, Zone};

    use super::*;

    fn metrics(bandwidth: u16, uptime: u16) -> Option<Metrics> {
        Some(Metrics {
            bandwidth: Bandwidth::new(bandwidth),
            uptime: Uptime::new(uptime),
            latency: Latency::new(20),
            zone: Zone::new(0),
        })
    }

    #[test]
    fn m2_f_liars_neither_raise_nor_lower_the_class() {
        let table = default_table();
        for n in MeasurerCount::ALL {
            let f = n.get() - n.majority();
            let honest = metrics(600, 141);
            for liar in [metrics(u16::MAX, 144), metrics(0, 0), None] {
                let mut slots = vec![honest; n.get()];
                slots[..f].fill(liar);
                assert_eq!(
                    best_class(&table, &slots, n),
                    Some((ClassId::new(4), Weight::new(5)))
                );
            }
        }
    }

    #[test]
    fn equal_weights_give_the_first_class_and_a_bound_gives_a_lower_one() {
        let (table, n) = (default_table(), MeasurerCount::Three);
        let slots = [metrics(600, 131); 3];
        assert_eq!(
            best_class(&table, &slots, n),
            Some((ClassId::new(0), Weight::new(1)))
        );
        let slots = [metrics(3_000, 144); 3];
        let within = |most| best_class_within(&table, &slots, n, Some(Weight::new(most)));
        assert_eq!(within(12), Some((ClassId::new(8), Weight::new(12))));
        assert_eq!(within(5), Some((ClassId::new(4), Weight::new(5))));
        assert_eq!(within(0), None);
        assert_eq!(best_class(&table, &[None; 3], n), None);
        assert_eq!(best_class(&[], &slots, n), None);
    }

    fn arb_metrics() -> impl Strategy<Value = Option<Metrics>> {
        let near =
            |bound: u16| prop_oneof![Just(bound), Just(bound.saturating_sub(1)), any::<u16>()];
        proptest::option::of((near(500), 125..=144u16, near(50), 0..3u8).prop_map(
            |(bandwidth, uptime, latency, zone)| Metrics {
                bandwidth: Bandwidth::new(bandwidth),
                uptime: Uptime::new(uptime),
                latency: Latency::new(latency),
                zone: Zone::new(zone),
            },
        ))
    }

    fn arb_class() -> impl Strategy<Value = Class> {
        (
            0..3u16,
            128..=144u16,
            prop_oneof![Just(50u16), Just(u16::MAX)],
            0..3u8,
            1..13u16,
        )
            .prop_map(|(bandwidth, uptime, latency, zone, weight)| Class {
                thresholds: Thresholds {
                    bandwidth: Bandwidth::new(bandwidth * 500),
                    uptime: Uptime::new(uptime),
                    latency: Latency::new(latency),
                    zone: Zone::new(zone),
                },
                weight: Weight::new(weight),
            })
    }

    // The rule by sorting: a majority is at least T exactly when the median is, absent ones as the worst.
    fn medians_pass(class: &Class, slots: &[Option<Metrics>], n: MeasurerCount) -> bool {
        let median = |mut values: Vec<i64>| {
            values.sort_unstable();
            values[n.get() / 2]
        };
        let of = |value: fn(&Metrics) -> i64, absent: i64| {
            median(
                slots
                    .iter()
                    .map(|slot| slot.as_ref().map_or(absent, value))
                    .collect(),
            )
        };
        let t = &class.thresholds;
        let zone = slots
            .iter()
            .flatten()
            .filter(|m| t.zone.get() == 0 || m.zone == t.zone)
            .count();
        of(|m| m.bandwidth.get().into(), -1) >= t.bandwidth.get().into()
            && of(|m| m.uptime.get().into(), -1) >= t.uptime.get().into()
            && of(|m| m.latency.get().into(), i64::MAX) <= t.latency.get().into()
            && zone >= n.majority()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn m2_a_majority_for_each_metric_is_the_median_rule(
            slots in proptest::collection::vec(arb_metrics(), 7),
            class in arb_class(),
        ) {
            for n in MeasurerCount::ALL {
                let slots = &slots[..n.get()];
                prop_assert_eq!(is_met(&class, slots, n), medians_pass(&class, slots, n));
            }
        }

        #[test]
        fn no_class_that_is_met_pays_more_than_the_best(
            slots in proptest::collection::vec(arb_metrics(), 5),
            classes in proptest::collection::vec(arb_class(), 0..16),
        ) {
            let n = MeasurerCount::Five;
            let met = classes.iter().filter(|class| medians_pass(class, &slots, n)).map(|class| class.weight).max();
            prop_assert_eq!(best_class(&classes, &slots, n).map(|(_, weight)| weight), met);
        }
    }
}
