//! A whole setup by snarkjs from our `.ptau` and our `.r1cs`, compared with our own setup for the
//! same secrets, contributed to, verified by snarkjs, read by us, proven with, verified by snarkjs.

use std::fs;

use ark_bn254::Fr;
use ark_ff::Field;
use veilpool_iden3::{InvalidFile, PowersOfTau, R1cs, RawPtau, RawZkey, Zkey, json};

use super::common::{SMALL, Toxic, prove, read, snarkjs_ok, verifies};

#[test]
fn snarkjs_makes_the_same_key_from_our_r1cs_and_powers_of_tau_as_our_setup() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let matrices = SMALL.matrices();
    let assignment = SMALL.assignment();
    let domain = (matrices.rows() + matrices.public_columns).next_power_of_two();
    // As at the beginning of phase 2.
    let toxic = Toxic {
        gamma: Fr::ONE,
        delta: Fr::ONE,
        ..Toxic::new(7)
    };
    let log = domain.ilog2() + 1;
    let powers = toxic.powers(toxic.tau(domain), log);
    powers.check_ratios().unwrap();
    fs::write(at.join("raw.ptau"), powers.to_bytes().unwrap()).unwrap();
    let r1cs = R1cs::new(&matrices).unwrap().to_bytes();
    fs::write(at.join("c.r1cs"), r1cs).unwrap();

    snarkjs_ok(
        at,
        &["powersoftau", "prepare", "phase2", "raw.ptau", "c.ptau"],
    );
    let prepared = fs::read(at.join("c.ptau")).unwrap();
    let raw = RawPtau::parse(&prepared).unwrap();
    assert_eq!((raw.power(), raw.is_prepared()), (log, true));
    assert_eq!(PowersOfTau::from_bytes(&prepared, log).unwrap(), powers);
    let smaller = PowersOfTau::from_bytes(&prepared, log - 1).unwrap();
    assert_eq!(smaller.tau_g1, powers.tau_g1[..domain * 2 - 1]);
    assert_eq!(smaller.tau_g2, powers.tau_g2[..domain]);

    snarkjs_ok(at, &["groth16", "setup", "c.r1cs", "c.ptau", "0.zkey"]);
    let initial = fs::read(at.join("0.zkey")).unwrap();
    let initial = RawZkey::parse(&initial).unwrap();
    assert!(matches!(
        initial.validate().err(),
        Some(InvalidFile::Contradiction { reason, .. }) if reason.starts_with("delta is the generator")
    ));
    let initial = initial.validate_initial().unwrap();
    let ours = SMALL.key(&toxic);
    assert_eq!(initial.proving_key, ours);
    assert_eq!(
        initial.matrices,
        R1cs::new(&matrices).unwrap().matrices().abc[..2]
    );
    assert_eq!(initial.public_columns, matrices.public_columns);
    // The same file, but for snarkjs' order of sections and its hash of what the key was made of.
    assert_eq!(
        initial.to_bytes().unwrap().len(),
        fs::read(at.join("0.zkey")).unwrap().len()
    );

    snarkjs_ok(
        at,
        &[
            "zkey",
            "contribute",
            "0.zkey",
            "1.zkey",
            "--name=first",
            "-e=entropy",
        ],
    );
    snarkjs_ok(
        at,
        &[
            "zkey",
            "beacon",
            "1.zkey",
            "c.zkey",
            "0102030405060708",
            "10",
            "-n=last",
        ],
    );
    let said = snarkjs_ok(at, &["zkey", "verify", "c.r1cs", "c.ptau", "c.zkey"]);
    assert!(said.contains("ZKey Ok!"), "{said}");

    let file = fs::read(at.join("c.zkey")).unwrap();
    let zkey = Zkey::from_bytes(&file).unwrap();
    zkey.check_queries().unwrap();
    let kinds: Vec<u32> = zkey.contributions.list.iter().map(|c| c.kind).collect();
    assert_eq!(kinds, [0, 1]);
    assert!(zkey.proving_key.h_query != ours.h_query);
    // Written again and verified again, contributions and all.
    let again = zkey.to_bytes().unwrap();
    assert_eq!(again.len(), file.len());
    fs::write(at.join("again.zkey"), again).unwrap();
    let said = snarkjs_ok(at, &["zkey", "verify", "c.r1cs", "c.ptau", "again.zkey"]);
    assert!(said.contains("ZKey Ok!"), "{said}");

    let proof = prove(
        &zkey.proving_key,
        &zkey.matrices,
        zkey.public_columns,
        &assignment,
    );
    let public = &assignment[1..matrices.public_columns];
    assert!(verifies(&zkey.proving_key.vk, &proof, public));
    fs::write(at.join("proof.json"), json::proof(&proof).to_string()).unwrap();
    fs::write(at.join("public.json"), json::public(public).to_string()).unwrap();
    snarkjs_ok(
        at,
        &["zkey", "export", "verificationkey", "c.zkey", "vk.json"],
    );
    assert_eq!(
        json::parse_verifying_key(&read(at, "vk.json")).unwrap(),
        zkey.proving_key.vk
    );
    let said = snarkjs_ok(
        at,
        &["groth16", "verify", "vk.json", "public.json", "proof.json"],
    );
    assert!(said.contains("OK!"), "{said}");
}

#[test]
fn the_lagrange_sections_of_snarkjs_are_the_basis_in_arkworks_order() {
    use ark_bn254::{G1Affine, G2Affine};
    use ark_ec::{AffineRepr, CurveGroup};
    use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};

    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let toxic = Toxic::new(8);
    let tau = Fr::from(0x1234_5678u64);
    let powers = toxic.powers(tau, 3);
    fs::write(at.join("raw.ptau"), powers.to_bytes().unwrap()).unwrap();
    snarkjs_ok(
        at,
        &["powersoftau", "prepare", "phase2", "raw.ptau", "c.ptau"],
    );
    let bytes = fs::read(at.join("c.ptau")).unwrap();
    let raw = RawPtau::parse(&bytes).unwrap();
    assert_eq!(raw.contributions(), 0);
    for log in 0..=3 {
        let basis = GeneralEvaluationDomain::<Fr>::new(1 << log)
            .unwrap()
            .evaluate_all_lagrange_coefficients(tau);
        let lagrange = raw.lagrange(log).unwrap().unwrap();
        assert_eq!(lagrange.tau_g1.len(), 1 << log);
        for (index, value) in basis.into_iter().enumerate() {
            let g1 = |scalar: Fr| (G1Affine::generator() * scalar).into_affine();
            assert_eq!(lagrange.tau_g1[index], g1(value));
            assert_eq!(lagrange.alpha_tau_g1[index], g1(value * toxic.alpha));
            assert_eq!(lagrange.beta_tau_g1[index], g1(value * toxic.beta));
            assert_eq!(
                lagrange.tau_g2[index],
                (G2Affine::generator() * value).into_affine()
            );
        }
    }
    let unprepared = powers.to_bytes().unwrap();
    let unprepared = RawPtau::parse(&unprepared).unwrap();
    assert_eq!(unprepared.lagrange(3).unwrap(), None);
}
