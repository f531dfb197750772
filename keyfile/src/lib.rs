//! Secrets in files.
//!
//! ```text
//! plain      "veilpool secret v1\n" ‖ kind ‖ "\n" ‖ lower-case hexadecimal ‖ "\n"
//! encrypted  the same, as an age file with a passphrase (scrypt; age-encryption.org/v1)
//! ```
//! A file is made with mode 0600 under another name, synced, and renamed, so that it is there whole or not at
//! all; an existing one is never written over. A file that others may read is refused, as is one of another
//! kind: a measurer's key can't be used as an operator's secret by mistake.

#![forbid(unsafe_code)]

use std::{
    fs,
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use age::secrecy::SecretString;
use zeroize::Zeroizing;

/// First line of a plain file.
const HEADER: &str = "veilpool secret v1";
/// First bytes of an age file.
const AGE: &[u8] = b"age-encryption.org/v1";
/// No secret of ours comes near; a larger file is something else.
const MAX_LEN: u64 = 16 << 10;
/// Group and others have no bit.
const FORBIDDEN_MODE: u32 = 0o077;

/// What a file holds. Each is a line of its own in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// An operator's secret: 32 bytes, a field element that isn't zero.
    Operator,
    /// A measurer's keys.
    Measurer,
    /// What the measurers of a set share to know each other's times of measuring.
    Schedule,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Measurer => "measurer",
            Self::Schedule => "schedule",
        }
    }
}

/// A passphrase. Not printed, zeroized on drop.
pub struct Passphrase(SecretString);

impl Passphrase {
    /// From text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

/// Why a secret can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyfileError {
    /// The system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Would be written over.
    #[error("{} exists already and is not written over; choose another name, or move it away first", .0.display())]
    Exists(PathBuf),
    /// Others may read it.
    #[error("{} can be read by others (mode {mode:04o}); run `chmod 600` on it, and if it was copied anywhere, make a new secret", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Encrypted, and no passphrase was given.
    #[error("{} is encrypted; give its passphrase", .0.display())]
    PassphraseNeeded(PathBuf),
    /// Not the passphrase, or a damaged file.
    #[error("{} can't be decrypted: the passphrase is wrong, or the file is damaged", .0.display())]
    Undecipherable(PathBuf),
    /// Not a file of ours.
    #[error("{} is not a secret of this software: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// A secret of another kind.
    #[error("{} holds a secret of another kind; what is needed is one of kind '{expected}'", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// What is needed.
        expected: &'static str,
    },
}

/// Writes a secret to a new file.
///
/// # Errors
/// [`KeyfileError`]; nothing is left behind.
pub fn write(
    path: &Path,
    kind: Kind,
    secret: &[u8],
    passphrase: Option<&Passphrase>,
) -> Result<(), KeyfileError> {
    let digits = Zeroizing::new(hex::encode(secret));
    let plain = Zeroizing::new(format!("{HEADER}\n{}\n{}\n", kind.name(), *digits));
    let bytes = match passphrase {
        None => Zeroizing::new(plain.as_bytes().to_vec()),
        Some(passphrase) => {
            let recipient = age::scrypt::Recipient::new(passphrase.0.clone());
            let encrypted = age::encrypt(&recipient, plain.as_bytes())
                .map_err(|error| io_error("encrypt", path, io::Error::other(error.to_string())))?;
            Zeroizing::new(encrypted)
        }
    };
    write_new(path, &bytes)
}

/// Writes bytes to a new file that only its owner may read: whole, or not at all.
///
/// # Errors
/// [`KeyfileError::Exists`] and [`KeyfileError::Io`].
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyfileError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let failed = |source| io_error("write", path, source);
    // Made with mode 0600 by this crate, whatever the umask.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(path).map_err(|error| {
        if error.error.kind() == io::ErrorKind::AlreadyExists {
            KeyfileError::Exists(path.to_owned())
        } else {
            failed(error.error)
        }
    })?;
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)
}

