//! T4: single columns and small groups of columns of a finished assignment are edited as a cheating
//! prover would; the matrices are evaluated anew.

use ark_bn254::Fr;
use ark_ff::{BigInteger, Field, PrimeField, Zero};
use veilpool_circuits::{Statement, gadget::threshold::Metric};

use super::common::{Assigned, BAD, rng, sample};

/// Every column that must be boolean.
const BITS: [&str; 6] = [
    "threshold bit",
    "present",
    "high hash bit",
    "passes",
    "comparison bit",
    "zone bit",
];

fn one() -> Fr {
    Fr::from(1u8)
}

fn half_bad() -> Assigned {
    let mut sample = sample::<3>(60);
    sample.attest(0, BAD, &mut rng(61));
    Assigned::of(&sample.witness)
}

#[test]
fn c1_a_bit_is_neither_two_nor_minus_one_nor_a_half() {
    let mut assigned = half_bad();
    for name in BITS {
        for column in assigned.columns(name) {
            let honest = assigned.z[column];
            for forged in [Fr::from(2u8), -one(), Fr::from(2u8).inverse().unwrap()] {
                assigned.z[column] = forged;
                assert!(!assigned.is_satisfied_near(column), "{name}");
            }
            assigned.z[column] = honest;
        }
    }
    assert!(assigned.is_satisfied());
}

#[test]
fn c1_a_hint_is_not_one_more_nor_its_negative_nor_zero() {
    let mut assigned = half_bad();
    let hints = [
        "slope",
        "second slope",
        "inverse",
        "u",
        "v",
        "v of key",
        "±v of key",
        "u²",
        "u³",
        "half challenge",
        "window u",
        "window v",
        "window u²",
        "window u³",
        "window product",
        "path node",
        "path pair",
        "path triple",
        "subject",
        "passes·T",
        "passes·(65535 − T)",
    ];
    for name in hints {
        for column in assigned.columns(name) {
            let honest = assigned.z[column];
            for forged in [honest + one(), -honest, Fr::zero()] {
                if forged == honest {
                    continue;
                }
                assigned.z[column] = forged;
                assert!(!assigned.is_satisfied_near(column), "{name}");
            }
            assigned.z[column] = honest;
        }
    }
    assert!(assigned.is_satisfied());
}

#[test]
fn c4_values_beyond_sixteen_bits_that_pack_to_the_same_message_are_refused() {
    // 2²⁰ units of bandwidth are one unit of uptime in the packed message: the signature stays
    // valid, the ranges don't.
    let spacing = Fr::from(1u32 << 20);
    for (from, to) in [
        (Metric::Bandwidth, Metric::Uptime),
        (Metric::Uptime, Metric::Latency),
    ] {
        for sign in [one(), -one()] {
            let mut assigned = half_bad();
            let metrics = assigned.columns("metric");
            let slot = 2;
            assigned.z[metrics[4 * slot + from.index()]] += sign * spacing;
            assigned.z[metrics[4 * slot + to.index()]] -= sign;
            let rows = assigned.failing_rows();
            assert!(rows.iter().any(|row| {
                assigned
                    .layout
                    .contains(Statement::Thresholds { metric: from }, *row)
            }));
            for slot in 0..3 {
                let attestation = Statement::AttestationValidity { slot };
                assert!(
                    !rows
                        .iter()
                        .any(|row| assigned.layout.contains(attestation, *row))
                );
            }
        }
    }
}

#[test]
fn c4_thresholds_that_fold_to_the_same_public_input_have_one_decomposition() {
    // 2¹⁶ units of bandwidth are one of uptime in the packed thresholds: x stays right, the range
    // doesn't.
    let mut assigned = half_bad();
    let thresholds = assigned.columns("threshold");
    assigned.z[thresholds[Metric::Bandwidth.index()]] += Fr::from(1u32 << 16);
    assigned.z[thresholds[Metric::Uptime.index()]] -= one();
    let rows = assigned.failing_rows();
    assert!(rows.iter().any(|row| {
        assigned
            .layout
            .contains(Statement::PublicInputIntegrity, *row)
    }));
}

