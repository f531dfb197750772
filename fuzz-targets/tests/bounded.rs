//! Each target for a fixed number of rounds, from its seeds and what lies in `corpus/`.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use std::{env, fs, path::PathBuf};

use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha20Rng;
use veilpool_fuzz_targets::{TARGETS, Target, mutate::mutate};

const ROUNDS: u64 = 3_000;

fn inputs(target: &Target) -> Vec<Vec<u8>> {
    let mut inputs = (target.seeds)();
    assert!(!inputs.is_empty(), "{} has no seeds", target.name);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut files: Vec<PathBuf> = match fs::read_dir(folder.join(target.name)) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    };
    files.sort();
    inputs.extend(files.into_iter().map(|path| fs::read(path).unwrap()));
    inputs
}

fn rounds() -> u64 {
    env::var("VEILPOOL_FUZZ_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

fn drive(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let inputs = inputs(target);
    for input in &inputs {
        (target.run)(input);
    }
    let rounds = rounds();
    for round in 0..rounds {
        let rng = &mut ChaCha20Rng::seed_from_u64(round);
        let mut bytes = inputs.choose(rng).unwrap().clone();
        let other = inputs.choose(rng).unwrap();
        // Most parsers read a header first: half of the edits are near the beginning.
        if rng.r#gen() && bytes.len() > 200 {
            let mut head = bytes[..200].to_vec();
            mutate(&mut head, other, rng);
            bytes.splice(..200, head);
        } else {
            mutate(&mut bytes, other, rng);
        }
        (target.run)(&bytes);
    }
}

macro_rules! targets {
    ($($test:ident: $name:literal,)*) => {
        const DRIVEN: &[&str] = &[$($name),*];
        $(#[test]
        fn $test() {
            drive($name);
        })*
    };
}

targets! {
    no_mutation_of_a_zkey_does_harm: "zkey",
    no_mutation_of_a_wtns_does_harm: "wtns",
    no_mutation_of_an_r1cs_does_harm: "r1cs",
    no_mutation_of_a_ptau_does_harm: "ptau",
    no_mutation_of_snarkjs_json_does_harm: "snarkjs_json",
    no_mutation_of_a_proof_does_harm: "proof",
    no_mutation_of_a_verifying_key_does_harm: "verifying_key",
    no_mutation_of_a_proving_key_does_harm: "proving_key",
    no_mutation_of_a_claim_document_does_harm: "claim_document",
    no_mutation_of_a_manifest_does_harm: "manifest",
    no_mutation_of_a_policy_does_harm: "policy",
}

#[test]
fn every_target_is_driven_here_and_by_libfuzzer() {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(DRIVEN, names);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
    let mut binaries: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    binaries.sort();
    let mut names = names;
    names.sort_unstable();
    assert_eq!(binaries, names);
}