/// Reads a secret.
///
/// # Errors
/// [`KeyfileError`].
pub fn read(
    path: &Path,
    kind: Kind,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<Vec<u8>>, KeyfileError> {
    let bytes = read_private(path)?;
    let plain = if bytes.starts_with(AGE) {
        let passphrase =
            passphrase.ok_or_else(|| KeyfileError::PassphraseNeeded(path.to_owned()))?;
        let identity = age::scrypt::Identity::new(passphrase.0.clone());
        let plain = age::decrypt(&identity, &bytes)
            .map_err(|_| KeyfileError::Undecipherable(path.to_owned()))?;
        Zeroizing::new(plain)
    } else {
        bytes
    };
    parse(&plain, kind).map_err(|wrong| match wrong {
        Wrong::Kind => KeyfileError::Kind {
            path: path.to_owned(),
            expected: kind.name(),
        },
        Wrong::Form(reason) => KeyfileError::Malformed {
            path: path.to_owned(),
            reason,
        },
    })
}

/// Reads a file that nobody else may read.
///
/// # Errors
/// [`KeyfileError`].
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyfileError> {
    let failed = |source| io_error("read", path, source);
    let file = fs::OpenOptions::new()
        .read(true)
        .open(path)
        .map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_file() && mode & FORBIDDEN_MODE != 0 {
        return Err(KeyfileError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    if metadata.size() > MAX_LEN {
        return Err(KeyfileError::Malformed {
            path: path.to_owned(),
            reason: "it is too large",
        });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LEN as usize));
    file.take(MAX_LEN).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

enum Wrong {
    Kind,
    Form(&'static str),
}

fn parse(plain: &[u8], kind: Kind) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    let text = std::str::from_utf8(plain).map_err(|_| Wrong::Form("it is not text"))?;
    let mut lines = text.split('\n');
    if lines.next() != Some(HEADER) {
        return Err(Wrong::Form("its first line is another"));
    }
    if lines.next() != Some(kind.name()) {
        return Err(Wrong::Kind);
    }
    let digits = lines.next().ok_or(Wrong::Form("it is truncated"))?;
    if lines.next() != Some("") || lines.next().is_some() {
        return Err(Wrong::Form(
            "it is truncated, or something follows the secret",
        ));
    }
    if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
        return Err(Wrong::Form("the secret is not lower-case hexadecimal"));
    }
    hex::decode(digits)
        .map(Zeroizing::new)
        .map_err(|_| Wrong::Form("the secret is not hexadecimal"))
}

fn io_error(doing: &'static str, path: &Path, source: io::Error) -> KeyfileError {
    KeyfileError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_secret_survives_with_and_without_a_passphrase() {
        let folder = folder();
        let passphrase = Passphrase::new("correct horse".into());
        for (name, given) in [("plain", None), ("locked", Some(&passphrase))] {
            let path = folder.path().join(name);
            write(&path, Kind::Operator, &[7; 32], given).unwrap();
            assert_eq!(*read(&path, Kind::Operator, given).unwrap(), [7; 32]);
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
            assert_eq!(
                fs::read_dir(folder.path())
                    .unwrap()
                    .filter(|entry| {
                        entry
                            .as_ref()
                            .unwrap()
                            .file_name()
                            .to_string_lossy()
                            .starts_with(".tmp")
                    })
                    .count(),
                0
            );
        }
        let locked = fs::read(folder.path().join("locked")).unwrap();
        assert!(locked.starts_with(AGE));
        assert!(!locked.windows(8).any(|window| window == b"07070707"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let folder = folder();
        let path = folder.path().join("secret");
        let passphrase = Passphrase::new("a".into());
        write(&path, Kind::Measurer, &[1, 2], Some(&passphrase)).unwrap();
        assert!(matches!(
            write(&path, Kind::Measurer, &[3], None),
            Err(KeyfileError::Exists(_))
        ));
        assert!(matches!(
            read(&path, Kind::Measurer, None),
            Err(KeyfileError::PassphraseNeeded(_))
        ));
        let other = Passphrase::new("b".into());
        assert!(matches!(
            read(&path, Kind::Measurer, Some(&other)),
            Err(KeyfileError::Undecipherable(_))
        ));
        assert!(matches!(
            read(&path, Kind::Operator, Some(&passphrase)),
            Err(KeyfileError::Kind { .. })
        ));
        assert!(matches!(
            read(&folder.path().join("none"), Kind::Operator, None),
            Err(KeyfileError::Io { .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            read(&path, Kind::Measurer, Some(&passphrase)),
            Err(KeyfileError::Exposed { mode: 0o640, .. })
        ));
    }

    #[test]
    fn trailing_truncated_and_oversized_files_are_refused() {
        for (text, reason) in [
            ("", "its first line is another"),
            ("veilpool secret v1\noperator", "it is truncated"),
            (
                "veilpool secret v1\noperator\n0707",
                "it is truncated, or something follows the secret",
            ),
            (
                "veilpool secret v1\noperator\n0707\n\n",
                "it is truncated, or something follows the secret",
            ),
            (
                "veilpool secret v1\noperator\n0Z\n",
                "the secret is not lower-case hexadecimal",
            ),
            (
                "veilpool secret v1\noperator\n070\n",
                "the secret is not hexadecimal",
            ),
        ] {
            assert!(
                matches!(parse(text.as_bytes(), Kind::Operator), Err(Wrong::Form(said)) if said == reason),
                "{text:?}"
            );
        }
        let folder = folder();
        let path = folder.path().join("large");
        write_new(&path, &vec![b'a'; MAX_LEN as usize + 1]).unwrap();
        assert!(matches!(
            read(&path, Kind::Operator, None),
            Err(KeyfileError::Malformed {
                reason: "it is too large",
                ..
            })
        ));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&bytes, Kind::Operator).is_err());
        }
    }
}
