//! Commands that need no daemon: what they print, and how they refuse.

use std::{fs, os::unix::fs::PermissionsExt};

use super::process::{failure, json, run};

#[test]
fn circuit_info_prints_counts_and_the_manifests_fingerprint() {
    let info = json(&["circuit", "info", "--n", "5"]);
    assert!(info["constraints"].as_u64().unwrap() < 16_384);
    assert_eq!(info["public_inputs"], 1);
    assert!(info["witnesses"].as_u64().unwrap() > 10_000);
    let manifest = json(&["params", "show"]);
    let of_five = manifest
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["n"] == 5)
        .unwrap();
    assert_eq!(of_five["fingerprint"], info["fingerprint"]);
    assert_eq!(of_five["constraints"], info["constraints"]);
    assert!(
        failure(&["circuit", "info", "--n", "4"])
            .contains("4 measurers are not supported: use 3, 5 or 7")
    );
}

#[test]
fn a_proof_is_made_verified_and_refused_when_it_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proof.json");
    let file = path.to_str().unwrap();
    let report = json(&["prove", "--n", "3", "--seed", "5", "--out", file]);
    assert_eq!(report["proof"].as_str().unwrap().len(), 2 * 128);
    assert_eq!(json(&["verify", "--proof", file])["valid"], true);

    let text = fs::read_to_string(&path).unwrap();
    let input = report["public_input"].as_str().unwrap();
    let digit = if input.ends_with('0') { '1' } else { '0' };
    let other = format!("{}{digit}", &input[..63]);
    fs::write(&path, text.replace(input, &other)).unwrap();
    assert!(
        failure(&["verify", "--proof", file])
            .contains("the proof is not valid for this public input")
    );
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    assert!(failure(&["verify", "--proof", file]).contains("is not a proof of this software"));
}

#[test]
fn an_identity_is_private_encrypted_when_asked_and_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("operator.key");
    let file = path.to_str().unwrap();
    let made = json(&["identity", "new", "--out", file]);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        json(&["identity", "show", "--identity", file])["commitment"],
        made["commitment"]
    );
    assert!(failure(&["identity", "new", "--out", file]).contains("is not written over"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(failure(&["identity", "show", "--identity", file]).contains("chmod 600"));

    let word = folder.path().join("passphrase");
    fs::write(&word, "correct horse battery staple\n").unwrap();
    fs::set_permissions(&word, fs::Permissions::from_mode(0o600)).unwrap();
    let locked = folder.path().join("locked.key");
    let (locked, word) = (locked.to_str().unwrap(), word.to_str().unwrap());
    json(&[
        "identity",
        "new",
        "--out",
        locked,
        "--passphrase-file",
        word,
    ]);
    assert!(failure(&["identity", "show", "--identity", locked]).contains("is encrypted"));
    json(&[
        "identity",
        "show",
        "--identity",
        locked,
        "--passphrase-file",
        word,
    ]);
}

#[test]
fn i10_an_import_of_too_little_entropy_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("operator.key");
    // Standard input is empty here.
    assert!(failure(&["identity", "import", "--out", path.to_str().unwrap()]).contains("64"));
    assert!(!path.exists());
}

