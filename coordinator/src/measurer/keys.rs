//! A measurer's secrets: two signing keys of its own, and the schedule secret that the measurers of
//! a set share.
//!
//! ```text
//! keys      = seed of the Schnorr key (64) ‖ Ed25519 secret (32)
//! heartbeat = HMAC-SHA-256(Ed25519 secret, "veilpool/measurer/heartbeat/v1")   key of the heartbeats' times
//! ```

use hmac::{Hmac, Mac};
use rand::{CryptoRng, RngCore};
use sha2::Sha256;
use veilpool_primitives::{AttestationSigner, MeasurerSecret};
use veilpool_protocol::{MeasurerKeyBytes, api::EdKeyBytes};
use zeroize::Zeroizing;

const SEED_LEN: usize = 64;
const ED25519_LEN: usize = 32;
/// Length of the encoding.
pub const KEYS_LEN: usize = SEED_LEN + ED25519_LEN;
/// Length of a schedule secret.
pub const SCHEDULE_LEN: usize = 32;

/// The bytes are no secret of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a {what} has {expected} bytes that are not all equal, and here are {found}; use the file that this software wrote"
)]
pub struct InvalidSecret {
    what: &'static str,
    expected: usize,
    found: usize,
}

/// A measurer's signing keys. Zeroized on drop; no `Debug`, `Clone` or `Serialize`.
pub struct Keys {
    bytes: Zeroizing<[u8; KEYS_LEN]>,
    signer: AttestationSigner,
}

impl Keys {
    /// Fresh keys.
    pub fn generate<R: RngCore + CryptoRng>(rng: &mut R) -> Self {
        let mut bytes = Zeroizing::new([0u8; KEYS_LEN]);
        rng.fill_bytes(bytes.as_mut());
        Self::new(bytes)
    }

    /// From the bytes of [`Self::expose_bytes`].
    ///
    /// # Errors
    /// [`InvalidSecret`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSecret> {
        checked(bytes, "measurer's secret").map(Self::new)
    }

    fn new(bytes: Zeroizing<[u8; KEYS_LEN]>) -> Self {
        let mut seed = Zeroizing::new([0u8; SEED_LEN]);
        let mut ed25519 = Zeroizing::new([0u8; ED25519_LEN]);
        seed.copy_from_slice(&bytes[..SEED_LEN]);
        ed25519.copy_from_slice(&bytes[SEED_LEN..]);
        let signer = AttestationSigner::new(
            MeasurerSecret::from_entropy(&seed),
            ed25519_dalek::SigningKey::from_bytes(&ed25519),
        );
        Self { bytes, signer }
    }

    /// The secrets themselves, for their file only.
    #[must_use]
    pub fn expose_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.bytes.to_vec())
    }

    /// Of the Schnorr signatures: what stands in the pool's set.
    #[must_use]
    pub fn attestation_key(&self) -> MeasurerKeyBytes {
        self.signer.measurer_key().to_bytes()
    }

    /// Of the Ed25519 signatures.
    #[must_use]
    pub fn ed25519_key(&self) -> EdKeyBytes {
        EdKeyBytes::new(self.signer.ed25519_key().to_bytes())
    }

    pub(crate) const fn signer(&self) -> &AttestationSigner {
        &self.signer
    }

    /// Key of the function that draws heartbeats' times: this measurer's alone, the same after a restart.
    pub(crate) fn heartbeat_secret(&self) -> Zeroizing<[u8; 32]> {
        prf(
            &self.bytes[SEED_LEN..],
            &[b"veilpool/measurer/heartbeat/v1"],
        )
    }
}

/// What the measurers of a set share, so that each knows when the others measure bandwidth and
/// nodes don't. Zeroized on drop; no `Debug`, `Clone` or `Serialize`.
pub struct ScheduleSecret(Zeroizing<[u8; SCHEDULE_LEN]>);

impl ScheduleSecret {
    /// A fresh secret.
    pub fn generate<R: RngCore + CryptoRng>(rng: &mut R) -> Self {
        let mut bytes = Zeroizing::new([0u8; SCHEDULE_LEN]);
        rng.fill_bytes(bytes.as_mut());
        Self(bytes)
    }

    /// From the bytes of [`Self::expose_bytes`].
    ///
    /// # Errors
    /// [`InvalidSecret`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSecret> {
        checked(bytes, "schedule secret").map(Self)
    }

    /// The secret itself, for its file only.
    #[must_use]
    pub fn expose_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_vec())
    }

    pub(crate) fn key(&self) -> &[u8; SCHEDULE_LEN] {
        &self.0
    }
}

/// Right length, and not a constant: a file of zeros is none of ours.
fn checked<const N: usize>(
    bytes: &[u8],
    what: &'static str,
) -> Result<Zeroizing<[u8; N]>, InvalidSecret> {
    let mut out = Zeroizing::new([0u8; N]);
    let varied = bytes.iter().any(|byte| Some(byte) != bytes.first());
    if bytes.len() != N || !varied {
        return Err(InvalidSecret {
            what,
            expected: N,
            found: bytes.len(),
        });
    }
    out.copy_from_slice(bytes);
    Ok(out)
}

/// HMAC-SHA-256 of parts whose lengths are fixed by their place.
pub(crate) fn prf(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of every length")
    };
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use rand::rngs::OsRng;

    use super::*;

    #[test]
    fn keys_survive_their_encoding() {
        let keys = Keys::generate(&mut OsRng);
        let again = Keys::from_bytes(&keys.expose_bytes()).unwrap();
        assert_eq!(again.attestation_key(), keys.attestation_key());
        assert_eq!(again.ed25519_key(), keys.ed25519_key());
        assert_eq!(again.heartbeat_secret(), keys.heartbeat_secret());
        let schedule = ScheduleSecret::generate(&mut OsRng);
        let again = ScheduleSecret::from_bytes(&schedule.expose_bytes()).unwrap();
        assert_eq!(again.key(), schedule.key());
    }

    #[test]
    fn bytes_of_another_length_or_all_equal_are_no_secret() {
        for bytes in [&[][..], &[1, 2, 3], &[7; KEYS_LEN], &[1; KEYS_LEN + 1]] {
            let found = bytes.len();
            let expected = InvalidSecret {
                what: "measurer's secret",
                expected: KEYS_LEN,
                found,
            };
            assert_eq!(Keys::from_bytes(bytes).err(), Some(expected));
        }
        assert!(ScheduleSecret::from_bytes(&[0; SCHEDULE_LEN]).is_err());
    }
}
