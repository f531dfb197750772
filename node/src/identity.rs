//! The operator's secret in its file.

use std::{io::Read, path::Path};

use rand::{CryptoRng, RngCore};
use veilpool_keyfile::{self as keyfile, KeyfileError, Kind, Passphrase};
use veilpool_primitives::{OperatorSecret, operator::ENTROPY_LEN};
use veilpool_protocol::FieldBytes;
use zeroize::Zeroizing;

/// Distinct byte values below which entropy is refused. 64 random bytes have about 57; fewer than 16 happens with a
/// probability below 2^-100.
const MIN_DISTINCT: usize = 16;

/// Why there is no operator's secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The file.
    #[error(transparent)]
    Keyfile(#[from] KeyfileError),
    /// Not a secret that this software makes.
    #[error("the identity file doesn't hold an operator's secret: {0}; restore it from its backup")]
    Malformed(&'static str),
    /// The input of an import could not be read.
    #[error("the entropy to import could not be read: {0}")]
    Unreadable(#[source] std::io::Error),
    /// Not 64 bytes.
    #[error(
        "an import takes exactly {ENTROPY_LEN} random bytes and found {found}; a passphrase, a wallet's signature or a shorter \
         key isn't enough: use `veilpool identity new`, or `head -c {ENTROPY_LEN} /dev/urandom`"
    )]
    Length {
        /// How many there were, counted up to one more than are wanted.
        found: usize,
    },
    /// Bytes that no random generator makes.
    #[error(
        "the {ENTROPY_LEN} bytes have only {distinct} different values, which random bytes don't: they are text, a pattern or \
         padding; use `veilpool identity new`"
    )]
    LowEntropy {
        /// Different values.
        distinct: usize,
    },
}

/// A fresh secret from 64 random bytes.
pub fn generate<R: RngCore + CryptoRng>(rng: &mut R) -> OperatorSecret {
    OperatorSecret::generate(rng)
}

/// A secret from 64 random bytes made elsewhere, by dice or a hardware generator (attack I10). Everything there is
/// is read: what follows the 64 bytes makes the import fail too.
///
/// # Errors
/// [`IdentityError::Length`], [`IdentityError::LowEntropy`], [`IdentityError::Unreadable`].
pub fn import(entropy: &mut dyn Read) -> Result<OperatorSecret, IdentityError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ENTROPY_LEN + 1));
    entropy
        .take(ENTROPY_LEN as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(IdentityError::Unreadable)?;
    let entropy: &[u8; ENTROPY_LEN] = bytes
        .as_slice()
        .try_into()
        .map_err(|_| IdentityError::Length { found: bytes.len() })?;
    let mut seen = [false; 256];
    for byte in entropy {
        seen[usize::from(*byte)] = true;
    }
    let distinct = seen.into_iter().filter(|seen| *seen).count();
    if distinct < MIN_DISTINCT {
        return Err(IdentityError::LowEntropy { distinct });
    }
    // Hexadecimal text has at most 16 different values, but upper and lower case mixed has 22.
    if entropy.iter().all(u8::is_ascii) {
        return Err(IdentityError::LowEntropy { distinct });
    }
    Ok(OperatorSecret::from_entropy(entropy))
}

/// Writes a secret to a new file.
///
/// # Errors
/// [`IdentityError::Keyfile`].
pub fn write(
    path: &Path,
    secret: &OperatorSecret,
    passphrase: Option<&Passphrase>,
) -> Result<(), IdentityError> {
    let bytes = secret.expose_bytes();
    Ok(keyfile::write(
        path,
        Kind::Operator,
        bytes.as_slice(),
        passphrase,
    )?)
}

