//! From a cache folder to parameters that can be proven with.
//!
//! A proving key of several megabytes isn't committed: it is made once and kept in a cache. Reading
//! it back checks size and SHA-256 against the manifest *while* it streams, before a byte of it is
//! interpreted, and then that the manifest's fingerprint is that of the circuit in this build.

use std::{
    env, fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use ark_bn254::Bn254;
use ark_groth16::ProvingKey;
use ark_serialize::CanonicalDeserialize;
use sha2::{Digest, Sha256};
use veilpool_circuits::{claim::Info, matrices::Matrices};
use veilpool_protocol::{MeasurerCount, verifying_key::Status};

use crate::{
    MANIFEST, ON_CHAIN_VERIFYING_KEYS,
    manifest::{FileRecord, Manifest, ManifestError, Record},
    setup::{self, Progress, SetupError, Stage},
    verifying_key::{InvalidVerifyingKey, VerifyingKey},
};

/// Environment variable that overrides the cache folder.
pub const CACHE_VARIABLE: &str = "VEILPOOL_PARAMS";
const CHUNK: usize = 1 << 18;

/// Why parameters could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The embedded manifest is broken: a mistake in the build.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// No such parameters.
    #[error("the manifest has no parameters for {0} measurers")]
    Missing(usize),
    /// The file could not be read.
    #[error("{path} could not be read: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file has another size.
    #[error(
        "{path} has {found} bytes and the manifest says {expected}; delete it, and it will be made again"
    )]
    Size {
        /// Which.
        path: PathBuf,
        /// Of the file; when it is longer than expected, one more than expected.
        found: u64,
        /// By the manifest.
        expected: u64,
    },
    /// The file has another content.
    #[error(
        "{path} doesn't have the SHA-256 that the manifest says; delete it, and it will be made again"
    )]
    Hash {
        /// Which.
        path: PathBuf,
    },
    /// The manifest is of another circuit than this build's.
    #[error(
        "the manifest's parameters are for a circuit with the fingerprint {expected}, this build's has {found}; run `veilpool params setup-dev --write` and rebuild"
    )]
    Fingerprint {
        /// Of the circuit in this build.
        found: String,
        /// By the manifest.
        expected: String,
    },
    /// The setup gives another key than the manifest's.
    #[error(
        "the development setup of this build gives another proving key than the manifest's; run `veilpool params setup-dev --write` and rebuild"
    )]
    OtherSetup,
    /// The right hash, and yet not a key: a mistake in the build.
    #[error("the proving key can't be decoded: {0}")]
    Malformed(String),
    /// A verifying key is refused.
    #[error(transparent)]
    VerifyingKey(#[from] InvalidVerifyingKey),
    /// The proving key belongs to another verifying key.
    #[error("the proving key and the embedded verifying key don't belong together")]
    Mismatch,
    /// The development setup failed.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Parameters of a ceremony can't be made, only fetched.
    #[error(
        "{0} isn't there; a ceremony's key can't be made again: fetch it from where it was published"
    )]
    CeremonyKeyAbsent(PathBuf),
}

/// A proving key with everything that proving needs beside it.
pub struct Parameters {
    /// What the manifest says.
    pub record: Record,
    /// For proving.
    pub proving_key: ProvingKey<Bn254>,
    /// The embedded one, validated.
    pub verifying_key: VerifyingKey,
    /// Of the circuit in this build.
    pub matrices: Matrices,
}

/// The manifest that this build was made with.
///
/// # Errors
/// [`ManifestError`], for a broken build.
pub fn embedded_manifest() -> Result<Manifest, ManifestError> {
    Manifest::parse(MANIFEST)
}

/// The verifying key that this build was made with, checked against the manifest.
///
/// # Errors
/// [`LoadError`].
pub fn embedded_verifying_key(n: MeasurerCount) -> Result<VerifyingKey, LoadError> {
    let manifest = embedded_manifest()?;
    let record = manifest.find(n).ok_or(LoadError::Missing(n.get()))?;
    verifying_key_of(record)
}

