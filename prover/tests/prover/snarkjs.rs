//! The form of the export, and snarkjs itself at work on it. `docs/vectors/snarkjs/check.js` has it
//! accept a proof, and refuse it with any public input changed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use veilpool_iden3::{R1cs, Wtns, Zkey, json};
use veilpool_params::Parameters;
use veilpool_primitives::field;
use veilpool_protocol::MeasurerCount;
use veilpool_prover::{
    Proof,
    snarkjs::{
        PROOF_FILE, PUBLIC_FILE, R1CS_FILE, VERIFICATION_KEY_FILE, WTNS_FILE, ZKEY_FILE, files,
        public, r1cs, verification_key, wtns, zkey,
    },
    verify,
};

use super::common::{cache, inputs, proof, prover};

#[test]
fn the_export_has_the_points_as_decimal_strings() {
    let key = prover(MeasurerCount::Three).verifying_key();
    let [(_, key_json), (_, proof_json), (_, public_json)] =
        files(key, proof().proof(), &proof().public_input());
    let ark = proof().proof().as_ark();
    assert_eq!(proof_json["pi_a"][0], ark.a.x.to_string());
    assert_eq!(proof_json["pi_a"][2], "1");
    assert_eq!(proof_json["pi_b"][0][0], ark.b.x.c0.to_string());
    assert_eq!(proof_json["pi_b"][0][1], ark.b.x.c1.to_string());
    assert_eq!(proof_json["pi_b"][1][0], ark.b.y.c0.to_string());
    assert_eq!(proof_json["pi_b"][2], serde_json::json!(["1", "0"]));
    assert_eq!(proof_json["pi_c"][1], ark.c.y.to_string());
    assert_eq!(key_json["nPublic"], 1);
    assert_eq!(key_json["IC"].as_array().unwrap().len(), 2);
    for json in [&key_json, &proof_json] {
        assert_eq!(json["protocol"], "groth16");
        assert_eq!(json["curve"], "bn128");
    }
    assert_eq!(
        key_json["vk_delta_2"][1][1],
        key.as_ark().delta_g2.y.c1.to_string()
    );
    let x = field::from_bytes(proof().public_input().to_field());
    assert_eq!(public_json, serde_json::json!([x.to_string()]));
    assert_eq!(public_json, public(&proof().public_input()));
}

fn parameters(n: MeasurerCount) -> Parameters {
    Parameters::load_or_make(n, &cache(), &mut |_, _| {}).unwrap()
}

/// Runs snarkjs in a folder; what it printed, and whether it ended well.
fn run(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let path = env::var_os("VEILPOOL_SNARKJS").map_or_else(
        || {
            PathBuf::from(env::var_os("HOME").unwrap())
                .join(".cache/veilpool/snarkjs/node_modules/.bin/snarkjs")
        },
        PathBuf::from,
    );
    assert!(
        path.exists(),
        "{} is missing: run `make snarkjs`, which installs it",
        path.display()
    );
    let output = Command::new(path)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), said)
}

#[test]
fn snarkjs_reads_the_claim_circuit_and_proves_a_claim_with_our_key_and_witness() {
    let parameters = &parameters(MeasurerCount::Three);
    let inputs = inputs(MeasurerCount::Three);
    let wtns = wtns(&inputs).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join(ZKEY_FILE), zkey(parameters).unwrap()).unwrap();
    fs::write(at.join(R1CS_FILE), r1cs(parameters).unwrap().to_bytes()).unwrap();
    fs::write(at.join(WTNS_FILE), &*wtns.expose_bytes()).unwrap();
    let key = verification_key(&parameters.verifying_key).to_string();
    fs::write(at.join(VERIFICATION_KEY_FILE), key).unwrap();

    let (success, said) = run(at, &["r1cs", "info", R1CS_FILE]);
    assert!(success, "{said}");
    let record = &parameters.record;
    for line in [
        "Curve: bn-128".to_owned(),
        format!(
            "# of Wires: {}",
            1 + record.public_inputs + record.witnesses
        ),
        format!("# of Constraints: {}", record.constraints),
        format!("# of Public Inputs: {}", record.public_inputs),
    ] {
        assert!(said.contains(&line), "{line}: {said}");
    }
    let (_, said) = run(at, &["wtns", "check", R1CS_FILE, WTNS_FILE]);
    assert!(said.contains("WITNESS IS CORRECT"), "{said}");

    let arguments = [
        "groth16",
        "prove",
        ZKEY_FILE,
        WTNS_FILE,
        PROOF_FILE,
        PUBLIC_FILE,
    ];
    let (success, said) = run(at, &arguments);
    assert!(success, "{said}");
    let arguments = [
        "groth16",
        "verify",
        VERIFICATION_KEY_FILE,
        PUBLIC_FILE,
        PROOF_FILE,
    ];
    let (success, said) = run(at, &arguments);
    assert!(success && said.contains("OK!"), "{said}");

    // And its proof is one for us and for the chain.
    let read = |name: &str| fs::read_to_string(at.join(name)).unwrap();
    let public_input = inputs.public_inputs().to_bytes();
    assert_eq!(
        json::parse_public(&read(PUBLIC_FILE)).unwrap(),
        inputs.public_inputs().to_fields()
    );
    let theirs = Proof::new(json::parse_proof(&read(PROOF_FILE)).unwrap());
    assert_eq!(
        verify(&parameters.verifying_key, &public_input, &theirs.to_bytes()),
        Ok(())
    );
}

#[test]
fn the_exported_key_read_back_is_the_key_and_the_circuit_s_matrices() {
    let parameters = &parameters(MeasurerCount::Three);
    let bytes = zkey(parameters).unwrap();
    let read = Zkey::from_bytes(&bytes).unwrap();
    assert!(read.proving_key == parameters.proving_key);
    assert!(read.matrices == parameters.matrices.abc[..2]);
    assert_eq!(read.public_columns, parameters.matrices.public_columns);
    read.check_queries().unwrap();
    assert!(read.to_bytes().unwrap() == bytes);

    let r1cs = r1cs(parameters).unwrap();
    let read = R1cs::from_bytes(&r1cs.to_bytes()).unwrap();
    // The same fingerprint: nothing of the circuit is lost on the way.
    assert_eq!(read.matrices().fingerprint(), parameters.record.fingerprint);
}

#[test]
fn an_assignment_goes_out_and_in_for_every_number_of_measurers() {
    for n in MeasurerCount::ALL {
        let wtns = wtns(&inputs(n)).unwrap();
        let bytes = wtns.expose_bytes();
        let read = Wtns::from_bytes(&bytes).unwrap();
        assert!(read.expose_assignment() == wtns.expose_assignment());
        let matrices = &parameters(n).matrices;
        assert!(matrices.failing_rows(wtns.expose_assignment()).is_empty());
        let public = inputs(n).public_inputs().to_fields();
        assert_eq!(wtns.expose_assignment()[1..=public.len()], public);
    }
}
