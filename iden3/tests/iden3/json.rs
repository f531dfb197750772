//! snarkjs' JSON: the same values out and in, and what is refused.

use ark_bn254::{Fq, Fr, G1Affine};
use ark_ec::AffineRepr;
use ark_ff::{PrimeField, UniformRand};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use veilpool_iden3::{InvalidJson, json as format};
use veilpool_params::encoding::InvalidPoint;

use super::common::{SMALL, fixture_text, g2_outside, verifies};

fn key() -> Value {
    serde_json::from_str(&fixture_text("verification_key.json")).unwrap()
}

fn refused_key(change: impl FnOnce(&mut Value)) -> InvalidJson {
    let mut value = key();
    change(&mut value);
    format::parse_verifying_key(&value.to_string()).unwrap_err()
}

fn refused_proof(change: impl FnOnce(&mut Value)) -> InvalidJson {
    let mut value: Value = serde_json::from_str(&fixture_text("proof.json")).unwrap();
    change(&mut value);
    format::parse_proof(&value.to_string()).unwrap_err()
}

#[test]
fn a_proof_of_snarkjs_verifies_here_and_is_written_back() {
    let key = format::parse_verifying_key(&fixture_text("verification_key.json")).unwrap();
    let proof = format::parse_proof(&fixture_text("proof.json")).unwrap();
    let public = format::parse_public(&fixture_text("public.json")).unwrap();
    assert!(verifies(&key, &proof, &public));
    assert!(!verifies(&key, &proof, &[public[1], public[0]]));
    let same = |ours: Value, name: &str| {
        let mut theirs: Value = serde_json::from_str(&fixture_text(name)).unwrap();
        if let Some(object) = theirs.as_object_mut() {
            object.remove("vk_alphabeta_12");
        }
        assert_eq!(ours, theirs, "{name}");
    };
    same(format::verifying_key(&key), "verification_key.json");
    same(format::proof(&proof), "proof.json");
    same(format::public(&public), "public.json");
}

#[test]
fn numbers_that_snarkjs_wouldnt_write_are_refused() {
    for number in [
        "", "-1", "+1", "01", "00", "0x10", " 1", "1 ", "1.0", "1e3", "١",
    ] {
        assert_eq!(
            format::parse_public(&json!([number]).to_string()),
            Err(InvalidJson::NotDecimal("public")),
            "{number:?}"
        );
    }
    let order = Fr::MODULUS.to_string();
    let twice_256 =
        "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    let nines = "9".repeat(78);
    let long = "1".repeat(10_000);
    for number in [order.as_str(), twice_256, &nines, &long] {
        assert_eq!(
            format::parse_public(&json!([number]).to_string()),
            Err(InvalidJson::NonCanonical("public")),
            "{number:?}"
        );
    }
    // 2²⁵⁶ + 1 is not taken for 1.
    let wrapped = format!("{}7", &twice_256[..twice_256.len() - 1]);
    assert_eq!(
        format::parse_public(&json!([wrapped]).to_string()),
        Err(InvalidJson::NonCanonical("public"))
    );
    assert!(matches!(
        format::parse_public("[1]"),
        Err(InvalidJson::Malformed(_))
    ));
    let most = (Fr::from(0u64) - Fr::from(1u64)).to_string();
    assert_eq!(
        format::parse_public(&json!([most, "0"]).to_string()),
        Ok(vec![-Fr::from(1u64), Fr::from(0u64)])
    );
}

#[test]
fn other_systems_and_curves_are_named() {
    assert!(matches!(
        refused_key(|v| v["protocol"] = json!("plonk")),
        InvalidJson::Kind { field: "protocol", found, .. } if found == "plonk"
    ));
    assert!(matches!(
        refused_proof(|v| v["curve"] = json!("bls12381")),
        InvalidJson::Kind { field: "curve", found, .. } if found == "bls12381"
    ));
}