fn verifying_key_of(record: &Record) -> Result<VerifyingKey, LoadError> {
    let index = MeasurerCount::ALL
        .iter()
        .position(|n| *n == record.n)
        .ok_or(LoadError::Missing(record.n.get()))?;
    let bytes = ON_CHAIN_VERIFYING_KEYS[index];
    if FileRecord::of(bytes) != record.on_chain_verifying_key {
        return Err(LoadError::Hash {
            path: format!("{}.vk", record.stem()).into(),
        });
    }
    let key = VerifyingKey::from_on_chain_bytes(bytes)?;
    if key.n() != record.n
        || key.status() != record.status
        || *key.fingerprint() != record.fingerprint
    {
        return Err(LoadError::Mismatch);
    }
    Ok(key)
}

/// `$VEILPOOL_PARAMS`, else `$XDG_CACHE_HOME/veilpool/params`, else `~/.cache/veilpool/params`,
/// else a folder here.
#[must_use]
pub fn default_cache_dir() -> PathBuf {
    if let Some(folder) = env::var_os(CACHE_VARIABLE) {
        return folder.into();
    }
    env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .unwrap_or_else(|| PathBuf::from(".cache"))
        .join("veilpool")
        .join("params")
}

impl Parameters {
    /// Reads the proving key from the cache, or makes it there first (development parameters only).
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load_or_make(
        n: MeasurerCount,
        cache: &Path,
        progress: &mut Progress<'_>,
    ) -> Result<Self, LoadError> {
        let manifest = embedded_manifest()?;
        let record = manifest.find(n).ok_or(LoadError::Missing(n.get()))?;
        let path = proving_key_path(record, cache);
        if path.exists() {
            return Self::load(n, cache, progress);
        }
        if record.status != Status::Development {
            return Err(LoadError::CeremonyKeyAbsent(path));
        }
        make_proving_key(record, &path, progress)?;
        Self::load(n, cache, &mut |stage, fraction| {
            progress(stage, 0.85 + fraction * 0.15);
        })
    }

    /// Reads the proving key from the cache.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load(
        n: MeasurerCount,
        cache: &Path,
        progress: &mut Progress<'_>,
    ) -> Result<Self, LoadError> {
        let manifest = embedded_manifest()?;
        let record = manifest.find(n).ok_or(LoadError::Missing(n.get()))?;
        let path = proving_key_path(record, cache);
        let bytes = read_checked(&path, &record.proving_key, &mut |fraction| {
            progress(Stage::Reading, fraction * 0.6);
        })?;
        progress(Stage::Checking, 0.6);
        let proving_key = decode_proving_key(&bytes)?;
        drop(bytes);
        let verifying_key = verifying_key_of(record)?;
        if proving_key.vk != *verifying_key.as_ark() {
            return Err(LoadError::Mismatch);
        }
        let matrices = setup::claim_matrices(n).map_err(SetupError::from)?;
        check_fingerprint(&Info::of(n.get(), &matrices), record)?;
        progress(Stage::Done, 1.0);
        Ok(Self {
            record: record.clone(),
            proving_key,
            verifying_key,
            matrices,
        })
    }
}

/// Where the cache has the proving key. The name carries the hash's beginning, so that builds with
/// other parameters don't meet.
#[must_use]
pub fn proving_key_path(record: &Record, cache: &Path) -> PathBuf {
    let hash = hex::encode(&record.proving_key.sha256[..8]);
    cache.join(format!("{}-{hash}.pk", record.stem()))
}

/// A proving key as [`setup::write_proving_key`] writes it. **Its points aren't checked**: this is for bytes whose hash is
/// right, so that they are what the setup wrote. Bytes that are none give an error and no more; memory is taken as points
/// are read, whatever a length says.
///
/// # Errors
/// [`LoadError::Malformed`].
pub fn decode_proving_key(mut bytes: &[u8]) -> Result<ProvingKey<Bn254>, LoadError> {
    let key = ProvingKey::<Bn254>::deserialize_uncompressed_unchecked(&mut bytes)
        .map_err(|error| LoadError::Malformed(error.to_string()))?;
    if bytes.is_empty() {
        Ok(key)
    } else {
        Err(LoadError::Malformed("trailing bytes".to_owned()))
    }
}

