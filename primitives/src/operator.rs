//! An operator's secret and what is derived from it.
//!
//! ```text
//! sk      ← 64 random bytes mod r          never from a wallet's signature
//! C       = P(ID, sk)                      commitment, the leaf of the registry
//! S_e     = P(SUBJECT, sk, e)              what measurers see in epoch e
//! nf_e    = P(NULLIFIER, sk, e)            what the chain sees
//! payout  = Ed25519 key from HKDF-SHA-256(sk, "payout", program, pool, e)
//! ```
//! The leaf is a *hash* of sk and not a curve point sk·G: with a point, sk, sk + l, … are several
//! secrets with one leaf and as many nullifiers (attack I2).

use ark_bn254::Fr;
use ark_ff::{PrimeField, Zero};
use hkdf::Hkdf;
use rand::{CryptoRng, RngCore};
use sha2::Sha256;
use veilpool_protocol::{
    AddressBytes, CommitmentBytes, EpochId, FieldBytes, NullifierBytes, SubjectBytes, tag,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{field, poseidon};

/// Random bytes that a secret is made from.
pub const ENTROPY_LEN: usize = 64;

/// The operator's secret sk. Zeroized on drop; no `Debug`, `Clone` or `Copy`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct OperatorSecret(Fr);

impl OperatorSecret {
    /// A fresh secret.
    pub fn generate<R: RngCore + CryptoRng>(rng: &mut R) -> Self {
        let mut entropy = Zeroizing::new([0u8; ENTROPY_LEN]);
        rng.fill_bytes(entropy.as_mut());
        Self::from_entropy(&entropy)
    }

    /// From exactly 64 uniformly random bytes. Shorter input doesn't fit the type (attack I10).
    #[must_use]
    pub fn from_entropy(entropy: &[u8; ENTROPY_LEN]) -> Self {
        Self(Fr::from_be_bytes_mod_order(entropy))
    }

    /// From the bytes of [`Self::expose_bytes`]; `None` when they are zero, which no generator
    /// makes and a broken file might.
    #[must_use]
    pub fn from_field(bytes: FieldBytes) -> Option<Self> {
        let sk = field::from_bytes(bytes);
        (!sk.is_zero()).then_some(Self(sk))
    }

    /// The secret itself, for the identity file only.
    #[must_use]
    pub fn expose_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(*field::to_bytes(&self.0).as_bytes())
    }

    /// The secret itself, for the circuit's witness only.
    #[must_use]
    pub fn expose_scalar(&self) -> Fr {
        self.0
    }

    /// C = P(ID, sk).
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        Commitment::derive(self.0)
    }

    /// S = P(SUBJECT, sk, epoch).
    #[must_use]
    pub fn subject(&self, epoch: EpochId) -> Subject {
        Subject::derive(self.0, epoch)
    }

    /// nf = P(NULLIFIER, sk, epoch).
    #[must_use]
    pub fn nullifier(&self, epoch: EpochId) -> Nullifier {
        Nullifier::derive(self.0, epoch)
    }

    /// The key that the claim of an epoch is paid to: a fresh address each epoch, which only the
    /// holder of sk can find again.
    #[must_use]
    pub fn payout_key(&self, pool: &AddressBytes, epoch: EpochId) -> ed25519_dalek::SigningKey {
        let bytes = self.derive_key("payout", pool, epoch);
        ed25519_dalek::SigningKey::from_bytes(&bytes)
    }

    /// 32 bytes of HKDF-SHA-256 for a purpose, a pool and an epoch.
    #[must_use]
    pub fn derive_key(
        &self,
        purpose: &str,
        pool: &AddressBytes,
        epoch: EpochId,
    ) -> Zeroizing<[u8; 32]> {
        let sk = self.expose_bytes();
        let hkdf = Hkdf::<Sha256>::new(Some(b"veilpool/operator/v1"), sk.as_slice());
        let mut out = Zeroizing::new([0u8; 32]);
        let info: [&[u8]; 4] = [
            purpose.as_bytes(),
            &[0],
            pool.as_bytes(),
            &epoch.get().to_le_bytes(),
        ];
        if hkdf.expand_multi_info(&info, out.as_mut()).is_err() {
            unreachable!("32 bytes are fewer than HKDF's limit of 8,160");
        }
        out
    }
}