#[test]
fn points_that_are_none_are_named() {
    assert_eq!(
        refused_proof(|v| v["pi_a"] = json!(["1", "1", "1"])),
        InvalidJson::Point {
            what: "pi_a",
            source: InvalidPoint::NotOnCurve
        }
    );
    let outside = g2_outside();
    let coordinates = json!([
        [outside.x.c0.to_string(), outside.x.c1.to_string()],
        [outside.y.c0.to_string(), outside.y.c1.to_string()],
        ["1", "0"],
    ]);
    assert_eq!(
        refused_proof(|v| v["pi_b"] = coordinates.clone()),
        InvalidJson::Point {
            what: "pi_b",
            source: InvalidPoint::NotInSubgroup
        }
    );
    assert_eq!(
        refused_proof(|v| v["pi_c"][2] = json!("2")),
        InvalidJson::Projective("pi_c")
    );
    assert_eq!(
        refused_proof(|v| v["pi_c"][0] = json!(Fq::MODULUS.to_string())),
        InvalidJson::NonCanonical("pi_c")
    );
}

#[test]
fn c2_and_c3_keys_with_which_proofs_can_be_forged_are_refused() {
    let generator = format::verifying_key(&{
        let mut key = SMALL.fixture().key.vk;
        key.delta_g2 = ark_bn254::G2Affine::generator();
        key
    });
    assert_eq!(
        format::parse_verifying_key(&generator.to_string()),
        Err(InvalidJson::NoPhase2("vk_delta_2 is the generator"))
    );
    assert_eq!(
        refused_key(|v| v["vk_gamma_2"] = v["vk_delta_2"].clone()),
        InvalidJson::NoPhase2("vk_gamma_2 is vk_delta_2")
    );
    assert_eq!(
        refused_key(|v| v["IC"][1] = json!(["0", "1", "0"])),
        InvalidJson::Identity("IC")
    );
    assert_eq!(
        refused_key(|v| v["vk_alpha_1"] = json!(["0", "1", "0"])),
        InvalidJson::Identity("vk_alpha_1")
    );
}

#[test]
fn a_number_of_public_inputs_that_lies_is_refused() {
    assert_eq!(
        refused_key(|v| v["nPublic"] = json!(u32::MAX)),
        InvalidJson::IcCount {
            expected: 1 << 32,
            found: 3
        }
    );
    assert!(matches!(
        refused_key(|v| v["nPublic"] = json!(1u64 << 60)),
        InvalidJson::Malformed(_)
    ));
}

#[test]
fn what_isnt_of_this_shape_is_refused() {
    assert!(matches!(
        refused_key(|v| v["more"] = json!(1)),
        InvalidJson::Malformed(_)
    ));
    assert!(matches!(
        refused_key(|v| drop(v.as_object_mut().unwrap().remove("vk_beta_2"))),
        InvalidJson::Malformed(_)
    ));
    assert!(matches!(
        refused_proof(|v| v["pi_a"] = json!(["1", "2"])),
        InvalidJson::Malformed(_)
    ));
    let text = fixture_text("proof.json");
    for cut in 0..text.len() {
        if !text[cut..].trim().is_empty() {
            assert!(matches!(
                format::parse_proof(&text[..cut]),
                Err(InvalidJson::Malformed(_))
            ));
        }
    }
    let twice = format!("{text}{text}");
    assert!(matches!(
        format::parse_proof(&twice),
        Err(InvalidJson::Malformed(_))
    ));
    let deep = "[".repeat(100_000);
    assert!(matches!(
        format::parse_public(&deep),
        Err(InvalidJson::Malformed(_))
    ));
}

proptest! {
    #[test]
    fn every_element_survives_its_decimal(seed in any::<u64>(), small in any::<u64>()) {
        let random = Fr::rand(&mut ChaCha20Rng::seed_from_u64(seed));
        let values = [random, -random, Fr::from(small)];
        prop_assert_eq!(format::parse_public(&format::public(&values).to_string()), Ok(values.to_vec()));
    }

    #[test]
    fn identities_survive_in_a_proof(which in 0usize..3, seed in any::<u64>()) {
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let mut proof = ark_groth16::Proof::<ark_bn254::Bn254> {
            a: G1Affine::rand(rng),
            b: ark_bn254::G2Affine::rand(rng),
            c: G1Affine::rand(rng),
        };
        match which {
            0 => proof.a = G1Affine::identity(),
            1 => proof.b = ark_bn254::G2Affine::identity(),
            _ => proof.c = G1Affine::identity(),
        }
        prop_assert_eq!(format::parse_proof(&format::proof(&proof).to_string()), Ok(proof));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in ".{0,200}") {
        let _ = format::parse_public(&text);
        let _ = format::parse_proof(&text);
        let _ = format::parse_verifying_key(&text);
    }
}
