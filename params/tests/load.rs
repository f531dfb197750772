//! Loading a proving key: only the right bytes are accepted, and nothing half written is ever found.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use std::{fs, path::PathBuf};

use proptest::prelude::*;
use veilpool_params::{
    LoadError, Parameters, Stage,
    load::{decode_proving_key, embedded_manifest, proving_key_path, read_checked},
    manifest::FileRecord,
};
use veilpool_protocol::MeasurerCount;

const N: MeasurerCount = MeasurerCount::Three;

fn made() -> (tempfile::TempDir, PathBuf) {
    let cache = tempfile::tempdir().unwrap();
    Parameters::load_or_make(N, cache.path(), &mut |_, _| {}).unwrap();
    let path = proving_key_path(embedded_manifest().unwrap().find(N).unwrap(), cache.path());
    (cache, path)
}

fn load_error(cache: &tempfile::TempDir) -> LoadError {
    match Parameters::load_or_make(N, cache.path(), &mut |_, _| {}) {
        Ok(_) => panic!("the key was accepted"),
        Err(error) => error,
    }
}

#[test]
fn a_key_is_made_once_and_then_read() {
    let (cache, path) = made();
    assert_eq!(
        fs::read_dir(cache.path()).unwrap().count(),
        1,
        "no temporary file is left"
    );
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let mut stages = Vec::new();
    let mut last = 0.0;
    let parameters = Parameters::load_or_make(N, cache.path(), &mut |stage, fraction| {
        assert!(fraction >= last);
        last = fraction;
        if stages.last() != Some(&stage) {
            stages.push(stage);
        }
    })
    .unwrap();
    assert_eq!(stages, [Stage::Reading, Stage::Checking, Stage::Done]);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), modified);
    assert_eq!(
        parameters.proving_key.vk,
        *parameters.verifying_key.as_ark()
    );
    assert_eq!(parameters.matrices.rows(), parameters.record.constraints);
}

#[test]
fn several_threads_may_make_the_same_key_at_a_time() {
    let cache = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| Parameters::load_or_make(N, cache.path(), &mut |_, _| {}).unwrap());
        }
    });
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1);
}

#[test]
fn c3_a_proving_key_with_one_other_byte_is_refused() {
    let (cache, path) = made();
    let honest = fs::read(&path).unwrap();
    for index in [0, 100, honest.len() / 2, honest.len() - 1] {
        let mut bytes = honest.clone();
        bytes[index] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(load_error(&cache), LoadError::Hash { .. }));
    }
}

#[test]
fn a_truncated_or_longer_proving_key_is_refused() {
    let (cache, path) = made();
    let honest = fs::read(&path).unwrap();
    let expected_size = honest.len() as u64;
    for size in [0, 1, honest.len() - 1] {
        fs::write(&path, &honest[..size]).unwrap();
        match load_error(&cache) {
            LoadError::Size {
                found, expected, ..
            } => {
                assert_eq!((found, expected), (size as u64, expected_size));
            }
            other => panic!("{other}"),
        }
    }
    for extra in [1, 1 << 20] {
        let mut longer = honest.clone();
        longer.resize(honest.len() + extra, 7);
        fs::write(&path, &longer).unwrap();
        match load_error(&cache) {
            LoadError::Size { found, .. } => assert_eq!(found, expected_size + 1),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_cache_that_can_not_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-a-folder");
    fs::write(&file, b"").unwrap();
    let error = match Parameters::load_or_make(N, &file.join("cache"), &mut |_, _| {}) {
        Ok(_) => panic!("a file is no folder"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("not-a-folder"), "{error}");
}

#[test]
fn a_file_is_checked_while_it_streams() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let content = vec![3u8; 1_000_000];
    fs::write(&path, &content).unwrap();
    let mut steps = 0;
    let read = read_checked(&path, &FileRecord::of(&content), &mut |_| steps += 1).unwrap();
    assert_eq!(read, content);
    assert!(steps > 1, "it is told how far it is");
    let missing = read_checked(
        &folder.path().join("none"),
        &FileRecord::of(&content),
        &mut |_| {},
    );
    assert!(matches!(missing, Err(LoadError::Read { .. })));
}

fn malformed(bytes: &[u8]) -> String {
    match decode_proving_key(bytes) {
        Err(LoadError::Malformed(reason)) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was decoded"),
    }
}

#[test]
fn a_length_field_of_2_to_the_60_in_a_proving_key_is_an_error_and_takes_no_memory() {
    let (_cache, path) = made();
    let honest = fs::read(&path).unwrap();
    assert!(decode_proving_key(&honest).is_ok());
    // Of the IC points: after alpha in G1 and beta, gamma, delta in G2.
    let at = 64 + 3 * 128;
    assert_eq!(honest[at..at + 8], 2u64.to_le_bytes());
    for lie in [0, 1, 3, 1 << 32, 1 << 60, u64::MAX] {
        let mut bytes = honest.clone();
        bytes[at..at + 8].copy_from_slice(&u64::to_le_bytes(lie));
        malformed(&bytes);
    }
    let mut longer = honest.clone();
    longer.push(0);
    assert_eq!(malformed(&longer), "trailing bytes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_the_decoder_of_proving_keys_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
    ) {
        prop_assert!(decode_proving_key(&bytes).is_err());
    }
}
