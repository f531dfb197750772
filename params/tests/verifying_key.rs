//! Which verifying keys are refused, and why (attacks C2 and C3).

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field};
use proptest::prelude::*;
use veilpool_params::{
    InvalidVerifyingKey, ON_CHAIN_VERIFYING_KEYS, RawVerifyingKey, VERIFYING_KEYS, VerifyingKey,
    encoding::InvalidPoint, load::embedded_verifying_key, verifying_key::KeyPoint,
};
use veilpool_protocol::{
    MeasurerCount,
    verifying_key::{LEN, LayoutError, Status},
};

fn raw() -> RawVerifyingKey {
    let key = embedded_verifying_key(MeasurerCount::Five).unwrap();
    RawVerifyingKey::from_ark(key.as_ark())
}

#[track_caller]
fn refused(edit: impl FnOnce(&mut RawVerifyingKey), expected: InvalidVerifyingKey) {
    let mut key = raw();
    edit(&mut key);
    let result = key.validate(MeasurerCount::Five, Status::Development, [0; 32]);
    assert_eq!(result.unwrap_err(), expected);
}

fn off_curve(point: KeyPoint) -> InvalidVerifyingKey {
    InvalidVerifyingKey::Point {
        point,
        source: InvalidPoint::NotOnCurve,
    }
}

/// A point of the twist that isn't in the subgroup.
fn outside_subgroup() -> G2Affine {
    let mut x = Fq2::new(Fq::ONE, Fq::ZERO);
    loop {
        if let Some(point) = G2Affine::get_point_from_x_unchecked(x, false)
            && !point.is_in_correct_subgroup_assuming_on_curve()
        {
            return point;
        }
        x.c0 += Fq::ONE;
    }
}

#[test]
fn the_keys_of_this_build_are_accepted() {
    for n in MeasurerCount::ALL {
        let key = embedded_verifying_key(n).unwrap();
        assert_eq!((key.n(), key.status()), (n, Status::Development));
    }
}

#[test]
fn c3_a_key_with_gamma_equal_to_delta_is_refused() {
    refused(
        |key| key.delta = key.gamma,
        InvalidVerifyingKey::GammaIsDelta,
    );
    refused(
        |key| key.gamma = key.delta,
        InvalidVerifyingKey::GammaIsDelta,
    );
}

#[test]
fn c3_a_key_with_the_generator_as_delta_is_refused() {
    refused(
        |key| key.delta = G2Affine::generator(),
        InvalidVerifyingKey::DeltaIsGenerator,
    );
}

#[test]
fn c3_a_key_with_an_identity_point_is_refused() {
    let identity = InvalidVerifyingKey::Identity;
    refused(
        |key| key.alpha = G1Affine::identity(),
        identity(KeyPoint::Alpha),
    );
    refused(
        |key| key.beta = G2Affine::identity(),
        identity(KeyPoint::Beta),
    );
    refused(
        |key| key.gamma = G2Affine::identity(),
        identity(KeyPoint::Gamma),
    );
    refused(
        |key| key.delta = G2Affine::identity(),
        identity(KeyPoint::Delta),
    );
    refused(
        |key| key.ic[0] = G1Affine::identity(),
        identity(KeyPoint::Ic(0)),
    );
}

#[test]
fn c2_a_key_that_drops_its_public_input_is_refused() {
    refused(
        |key| key.ic[1] = G1Affine::identity(),
        InvalidVerifyingKey::Identity(KeyPoint::Ic(1)),
    );
    let ic_count = |found| InvalidVerifyingKey::IcCount { found, expected: 2 };
    refused(|key| key.ic.truncate(1), ic_count(1));
    refused(|key| key.ic.push(key.alpha), ic_count(3));
    refused(|key| key.ic.clear(), ic_count(0));
}

#[test]
fn c3_a_key_with_a_point_off_the_curve_is_refused() {
    refused(|key| key.alpha.y += Fq::ONE, off_curve(KeyPoint::Alpha));
    refused(|key| key.beta.y.c0 += Fq::ONE, off_curve(KeyPoint::Beta));
    refused(|key| key.gamma.x.c1 += Fq::ONE, off_curve(KeyPoint::Gamma));
    refused(|key| key.delta.x.c0 += Fq::ONE, off_curve(KeyPoint::Delta));
    refused(|key| key.ic[1].x += Fq::ONE, off_curve(KeyPoint::Ic(1)));
}

