//! T4: single columns and small groups of columns of a finished assignment are edited as a cheating
//! prover would; the matrices are evaluated anew.

use ark_bn254::Fr;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ed_on_bn254::{EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField, Zero};
use veilpool_circuits::{Statement, gadget::threshold::Metric};
use veilpool_primitives::montgomery;

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

/// Rows in which only these columns and the constant take part, and these rows' verdict.
struct LocalRows(Vec<usize>);

impl LocalRows {
    fn of(assigned: &Assigned, columns: &[usize]) -> Self {
        let is_local = |row: &usize| {
            assigned.matrices.abc.iter().all(|matrix| {
                let mut terms = matrix[*row].iter();
                terms.all(|(_, column)| *column == 0 || columns.contains(column))
            })
        };
        Self((0..assigned.matrices.rows()).filter(is_local).collect())
    }

    fn hold(&self, assigned: &Assigned) -> bool {
        let mut rows = self.0.iter();
        rows.all(|row| assigned.matrices.row_holds(*row, &assigned.z))
    }
}

#[test]
fn c1_a_steps_column_is_the_keys_v_or_its_negative_and_nothing_else() {
    // What the signs spell ties only their sum, and the additions go on from any point; that each column is
    // ±v is the doing of one row, which is asked by itself: w·w = u³ + A·u² + u.
    let mut assigned = half_bad();
    let [points, squares, cubes] = ["v of key", "u²", "u³"].map(|name| assigned.columns(name));
    let (us, shifted_us) = (assigned.columns("key u"), assigned.columns("shifted key u"));
    let signs = assigned.columns("±v of key");
    assert_eq!((signs.len(), points.len()), (3 * 128, 6));
    for (step, column) in signs.into_iter().enumerate() {
        // The shifted point's sign comes first in each step, its columns second in each slot.
        let (slot, is_shifted) = (step / 128, step % 2 == 0);
        let point = 2 * slot + usize::from(is_shifted);
        let u = if is_shifted {
            shifted_us[slot]
        } else {
            us[slot]
        };
        let known = [u, squares[point], cubes[point], points[point]];
        let of_point = LocalRows::of(&assigned, &known);
        assert_eq!(of_point.0.len(), 3);
        let [u, square, cube, v] = known;
        let mut rows = LocalRows::of(&assigned, &[u, square, cube, v, column]);
        rows.0.retain(|row| !of_point.0.contains(row));
        assert_eq!(rows.0.len(), 1);
        let honest = assigned.z[column];
        for (forged, holds) in [
            (honest, true),
            (-honest, true),
            (Fr::zero(), false),
            (honest.double(), false),
            (honest + one(), false),
            (one(), false),
        ] {
            assigned.z[column] = forged;
            assert_eq!(rows.hold(&assigned), holds);
        }
        assigned.z[column] = honest;
    }
    assert!(assigned.is_satisfied());
}

#[test]
fn c1_a_windows_columns_are_a_point_of_its_table_up_to_sign_and_nothing_else() {
    // Asked of each window's five rows by themselves: the additions after it go on from any point.
    let mut assigned = half_bad();
    let names = [
        "window u",
        "window v",
        "window u²",
        "window u³",
        "window product",
    ];
    let columns = names.map(|name| assigned.columns(name));
    let half = SubgroupScalar::from(2u8).inverse().unwrap();
    let mut base = EdwardsProjective::generator() * half;
    for window in 0..60 {
        let [u, v, square, cube, product] = columns.each_ref().map(|columns| columns[window]);
        let rows = LocalRows::of(&assigned, &[u, v, square, cube, product]);
        assert_eq!(rows.0.len(), 5);
        let [defines_product] = rows
            .0
            .iter()
            .filter(|row| {
                let c = &assigned.matrices.abc[2][**row];
                c[..] == [(one(), product)]
            })
            .copied()
            .collect::<Vec<_>>()[..]
        else {
            panic!("one row defines the product");
        };
        let honest = [u, v, square, cube, product].map(|column| assigned.z[column]);
        // A prover's best: u and v of his choice, the others as the rows want them.
        let mut holds = |point: (Fr, Fr)| {
            assigned.z[u] = point.0;
            assigned.z[v] = point.1;
            assigned.z[square] = point.0.square();
            assigned.z[cube] = point.0.square() * point.0;
            let value = |matrix: usize| -> Fr {
                assigned.matrices.abc[matrix][defines_product]
                    .iter()
                    .map(|(weight, column)| *weight * assigned.z[*column])
                    .sum()
            };
            assigned.z[product] = value(0) * value(1);
            rows.hold(&assigned)
        };
        for digit in 1..=20u64 {
            let point = (base * SubgroupScalar::from(digit)).into_affine();
            let (u, v) = montgomery::coordinates(&point).unwrap();
            let is_choice = digit % 2 == 1 && digit <= 17;
            assert_eq!(holds((u, v)), is_choice, "{digit} in window {window}");
            assert_eq!(holds((u, -v)), is_choice);
            // Off the curve.
            for forged in [v + one(), v.double(), Fr::zero(), one()] {
                assert!(!holds((u, forged)));
            }
        }
        assert!(!holds((Fr::zero(), Fr::zero())));
        for (column, honest) in [u, v, square, cube, product].into_iter().zip(honest) {
            assigned.z[column] = honest;
        }
        base *= SubgroupScalar::from(18u8);
    }
    assert!(assigned.is_satisfied());
}

