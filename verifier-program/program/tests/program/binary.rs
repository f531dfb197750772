//! The compiled files: that they are there, from these sources, and small.

use std::process::Command;

use veilpool_program_harness::{
    binary::{Build, check, root, sources_sha256},
    figures,
};

/// 160 KiB.
const MAX_SIZE: usize = 160 * 1_024;

#[test]
fn the_binaries_are_there_and_made_from_these_sources() {
    for build in [Build::Release, Build::Development] {
        // An ELF file of sBPF version 3.
        let bytes = build.bytes();
        assert_eq!(bytes[..4], *b"\x7fELF");
        assert_eq!(bytes[48], 3);
    }
    assert_ne!(Build::Release.bytes(), Build::Development.bytes());
}

#[test]
fn the_script_and_the_tests_hash_the_same_sources() {
    let output = Command::new(root().join("verifier-program/sbf/sources.sh"))
        .output()
        .unwrap();
    let script = String::from_utf8(output.stdout).unwrap();
    assert_eq!(script.trim(), sources_sha256(&root()).unwrap());
}

#[test]
fn a_missing_changed_or_old_binary_is_refused_with_what_to_do() {
    let file = Build::Development.file();
    let sources = sources_sha256(&root()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let refusal = |sources: &str| check(folder.path(), file, sources).unwrap_err();
    assert!(refusal(&sources).starts_with("veilpool_program.toml can't be read"));
    for name in ["veilpool_program.toml", file] {
        if name == file {
            assert!(refusal(&sources).starts_with(&format!("{file} can't be read")));
        }
        let committed = root().join("verifier-program/sbf").join(name);
        std::fs::copy(committed, folder.path().join(name)).unwrap();
    }
    assert!(check(folder.path(), file, &sources).is_ok());
    let old = refusal(&"0".repeat(64));
    assert_eq!(
        old,
        format!("{file} is older than its sources: run `make program` and commit what it writes")
    );
    std::fs::write(folder.path().join(file), b"something else").unwrap();
    assert!(refusal(&sources).contains("is not the one that veilpool_program.toml describes"));
}

#[test]
fn the_binaries_are_smaller_than_their_limit() {
    for (file, size) in figures::sizes() {
        assert!(size < MAX_SIZE, "{file} has {size} bytes");
    }
}
