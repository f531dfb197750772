//! Verification on the host with the frozen proofs of circuit version 1, and the attack rows of keys.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use proptest::prelude::*;
use veilpool_groth16::{KeyError, VerifyError, VerifyingKey, decompress, verify, verify_scalar};
use veilpool_protocol::{
    CompressedProofBytes, FieldBytes, ProofBytes, PublicInputBytes, field::SCALAR_FIELD_ORDER,
};

const KEYS: [&[u8]; 3] = [
    include_bytes!("../../../params/claim-n3-v2.vk"),
    include_bytes!("../../../params/claim-n5-v2.vk"),
    include_bytes!("../../../params/claim-n7-v2.vk"),
];
const FROZEN: [&str; 3] = [
    include_str!("../../../prover/tests/frozen/claim-n3-v2.json"),
    include_str!("../../../prover/tests/frozen/claim-n5-v2.json"),
    include_str!("../../../prover/tests/frozen/claim-n7-v2.json"),
];
/// Where alpha, beta, gamma, delta, IC0 and IC1 begin and how long they are.
const POINTS: [(&str, usize, usize); 6] = [
    ("alpha", 40, 64),
    ("beta", 104, 128),
    ("gamma", 232, 128),
    ("delta", 360, 128),
    ("IC0", 488, 64),
    ("IC1", 552, 64),
];

fn frozen(index: usize) -> (PublicInputBytes, ProofBytes, CompressedProofBytes) {
    let value: serde_json::Value = serde_json::from_str(FROZEN[index]).unwrap();
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    (
        text("public_input").parse().unwrap(),
        text("proof").parse().unwrap(),
        text("compressed").parse().unwrap(),
    )
}

#[test]
fn a_proof_of_each_size_verifies_and_decompresses() {
    for (index, bytes) in KEYS.into_iter().enumerate() {
        let key = VerifyingKey::validated(bytes).unwrap();
        let (input, proof, compressed) = frozen(index);
        assert_eq!(verify(&key, &input, &proof), Ok(()));
        assert_eq!(decompress(&compressed), Ok(proof));
        let other = PublicInputBytes::from_field(FieldBytes::from_u128(1));
        assert_eq!(verify(&key, &other, &proof), Err(VerifyError::PairingFalse));
    }
    let key = VerifyingKey::parse(KEYS[0]).unwrap();
    let (input, proof, _) = frozen(1);
    assert_eq!(verify(&key, &input, &proof), Err(VerifyError::PairingFalse));
}

#[test]
fn i3_a_scalar_of_the_order_or_more_is_refused() {
    let key = VerifyingKey::parse(KEYS[0]).unwrap();
    let (input, proof, _) = frozen(0);
    let mut aliased = *input.as_bytes();
    let mut carry = 0u16;
    for (byte, order) in aliased.iter_mut().zip(SCALAR_FIELD_ORDER).rev() {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    for scalar in [aliased, SCALAR_FIELD_ORDER, [0xff; 32]] {
        assert_eq!(
            verify_scalar(&key, &scalar, &proof),
            Err(VerifyError::ScalarNotCanonical)
        );
    }
}

#[test]
fn every_flipped_region_of_a_proof_is_refused() {
    let key = VerifyingKey::parse(KEYS[0]).unwrap();
    let (input, proof, _) = frozen(0);
    for at in (0..256).step_by(16) {
        let mut bytes = *proof.as_bytes();
        bytes[at] ^= 1;
        assert_eq!(
            verify(&key, &input, &ProofBytes::new(bytes)),
            Err(VerifyError::MalformedProof),
            "byte {at}"
        );
    }
}

#[test]
fn c2_a_key_with_an_identity_point_is_refused() {
    for (name, at, len) in POINTS {
        let mut bytes = KEYS[1].to_vec();
        bytes[at..at + len].fill(0);
        assert_eq!(
            VerifyingKey::validated(&bytes).unwrap_err(),
            KeyError::Identity(name)
        );
    }
}

#[test]
fn c3_gamma_equal_to_delta_is_refused() {
    let mut bytes = KEYS[1].to_vec();
    bytes.copy_within(232..360, 360);
    assert_eq!(
        VerifyingKey::validated(&bytes).unwrap_err(),
        KeyError::GammaIsDelta
    );
}

#[test]
fn c3_an_uncontributed_delta_is_refused() {
    // An uncontributed phase 2 has the generator in delta; it is recognised in EIP-197's encoding.
    let generator = "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c21800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed\
090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";
    let mut bytes = KEYS[1].to_vec();
    for (slot, pair) in bytes[360..488]
        .iter_mut()
        .zip(generator.as_bytes().chunks(2))
    {
        *slot = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    }
    assert_eq!(
        VerifyingKey::validated(&bytes).unwrap_err(),
        KeyError::DeltaIsGenerator
    );
}

#[test]
fn a_key_with_a_point_off_its_curve_is_refused() {
    for (name, at, len) in POINTS {
        let mut bytes = KEYS[1].to_vec();
        bytes[at + len - 1] ^= 1;
        assert_eq!(
            VerifyingKey::validated(&bytes).unwrap_err(),
            KeyError::NotAPoint(name)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 256..=256), scalar: [u8; 32]) {
        let key = VerifyingKey::parse(KEYS[0]).unwrap();
        let proof = ProofBytes::new(bytes.clone().try_into().unwrap());
        prop_assert!(verify_scalar(&key, &scalar, &proof).is_err());
        let _ = decompress(&CompressedProofBytes::new(bytes[..128].try_into().unwrap()));
        let _ = VerifyingKey::validated(&bytes);
    }
}
