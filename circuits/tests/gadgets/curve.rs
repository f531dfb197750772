use std::collections::BTreeMap;

use ark_bn254::Fr;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField, UniformRand};
use ark_relations::gr1cs::{ConstraintSystem, SynthesisError};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::{
    gadget::{
        fixed_base,
        measurer_set::MeasurerKeyVar,
        montgomery::MontgomeryVar,
        schnorr::{self, MessageVar},
        variable_base,
    },
    matrices::Matrices,
    synthesizer::Synthesizer,
};
use veilpool_primitives::{
    MeasurerKey, MeasurerSecret, SchnorrSignature, digits,
    montgomery::coordinates,
    schnorr::{Message, multiplier},
};

use super::mode::{MODES, Mode, System};

fn affine(scalar: SubgroupScalar) -> EdwardsAffine {
    (EdwardsProjective::generator() * scalar).into_affine()
}

fn point(system: &mut System, point: &EdwardsAffine) -> MontgomeryVar {
    let (u, v) = coordinates(point).unwrap();
    MontgomeryVar {
        u: system.num(u),
        v: system.num(v),
    }
}

fn value(point: &MontgomeryVar) -> Option<(Fr, Fr)> {
    point.u.value().zip(point.v.value())
}

fn scalar(seed: u64) -> SubgroupScalar {
    SubgroupScalar::rand(&mut ChaCha20Rng::seed_from_u64(seed))
}

fn fixed(s: SubgroupScalar) -> (System, Option<(Fr, Fr)>) {
    let mut system = System::new(Mode::Witness);
    let product = fixed_base::multiply(&mut system.cs, Some(s)).unwrap();
    let value = value(&product);
    assert_eq!(system.cs.rows(), 477);
    (system, value)
}

#[test]
fn fixed_base_multiplies_edge_scalars() {
    let half = SubgroupScalar::from(2u8).inverse().unwrap();
    let bound = SubgroupScalar::from(digits::RADIX).pow([digits::DIGITS as u64]);
    let largest = (bound - SubgroupScalar::ONE) * half;
    // Sums of digits 1, 3, 17, 19, 18⁵⁹, …; all digits at an end.
    let power = SubgroupScalar::from(digits::RADIX).pow([digits::DIGITS as u64 - 1]);
    let sums = [1u64, 3, 17, 19, 323, 325].map(SubgroupScalar::from);
    for s in sums
        .into_iter()
        .chain([power + SubgroupScalar::ONE, power - SubgroupScalar::ONE])
        .map(|sum| sum * half)
        .chain([largest])
    {
        for s in [s, -s] {
            let (system, product) = fixed(s);
            assert_eq!(product, coordinates(&affine(s)));
            assert!(system.is_satisfied());
        }
    }
}

#[test]
fn c1_scalars_that_are_not_short_have_no_assignment() {
    // Zero among them, whose multiple has no coordinates.
    for s in [SubgroupScalar::ZERO, SubgroupScalar::ONE] {
        assert!(!digits::is_short(&s));
        let mut system = System::new(Mode::Witness);
        assert!(matches!(
            fixed_base::multiply(&mut system.cs, Some(s)),
            Err(SynthesisError::Unsatisfiable)
        ));
    }
}

fn key_var(system: &mut System, key: &MeasurerKey) -> MeasurerKeyVar {
    let v = |point| coordinates(point).map(|(_, v)| v);
    MeasurerKeyVar {
        u: system.num(key.u()),
        shifted_u: system.num(key.shifted_u()),
        v: v(key.point()),
        shifted_v: v(key.shifted()),
    }
}

#[test]
fn variable_base_multiplies_by_edge_challenges_whatever_the_signs_of_the_keys_points() {
    for challenge in [
        0,
        1,
        u128::MAX,
        1 << 127,
        (1 << 127) - 1,
        u128::MAX - 1,
        0x5555 << 100,
        1 << 64,
        (1 << 64) - 1,
        u128::MAX << 64,
    ] {
        let key = MeasurerKey::new(affine(scalar(challenge as u64 ^ 9))).unwrap();
        // The set pins both points up to sign only; each of the four choices is a multiple by X ± 2⁶⁴·Y
        // up to sign, and none meets an exception.
        for (negate, negate_shifted) in [(false, false), (true, false), (false, true), (true, true)]
        {
            let mut system = System::new(Mode::Witness);
            let mut key_var = key_var(&mut system, &key);
            let half = |bits: u64| SubgroupScalar::from(2 * u128::from(bits) + 1);
            let mut low = half(challenge as u64);
            let mut high = half((challenge >> 64) as u64) * SubgroupScalar::from(1u128 << 64);
            if negate {
                key_var.v = key_var.v.map(|v| -v);
                low = -low;
            }
            if negate_shifted {
                key_var.shifted_v = key_var.shifted_v.map(|v| -v);
                high = -high;
            }
            let before = system.cs.rows();
            let (product, challenge_var) =
                variable_base::multiply(&mut system.cs, &key_var, Some(challenge)).unwrap();
            assert_eq!(system.cs.rows() - before, 651);
            assert_eq!(challenge_var.num().value(), Some(Fr::from(challenge)));
            let expected = (*key.point() * (low + high)).into_affine();
            assert_eq!(value(&product), coordinates(&expected));
            assert!(system.is_satisfied());
            if !negate && !negate_shifted {
                assert_eq!(low + high, multiplier(challenge));
            }
        }
    }
}

