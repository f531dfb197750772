//! Assignments: secret, canonical, beginning with 1.

use ark_bn254::Fr;
use ark_ff::{BigInteger, One, PrimeField, UniformRand};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_iden3::{InvalidFile, R1cs, RawWtns, Wtns};

use super::common::{SMALL, edited, fixture_file, put_u32, section};

#[test]
fn a_witness_of_circom_satisfies_circoms_constraints_and_is_written_back() {
    let bytes = fixture_file("sample.wtns");
    let wtns = Wtns::from_bytes(&bytes).unwrap();
    let r1cs = R1cs::from_bytes(&fixture_file("sample.r1cs")).unwrap();
    assert!(
        r1cs.matrices()
            .failing_rows(wtns.expose_assignment())
            .is_empty()
    );
    assert!(*wtns.expose_bytes() == bytes);
}

fn refused(bytes: &[u8]) -> InvalidFile {
    match Wtns::from_bytes(bytes) {
        Ok(_) => panic!("accepted"),
        Err(error) => error,
    }
}

#[test]
fn an_element_that_isnt_canonical_is_named() {
    let bytes = SMALL.fixture().wtns().expose_bytes().to_vec();
    let start = section(&bytes, 2).start;
    for (index, element) in [
        (3, Fr::MODULUS.to_bytes_le()),
        (0, vec![0xff; 32]),
        (13, Fr::MODULUS.to_bytes_le()),
    ] {
        let at = start + index * 32;
        let wild = edited(&bytes, |bytes| bytes[at..at + 32].copy_from_slice(&element));
        assert!(matches!(
            refused(&wild),
            InvalidFile::NonCanonical { index: found, .. } if found == index as u64
        ));
    }
}

#[test]
fn a_witness_that_doesnt_begin_with_one_is_refused() {
    let bytes = SMALL.fixture().wtns().expose_bytes().to_vec();
    let start = section(&bytes, 2).start;
    let two = edited(&bytes, |bytes| bytes[start] = 2);
    assert_eq!(
        refused(&two).to_string(),
        "section 2 (witness) of the .wtns file: expected the constant 1 in column 0, found another value"
    );
    assert!(Wtns::new(vec![].into()).is_none());
    assert!(Wtns::new(vec![Fr::from(2u64)].into()).is_none());
}

#[test]
fn a_number_of_columns_that_lies_is_refused() {
    let bytes = SMALL.fixture().wtns().expose_bytes().to_vec();
    let at = section(&bytes, 1).start + 36;
    for lie in [13, 15, u32::MAX] {
        let lying = edited(&bytes, |bytes| put_u32(bytes, at, lie));
        assert!(matches!(
            RawWtns::parse(&lying).err(),
            Some(InvalidFile::Size { expected, found: 448, .. }) if expected == u64::from(lie) * 32
        ));
    }
    let none = edited(&bytes, |bytes| put_u32(bytes, at, 0));
    assert!(matches!(
        RawWtns::parse(&none).err(),
        Some(InvalidFile::Number {
            what: "columns",
            ..
        })
    ));
}

proptest! {
    #[test]
    fn every_assignment_survives_its_file(seed in any::<u64>(), len in 0usize..40) {
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let values: Vec<Fr> = core::iter::once(Fr::one()).chain((0..len).map(|_| Fr::rand(rng))).collect();
        let wtns = Wtns::new(values.clone().into()).unwrap();
        let read = Wtns::from_bytes(&wtns.expose_bytes()).unwrap();
        prop_assert_eq!(read.expose_assignment(), values.as_slice());
    }

    #[test]
    fn a_flipped_bit_is_refused_or_breaks_a_row(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let fixture = SMALL.fixture();
        let bytes = fixture.wtns().expose_bytes().to_vec();
        let at = at.index(bytes.len());
        let flipped = edited(&bytes, |bytes| bytes[at] ^= 1 << bit);
        if let Ok(wtns) = Wtns::from_bytes(&flipped) {
            prop_assert!(!fixture.matrices.failing_rows(wtns.expose_assignment()).is_empty()
                || wtns.expose_assignment()[1..3] != fixture.assignment[1..3]);
        }
    }
}
