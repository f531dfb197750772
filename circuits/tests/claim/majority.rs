//! M2 and C8: every pattern of good, bad and missing attestations.

use rand::Rng;
use veilpool_circuits::{
    PublicInputs, Statement,
    claim::{
        Attestation, check_native,
        sample::{Sample, good_metrics},
    },
    gadget::threshold::Metric,
};

use super::common::{Assigned, BAD, rng, sample};

struct Patterns<const N: usize> {
    sample: Sample<N>,
    // By slot: silent, bad, good.
    choices: [[Option<Attestation>; 3]; N],
}

const GOOD: usize = 2;

impl<const N: usize> Patterns<N> {
    fn new() -> Self {
        let rng = &mut rng(20);
        let mut sample = sample::<N>(20);
        let choices = core::array::from_fn(|slot| {
            sample.attest(slot, BAD, rng);
            let bad = sample.witness.attestations[slot];
            sample.attest(slot, good_metrics(), rng);
            [None, bad, sample.witness.attestations[slot]]
        });
        Self { sample, choices }
    }

    fn check(&mut self, pattern: [usize; N], in_circuit: bool) {
        for (slot, choice) in pattern.into_iter().enumerate() {
            self.sample.witness.attestations[slot] = self.choices[slot][choice];
        }
        let good = pattern.iter().filter(|choice| **choice == GOOD).count();
        let witness = &self.sample.witness;
        let expected = if good > N / 2 {
            Ok(())
        } else {
            Err(Statement::Thresholds {
                metric: Metric::Bandwidth,
            })
        };
        let public = PublicInputs::of(&witness.claimed);
        assert_eq!(check_native(&public, witness), expected, "{pattern:?}");
        if in_circuit {
            let assigned = Assigned::new(public, witness);
            assert_eq!(assigned.is_satisfied(), expected.is_ok(), "{pattern:?}");
        }
    }

    fn pattern(mut number: usize) -> [usize; N] {
        core::array::from_fn(|_| {
            let choice = number % 3;
            number /= 3;
            choice
        })
    }
}

#[test]
fn m2_every_pattern_of_three_measurers_is_decided_by_the_majority() {
    let mut patterns = Patterns::<3>::new();
    for number in 0..27 {
        patterns.check(Patterns::<3>::pattern(number), true);
    }
}

#[test]
fn m2_every_pattern_of_five_measurers_is_decided_by_the_majority() {
    let mut patterns = Patterns::<5>::new();
    for number in 0..243 {
        patterns.check(Patterns::<5>::pattern(number), true);
    }
}

#[test]
fn m2_every_pattern_of_seven_measurers_is_decided_by_the_majority() {
    let mut patterns = Patterns::<7>::new();
    let rng = &mut rng(21);
    for number in 0..2187 {
        // All of them natively, a part of them in the circuit too (T1 ties the two together).
        patterns.check(Patterns::<7>::pattern(number), rng.gen_ratio(1, 12));
    }
}

#[test]
fn c8_leaving_out_the_bad_signatures_doesnt_make_a_majority() {
    // Two of five are good. Shown or left out, the bad ones count as failing.
    let mut patterns = Patterns::<5>::new();
    patterns.check([2, 2, 1, 1, 1], true);
    patterns.check([2, 2, 0, 0, 0], true);
    patterns.check([2, 2, 0, 1, 0], true);
}

#[test]
fn c8_a_forged_presence_or_count_is_refused() {
    let mut patterns = Patterns::<5>::new();
    for (slot, choice) in [2, 2, 0, 0, 0].into_iter().enumerate() {
        patterns.sample.witness.attestations[slot] = patterns.choices[slot][choice];
    }
    let honest = Assigned::of(&patterns.sample.witness);
    // "present" of an absent slot: its signature is then asked for.
    let mut forged = Assigned::of(&patterns.sample.witness);
    let present = forged.columns("present")[2];
    forged.z[present] += ark_bn254::Fr::from(1u8);
    let rows = forged.failing_rows();
    let slot = Statement::AttestationValidity { slot: 2 };
    assert!(rows.iter().any(|row| forged.layout.contains(slot, *row)));
    // "passes" of a slot that is absent.
    for column in honest.columns("passes") {
        let mut forged = Assigned::of(&patterns.sample.witness);
        forged.z[column] += ark_bn254::Fr::from(1u8);
        assert!(!forged.is_satisfied());
    }
}

#[test]
fn c8_good_figures_in_an_absent_slot_count_for_nothing() {
    // The prover writes good figures into a slot whose measurer signed nothing, calls it absent, so that no
    // signature is asked for, and counts it: one row for each metric refuses that, and none else.
    let mut patterns = Patterns::<5>::new();
    for (slot, choice) in [2, 2, 2, 0, 0].into_iter().enumerate() {
        patterns.sample.witness.attestations[slot] = patterns.choices[slot][choice];
    }
    if let Some(attestation) = &mut patterns.sample.witness.attestations[2] {
        attestation.signature.challenge ^= 1;
    }
    let mut forged = Assigned::of(&patterns.sample.witness);
    forged.assert_violates_only(Statement::AttestationValidity { slot: 2 });
    let present = forged.columns("present")[2];
    forged.z[present] = ark_bn254::Fr::from(0u8);
    let rows = forged.failing_rows();
    assert_eq!(rows.len(), 4);
    for (metric, row) in Metric::ALL.into_iter().zip(rows) {
        assert!(
            forged
                .layout
                .contains(Statement::Thresholds { metric }, row)
        );
    }
}
