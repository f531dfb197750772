//! T9, and the part of T6 that needs keys.

use std::time::Duration;

use ark_bn254::Fr;
use veilpool_primitives::{field, poseidon};
use veilpool_protocol::{MeasurerCount, ProofBytes, PublicInputBytes};
use veilpool_prover::{VerifyError, verify};

use super::common::{inputs, proof, prover, rng};

#[test]
fn a_claim_is_proven_and_verified_for_every_number_of_measurers() {
    for n in MeasurerCount::ALL {
        let prover = prover(n);
        let proof = prover.prove(&inputs(n), &mut rng(1)).unwrap();
        assert_eq!(proof.count(), n);
        let (public, bytes) = (proof.public_input(), proof.to_bytes());
        assert_eq!(verify(prover.verifying_key(), &public, &bytes), Ok(()));
        for step in [
            proof.timings().native_check,
            proof.timings().witness,
            proof.timings().proof,
            proof.timings().verification,
        ] {
            assert!(step > Duration::ZERO);
        }
    }
}

#[test]
fn two_proofs_of_one_claim_differ_and_both_verify() {
    let n = MeasurerCount::Three;
    let claim = inputs(n);
    let first = prover(n).prove(&claim, &mut rng(2)).unwrap();
    let second = prover(n).prove(&claim, &mut rng(3)).unwrap();
    assert_ne!(first.to_bytes(), second.to_bytes());
    assert_eq!(first.public_input(), second.public_input());
}

#[test]
fn a_proof_with_any_region_changed_is_refused() {
    let key = prover(MeasurerCount::Three).verifying_key();
    let public = proof().public_input();
    let honest = *proof().to_bytes().as_bytes();
    // Each byte of each of the eight coordinates, one bit.
    for index in 0..honest.len() {
        let mut bytes = honest;
        bytes[index] ^= 1 << (index % 8);
        let result = verify(key, &public, &ProofBytes::new(bytes));
        assert!(
            matches!(result, Err(VerifyError::Malformed(_))),
            "byte {index}: {result:?}: a changed coordinate isn't on the curve"
        );
    }
    // Regions that stay points: A and C exchanged, each negated, each the identity.
    let (a, b, c) = {
        let p = proof().proof().as_ark();
        (p.a, p.b, p.c)
    };
    let identity = ark_ec::AffineRepr::zero;
    for (a, b, c) in [
        (c, b, a),
        (-a, b, c),
        (a, -b, c),
        (a, b, -c),
        (identity(), b, c),
        (a, ark_ec::AffineRepr::zero(), c),
        (a, b, identity()),
        (a, b, a),
    ] {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&veilpool_params::encoding::g1_to_bytes(&a));
        bytes.extend_from_slice(&veilpool_params::encoding::g2_to_bytes(&b));
        bytes.extend_from_slice(&veilpool_params::encoding::g1_to_bytes(&c));
        let bytes = ProofBytes::new(bytes.try_into().unwrap());
        assert_eq!(verify(key, &public, &bytes), Err(VerifyError::Invalid));
    }
}

#[test]
fn i5_a_negated_proof_verifies_too_so_nothing_may_be_keyed_on_proof_bytes() {
    let key = prover(MeasurerCount::Three).verifying_key();
    // Groth16 proofs are malleable: A and B negated together satisfy the same equation.
    let p = proof().proof().as_ark();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&veilpool_params::encoding::g1_to_bytes(&-p.a));
    bytes.extend_from_slice(&veilpool_params::encoding::g2_to_bytes(&-p.b));
    bytes.extend_from_slice(&veilpool_params::encoding::g1_to_bytes(&p.c));
    let bytes = ProofBytes::new(bytes.try_into().unwrap());
    assert_ne!(bytes, proof().to_bytes());
    assert_eq!(verify(key, &proof().public_input(), &bytes), Ok(()));
}

#[test]
fn i3_a_proof_with_another_public_input_is_refused() {
    let key = prover(MeasurerCount::Three).verifying_key();
    let honest = field::from_bytes(proof().public_input().to_field());
    for other in [
        honest + Fr::from(1u8),
        -honest,
        Fr::from(0u8),
        Fr::from(1u8),
    ] {
        let public = PublicInputBytes::from_field(field::to_bytes(&other));
        assert_eq!(
            verify(key, &public, &proof().to_bytes()),
            Err(VerifyError::Invalid)
        );
    }
    // value + r is no second name of the value: it isn't even a public input.
    let mut aliased = *proof().public_input().as_bytes();
    let mut carry = 0u16;
    for (byte, order) in aliased
        .iter_mut()
        .zip(veilpool_protocol::field::SCALAR_FIELD_ORDER)
        .rev()
    {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert!(PublicInputBytes::new(aliased).is_err());
}

#[test]
fn swapping_any_two_folded_fields_makes_verification_fail() {
    let key = prover(MeasurerCount::Three).verifying_key();
    let inputs = proof().claimed().fold_inputs().map(field::from_bytes);
    for i in 0..inputs.len() {
        for j in 0..i {
            let mut swapped = inputs;
            swapped.swap(i, j);
            let public = PublicInputBytes::from_field(field::to_bytes(&poseidon::hash(swapped)));
            assert_eq!(
                verify(key, &public, &proof().to_bytes()),
                Err(VerifyError::Invalid)
            );
        }
    }
}

#[test]
fn a_proof_for_another_number_of_measurers_is_refused() {
    for n in [MeasurerCount::Five, MeasurerCount::Seven] {
        let result = verify(
            prover(n).verifying_key(),
            &proof().public_input(),
            &proof().to_bytes(),
        );
        assert_eq!(result, Err(VerifyError::Invalid));
    }
}