/// Reads a secret.
///
/// # Errors
/// [`IdentityError`].
pub fn read(path: &Path, passphrase: Option<&Passphrase>) -> Result<OperatorSecret, IdentityError> {
    let bytes = keyfile::read(path, Kind::Operator, passphrase)?;
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(
        bytes
            .as_slice()
            .try_into()
            .map_err(|_| IdentityError::Malformed("it isn't 32 bytes long"))?,
    );
    let field = FieldBytes::new(*bytes)
        .map_err(|_| IdentityError::Malformed("it isn't less than the field's order"))?;
    OperatorSecret::from_field(field).ok_or(IdentityError::Malformed("it is zero"))
}

/// The same secret once more, for a task of its own.
pub(crate) fn again(secret: &OperatorSecret) -> OperatorSecret {
    let copy = FieldBytes::new(*secret.expose_bytes())
        .ok()
        .and_then(OperatorSecret::from_field);
    copy.unwrap_or_else(|| unreachable!("a secret's encoding is one"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngCore as _, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn try_import(mut bytes: &[u8]) -> Result<OperatorSecret, IdentityError> {
        import(&mut bytes)
    }

    #[test]
    fn a_secret_survives_its_file_with_and_without_a_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let secret = generate(&mut ChaCha20Rng::seed_from_u64(1));
        let passphrase = Passphrase::new("correct horse".into());
        for (name, given) in [("plain", None), ("locked", Some(&passphrase))] {
            let path = folder.path().join(name);
            write(&path, &secret, given).unwrap();
            assert_eq!(
                read(&path, given).unwrap().commitment(),
                secret.commitment()
            );
        }
    }

    #[test]
    fn a_file_with_something_else_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        for (bytes, reason) in [
            (vec![1; 31], "it isn't 32 bytes long"),
            (vec![0; 32], "it is zero"),
            (vec![0xff; 32], "it isn't less than the field's order"),
        ] {
            let path = folder.path().join(format!("{}-{}", bytes.len(), bytes[0]));
            keyfile::write(&path, Kind::Operator, &bytes, None).unwrap();
            assert!(
                matches!(read(&path, None), Err(IdentityError::Malformed(said)) if said == reason)
            );
        }
    }

    #[test]
    fn i10_short_long_and_patterned_entropy_is_refused() {
        let good: [u8; ENTROPY_LEN] = std::array::from_fn(|i| (i * 37 + 5) as u8);
        try_import(&good).unwrap();
        for len in [0, 1, 32, 63] {
            assert!(
                matches!(try_import(&good[..len]), Err(IdentityError::Length { found }) if found == len)
            );
        }
        let long = [&good[..], &good[..]].concat();
        assert!(matches!(
            try_import(&long),
            Err(IdentityError::Length { found: 65 })
        ));
        assert!(matches!(
            try_import(&[0; 64]),
            Err(IdentityError::LowEntropy { distinct: 1 })
        ));
        let fifteen: Vec<u8> = (0..64).map(|i| 200 + i % 15).collect();
        assert!(matches!(
            try_import(&fifteen),
            Err(IdentityError::LowEntropy { distinct: 15 })
        ));
        let sixteen: Vec<u8> = (0..64).map(|i| 200 + i % 16).collect();
        try_import(&sixteen).unwrap();
    }

    #[test]
    fn i10_text_is_no_entropy() {
        // A wallet's signature or a key in hexadecimal or base 58, or words.
        let hexadecimal = b"00112233445566778899aabbccddeeff0123456789abcdefFEDCBA9876543210";
        assert!(matches!(
            try_import(hexadecimal),
            Err(IdentityError::LowEntropy { distinct: 22 })
        ));
        let words = b"the quick brown fox jumps over the lazy dog and runs far far away";
        assert!(matches!(
            try_import(&words[..64]),
            Err(IdentityError::LowEntropy { .. })
        ));
    }

    proptest! {
        #[test]
        fn i10_random_entropy_is_taken(seed: u64) {
            let mut entropy = [0; ENTROPY_LEN];
            ChaCha20Rng::seed_from_u64(seed).fill_bytes(&mut entropy);
            prop_assert!(try_import(&entropy).is_ok());
        }
    }
}
