//! Constraint systems: nothing is lost, and terms out of place are refused.

use ark_bn254::Fr;
use ark_ff::{BigInteger, One, PrimeField};
use proptest::prelude::*;
use veilpool_circuits::matrices::Matrices;
use veilpool_iden3::{InvalidFile, R1cs, RawR1cs, r1cs::Counts};

use super::common::{Circuit, SMALL, edited, fixture_file, put_u32, put_u64, section};

fn refused(bytes: &[u8]) -> InvalidFile {
    match R1cs::from_bytes(bytes) {
        Ok(_) => panic!("accepted"),
        Err(error) => error,
    }
}

/// One row, `1·z₁ = z₂`.
fn tiny() -> Vec<u8> {
    let row = |column| vec![vec![(Fr::one(), column)]];
    R1cs::new(&Matrices {
        abc: [row(0), row(1), row(2)],
        public_columns: 2,
        witness_columns: 1,
    })
    .unwrap()
    .to_bytes()
}

#[test]
fn a_circuit_of_circom_has_the_counts_that_circom_printed_and_is_written_back() {
    let bytes = fixture_file("sample.r1cs");
    let r1cs = R1cs::from_bytes(&bytes).unwrap();
    assert_eq!(
        r1cs.counts(),
        Counts {
            columns: 11,
            outputs: 1,
            public_inputs: 1,
            private_inputs: 6,
            labels: 11,
            rows: 7
        }
    );
    assert_eq!(r1cs.matrices().public_columns, 3);
    assert_eq!(
        R1cs::from_bytes(&r1cs.to_bytes()).unwrap().labels(),
        r1cs.labels()
    );
    assert!(R1cs::from_bytes(&r1cs.to_bytes()).unwrap() == r1cs);
    assert_eq!(r1cs.to_bytes().len(), bytes.len());
}

#[test]
fn terms_of_one_column_are_added_up_in_writing_and_refused_in_reading() {
    let twice = |left: Fr, right: Fr| {
        let matrices = Matrices {
            abc: [
                vec![vec![(left, 1), (right, 1)]],
                vec![vec![(Fr::one(), 0)]],
                vec![vec![]],
            ],
            public_columns: 1,
            witness_columns: 1,
        };
        R1cs::new(&matrices).unwrap().matrices().abc[0][0].clone()
    };
    assert_eq!(twice(Fr::from(2u64), Fr::from(3u64)), [(Fr::from(5u64), 1)]);
    assert_eq!(twice(Fr::one(), -Fr::one()), []);

    // A's one term twice.
    let bytes = tiny();
    let start = section(&bytes, 2).start;
    let doubled = edited(&bytes, |bytes| {
        let term = bytes[start + 4..start + 40].to_vec();
        bytes.splice(start + 40..start + 40, term);
        put_u32(bytes, start, 2);
        put_u64(bytes, start - 8, 3 * 40 + 36);
    });
    assert_eq!(
        refused(&doubled).to_string(),
        "section 2 (constraints) of the .r1cs file: a combination has two terms for one column"
    );
}

#[test]
fn a_number_of_terms_or_rows_that_lies_is_refused_before_anything_is_allocated() {
    let bytes = tiny();
    let start = section(&bytes, 2).start;
    for lie in [4, u32::MAX] {
        let lying = edited(&bytes, |bytes| put_u32(bytes, start, lie));
        assert!(matches!(
            refused(&lying),
            InvalidFile::Truncated { expected, found: 116, .. } if expected == u64::from(lie) * 36
        ));
    }
    let rows = section(&bytes, 1).start + 36 + 16 + 8;
    let lying = edited(&bytes, |bytes| put_u32(bytes, rows, u32::MAX));
    assert!(matches!(
        RawR1cs::parse(&lying).err(),
        Some(InvalidFile::Truncated { expected, found: 120, .. }) if expected == u64::from(u32::MAX) * 12
    ));
    let none = edited(&bytes, |bytes| put_u32(bytes, rows, 0));
    assert!(matches!(
        refused(&none),
        InvalidFile::Trailing { found: 120, .. }
    ));
}

#[test]
fn columns_labels_and_coefficients_out_of_range_are_refused() {
    let bytes = tiny();
    let start = section(&bytes, 2).start;
    let column = edited(&bytes, |bytes| put_u32(bytes, start + 4, 3));
    assert!(matches!(
        refused(&column),
        InvalidFile::Number {
            what: "a term's column",
            found: 3,
            ..
        }
    ));
    let wild = edited(&bytes, |bytes| {
        bytes[start + 8..start + 40].copy_from_slice(&Fr::MODULUS.to_bytes_le());
    });
    assert!(matches!(
        refused(&wild),
        InvalidFile::NonCanonical { index: 0, .. }
    ));
    let labels = section(&bytes, 3).start;
    let label = edited(&bytes, |bytes| put_u64(bytes, labels, 1 << 60));
    assert!(matches!(
        refused(&label),
        InvalidFile::Number { what: "a label", found, .. } if found == 1 << 60
    ));
    let counts = section(&bytes, 1).start + 36;
    for (at, lie) in [(0, 1), (4, u32::MAX), (8, 3), (12, 2)] {
        let lying = edited(&bytes, |bytes| put_u32(bytes, counts + at, lie));
        assert!(matches!(
            RawR1cs::parse(&lying).err(),
            Some(InvalidFile::Number {
                what: "columns",
                ..
            })
        ));
    }
    let more = edited(&bytes, |bytes| put_u32(bytes, counts, 4));
    assert!(matches!(
        RawR1cs::parse(&more).err(),
        Some(InvalidFile::Size {
            expected: 32,
            found: 24,
            ..
        })
    ));
}

#[test]
fn a_system_without_the_constant_cant_be_written() {
    let matrices = Matrices {
        abc: [vec![], vec![], vec![]],
        public_columns: 0,
        witness_columns: 1,
    };
    assert!(R1cs::new(&matrices).is_none());
}

proptest! {
    #[test]
    fn every_system_survives_its_file(seed in any::<u64>(), rows in 0usize..40, public in 0usize..4) {
        let circuit = Circuit { seed, rows, public };
        let r1cs = R1cs::new(&circuit.matrices()).unwrap();
        let read = R1cs::from_bytes(&r1cs.to_bytes()).unwrap();
        prop_assert!(read == r1cs);
        prop_assert!(read.matrices().failing_rows(&circuit.assignment()).is_empty());
    }

    #[test]
    fn a_flipped_bit_is_refused_or_gives_another_circuit(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let r1cs = R1cs::new(&SMALL.matrices()).unwrap();
        let bytes = r1cs.to_bytes();
        let at = at.index(bytes.len());
        let flipped = edited(&bytes, |bytes| bytes[at] ^= 1 << bit);
        if let Ok(read) = R1cs::from_bytes(&flipped) {
            prop_assert!(read != r1cs);
        }
    }
}
