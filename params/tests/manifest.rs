//! What is committed belongs together: manifest, circuit, keys (T7), and the setup that made them.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use proptest::prelude::*;
use veilpool_circuits::claim;
use veilpool_params::{
    MANIFEST, Manifest, ManifestError, ON_CHAIN_VERIFYING_KEYS, Stage, VERIFYING_KEYS,
    manifest::{FileRecord, Record},
    setup::{self, LABEL},
};
use veilpool_protocol::{MeasurerCount, verifying_key::Status};

fn committed() -> Manifest {
    Manifest::parse(MANIFEST).unwrap()
}

#[test]
fn the_manifest_is_that_of_the_circuit_and_of_the_committed_keys() {
    for (index, n) in MeasurerCount::ALL.into_iter().enumerate() {
        let manifest = committed();
        let record = manifest.find(n).unwrap();
        let info = claim::info(n.get()).unwrap();
        assert_eq!(record.fingerprint, info.fingerprint);
        assert_eq!(record.version, info.version);
        assert_eq!(record.constraints, info.constraints);
        assert_eq!(record.witnesses, info.witnesses);
        assert_eq!(record.public_inputs, info.public_inputs);
        assert_eq!(record.non_zeros, info.non_zeros);
        assert_eq!(record.status, Status::Development);
        assert_eq!(
            record.on_chain_verifying_key,
            FileRecord::of(ON_CHAIN_VERIFYING_KEYS[index])
        );
        assert_eq!(record.verifying_key, FileRecord::of(VERIFYING_KEYS[index]));
    }
}

#[test]
fn c3_a_development_setup_says_what_it_is() {
    assert!(LABEL.contains("insecure"));
    assert!(MANIFEST.contains("ANYBODY CAN FORGE CLAIMS"));
    assert!(MANIFEST.contains("status = \"dev\""));
    for key in ON_CHAIN_VERIFYING_KEYS {
        assert_eq!(key[5], Status::Development.to_byte());
    }
}

#[test]
fn the_setup_gives_the_committed_keys_whatever_the_number_of_threads() {
    let made_with = |threads: usize| -> Record {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let keys = setup::development_keys(MeasurerCount::Three, &mut |_, _| {}).unwrap();
            setup::record(&keys)
        })
    };
    let manifest = committed();
    let expected = manifest.find(MeasurerCount::Three).unwrap();
    assert_eq!(made_with(1), *expected);
    assert_eq!(made_with(3), *expected);
}

#[test]
fn writing_the_development_setup_again_changes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut last = (Stage::Synthesis, 0.0);
    let manifest = setup::write_development(folder.path(), &mut |stage, fraction| {
        assert!(
            fraction >= last.1,
            "progress fell from {last:?} to {fraction}"
        );
        last = (stage, fraction);
    })
    .unwrap();
    assert_eq!(last, (Stage::Done, 1.0));
    assert_eq!(manifest, committed());
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("manifest.toml"), MANIFEST.as_bytes());
    for (index, n) in [3, 5, 7].into_iter().enumerate() {
        assert_eq!(
            read(&format!("claim-n{n}-v2.vk")),
            ON_CHAIN_VERIFYING_KEYS[index]
        );
        assert_eq!(
            read(&format!("claim-n{n}-v2.verifying-key.bin")),
            VERIFYING_KEYS[index]
        );
    }
}

#[test]
fn a_manifest_survives_its_text() {
    assert_eq!(committed().to_toml().unwrap(), MANIFEST);
}

#[test]
fn a_wrong_manifest_is_refused_with_the_reason() {
    let edited = |from: &str, to: &str| {
        let text = MANIFEST.replacen(from, to, 1);
        assert_ne!(text, MANIFEST);
        Manifest::parse(&text).unwrap_err()
    };
    assert_eq!(
        edited("circuit = \"claim\"", "circuit = \"other\""),
        ManifestError::UnknownCircuit("other".to_owned())
    );
    assert_eq!(
        edited("\nstatus = \"dev\"", "\nstatus = \"audited\""),
        ManifestError::UnknownStatus("audited".to_owned())
    );
    assert_eq!(edited("n = 3", "n = 4"), ManifestError::UnsupportedCount(4));
    assert_eq!(edited("n = 3", "n = 5"), ManifestError::Repeated(5));
    assert_eq!(
        edited("fingerprint = \"", "fingerprint = \"zz"),
        ManifestError::NotAHash {
            field: "fingerprint"
        }
    );
    assert!(matches!(
        edited("version = 2", "version = -1"),
        ManifestError::Malformed(_)
    ));
    assert!(matches!(
        edited("size = ", "bytes = "),
        ManifestError::Malformed(_)
    ));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,400}", cut in 0usize..MANIFEST.len()) {
        let _ = Manifest::parse(&text);
        prop_assume!(MANIFEST.is_char_boundary(cut));
        if let Ok(manifest) = Manifest::parse(&MANIFEST[..cut]) {
            prop_assert!(manifest.records().len() < 3 || cut > MANIFEST.len() - 2);
        }
    }
}