/// Reads a file of which size and hash are known. Never takes more memory than the known size.
///
/// # Errors
/// [`LoadError::Read`], [`LoadError::Size`], [`LoadError::Hash`].
pub fn read_checked(
    path: &Path,
    expected: &FileRecord,
    progress: &mut dyn FnMut(f32),
) -> Result<Vec<u8>, LoadError> {
    let unreadable = |source| LoadError::Read {
        path: path.to_owned(),
        source,
    };
    let wrong_size = |found| LoadError::Size {
        path: path.to_owned(),
        found,
        expected: expected.size,
    };
    // One byte more than expected is enough to see that a file is too long.
    let mut file = fs::File::open(path)
        .map_err(unreadable)?
        .take(expected.size.saturating_add(1));
    let mut hasher = Sha256::new();
    let mut bytes = Vec::new();
    let mut chunk = vec![0u8; CHUNK];
    loop {
        let read = file.read(&mut chunk).map_err(unreadable)?;
        let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else {
            break;
        };
        hasher.update(part);
        bytes.extend_from_slice(part);
        if bytes.len() as u64 > expected.size {
            return Err(wrong_size(bytes.len() as u64));
        }
        progress(bytes.len() as f32 / expected.size.max(1) as f32);
    }
    if bytes.len() as u64 != expected.size {
        return Err(wrong_size(bytes.len() as u64));
    }
    if hasher.finalize()[..] != expected.sha256 {
        return Err(LoadError::Hash {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

// What isn't the manifest's key is never written.
fn make_proving_key(
    record: &Record,
    path: &Path,
    progress: &mut Progress<'_>,
) -> Result<(), LoadError> {
    let keys = setup::development_keys(record.n, &mut |stage, fraction| {
        progress(stage, fraction * 0.7);
    })?;
    check_fingerprint(&keys.info, record)?;
    if setup::record(&keys).proving_key != record.proving_key {
        return Err(LoadError::OtherSetup);
    }
    progress(Stage::Writing, 0.8);
    write_atomically(path, |file| {
        setup::write_proving_key(&keys.proving_key, file)
    })?;
    Ok(())
}

fn check_fingerprint(info: &Info, record: &Record) -> Result<(), LoadError> {
    if info.fingerprint == record.fingerprint {
        return Ok(());
    }
    Err(LoadError::Fingerprint {
        found: hex::encode(info.fingerprint),
        expected: hex::encode(record.fingerprint),
    })
}

// A file that is there is whole: written beside its place, synced, then renamed.
fn write_atomically(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), SetupError> {
    let unwritable = |source| SetupError::Write {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    // Several processes and threads may make the same key at a time: each writes a file of its own,
    // and the content is the same.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{number}.part", std::process::id()));
    let result = (|| {
        let file = fs::File::create(&temporary)?;
        let mut writer = io::BufWriter::with_capacity(CHUNK, file);
        content(&mut writer)?;
        writer.flush()?;
        writer.get_ref().sync_all()?;
        fs::rename(&temporary, path)
    })();
    if result.is_err() {
        // Best effort: the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    result.map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_not_the_manifests_is_not_written() {
        let manifest = embedded_manifest().unwrap();
        let record = manifest.find(MeasurerCount::Three).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let refused = |edit: fn(&mut Record)| {
            let mut other = record.clone();
            edit(&mut other);
            let path = folder.path().join("claim.pk");
            let error = make_proving_key(&other, &path, &mut |_, _| {}).unwrap_err();
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
            error
        };
        let error = refused(|record| record.proving_key.sha256[0] ^= 1);
        assert!(matches!(error, LoadError::OtherSetup), "{error}");
        let error = refused(|record| record.fingerprint[0] ^= 1);
        assert!(matches!(error, LoadError::Fingerprint { .. }), "{error}");
    }
}