#[test]
fn c1_an_addition_at_an_exception_has_a_free_slope_and_the_guard_refuses_it() {
    // Why `u₁ ≠ u₂` is argued for everywhere: with equal points 0·λ = 0 holds for every λ.
    let point_value = affine(scalar(3));
    let mut system = System::new(Mode::Witness);
    let first = point(&mut system, &point_value);
    let second = point(&mut system, &point_value);
    // The honest prover's hint for the slope is 0; it satisfies all rows, and the sum is not 2P.
    let sum = first.add(&mut system.cs, &second).unwrap();
    assert!(system.is_satisfied());
    let double = (point_value + point_value).into_affine();
    assert_ne!(value(&sum), coordinates(&double));
    system.cs.enforce_nonzero(&(&first.u - &second.u)).unwrap();
    assert!(!system.is_satisfied());
}

#[test]
fn c1_a_signature_whose_two_multiples_coincide_is_refused() {
    // s·B = ±m·K: the join would be a doubling with a free slope, or R the identity. The challenge is one
    // for which that s is short.
    let rng = &mut ChaCha20Rng::seed_from_u64(9);
    let x = scalar(10);
    let key = MeasurerKey::new(affine(x)).unwrap();
    let x = if affine(x) == *key.point() { x } else { -x };
    let challenge = (0..)
        .find(|challenge| digits::is_short(&(multiplier(*challenge) * x)))
        .unwrap();
    for sign in [SubgroupScalar::ONE, -SubgroupScalar::ONE] {
        let signature = SchnorrSignature {
            challenge,
            response: sign * multiplier(challenge) * x,
        };
        assert!(!schnorr::is_computable(&key, &signature));
        // Even in an absent slot.
        let mut system = System::new(Mode::Witness);
        let satisfied = verify(&mut system, false, &key, &[Fr::ONE; 3], &signature);
        assert!(!satisfied);
    }
    // An absent slot has a placeholder that works, even for a key made to collide with the first
    // candidate.
    let half = SubgroupScalar::from(2u8).inverse().unwrap();
    let hostile = affine(half * multiplier(0).inverse().unwrap());
    for (hostile, collides) in [(hostile, true), (affine(SubgroupScalar::rand(rng)), false)] {
        let hostile = MeasurerKey::new(hostile).unwrap();
        let placeholder = schnorr::placeholder(&hostile);
        assert_eq!(placeholder.response != half, collides);
        assert!(schnorr::is_computable(&hostile, &placeholder));
        let mut system = System::new(Mode::Witness);
        assert!(verify(
            &mut system,
            false,
            &hostile,
            &[Fr::ONE; 3],
            &placeholder
        ));
    }
}

#[test]
fn c1_at_most_two_challenges_share_a_multiplier_up_to_sign_whatever_the_signs_of_the_keys_points() {
    // Every challenge of halves of 1 to 6 bits, with both signs of the shifted point: the argument of
    // `variable_base` by enumeration.
    for bits in 1..=6i64 {
        let range = 1i64 << bits;
        let mut sharing = BTreeMap::<i64, Vec<(i64, i64, i64)>>::new();
        for low in 0..range {
            for high in 0..range {
                for sign in [1, -1] {
                    let multiplier = (2 * low + 1) + sign * range * (2 * high + 1);
                    assert_ne!(multiplier, 0);
                    let known = sharing.entry(multiplier.abs()).or_default();
                    known.push((low, high, sign));
                }
            }
        }
        for challenges in sharing.values() {
            match challenges[..] {
                [_] => {}
                [first, second] => {
                    assert_eq!(first.0 + second.0, range - 1);
                    assert!(first.2 == -1 || second.2 == -1);
                }
                _ => panic!("{challenges:?} share a multiplier"),
            }
        }
    }
    // The two kinds of pairs, with halves of 64 bits.
    let half = |bits: u64| SubgroupScalar::from(2 * u128::from(bits) + 1);
    let shifted = |bits: u64| half(bits) * SubgroupScalar::from(1u128 << 64);
    let (low, high) = (0x0123_4567_89ab_cdef, 42);
    let (plus, minus) = (half(low) + shifted(high), half(!low) - shifted(high + 1));
    assert_eq!(plus, -minus);
    assert_eq!(half(low) - shifted(0), -(half(!low) - shifted(0)));
}

