//! Proof bytes against Solana's own functions.

use proptest::prelude::*;
use solana_bn254::compression::prelude::{
    alt_bn128_g1_compress_be, alt_bn128_g1_decompress_be, alt_bn128_g2_compress_be,
    alt_bn128_g2_decompress_be,
};
use veilpool_protocol::{CompressedProofBytes, MeasurerCount, ProofBytes};
use veilpool_prover::{InvalidProofBytes, Proof};

use super::common::{inputs, proof, prover, rng};

#[test]
fn the_compressed_proof_is_what_solana_compresses_to() {
    // Several proofs, so that both signs of each y occur.
    let n = MeasurerCount::Three;
    let claim = inputs(n);
    let mut signs = [0; 3];
    for seed in 0..8 {
        let proof = prover(n).prove(&claim, &mut rng(100 + seed)).unwrap();
        let (bytes, compressed) = (proof.to_bytes(), proof.to_compressed());
        let (a, b, c) = bytes.points();
        let compressed = compressed.as_bytes();
        assert_eq!(compressed[..32], alt_bn128_g1_compress_be(a).unwrap());
        assert_eq!(compressed[32..96], alt_bn128_g2_compress_be(b).unwrap());
        assert_eq!(compressed[96..], alt_bn128_g1_compress_be(c).unwrap());
        assert_eq!(alt_bn128_g1_decompress_be(&compressed[..32]).unwrap(), *a);
        assert_eq!(alt_bn128_g2_decompress_be(&compressed[32..96]).unwrap(), *b);
        assert_eq!(alt_bn128_g1_decompress_be(&compressed[96..]).unwrap(), *c);
        for (sign, index) in signs.iter_mut().zip([0, 32, 96]) {
            *sign += i32::from(compressed[index] >> 7);
        }
    }
    assert!(signs.iter().all(|set| (1..8).contains(set)), "{signs:?}");
}

#[test]
fn both_encodings_round_trip() {
    let honest = proof().proof();
    assert_eq!(Proof::from_bytes(&honest.to_bytes()).as_ref(), Ok(honest));
    assert_eq!(
        Proof::from_compressed(&honest.to_compressed()).as_ref(),
        Ok(honest)
    );
}

#[test]
fn a_flag_for_infinity_with_other_bits_is_refused() {
    let mut bytes = *proof().to_compressed().as_bytes();
    bytes[0] |= 0x40;
    assert_eq!(
        Proof::from_compressed(&CompressedProofBytes::new(bytes)),
        Err(InvalidProofBytes::Compressed('A'))
    );
    let mut bytes = [0u8; CompressedProofBytes::LEN];
    bytes[32] = 0x40;
    assert_eq!(
        Proof::from_compressed(&CompressedProofBytes::new(bytes)),
        Err(InvalidProofBytes::Compressed('B'))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 256)) {
        let full = ProofBytes::new(bytes.clone().try_into().unwrap());
        if let Ok(proof) = Proof::from_bytes(&full) {
            prop_assert_eq!(proof.to_bytes(), full);
        }
        let half = CompressedProofBytes::new(bytes[..128].try_into().unwrap());
        if let Ok(proof) = Proof::from_compressed(&half) {
            prop_assert_eq!(proof.to_compressed(), half);
        }
    }

    #[test]
    fn a_changed_compressed_proof_is_another_proof_or_none(index in 0usize..128, bit in 0u32..8) {
        let mut bytes = *proof().to_compressed().as_bytes();
        bytes[index] ^= 1 << bit;
        let changed = CompressedProofBytes::new(bytes);
        if let Ok(decoded) = Proof::from_compressed(&changed) {
            prop_assert_ne!(&decoded, proof().proof());
            prop_assert_eq!(decoded.to_compressed(), changed);
        }
    }
}
