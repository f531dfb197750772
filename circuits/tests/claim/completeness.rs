//! T1: the native check accepts exactly what satisfies the constraints; boundaries by hand.

use proptest::prelude::*;
use veilpool_circuits::{
    PublicInputs, Statement,
    claim::{
        check_native,
        sample::{Sample, good_metrics},
    },
    gadget::threshold::Metric,
};
use veilpool_protocol::{Bandwidth, Latency, Metrics, Thresholds, Uptime, Zone};

use super::common::{Assigned, rng, sample};

fn agree<const N: usize>(sample: &Sample<N>) -> Result<(), Statement> {
    let public = PublicInputs::of(&sample.witness.claimed);
    let native = check_native(&public, &sample.witness);
    let assigned = Assigned::new(public, &sample.witness);
    assert_eq!(native.is_ok(), assigned.is_satisfied(), "{native:?}");
    native
}

#[test]
fn a_sample_holds_for_every_number_of_measurers() {
    assert_eq!(agree(&sample::<3>(1)), Ok(()));
    assert_eq!(agree(&sample::<5>(1)), Ok(()));
    assert_eq!(agree(&sample::<7>(1)), Ok(()));
}

#[test]
fn a_metric_at_its_bound_passes_and_one_unit_beyond_fails() {
    let rng = &mut rng(2);
    let mut sample = sample::<3>(2);
    let thresholds = sample.witness.claimed.thresholds;
    let at_bound = Metrics {
        bandwidth: thresholds.bandwidth,
        uptime: thresholds.uptime,
        latency: thresholds.latency,
        zone: thresholds.zone,
    };
    for slot in 0..3 {
        sample.attest(slot, at_bound, rng);
    }
    assert_eq!(agree(&sample), Ok(()));
    let beyond = [
        (
            Metric::Bandwidth,
            Metrics {
                bandwidth: Bandwidth::new(499),
                ..at_bound
            },
        ),
        (
            Metric::Uptime,
            Metrics {
                uptime: Uptime::new(139),
                ..at_bound
            },
        ),
        (
            Metric::Latency,
            Metrics {
                latency: Latency::new(81),
                ..at_bound
            },
        ),
        (
            Metric::Zone,
            Metrics {
                zone: Zone::new(4),
                ..at_bound
            },
        ),
    ];
    for (metric, metrics) in beyond {
        for slot in 0..3 {
            sample.attest(slot, if slot == 0 { at_bound } else { metrics }, rng);
        }
        assert_eq!(agree(&sample), Err(Statement::Thresholds { metric }));
    }
}

#[test]
fn extreme_thresholds_and_values_are_in_range() {
    let rng = &mut rng(3);
    let extremes = [
        (0, 0, u16::MAX, 0, 0, 0, u16::MAX, 0, true),
        (
            u16::MAX,
            u16::MAX,
            0,
            u8::MAX,
            u16::MAX,
            u16::MAX,
            0,
            u8::MAX,
            true,
        ),
        (0, 0, u16::MAX, 0, u16::MAX, u16::MAX, 0, u8::MAX, true),
        (u16::MAX, u16::MAX, 0, u8::MAX, 0, 0, u16::MAX, 0, false),
        (1, 0, u16::MAX, 0, 0, 0, 0, 0, false),
    ];
    for (bandwidth, uptime, latency, zone, b, u, l, z, holds) in extremes {
        let mut sample = sample::<3>(3);
        sample.witness.claimed.thresholds = Thresholds {
            bandwidth: Bandwidth::new(bandwidth),
            uptime: Uptime::new(uptime),
            latency: Latency::new(latency),
            zone: Zone::new(zone),
        };
        for slot in 0..3 {
            let metrics = Metrics {
                bandwidth: Bandwidth::new(b),
                uptime: Uptime::new(u),
                latency: Latency::new(l),
                zone: Zone::new(z),
            };
            sample.attest(slot, metrics, rng);
        }
        assert_eq!(agree(&sample).is_ok(), holds);
    }
}

#[test]
fn every_position_among_siblings_is_a_member() {
    // The sample's leaf is the third child; here it moves through all four, and siblings repeat.
    use veilpool_primitives::{MerklePath, field};
    use veilpool_protocol::RegistryRootBytes;
    for index in 0..4 {
        let mut sample = sample::<3>(4);
        let witness = &mut sample.witness;
        let leaf = witness.secret.commitment().to_field();
        let mut path = MerklePath {
            index,
            ..witness.path.clone()
        };
        path.siblings[0] = [leaf; 3];
        witness.claimed.registry_root =
            RegistryRootBytes::from_field(field::to_bytes(&path.root(leaf)));
        witness.path = path;
        assert_eq!(agree(&sample), Ok(()));
    }
}

#[derive(Clone, Copy, Debug)]
enum Slot {
    Good,
    Absent,
    Fails(Metric),
    Forged,
}

fn arb_slot() -> impl Strategy<Value = Slot> {
    prop_oneof![
        6 => Just(Slot::Good),
        2 => Just(Slot::Absent),
        2 => (0usize..4).prop_map(|metric| Slot::Fails(Metric::ALL[metric])),
        1 => Just(Slot::Forged),
    ]
}

fn with_slots<const N: usize>(seed: u64, slots: [Slot; N], any_zone: bool) -> Sample<N> {
    let rng = &mut rng(seed);
    let mut sample = sample::<N>(seed);
    if any_zone {
        sample.witness.claimed.thresholds.zone = Zone::new(0);
    }
    for (slot, kind) in slots.into_iter().enumerate() {
        let mut metrics = good_metrics();
        match kind {
            Slot::Fails(Metric::Bandwidth) => metrics.bandwidth = Bandwidth::new(0),
            Slot::Fails(Metric::Uptime) => metrics.uptime = Uptime::new(0),
            Slot::Fails(Metric::Latency) => metrics.latency = Latency::new(u16::MAX),
            Slot::Fails(Metric::Zone) => metrics.zone = Zone::new(0),
            Slot::Good | Slot::Absent | Slot::Forged => {}
        }
        sample.attest(slot, metrics, rng);
        match (kind, &mut sample.witness.attestations[slot]) {
            (Slot::Absent, attestation) => *attestation = None,
            (Slot::Forged, Some(attestation)) => attestation.signature.challenge ^= 1,
            _ => {}
        }
    }
    sample
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn native_check_and_constraints_agree_for_three(seed in any::<u64>(), slots in [arb_slot(), arb_slot(), arb_slot()], any_zone in any::<bool>()) {
        let _ = agree(&with_slots(seed, slots, any_zone));
    }

    #[test]
    fn native_check_and_constraints_agree_for_five(seed in any::<u64>(), slots in proptest::collection::vec(arb_slot(), 5), any_zone in any::<bool>()) {
        let slots = <[Slot; 5]>::try_from(slots).unwrap();
        let _ = agree(&with_slots(seed, slots, any_zone));
    }

    #[test]
    fn native_check_and_constraints_agree_for_seven(seed in any::<u64>(), slots in proptest::collection::vec(arb_slot(), 7), any_zone in any::<bool>()) {
        let slots = <[Slot; 7]>::try_from(slots).unwrap();
        let _ = agree(&with_slots(seed, slots, any_zone));
    }
}
