//! What a `.zkey` is refused for, and keys that snarkjs made.

use std::fs;

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, One, UniformRand};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::matrices::Matrices;
use veilpool_iden3::{
    InvalidFile, RawZkey, Wtns, Zkey, json,
    zkey::{Contributions, ExportError, write},
};
use veilpool_params::encoding::InvalidPoint;

use super::common::{
    Circuit, Fixture, SMALL, edited, fixture_file, fixture_text, g2_outside, prove, put_u32,
    section, snarkjs_ok, verifies,
};

const SECTION_OF_A: u32 = 5;

fn refused(zkey: &Zkey) -> InvalidFile {
    match Zkey::from_bytes(&zkey.to_bytes().unwrap()) {
        Ok(_) => panic!("the key was accepted"),
        Err(error) => error,
    }
}

fn reason(error: &InvalidFile) -> &'static str {
    match error {
        InvalidFile::Contradiction { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

fn changed(change: impl FnOnce(&mut Zkey)) -> InvalidFile {
    let mut zkey = SMALL.fixture().zkey();
    change(&mut zkey);
    refused(&zkey)
}

#[test]
fn a_key_and_a_witness_of_circom_are_proven_with_and_snarkjs_verifies() {
    let zkey = Zkey::from_bytes(&fixture_file("sample.zkey")).unwrap();
    zkey.check_queries().unwrap();
    let wtns = Wtns::from_bytes(&fixture_file("sample.wtns")).unwrap();
    assert_eq!(wtns.columns(), zkey.public_columns + zkey.witness_columns());
    assert_eq!((zkey.public_columns, zkey.rows()), (3, 7));
    let proof = prove(
        &zkey.proving_key,
        &zkey.matrices,
        zkey.public_columns,
        wtns.expose_assignment(),
    );
    let public = &wtns.expose_assignment()[1..3];
    assert_eq!(
        json::parse_public(&fixture_text("public.json")).unwrap(),
        public
    );
    assert!(verifies(&zkey.proving_key.vk, &proof, public));

    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("proof.json"), json::proof(&proof).to_string()).unwrap();
    for name in ["verification_key.json", "public.json"] {
        fs::write(at.join(name), fixture_text(name)).unwrap();
    }
    let said = snarkjs_ok(
        at,
        &[
            "groth16",
            "verify",
            "verification_key.json",
            "public.json",
            "proof.json",
        ],
    );
    assert!(said.contains("OK!"), "{said}");
}

#[test]
fn a_key_of_snarkjs_is_written_back_byte_by_byte_but_for_the_order_of_sections() {
    let theirs = fixture_file("sample.zkey");
    let ours = Zkey::from_bytes(&theirs).unwrap().to_bytes().unwrap();
    assert_eq!(ours.len(), theirs.len());
    for id in 1..=10 {
        let content = |file: &[u8]| {
            let section = section(file, id);
            file[section.start..section.end].to_vec()
        };
        assert!(content(&ours) == content(&theirs), "section {id}");
    }
}

#[test]
fn another_proof_system_is_named() {
    let bytes = SMALL.fixture().zkey().to_bytes().unwrap();
    let protocol = section(&bytes, 1).start;
    let plonk = edited(&bytes, |bytes| put_u32(bytes, protocol, 2));
    assert_eq!(
        RawZkey::parse(&plonk).err().unwrap().to_string(),
        "section 1 (header) of the .zkey file: protocol: expected 1 (Groth16), found 2"
    );
}

#[test]
fn counts_that_dont_fit_the_sections_are_refused() {
    let bytes = SMALL.fixture().zkey().to_bytes().unwrap();
    let counts = section(&bytes, 2).start + 2 * 36;
    let refused = |at: usize, value: u32| {
        let bytes = edited(&bytes, |bytes| put_u32(bytes, at, value));
        RawZkey::parse(&bytes).err().unwrap()
    };
    // Columns, public, domain.
    for value in [0, 2] {
        assert!(matches!(
            refused(counts, value),
            InvalidFile::Number {
                what: "columns",
                ..
            }
        ));
    }
    for value in [13, 15, u32::MAX] {
        assert!(matches!(
            refused(counts, value),
            InvalidFile::Size { expected, found, place }
                if place.section == Some((SECTION_OF_A, "A")) && expected == u64::from(value) * 64 && found == 14 * 64
        ));
    }
    assert!(matches!(
        refused(counts + 4, 14),
        InvalidFile::Number {
            what: "columns",
            ..
        }
    ));
    assert!(matches!(
        refused(counts + 4, u32::MAX),
        InvalidFile::Number {
            what: "columns",
            ..
        }
    ));
    for value in [1, 3] {
        assert!(matches!(
            refused(counts + 4, value),
            InvalidFile::Size { place, .. } if place.section == Some((3, "IC"))
        ));
    }
    for value in [0, 15, 1 << 28, u32::MAX] {
        assert!(matches!(
            refused(counts + 8, value),
            InvalidFile::Number {
                what: "size of the domain",
                ..
            }
        ));
    }
    for value in [8, 32, 1 << 27] {
        assert!(matches!(
            refused(counts + 8, value),
            InvalidFile::Size { place, .. } if place.section == Some((9, "H"))
        ));
    }
    let coefficients = section(&bytes, 4).start;
    assert!(matches!(
        refused(coefficients, u32::MAX),
        InvalidFile::Size { place, expected, .. }
            if place.section == Some((4, "coefficients")) && expected == u64::from(u32::MAX) * 44
    ));
}

#[test]
fn c3_keys_with_which_proofs_can_be_forged_are_refused() {
    let toxic = |gamma: Fr, delta: Fr| {
        let toxic = super::common::Toxic {
            gamma,
            delta,
            ..super::common::Toxic::new(1)
        };
        let mut zkey = SMALL.fixture().zkey();
        zkey.proving_key = SMALL.key(&toxic);
        refused(&zkey)
    };
    let scalar = Fr::from(9u64);
    assert!(reason(&toxic(scalar, Fr::ONE)).starts_with("delta is the generator"));
    assert!(reason(&toxic(scalar, scalar)).starts_with("gamma and delta are the same point"));
}

#[test]
fn beta_and_delta_must_be_the_same_scalars_in_both_groups() {
    let other = (G1Affine::generator() * Fr::from(5u64)).into_affine();
    let error = changed(|zkey| zkey.proving_key.beta_g1 = other);
    assert_eq!(reason(&error), "beta isn't the same scalar in G1 and G2");
    let error = changed(|zkey| zkey.proving_key.delta_g1 = other);
    assert_eq!(reason(&error), "delta isn't the same scalar in G1 and G2");
}

#[test]
fn identities_in_the_verifying_key_are_refused() {
    let header = |index| move |error: InvalidFile| matches!(error, InvalidFile::Identity { place, index: found } if place.section == Some((2, "Groth16 header")) && found == index);
    assert!(header(0)(changed(
        |z| z.proving_key.vk.alpha_g1 = G1Affine::identity()
    )));
    assert!(header(1)(changed(
        |z| z.proving_key.beta_g1 = G1Affine::identity()
    )));
    assert!(header(2)(changed(
        |z| z.proving_key.vk.beta_g2 = G2Affine::identity()
    )));
    assert!(header(3)(changed(
        |z| z.proving_key.vk.gamma_g2 = G2Affine::identity()
    )));
    assert!(header(4)(changed(
        |z| z.proving_key.delta_g1 = G1Affine::identity()
    )));
    assert!(header(5)(changed(
        |z| z.proving_key.vk.delta_g2 = G2Affine::identity()
    )));
    let error = changed(|z| z.proving_key.vk.gamma_abc_g1[2] = G1Affine::identity());
    assert!(matches!(error, InvalidFile::Identity { index: 2, .. }));
    let error = changed(|z| z.proving_key.h_query[15] = G1Affine::identity());
    assert!(matches!(error, InvalidFile::Identity { index: 15, .. }));
}

#[test]
fn points_outside_the_curve_or_the_subgroup_are_named_by_section_and_index() {
    let outside = g2_outside();
    let error = changed(|zkey| zkey.proving_key.b_g2_query[4] = outside);
    assert!(matches!(
        error,
        InvalidFile::Point { place, index: 4, source: InvalidPoint::NotInSubgroup } if place.section == Some((7, "B2"))
    ));
    let off = G1Affine::new_unchecked(1u64.into(), 1u64.into());
    let error = changed(|zkey| zkey.proving_key.l_query[3] = off);
    assert_eq!(
        error.to_string(),
        "section 8 (C) of the .zkey file: point 3: the point isn't on the curve"
    );
    let bytes = SMALL.fixture().zkey().to_bytes().unwrap();
    let at = section(&bytes, SECTION_OF_A).start + 64;
    let wild = edited(&bytes, |bytes| bytes[at..at + 32].fill(0xff));
    assert!(matches!(
        Zkey::from_bytes(&wild),
        Err(InvalidFile::Point {
            index: 1,
            source: InvalidPoint::NonCanonical,
            ..
        })
    ));
}

#[test]
fn queries_that_dont_fit_the_matrices_are_refused() {
    let fixture = SMALL.fixture();
    let empty = fixture
        .key
        .b_g2_query
        .iter()
        .position(AffineRepr::is_zero)
        .unwrap();
    let some = fixture
        .key
        .b_g2_query
        .iter()
        .position(|p| !p.is_zero())
        .unwrap();
    let error = changed(|zkey| zkey.proving_key.b_g2_query.swap(empty, some));
    assert!(reason(&error).starts_with("its identity points aren't those"));
    let error = changed(|zkey| zkey.proving_key.a_query[0] = G1Affine::identity());
    assert!(reason(&error).starts_with("its identity points aren't those"));
}

#[test]
fn b_points_of_other_scalars_are_found_by_pairings() {
    let mut zkey = SMALL.fixture().zkey();
    assert_eq!(zkey.check_queries(), Ok(()));
    let used: Vec<usize> = (0..zkey.proving_key.b_g1_query.len())
        .filter(|index| !zkey.proving_key.b_g1_query[*index].is_zero())
        .collect();
    zkey.proving_key.b_g1_query.swap(used[0], used[1]);
    let read = Zkey::from_bytes(&zkey.to_bytes().unwrap()).unwrap();
    assert!(
        reason(&read.check_queries().unwrap_err()).starts_with("its points aren't of the same")
    );
}

#[test]
fn a_last_contribution_that_ends_in_another_delta_is_refused() {
    let theirs = Zkey::from_bytes(&fixture_file("sample.zkey")).unwrap();
    let error = changed(|zkey| zkey.contributions = theirs.contributions.clone());
    assert!(reason(&error).starts_with("the last contribution ends in another delta"));

    for parameters in [&[9, 0][..], &[1, 3, b'a'], &[2, 1, 1, 0], &[1], &[2]] {
        let mut bad = theirs.clone();
        bad.contributions.list[0].parameters = parameters.to_vec();
        assert!(reason(&refused(&bad)).starts_with("a contribution's parameters"));
    }
    let bytes = fixture_file("sample.zkey");
    let count = section(&bytes, 10).start + 64;
    let many = edited(&bytes, |bytes| put_u32(bytes, count, u32::MAX));
    assert!(matches!(
        Zkey::from_bytes(&many),
        Err(InvalidFile::Truncated {
            expected: 64,
            found: 0,
            ..
        })
    ));
}

#[test]
fn coefficients_out_of_place_are_refused() {
    let bytes = SMALL.fixture().zkey().to_bytes().unwrap();
    let start = section(&bytes, 4).start + 4;
    let end = section(&bytes, 4).end;
    let refused = |edit: &dyn Fn(&mut [u8])| {
        let bytes = edited(&bytes, |bytes| edit(bytes));
        match Zkey::from_bytes(&bytes) {
            Ok(_) => panic!("accepted"),
            Err(error) => error,
        }
    };
    let outside = |error: InvalidFile, name: &str, limit: &str| matches!(error, InvalidFile::Number { what, expected, .. } if what == name && expected == limit);
    assert!(outside(
        refused(&|b| put_u32(b, start, 2)),
        "a coefficient's matrix",
        "less than 2"
    ));
    assert!(outside(
        refused(&|b| put_u32(b, start + 4, 16)),
        "a coefficient's row",
        "less than 16"
    ));
    assert!(outside(
        refused(&|b| put_u32(b, start + 8, 14)),
        "a coefficient's column",
        "less than 14"
    ));
    assert!(matches!(
        refused(&|b| b[start + 12..start + 44].fill(0xff)),
        InvalidFile::NonCanonical { index: 0, .. }
    ));
    // The last triple is the row for the last public column.
    let last = end - 44;
    for edit in [
        &(|b: &mut [u8]| put_u32(b, last, 1)) as &dyn Fn(&mut [u8]),
        &|b| put_u32(b, last + 8, 0),
        &|b| b[last + 12] ^= 1,
        &|b| put_u32(b, last + 4, 0),
    ] {
        let error = refused(edit);
        assert!(
            reason(&error).starts_with("the last rows aren't those")
                || reason(&error).starts_with("a row has two"),
            "{error}"
        );
    }
    // A triple twice.
    let copy = bytes[start..start + 44].to_vec();
    let error = refused(&|b| b[start + 44..start + 88].copy_from_slice(&copy));
    assert_eq!(reason(&error), "a row has two coefficients for one column");
}

#[test]
fn a_key_and_matrices_of_different_circuits_cant_be_written() {
    let (small, other) = (SMALL.fixture(), Circuit { rows: 12, ..SMALL }.fixture());
    let export = |key, fixture: &Fixture, public| {
        write(
            key,
            &fixture.matrices.abc,
            public,
            &Contributions::default(),
        )
        .err()
    };
    assert!(matches!(
        export(&small.key, &small, 2),
        Some(ExportError::Mismatch {
            what: "IC points",
            expected: 2,
            found: 3
        })
    ));
    assert!(matches!(
        export(&small.key, &small, 0),
        Some(ExportError::Mismatch { found: 0, .. })
    ));
    assert!(matches!(
        export(&small.key, &Circuit { rows: 40, ..SMALL }.fixture(), 3),
        Some(ExportError::Mismatch {
            expected: 64,
            found: 16,
            ..
        })
    ));
    assert_eq!(export(&other.key, &other, 3), None);
    let mut libsnark = small.key.clone();
    libsnark.h_query.pop();
    assert!(matches!(
        export(&libsnark, &small, 3),
        Some(ExportError::Mismatch {
            expected: 16,
            found: 15,
            ..
        })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_key_survives_its_file_and_proves(
        seed in any::<u64>(), rows in 1usize..30, public in 0usize..4,
    ) {
        let fixture = Circuit { seed, rows, public }.fixture();
        let bytes = fixture.zkey().to_bytes().unwrap();
        let zkey = Zkey::from_bytes(&bytes).unwrap();
        prop_assert!(zkey.proving_key == fixture.key);
        prop_assert_eq!(zkey.check_queries(), Ok(()));
        prop_assert!(zkey.to_bytes().unwrap() == bytes);
        let proof = prove(
            &zkey.proving_key, &zkey.matrices, zkey.public_columns, &fixture.assignment,
        );
        prop_assert!(verifies(&fixture.key.vk, &proof, fixture.public()));
    }

    #[test]
    fn a_coefficient_that_was_changed_gives_no_valid_proof(
        which in any::<prop::sample::Index>(), seed in any::<u64>(),
    ) {
        let fixture = SMALL.fixture();
        let mut zkey = Zkey::from_bytes(&fixture.zkey().to_bytes().unwrap()).unwrap();
        let mut terms: Vec<_> = zkey.matrices[0].iter_mut().flatten().collect();
        let at = which.index(terms.len());
        let by = Fr::rand(&mut ChaCha20Rng::seed_from_u64(seed));
        terms[at].0 *= by + Fr::one();
        let bytes = zkey.to_bytes().unwrap();
        let zkey = Zkey::from_bytes(&bytes).unwrap();
        let proof = prove(
            &zkey.proving_key, &zkey.matrices, zkey.public_columns, &fixture.assignment,
        );
        // Unless the row's other side, or the column, is zero anyway.
        let [a, b] = zkey.matrices.clone();
        let [.., c] = fixture.matrices.abc.clone();
        let changed = Matrices { abc: [a, b, c], ..fixture.matrices };
        prop_assume!(!changed.failing_rows(&fixture.assignment).is_empty());
        prop_assert!(!verifies(&fixture.key.vk, &proof, fixture.public()));
    }
}
