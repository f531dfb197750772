//! snarkjs takes what we write, and we take what it writes.

use std::fs;

use veilpool_iden3::{R1cs, RawWtns, RawZkey, Wtns, Zkey, json};

use super::common::{Circuit, Fixture, SMALL, prove, read, snarkjs, snarkjs_ok, verifies};

fn exported(fixture: &Fixture) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("c.zkey", &fixture.zkey().to_bytes().unwrap());
    write("c.wtns", &fixture.wtns().expose_bytes());
    write("c.r1cs", &R1cs::new(&fixture.matrices).unwrap().to_bytes());
    write(
        "vk.json",
        json::verifying_key(&fixture.key.vk).to_string().as_bytes(),
    );
    folder
}

#[test]
fn snarkjs_prints_the_counts_of_our_r1cs_and_finds_the_witness_right() {
    let fixture = SMALL.fixture();
    let folder = exported(&fixture);
    let said = snarkjs_ok(folder.path(), &["r1cs", "info", "c.r1cs"]);
    let columns = fixture.matrices.public_columns + fixture.matrices.witness_columns;
    for line in [
        "Curve: bn-128".to_owned(),
        format!("# of Wires: {columns}"),
        format!("# of Constraints: {}", fixture.matrices.rows()),
        "# of Private Inputs: 0".to_owned(),
        "# of Public Inputs: 2".to_owned(),
        format!("# of Labels: {columns}"),
        "# of Outputs: 0".to_owned(),
    ] {
        assert!(said.contains(&line), "{line}: {said}");
    }
    let said = snarkjs_ok(folder.path(), &["wtns", "check", "c.r1cs", "c.wtns"]);
    assert!(said.contains("WITNESS IS CORRECT"), "{said}");

    let mut wrong = fixture.assignment.clone();
    *wrong.last_mut().unwrap() += ark_bn254::Fr::from(1u64);
    let wrong = Wtns::new(wrong.into()).unwrap();
    fs::write(folder.path().join("c.wtns"), &*wrong.expose_bytes()).unwrap();
    let (_, said) = snarkjs(folder.path(), &["wtns", "check", "c.r1cs", "c.wtns"]);
    assert!(said.contains("WITNESS IS NOT CORRECT"), "{said}");
}

#[test]
fn snarkjs_proves_with_our_key_and_witness_and_both_verify() {
    for circuit in [
        SMALL,
        Circuit {
            seed: 9,
            rows: 1,
            public: 0,
        },
    ] {
        let fixture = circuit.fixture();
        let folder = exported(&fixture);
        let at = folder.path();
        snarkjs_ok(
            at,
            &[
                "groth16",
                "prove",
                "c.zkey",
                "c.wtns",
                "proof.json",
                "public.json",
            ],
        );
        let said = snarkjs_ok(
            at,
            &["groth16", "verify", "vk.json", "public.json", "proof.json"],
        );
        assert!(said.contains("OK!"), "{said}");
        let proof = json::parse_proof(&read(at, "proof.json")).unwrap();
        let public = json::parse_public(&read(at, "public.json")).unwrap();
        assert_eq!(public, fixture.public());
        assert!(verifies(&fixture.key.vk, &proof, &public));

        // And the key that snarkjs takes out of the .zkey is the one that we write.
        snarkjs_ok(
            at,
            &["zkey", "export", "verificationkey", "c.zkey", "theirs.json"],
        );
        let theirs = json::parse_verifying_key(&read(at, "theirs.json")).unwrap();
        assert_eq!(theirs, fixture.key.vk);
        assert_eq!(
            json::parse_verifying_key(&read(at, "vk.json")).unwrap(),
            theirs
        );
    }
}

#[test]
fn snarkjs_verifies_our_proof_with_a_key_read_back_from_a_zkey() {
    let fixture = SMALL.fixture();
    let folder = exported(&fixture);
    let zkey = Zkey::from_bytes(&fs::read(folder.path().join("c.zkey")).unwrap()).unwrap();
    let [a, b, _] = R1cs::new(&fixture.matrices).unwrap().matrices().abc.clone();
    assert!(zkey.matrices == [a, b]);
    assert!(zkey.proving_key == fixture.key);
    zkey.check_queries().unwrap();
    let wtns = Wtns::from_bytes(&fs::read(folder.path().join("c.wtns")).unwrap()).unwrap();
    let proof = prove(
        &zkey.proving_key,
        &zkey.matrices,
        zkey.public_columns,
        wtns.expose_assignment(),
    );
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("proof.json", json::proof(&proof).to_string());
    write("public.json", json::public(fixture.public()).to_string());
    let arguments = ["groth16", "verify", "vk.json", "public.json", "proof.json"];
    assert!(snarkjs_ok(folder.path(), &arguments).contains("OK!"));

    let mut other = fixture.public().to_vec();
    other[0] += ark_bn254::Fr::from(1u64);
    write("public.json", json::public(&other).to_string());
    let (success, said) = snarkjs(folder.path(), &arguments);
    assert!(!success && said.contains("Invalid proof"), "{said}");
}

#[test]
fn a_flipped_bit_that_snarkjs_proves_with_is_refused_here() {
    let fixture = SMALL.fixture();
    let folder = exported(&fixture);
    let at = folder.path();
    let path = at.join("c.zkey");
    let mut bytes = fs::read(&path).unwrap();
    // In the last H point's y coordinate, which is in the section before the contributions' 68 bytes.
    let place = bytes.len() - 68 - 12 - 20;
    bytes[place] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let refused = RawZkey::parse(&bytes).unwrap().validate().err().unwrap();
    let last = fixture.key.h_query.len() - 1;
    assert_eq!(
        refused.to_string(),
        format!("section 9 (H) of the .zkey file: point {last}: the point isn't on the curve")
    );
    snarkjs_ok(
        at,
        &[
            "groth16",
            "prove",
            "c.zkey",
            "c.wtns",
            "proof.json",
            "public.json",
        ],
    );
    let (success, said) = snarkjs(
        at,
        &["groth16", "verify", "vk.json", "public.json", "proof.json"],
    );
    assert!(!success && !said.contains("OK!"), "{said}");
}

#[test]
fn a_witness_of_another_circuit_doesnt_fit_and_its_length_says_so() {
    let fixture = SMALL.fixture();
    let wtns = fixture.wtns().expose_bytes();
    let raw = RawWtns::parse(&wtns).unwrap();
    assert_eq!(raw.columns() as usize, fixture.assignment.len());
}