#[test]
fn c6_a_hash_plus_the_fields_order_is_refused() {
    // The parts of slot 1's hash, replaced by those of hash + r, as far as 253 bits hold them.
    let mut assigned = half_bad();
    let halves = assigned.columns("half challenge")[2..4].to_vec();
    let high = assigned.columns("high hash bit")[125..250].to_vec();
    let mut hash = <Fr as PrimeField>::BigInt::from(0u64);
    for (limb, column) in hash.0.iter_mut().zip(&halves) {
        *limb = assigned.z[*column].into_bigint().0[0];
    }
    for (i, column) in high.iter().enumerate() {
        if !assigned.z[*column].is_zero() {
            hash.0[(128 + i) / 64] |= 1 << (i % 64);
        }
    }
    let mut aliased = Fr::MODULUS;
    assert!(
        !aliased.add_with_carry(&hash),
        "hash + r has at most 256 bits"
    );
    assert!(aliased.num_bits() > 253, "hash + r never fits 253 bits");
    for (limb, column) in aliased.0.iter().zip(&halves) {
        assigned.z[*column] = Fr::from(*limb);
    }
    for (i, column) in high.iter().enumerate() {
        assigned.z[*column] = Fr::from(aliased.get_bit(128 + i));
    }
    // The sign columns spell the honest halves, and with those of the others instead the sum is another.
    let slot = Statement::AttestationValidity { slot: 1 };
    let rows = assigned.failing_rows();
    assert!(rows.iter().any(|row| assigned.layout.contains(slot, *row)));
}

#[test]
fn c6_a_half_challenge_has_one_value_for_its_signs_and_none_beyond_64_bits() {
    // One more in the low half and 2⁶⁴ less in the sum: c stays, the halves don't fit their signs.
    let mut assigned = half_bad();
    let columns = assigned.columns("half challenge");
    let two_to_64 = Fr::from(1u128 << 64);
    for slot in 0..3 {
        let (low, high) = (columns[2 * slot], columns[2 * slot + 1]);
        for sign in [one(), -one()] {
            let honest = [assigned.z[low], assigned.z[high]];
            assigned.z[low] += sign * two_to_64;
            assigned.z[high] -= sign;
            let rows = assigned.failing_rows();
            assert_eq!(rows.len(), 2, "the two rows that spell the halves");
            [assigned.z[low], assigned.z[high]] = honest;
        }
    }
    assert!(assigned.is_satisfied());
}

#[test]
fn c6_bits_of_a_metric_plus_the_fields_order_are_refused() {
    // value ≡ value + r; the low 15 bits of the latter leave a highest bit that is none.
    let mut assigned = half_bad();
    let columns = assigned.columns("comparison bit");
    let r = Fr::MODULUS;
    for bits in columns.chunks_exact(15) {
        let honest: Vec<Fr> = bits.iter().map(|column| assigned.z[*column]).collect();
        for (i, column) in bits.iter().enumerate() {
            let flipped = r.get_bit(i);
            assigned.z[*column] +=
                Fr::from(flipped) - Fr::from(flipped && !honest[i].is_zero()) * Fr::from(2u8);
        }
        assert!(!assigned.is_satisfied());
        for (column, honest) in bits.iter().zip(honest) {
            assigned.z[*column] = honest;
        }
    }
    assert!(assigned.is_satisfied());
}

#[test]
fn c1_children_that_lead_to_the_root_without_the_leaf_among_them_are_refused() {
    // Another node's children at each level: the root stays right, the current node isn't among them.
    let mut assigned = half_bad();
    let children = assigned.columns("path child");
    for level in children.chunks_exact(4) {
        let honest: Vec<Fr> = level.iter().map(|column| assigned.z[*column]).collect();
        for column in level {
            assigned.z[*column] += one();
        }
        let rows = assigned.failing_rows();
        assert!(!rows.is_empty());
        for row in rows {
            assert!(assigned.layout.contains(Statement::Membership, row));
        }
        for (column, honest) in level.iter().zip(honest) {
            assigned.z[*column] = honest;
        }
    }
}

#[test]
fn c1_a_window_can_not_take_another_windows_point() {
    let mut assigned = half_bad();
    let us = assigned.columns("window u");
    let vs = assigned.columns("window v");
    let squares = assigned.columns("window u²");
    let cubes = assigned.columns("window u³");
    for window in [0, 1, 30, 58] {
        let other = (window + 1) % 60;
        for parts in [&us, &vs, &squares, &cubes] {
            assert_eq!(parts.len(), 3 * 60);
        }
        let honest = [&us, &vs, &squares, &cubes].map(|part| {
            let column = part[window];
            let value = assigned.z[column];
            assigned.z[column] = assigned.z[part[other]];
            (column, value)
        });
        assert!(!assigned.is_satisfied_near(us[window]));
        for (column, value) in honest {
            assigned.z[column] = value;
        }
    }
    assert!(assigned.is_satisfied());
}