#[test]
fn c1_the_other_sign_of_the_shifted_key_takes_another_signature_that_only_the_measurer_can_make() {
    // What the constraints state and the native check doesn't: a signature made for X − 2⁶⁴·Y satisfies
    // them with the sign of 2⁶⁴·K changed; one made for m doesn't.
    let rng = &mut ChaCha20Rng::seed_from_u64(11);
    let x = scalar(12);
    let key = MeasurerKey::new(affine(x)).unwrap();
    let x = if affine(x) == *key.point() { x } else { -x };
    let values = [Fr::from(7u8), Fr::from(8u8), Fr::from(9u8)];
    let message = Message {
        packed: values[0],
        domain: values[1],
        subject: values[2],
    };
    let half = |bits: u64| SubgroupScalar::from(2 * u128::from(bits) + 1);
    let made_for = |sign: SubgroupScalar, rng: &mut ChaCha20Rng| loop {
        let nonce = SubgroupScalar::rand(rng);
        let (u, _) = coordinates(&affine(nonce)).unwrap();
        let hash = veilpool_primitives::schnorr::hash(&message, u, &key).into_bigint();
        let challenge = u128::from(hash.0[0]) | u128::from(hash.0[1]) << 64;
        let shifted = half(hash.0[1]) * SubgroupScalar::from(1u128 << 64);
        let response = nonce + (half(hash.0[0]) + sign * shifted) * x;
        if hash.num_bits() <= 253 && digits::is_short(&response) {
            return SchnorrSignature {
                challenge,
                response,
            };
        }
    };
    for (sign, native) in [(SubgroupScalar::ONE, true), (-SubgroupScalar::ONE, false)] {
        let signature = made_for(sign, rng);
        assert_eq!(key.verify(&message, &signature).is_ok(), native);
        for (negate_shifted, satisfied) in [(false, native), (true, !native)] {
            let mut system = System::new(Mode::Witness);
            let mut var = key_var(&mut system, &key);
            if negate_shifted {
                var.shifted_v = var.shifted_v.map(|v| -v);
            }
            assert_eq!(
                verify_with(&mut system, true, &var, &values, &signature),
                satisfied
            );
        }
    }
}

#[test]
fn c5_a_key_that_is_no_point_has_no_assignment_even_in_an_absent_slot() {
    let key = MeasurerKey::new(affine(scalar(13))).unwrap();
    let placeholder = schnorr::placeholder(&key);
    let off = (2u64..)
        .map(Fr::from)
        .find(|u| veilpool_primitives::montgomery::lift(*u).is_none())
        .unwrap();
    for (u, shifted_u) in [(off, key.shifted_u()), (key.u(), off)] {
        for v in [Fr::ONE, -Fr::ONE, Fr::ZERO, off] {
            let mut system = System::new(Mode::Witness);
            let mut var = key_var(&mut system, &key);
            if u == off {
                var.u = system.num(u);
                var.v = Some(v);
            } else {
                var.shifted_u = system.num(shifted_u);
                var.shifted_v = Some(v);
            }
            let zero = [Fr::ZERO; 3];
            assert!(!verify_with(&mut system, false, &var, &zero, &placeholder));
        }
    }
}

#[test]
fn c1_each_column_of_a_doubling_addition_is_held_by_its_own_row() {
    // A cheat chooses one column and computes whatever comes after it honestly: only that column's row fails.
    let inner = ConstraintSystem::<Fr>::new_ref();
    let mut cs = Synthesizer::new(inner.clone());
    let mut point = |multiple: u64| {
        let (u, v) = coordinates(&affine(SubgroupScalar::from(multiple))).unwrap();
        let [u, v] = [u, v].map(|value| cs.witness("given", Some(value)).unwrap());
        MontgomeryVar { u, v }
    };
    let (p, q) = (point(3), point(5));
    let [u_p, v_p, u_q] = [&p.u, &p.v, &q.u].map(|num| num.value().unwrap());
    let sum = p.double_and_add(&mut cs, &q).unwrap();
    assert_eq!(
        value(&sum),
        coordinates(&affine(SubgroupScalar::from(11u8)))
    );
    let matrices = Matrices::from_system(&inner).unwrap();
    let assignment = [
        inner.instance_assignment().unwrap(),
        inner.witness_assignment().unwrap(),
    ]
    .concat();
    assert_eq!(matrices.failing_rows(&assignment), []);

    // Slope, u of P + Q, second slope, u, v: behind 1 and the coordinates of P and Q.
    let honest = <[Fr; 5]>::try_from(&assignment[5..]).unwrap();
    let third = |slope: Fr, u_q: Fr| {
        slope * slope - Fr::from(veilpool_primitives::montgomery::A) - u_p - u_q
    };
    for chosen in 0..5 {
        for change in [Fr::ONE, -Fr::ONE, Fr::from(2u8).pow([90])] {
            let mut columns = honest;
            columns[chosen] += change;
            for next in chosen + 1..5 {
                let [slope, sum_u, second, u, _] = columns;
                columns[next] = match next {
                    1 => third(slope, u_q),
                    2 => v_p.double() / (u_p - sum_u) - slope,
                    3 => third(second, sum_u),
                    _ => second * (u_p - u) - v_p,
                };
            }
            let forged = [&assignment[..5], &columns[..]].concat();
            assert_eq!(matrices.failing_rows(&forged), [chosen]);
        }
    }
}

