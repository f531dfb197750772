//! An outside verifier checks an export: snarkjs, which `make test` installs.

use std::{env, fs, path::PathBuf, process::Command};

use serde_json::{Value, json};

use super::process;

fn snarkjs() -> PathBuf {
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
    path
}

#[test]
fn snarkjs_accepts_an_export_and_refuses_it_with_the_public_input_changed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("export");
    process::json(&[
        "export",
        "--format",
        "snarkjs",
        "--n",
        "3",
        "--out",
        out.to_str().unwrap(),
    ]);
    let verify = || {
        let output = Command::new(snarkjs())
            .args([
                "groth16",
                "verify",
                "verification_key.json",
                "public.json",
                "proof.json",
            ])
            .current_dir(&out)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (
            output.status.success(),
            said.contains("OK!"),
            said.contains("Invalid proof"),
        )
    };
    assert_eq!(verify(), (true, true, false));

    let path = out.join("public.json");
    let public: Vec<String> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(public.len(), 1);
    for (index, input) in public.iter().enumerate() {
        // The last digit another, whatever it is.
        let mut changed = public.clone();
        let last = if input.ends_with('1') { "2" } else { "1" };
        changed[index] = format!("{}{last}", &input[..input.len() - 1]);
        fs::write(&path, json!(changed).to_string()).unwrap();
        assert_eq!(verify(), (false, false, true), "public input {index}");
    }
    fs::write(&path, json!(public).to_string()).unwrap();
    let proof: Value = serde_json::from_slice(&fs::read(out.join("proof.json")).unwrap()).unwrap();
    assert_eq!(proof["protocol"], "groth16");
    assert_eq!(verify(), (true, true, false));
}

#[test]
fn snarkjs_proves_with_an_exported_key_and_witness_that_only_their_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("export");
    let export = [
        "export",
        "--n",
        "3",
        "--zkey",
        "--r1cs",
        "--wtns",
        "--out",
        out.to_str().unwrap(),
    ];
    process::json(&export);
    let mode = |name: &str| fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("claim.wtns"), 0o600);
    let run = |arguments: &[&str]| {
        let output = Command::new(snarkjs())
            .args(arguments)
            .current_dir(&out)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let said = run(&["wtns", "check", "claim.r1cs", "claim.wtns"]);
    assert!(said.contains("WITNESS IS CORRECT"), "{said}");
    run(&[
        "groth16",
        "prove",
        "claim.zkey",
        "claim.wtns",
        "theirs.json",
        "theirs_public.json",
    ]);
    let said = run(&[
        "groth16",
        "verify",
        "verification_key.json",
        "public.json",
        "theirs.json",
    ]);
    assert!(said.contains("OK!"), "{said}");
}