macro_rules! derived {
    ($(#[$doc:meta])* $name:ident, $bytes:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(Fr);

        impl $name {
            /// The field element.
            #[must_use]
            pub const fn to_field(self) -> Fr {
                self.0
            }

            /// The canonical encoding.
            #[must_use]
            pub fn to_bytes(self) -> $bytes {
                $bytes::from_field(field::to_bytes(&self.0))
            }
        }

        impl From<$bytes> for $name {
            fn from(bytes: $bytes) -> Self {
                Self(field::from_bytes(bytes.to_field()))
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.to_bytes().fmt(f)
            }
        }
    };
}

derived! {
    /// C = P(ID, sk).
    Commitment, CommitmentBytes
}
derived! {
    /// S = P(SUBJECT, sk, epoch).
    Subject, SubjectBytes
}
derived! {
    /// nf = P(NULLIFIER, sk, epoch).
    Nullifier, NullifierBytes
}

impl Commitment {
    /// C = P(ID, sk).
    #[must_use]
    pub fn derive(sk: Fr) -> Self {
        Self(poseidon::hash([Fr::from(tag::ID), sk]))
    }
}

impl Subject {
    /// S = P(SUBJECT, sk, epoch).
    #[must_use]
    pub fn derive(sk: Fr, epoch: EpochId) -> Self {
        Self(poseidon::hash([
            Fr::from(tag::SUBJECT),
            sk,
            Fr::from(epoch.get()),
        ]))
    }
}

impl Nullifier {
    /// nf = P(NULLIFIER, sk, epoch).
    #[must_use]
    pub fn derive(sk: Fr, epoch: EpochId) -> Self {
        Self(poseidon::hash([
            Fr::from(tag::NULLIFIER),
            sk,
            Fr::from(epoch.get()),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use ark_ed_on_bn254::Fr as SubgroupScalar;
    use ark_ff::BigInteger;
    use rand::SeedableRng;

    use super::*;

    fn secret(seed: u64) -> OperatorSecret {
        OperatorSecret::generate(&mut rand_chacha::ChaCha20Rng::seed_from_u64(seed))
    }

    #[test]
    fn i2_adding_the_subgroups_order_to_a_secret_gives_another_leaf() {
        let sk = secret(1).expose_scalar();
        let l = Fr::from_be_bytes_mod_order(&SubgroupScalar::MODULUS.to_bytes_be());
        assert_ne!(Commitment::derive(sk), Commitment::derive(sk + l));
    }

    #[test]
    fn i4_subject_nullifier_and_payout_change_with_the_epoch() {
        let secret = secret(2);
        let (e, f) = (EpochId::new(1), EpochId::new(2));
        let pool = AddressBytes::new([3; 32]);
        assert_ne!(secret.subject(e), secret.subject(f));
        assert_ne!(secret.nullifier(e), secret.nullifier(f));
        assert_ne!(secret.nullifier(e).to_field(), secret.subject(e).to_field());
        assert_ne!(
            secret.payout_key(&pool, e).verifying_key(),
            secret.payout_key(&pool, f).verifying_key()
        );
        let other_pool = AddressBytes::new([4; 32]);
        assert_ne!(
            secret.payout_key(&pool, e).verifying_key(),
            secret.payout_key(&other_pool, e).verifying_key()
        );
    }

    #[test]
    fn a_secret_survives_its_encoding_and_zero_is_refused() {
        let first = secret(5);
        let bytes = FieldBytes::new(*first.expose_bytes()).unwrap();
        assert_eq!(
            OperatorSecret::from_field(bytes).unwrap().commitment(),
            first.commitment()
        );
        assert!(OperatorSecret::from_field(FieldBytes::ZERO).is_none());
    }
}