fn verify(
    system: &mut System,
    present: bool,
    key: &MeasurerKey,
    message: &[Fr; 3],
    signature: &SchnorrSignature,
) -> bool {
    let key = key_var(system, key);
    verify_with(system, present, &key, message, signature)
}

fn verify_with(
    system: &mut System,
    present: bool,
    key: &MeasurerKeyVar,
    message: &[Fr; 3],
    signature: &SchnorrSignature,
) -> bool {
    let present = system.num(Fr::from(present));
    let [packed, domain, subject] = message.map(|value| system.num(value));
    let message = MessageVar {
        packed: &packed,
        domain: &domain,
        subject: &subject,
    };
    schnorr::enforce_valid_if(&mut system.cs, &present, key, &message, Some(signature)).unwrap();
    system.is_satisfied()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn sums_and_multiples_are_the_native_ones(a in any::<u64>(), b in any::<u64>(), challenge in any::<u128>()) {
        prop_assume!(a != b);
        let (p, q) = (affine(scalar(a)), affine(scalar(b)));
        let key = MeasurerKey::new(p).unwrap();
        for mode in MODES {
            let mut system = System::new(mode);
            let (pv, qv) = (point(&mut system, &p), point(&mut system, &q));
            let key_var = key_var(&mut system, &key);
            let cs = &mut system.cs;
            let sum = pv.add(cs, &qv).unwrap();
            prop_assert_eq!(value(&sum), coordinates(&(p + q).into_affine()));
            prop_assert_eq!(pv.u_of_sum(cs, &qv).unwrap().value(), sum.u.value());
            let square = MontgomeryVar::enforce_on_curve(cs, &pv.u, &pv.v).unwrap();
            prop_assert_eq!(square.value(), pv.v.value().map(|v| v * v));
            let fused = pv.double_and_add(cs, &qv).unwrap();
            prop_assert_eq!(value(&fused), coordinates(&(p + p + q).into_affine()));
            let difference = pv.add(cs, &qv.negate()).unwrap();
            prop_assert_eq!(value(&difference), coordinates(&(p - q).into_affine()));
            let (multiple, _) = variable_base::multiply(cs, &key_var, Some(challenge)).unwrap();
            let expected = (*key.point() * multiplier(challenge)).into_affine();
            prop_assert_eq!(value(&multiple), coordinates(&expected));
            prop_assert!(system.is_satisfied());
        }
    }

    #[test]
    fn fixed_base_is_the_native_multiplication(seed in any::<u64>()) {
        let s = scalar(seed);
        prop_assume!(digits::is_short(&s));
        let (system, product) = fixed(s);
        prop_assert_eq!(product, coordinates(&affine(s)));
        prop_assert!(system.is_satisfied());
    }

    #[test]
    fn a_signature_is_valid_in_the_circuit_exactly_if_it_is_natively(seed in any::<u64>(), tamper in 0u8..5) {
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let secret = MeasurerSecret::generate(rng);
        let message = Message { packed: Fr::rand(rng), domain: Fr::rand(rng), subject: Fr::rand(rng) };
        let mut signature = secret.sign(&message, rng);
        let mut key = secret.key();
        match tamper {
            1 => signature.challenge ^= 1 << (seed % 128),
            2 => signature.response += SubgroupScalar::ONE, // S + 2: still short
            3 => signature.response = -signature.response,
            4 => key = MeasurerSecret::generate(rng).key(),
            _ => {}
        }
        let native = key.verify(&message, &signature).is_ok();
        prop_assert_eq!(native, tamper == 0);
        let values = [message.packed, message.domain, message.subject];
        for mode in MODES {
            let mut system = System::new(mode);
            prop_assert_eq!(verify(&mut system, true, &key, &values, &signature), native);
            let mut system = System::new(mode);
            prop_assert!(verify(&mut system, false, &key, &values, &signature));
        }
    }
}