#[test]
fn c3_a_key_with_a_point_outside_the_subgroup_is_refused() {
    let outside = outside_subgroup();
    let expected = |point| InvalidVerifyingKey::Point {
        point,
        source: InvalidPoint::NotInSubgroup,
    };
    refused(|key| key.beta = outside, expected(KeyPoint::Beta));
    refused(|key| key.gamma = outside, expected(KeyPoint::Gamma));
    refused(|key| key.delta = outside, expected(KeyPoint::Delta));
    // The same with a point that has a component in the subgroup.
    refused(
        |key| key.delta = (key.delta + outside).into_affine(),
        expected(KeyPoint::Delta),
    );
}

#[test]
fn c3_the_on_chain_bytes_of_a_bad_key_are_refused() {
    let good = ON_CHAIN_VERIFYING_KEYS[1];
    assert!(VerifyingKey::from_on_chain_bytes(good).is_ok());
    let edited = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.to_vec();
        edit(&mut bytes);
        VerifyingKey::from_on_chain_bytes(&bytes).unwrap_err()
    };
    // Offsets: header 40, alpha 64, beta, gamma and delta 128 each, IC 64 each.
    let (gamma, delta, ic1) = (232, 360, 552);
    assert_eq!(
        edited(&|bytes| bytes.copy_within(gamma..delta, delta)),
        InvalidVerifyingKey::GammaIsDelta
    );
    assert_eq!(
        edited(&|bytes| bytes[ic1..].fill(0)),
        InvalidVerifyingKey::Identity(KeyPoint::Ic(1))
    );
    assert_eq!(
        edited(&|bytes| bytes[ic1..].fill(0xff)),
        InvalidVerifyingKey::Point {
            point: KeyPoint::Ic(1),
            source: InvalidPoint::NonCanonical
        }
    );
    assert_eq!(
        edited(&|bytes| bytes.push(0)),
        InvalidVerifyingKey::Layout(LayoutError::Length(LEN + 1))
    );
    assert_eq!(
        edited(&|bytes| bytes.truncate(LEN - 1)),
        InvalidVerifyingKey::Layout(LayoutError::Length(LEN - 1))
    );
}

#[test]
fn both_encodings_round_trip_and_agree() {
    for (index, n) in MeasurerCount::ALL.into_iter().enumerate() {
        let key = embedded_verifying_key(n).unwrap();
        assert_eq!(key.to_on_chain_bytes(), *ON_CHAIN_VERIFYING_KEYS[index]);
        assert_eq!(key.to_ark_bytes(), VERIFYING_KEYS[index]);
        let again = VerifyingKey::from_ark_bytes(
            VERIFYING_KEYS[index],
            n,
            key.status(),
            *key.fingerprint(),
        );
        assert_eq!(again.unwrap(), key);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_change_of_a_byte_makes_decoding_panic_or_stay_unnoticed(index in 0usize..LEN, change in 1u8..) {
        let mut bytes = ON_CHAIN_VERIFYING_KEYS[0].to_vec();
        bytes[index] ^= change;
        // Header bytes may name another status, number of measurers or fingerprint; a point's may
        // not change.
        if let Ok(key) = VerifyingKey::from_on_chain_bytes(&bytes) {
            prop_assert!(index < 40, "byte {} of a point", index);
            prop_assert_eq!(key.to_on_chain_bytes().to_vec(), bytes);
        }
    }

    #[test]
    fn no_bytes_make_either_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
        prop_assert!(VerifyingKey::from_on_chain_bytes(&bytes).is_err());
        let parsed = VerifyingKey::from_ark_bytes(&bytes, MeasurerCount::Five, Status::Development, [0; 32]);
        prop_assert!(parsed.is_err());
    }

    #[test]
    fn a_truncated_or_longer_key_is_refused(cut in 0usize..296, extra in 1usize..64) {
        let parse = |bytes: &[u8]| VerifyingKey::from_ark_bytes(bytes, MeasurerCount::Five, Status::Development, [0; 32]);
        prop_assert_eq!(parse(&VERIFYING_KEYS[1][..cut]), Err(InvalidVerifyingKey::Malformed));
        let mut longer = VERIFYING_KEYS[1].to_vec();
        longer.resize(longer.len() + extra, 0);
        prop_assert_eq!(parse(&longer), Err(InvalidVerifyingKey::Malformed));
    }
}