#[test]
fn c1_each_coordinate_of_each_key_stands_in_the_set_hash() {
    // A second coordinate that no hash pins would be a point of the prover's own making.
    let mut assigned = half_bad();
    for name in ["key u", "shifted key u"] {
        let columns = assigned.columns(name);
        assert_eq!(columns.len(), 3);
        for column in columns {
            assigned.z[column] += one();
            let rows = assigned.failing_rows();
            assert!(rows.iter().any(|row| {
                assigned
                    .layout
                    .contains(Statement::MeasurerSetIntegrity, *row)
            }));
            assigned.z[column] -= one();
        }
    }
    assert!(assigned.is_satisfied());
}

/// Asserts that rows of these columns alone, with `bits` as the lowest bits of what `set` makes the checked
/// number be, hold for numbers of `width` bits and for no other.
fn assert_range(
    assigned: &mut Assigned,
    others: &[usize],
    bits: &[usize],
    width: usize,
    set: impl Fn(&mut [Fr], Fr),
) {
    let columns = [others, bits].concat();
    let honest: Vec<Fr> = columns.iter().map(|column| assigned.z[*column]).collect();
    let rows = LocalRows::of(assigned, &columns);
    assert_eq!((bits.len(), rows.0.len()), (width - 1, width));
    let end = Fr::from(1u64 << width);
    for (number, holds) in [
        (Fr::zero(), true),
        (one(), true),
        (end - one(), true),
        (end, false),
        (end + one(), false),
        (end.double() - one(), false),
        (-one(), false),
        (-end, false),
        // One unit of the next field of a packing.
        (Fr::from(1u64 << 20), false),
        (Fr::from(1u64 << 16).inverse().unwrap(), false),
    ] {
        set(&mut assigned.z, number);
        for (i, bit) in bits.iter().enumerate() {
            assigned.z[*bit] = Fr::from(number.into_bigint().get_bit(i));
        }
        assert_eq!(rows.hold(assigned), holds, "{number} in {width} bits");
    }
    for (column, honest) in columns.into_iter().zip(honest) {
        assigned.z[column] = honest;
    }
}

#[test]
fn c4_every_threshold_and_compared_value_is_bounded_whatever_bits_a_prover_gives() {
    let mut assigned = half_bad();
    let thresholds = assigned.columns("threshold");
    let mut bits = &assigned.columns("threshold bit")[..];
    for (threshold, width) in thresholds.iter().zip([16, 16, 16, 8]) {
        let (own, rest) = bits.split_at(width - 1);
        bits = rest;
        assert_range(&mut assigned, &[*threshold], own, width, |z, number| {
            z[*threshold] = number;
        });
    }
    assert!(bits.is_empty());

    let metrics = assigned.columns("metric");
    let comparison = assigned.columns("comparison bit");
    let zone_bits = assigned.columns("zone bit");
    let bounds = assigned.columns("passes·T");
    let lifts = assigned.columns("passes·(65535 − T)");
    assert_eq!(comparison.len(), 3 * 3 * 15);
    for slot in 0..3 {
        for metric in [Metric::Bandwidth, Metric::Uptime, Metric::Latency] {
            let index = 3 * metric.index() + slot;
            let value = metrics[4 * slot + metric.index()];
            let own = &comparison[15 * index..15 * (index + 1)];
            let (product, sign) = match metric {
                Metric::Latency => (lifts[slot], one()),
                _ => (bounds[index], -one()),
            };
            assert_range(&mut assigned, &[value, product], own, 16, |z, number| {
                z[value] = number - sign * z[product];
            });
        }
        let zone = metrics[4 * slot + Metric::Zone.index()];
        let own = &zone_bits[7 * slot..7 * (slot + 1)];
        assert_range(&mut assigned, &[zone], own, 8, |z, number| z[zone] = number);
    }
    assert!(assigned.is_satisfied());
}