#[test]
fn every_command_has_help_and_wrong_arguments_end_with_2() {
    for command in [
        vec!["--help"],
        vec!["demo", "--help"],
        vec!["localnet", "--help"],
        vec!["node", "run", "--help"],
        vec!["measurer", "run", "--help"],
        vec!["relayer", "run", "--help"],
        vec!["keeper", "run", "--help"],
        vec!["prove", "--help"],
        vec!["export", "--help"],
        vec!["pool", "init", "--help"],
        vec!["pool", "request-withdrawal", "--help"],
        vec!["pool", "withdraw", "--help"],
        vec!["pool", "withdrawals", "--help"],
        vec!["pool", "exit", "--help"],
        vec!["pool", "release-bond", "--help"],
        vec!["pool", "propose", "--help"],
        vec!["pool", "propose", "parameters", "--help"],
        vec!["pool", "proposals", "--help"],
        vec!["pool", "execute", "--help"],
        vec!["pool", "pause", "--help"],
        vec!["pool", "hand-over", "--help"],
        vec!["identity", "new", "--help"],
    ] {
        let output = run(&command);
        assert!(output.status.success(), "{command:?}");
        assert!(output.stdout.len() > 300, "{command:?}");
    }
    let localnet = String::from_utf8(run(&["localnet", "--help"]).stdout).unwrap();
    assert!(localnet.contains("What it is not: there is no consensus"));
    for lacking in [
        &["pool", "init"][..],
        &["pool", "exit"],
        &["pool", "request-withdrawal", "--shares", "1", "--all"],
        &["pool", "propose"],
        &["pool", "hand-over"],
    ] {
        assert_eq!(run(lacking).status.code(), Some(2), "{lacking:?}");
    }
}

#[test]
fn an_rpc_that_is_down_is_said_with_what_to_do() {
    let pool = "11111111111111111111111111111112";
    let said = failure(&[
        "pool",
        "show",
        "--rpc",
        "http://127.0.0.1:9",
        "--pool",
        pool,
    ]);
    assert!(said.contains("http://127.0.0.1:9"), "{said}");
    assert!(said.contains("check that it runs"), "{said}");
}

#[test]
fn a_guests_configuration_names_the_nodes_key_of_the_epoch_and_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let identity = folder.path().join("operator.key");
    let identity = identity.to_str().unwrap();
    json(&["identity", "new", "--out", identity]);
    let pool = "11111111111111111111111111111112";
    let write = |epoch: &str, name: &str| {
        let out = folder.path().join(name);
        let said = json(&[
            "node",
            "guest",
            "--pool",
            pool,
            "--identity",
            identity,
            "--epoch",
            epoch,
            "--endpoint",
            "node.example:51820",
            "--out",
            out.to_str().unwrap(),
        ]);
        let mode = fs::metadata(&out).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        (fs::read_to_string(out).unwrap(), said["node"].clone())
    };
    let ((first, key), (again, same), (later, other)) =
        (write("1", "a"), write("1", "b"), write("2", "c"));
    for line in [
        "MTU = 1420",
        "DNS = 9.9.9.9, 2620:fe::fe",
        "Endpoint = node.example:51820",
        "AllowedIPs = 0.0.0.0/0, ::/0",
    ] {
        assert!(first.contains(line), "{line}");
    }
    let of = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.unwrap().to_owned()
    };
    // Each guest has its own key, and the node the epoch's.
    assert_ne!(of(&first, "PrivateKey"), of(&again, "PrivateKey"));
    assert_eq!(of(&first, "PublicKey"), of(&again, "PublicKey"));
    assert_ne!(of(&first, "PublicKey"), of(&later, "PublicKey"));
    assert_eq!(key, same);
    assert_ne!(key, other);
    assert_eq!(
        run(&[
            "node",
            "guest",
            "--pool",
            pool,
            "--identity",
            identity,
            "--epoch",
            "1",
            "--endpoint",
            "nowhere",
            "--out",
            "x"
        ])
        .status
        .code(),
        Some(2)
    );
}

#[test]
fn a_configuration_file_with_a_fault_is_refused_with_the_keys_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node.toml");
    fs::write(&file, "colour = 1\n").unwrap();
    let line = ["node", "run", "--config", file.to_str().unwrap()];
    let output = run(&line);
    assert_eq!(output.status.code(), Some(2));
    assert!(failure(&line).contains("`colour` is no option of `veilpool node run`"));
    // What a file leaves out is asked for as on the command line.
    fs::write(&file, "max-fee = 5\n").unwrap();
    assert!(failure(&line).contains("--identity"));
}
