use ark_bn254::Fr;
use ark_ff::PrimeField;
use proptest::prelude::*;
use veilpool_circuits::gadget::{
    bits,
    threshold::{self, Metric, MetricsVar, SlotVar, ThresholdsVar},
};
use veilpool_primitives::field;
use veilpool_protocol::{
    Bandwidth, EpochId, Latency, Metrics, Thresholds, Uptime, Zone, attestation::pack,
};

use super::mode::{MODES, Mode, System};

fn arb_metrics() -> impl Strategy<Value = Metrics> {
    (arb_u16(), arb_u16(), arb_u16(), 0u8..4).prop_map(|(b, u, l, z)| Metrics {
        bandwidth: Bandwidth::new(b),
        uptime: Uptime::new(u),
        latency: Latency::new(l),
        zone: Zone::new(z),
    })
}

fn arb_thresholds() -> impl Strategy<Value = Thresholds> {
    arb_metrics().prop_map(|metrics| Thresholds {
        bandwidth: metrics.bandwidth,
        uptime: metrics.uptime,
        latency: metrics.latency,
        zone: metrics.zone,
    })
}

// Few values, so that equality and neighbourhood happen.
fn arb_u16() -> impl Strategy<Value = u16> {
    prop_oneof![
        2 => 100u16..104,
        1 => Just(0),
        1 => Just(u16::MAX),
        1 => any::<u16>(),
    ]
}

#[test]
fn c4_a_range_holds_for_every_value_in_it_and_none_beside_it() {
    for bits in [1, 8, 16] {
        let end = 1u64 << bits;
        for (value, holds) in [
            (Fr::from(0u8), true),
            (Fr::from(end - 1), true),
            (Fr::from(end), false),
            (Fr::from(end + 1), false),
            (Fr::from(2 * end - 1), false),
            (-Fr::from(1u8), false),
            (-Fr::from(end), false),
            (Fr::from(2u8).into_bigint().into(), bits > 1),
        ] {
            for mode in MODES {
                let mut system = System::new(mode);
                let num = system.num(value);
                bits::enforce_range(&mut system.cs, "bit", &num, bits).unwrap();
                assert_eq!(system.cs.rows(), bits as usize);
                assert_eq!(system.is_satisfied(), holds, "{value} in {bits} bits");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn packings_are_the_native_ones(metrics in arb_metrics(), thresholds in arb_thresholds(), epoch in any::<u32>()) {
        let mut system = System::new(Mode::Witness);
        let epoch_num = system.num(Fr::from(epoch));
        let packed = MetricsVar::alloc(&mut system.cs, Some(&metrics)).unwrap().pack(&epoch_num);
        prop_assert_eq!(field::to_bytes(&packed.value().unwrap()), pack(EpochId::new(epoch), &metrics));
        let var = ThresholdsVar::alloc(&mut system.cs, Some(&thresholds)).unwrap();
        var.enforce_ranges(&mut system.cs).unwrap();
        prop_assert_eq!(field::to_bytes(&var.pack().value().unwrap()), thresholds.pack());
        prop_assert_eq!(system.cs.rows(), 56);
        prop_assert!(system.is_satisfied());
    }

    #[test]
    fn a_majority_in_the_circuit_is_a_majority_natively(
        slots in proptest::collection::vec((any::<bool>(), arb_metrics()), 5),
        thresholds in arb_thresholds(),
    ) {
        for metric in Metric::ALL {
            let mut system = System::new(Mode::Witness);
            let passing = slots
                .iter()
                .filter(|(present, metrics)| *present && thresholds.passes(metrics)[metric.index()])
                .count();
            let vars: Vec<SlotVar> = slots
                .iter()
                .map(|(present, metrics)| SlotVar {
                    present: system.num(Fr::from(*present)),
                    metrics: MetricsVar::alloc(&mut system.cs, Some(metrics)).unwrap(),
                })
                .collect();
            let threshold_vars = ThresholdsVar::alloc(&mut system.cs, Some(&thresholds)).unwrap();
            threshold::enforce_majority(&mut system.cs, metric, &vars, &threshold_vars, 3).unwrap();
            prop_assert_eq!(system.is_satisfied(), passing >= 3);
        }
    }
}

#[test]
fn metrics_are_named_in_messages() {
    let names = Metric::ALL.map(|metric| metric.to_string());
    assert_eq!(names, ["bandwidth", "uptime", "latency", "zone"]);
}
