use ark_bn254::Fr;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{AdditiveGroup, Field, PrimeField, UniformRand};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::{
    gadget::{
        bits,
        edwards::{self, to_montgomery},
        fixed_base,
        measurer_set::MeasurerKeyVar,
        montgomery::MontgomeryVar,
        schnorr::{self, MessageVar},
        variable_base,
    },
    num::Num,
};
use veilpool_primitives::{
    MeasurerSecret, SchnorrSignature,
    schnorr::{Message, expand_challenge},
};

use super::mode::{MODES, Mode, System};

fn affine(scalar: SubgroupScalar) -> EdwardsAffine {
    (EdwardsProjective::generator() * scalar).into_affine()
}

fn point(system: &mut System, point: &EdwardsAffine) -> MontgomeryVar {
    let (u, v) = to_montgomery(point).unwrap();
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

#[test]
fn montgomery_points_satisfy_the_curves_equation() {
    for seed in 0..20 {
        let (u, v) = to_montgomery(&affine(scalar(seed))).unwrap();
        assert_eq!(v * v, u * u * u + Fr::from(168_698u32) * u * u + u);
    }
    assert!(to_montgomery(&EdwardsAffine::new_unchecked(Fr::ZERO, Fr::ONE)).is_none());
    assert!(to_montgomery(&EdwardsAffine::new_unchecked(Fr::ZERO, -Fr::ONE)).is_none());
}

fn fixed(s: SubgroupScalar) -> (System, Option<(Fr, Fr)>) {
    let mut system = System::new(Mode::Witness);
    let product = fixed_base::multiply(&mut system.cs, Some(s)).unwrap();
    let value = value(&product);
    assert_eq!(system.cs.rows(), 501);
    (system, value)
}

#[test]
fn fixed_base_multiplies_edge_scalars() {
    let half = SubgroupScalar::from(2u8).inverse().unwrap();
    let power = |e: u64| SubgroupScalar::from(2u8).pow([e]);
    for s in [
        SubgroupScalar::ONE,
        -SubgroupScalar::ONE,
        half,
        -half,
        power(128),
        power(249),
        power(250),
        power(250) - SubgroupScalar::ONE,
        (power(251) - SubgroupScalar::ONE) * half,
        -(power(251) - SubgroupScalar::ONE) * half,
    ] {
        assert!(fixed_base::is_representable(s));
        let (system, product) = fixed(s);
        assert_eq!(product, to_montgomery(&affine(s)));
        assert!(system.is_satisfied());
    }
}

#[test]
fn c1_the_scalars_at_which_the_last_window_wraps_are_refused() {
    // s·B = −3·2²⁴⁹·(B/2) twice over, and s·B = O. For +3·2²⁴⁹ the digits are those of another
    // representation modulo l.
    let wraps = SubgroupScalar::from(2u8).pow([249]) * SubgroupScalar::from(3u8);
    for s in [SubgroupScalar::ZERO, -wraps] {
        assert!(!fixed_base::is_representable(s));
        assert!(!fixed(s).0.is_satisfied());
    }
    let one_digit = SubgroupScalar::from(2u8).pow([249]);
    for s in [wraps, one_digit, -one_digit] {
        assert!(fixed_base::is_representable(s));
        let (system, product) = fixed(s);
        assert_eq!(product, to_montgomery(&affine(s)));
        assert!(system.is_satisfied());
    }
}

#[test]
fn variable_base_multiplies_by_edge_challenges() {
    for challenge in [
        0,
        1,
        u128::MAX,
        1 << 127,
        (1 << 127) - 1,
        u128::MAX - 1,
        0x5555 << 100,
    ] {
        let key = affine(scalar(challenge as u64 ^ 9));
        let (mut system, bits) = with_bits(Mode::Witness, challenge);
        let key_var = point(&mut system, &key);
        let before = system.cs.rows();
        let product = variable_base::multiply(&mut system.cs, &key_var, &bits).unwrap();
        assert_eq!(system.cs.rows() - before, 772);
        let expected = (key * expand_challenge(challenge)).into_affine();
        assert_eq!(value(&product), to_montgomery(&expected));
        assert!(system.is_satisfied());
    }
}

fn with_bits(mode: Mode, challenge: u128) -> (System, Vec<Num>) {
    let mut system = System::new(mode);
    let challenge = Fr::from(challenge).into_bigint();
    let bits = bits::alloc_bits(&mut system.cs, "bit", Some(challenge), 0, 128).unwrap();
    (system, bits)
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
    assert_ne!(value(&sum), to_montgomery(&double));
    system.cs.enforce_nonzero(&(&first.u - &second.u)).unwrap();
    assert!(!system.is_satisfied());
}

#[test]
fn c1_a_signature_whose_two_multiples_coincide_is_refused() {
    // s·B = ±c'·K: the join would be a doubling with a free slope, or R the identity.
    let entropy = [9u8; 64];
    let secret = MeasurerSecret::from_entropy(&entropy);
    let x = SubgroupScalar::from_be_bytes_mod_order(&entropy);
    let key = secret.key();
    for sign in [SubgroupScalar::ONE, -SubgroupScalar::ONE] {
        let signature = SchnorrSignature {
            challenge: 77,
            response: sign * expand_challenge(77) * x,
        };
        assert!(!schnorr::is_computable(&key, &signature));
        // Even in an absent slot.
        let mut system = System::new(Mode::Witness);
        let satisfied = verify(&mut system, false, &key, &[Fr::ONE; 3], &signature);
        assert!(!satisfied);
    }
    // An absent slot has a placeholder that works, even for a key made to collide with the first
    // candidate.
    let first = SchnorrSignature {
        challenge: 0,
        response: SubgroupScalar::ONE,
    };
    let hostile = affine(expand_challenge(0).inverse().unwrap());
    let hostile = veilpool_primitives::MeasurerKey::new(hostile).unwrap();
    assert!(!schnorr::is_computable(&hostile, &first));
    let mut system = System::new(Mode::Witness);
    let placeholder = schnorr::placeholder(&hostile);
    assert!(verify(
        &mut system,
        false,
        &hostile,
        &[Fr::ONE; 3],
        &placeholder
    ));
}

fn verify(
    system: &mut System,
    present: bool,
    key: &veilpool_primitives::MeasurerKey,
    message: &[Fr; 3],
    signature: &SchnorrSignature,
) -> bool {
    let present = system.num(Fr::from(present));
    let key = MeasurerKeyVar {
        x: system.num(key.point().x),
        y: system.num(key.point().y),
    };
    let [packed, domain, subject] = message.map(|value| system.num(value));
    let message = MessageVar {
        packed: &packed,
        domain: &domain,
        subject: &subject,
    };
    schnorr::enforce_valid_if(&mut system.cs, &present, &key, &message, Some(signature)).unwrap();
    system.is_satisfied()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn the_two_forms_of_the_curve_agree(seed in any::<u64>()) {
        let native = affine(scalar(seed));
        for mode in MODES {
            let mut system = System::new(mode);
            let (x, y) = (system.num(native.x), system.num(native.y));
            let montgomery = edwards::into_montgomery(&mut system.cs, &x, &y).unwrap();
            prop_assert_eq!(value(&montgomery), to_montgomery(&native));
            let back = edwards::edwards_x(&mut system.cs, &montgomery).unwrap();
            prop_assert_eq!(back.value(), Some(native.x));
            prop_assert!(system.is_satisfied());
        }
    }

    #[test]
    fn sums_doubles_and_multiples_are_the_native_ones(a in any::<u64>(), b in any::<u64>(), challenge in any::<u128>()) {
        prop_assume!(a != b);
        let (p, q) = (affine(scalar(a)), affine(scalar(b)));
        for mode in MODES {
            let (mut system, bits) = with_bits(mode, challenge);
            let (pv, qv) = (point(&mut system, &p), point(&mut system, &q));
            let cs = &mut system.cs;
            let sum = pv.add(cs, &qv).unwrap();
            prop_assert_eq!(value(&sum), to_montgomery(&(p + q).into_affine()));
            let double = pv.double(cs).unwrap();
            prop_assert_eq!(value(&double), to_montgomery(&(p + p).into_affine()));
            let fused = pv.double_and_add(cs, &qv).unwrap();
            prop_assert_eq!(value(&fused), to_montgomery(&(p + p + q).into_affine()));
            let difference = pv.add(cs, &qv.negate()).unwrap();
            prop_assert_eq!(value(&difference), to_montgomery(&(p - q).into_affine()));
            let multiple = variable_base::multiply(cs, &pv, &bits).unwrap();
            let expected = (p * expand_challenge(challenge)).into_affine();
            prop_assert_eq!(value(&multiple), to_montgomery(&expected));
            prop_assert!(system.is_satisfied());
        }
    }

    #[test]
    fn fixed_base_is_the_native_multiplication(seed in any::<u64>()) {
        let s = scalar(seed);
        let (system, product) = fixed(s);
        prop_assert_eq!(product, to_montgomery(&affine(s)));
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
            2 => signature.response += SubgroupScalar::ONE,
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
