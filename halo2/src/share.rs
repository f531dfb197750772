//! The share that a listing shows: rate-limiting nullifiers (Vac, RLN v1), with the listing's hash
//! as the point of evaluation.
//!
//! ```text
//! a = P(RLN, sk, epoch, domain)  y = sk + a·x          x = 31(SHA-256(listing)) ≠ 0
//! (x₁, y₁), (x₂, y₂), x₁ ≠ x₂:   sk = (y₁·x₂ − y₂·x₁) / (x₂ − x₁)
//! ```
//! One share of an epoch says nothing of sk as long as `a` can't be told from random. Two shares of
//! one epoch are two points of one line, which cuts the axis at sk: whoever lists two endpoints in
//! one epoch gives the secret to everybody who sees both (attack I9). At x = 0 the share *is* sk, so
//! x = 0 is no listing hash.
//!
//! The domain (cluster, program and pool) is in `a`, so that whoever uses one secret in two pools, or tries out a test
//! network with it, doesn't lose it by listing in both. Subjects don't contain it: such an operator can be linked.

use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use veilpool_primitives::{OperatorSecret, field, poseidon};
use veilpool_protocol::{DomainBytes, EpochId, FieldBytes, SubjectBytes};

/// Domain tag of the line's slope. The next after those of `protocol::tag`; it is kept here because
/// that file is part of the on-chain program's sources, and the program knows nothing of listings.
pub const RLN: u8 = 8;

/// x: the hash of a listing, not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListingHash(FieldBytes);

/// (x, y): a point of the operator's line of the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    /// Which listing it is for.
    pub x: ListingHash,
    /// The line at x.
    pub y: FieldBytes,
}

/// A listing's hash is zero, where the share would be the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("zero is not a listing's hash: the share there would be the operator's secret")]
pub struct ZeroListingHash;

/// Why two shares give no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoSecret {
    /// One listing twice: no fault of the operator.
    #[error("both shares are for the same listing: nobody has listed twice")]
    SameListing,
    /// The points are not on one line of the subject's operator.
    #[error(
        "the shares aren't of this subject and epoch: check first that both proofs hold for them"
    )]
    NotOfThisSubject,
}

impl ListingHash {
    /// From the SHA-256 of the listing's bytes: 31 bytes of it.
    ///
    /// # Errors
    /// [`ZeroListingHash`], which nobody finds a listing for.
    pub fn from_digest(digest: &[u8; 32]) -> Result<Self, ZeroListingHash> {
        Self::new(FieldBytes::from_digest(digest))
    }

    /// From the element.
    ///
    /// # Errors
    /// [`ZeroListingHash`].
    pub fn new(x: FieldBytes) -> Result<Self, ZeroListingHash> {
        if x == FieldBytes::ZERO {
            return Err(ZeroListingHash);
        }
        Ok(Self(x))
    }

    /// The element.
    #[must_use]
    pub const fn to_field(self) -> FieldBytes {
        self.0
    }
}

/// a = P(RLN, sk, epoch, domain): the line's slope. As secret as sk.
pub(crate) fn slope(sk: Fr, epoch: EpochId, domain: &DomainBytes) -> Fr {
    let domain = field::from_bytes(domain.to_field());
    poseidon::hash([Fr::from(RLN), sk, Fr::from(epoch.get()), domain])
}

impl Share {
    /// y = sk + P(RLN, sk, epoch, domain)·x.
    #[must_use]
    pub fn derive(
        secret: &OperatorSecret,
        epoch: EpochId,
        domain: &DomainBytes,
        x: ListingHash,
    ) -> Self {
        let sk = secret.expose_scalar();
        let y = sk + slope(sk, epoch, domain) * field::from_bytes(x.0);
        Self {
            x,
            y: field::to_bytes(&y),
        }
    }
}

/// The secret of whoever listed twice in an epoch. Gives it only if it is the secret behind the
/// subject, so that a pair of shares from elsewhere accuses nobody.
///
/// # Errors
/// [`NoSecret`].
pub fn recover(
    first: &Share,
    second: &Share,
    subject: &SubjectBytes,
    epoch: EpochId,
) -> Result<OperatorSecret, NoSecret> {
    let [x1, x2] = [first, second].map(|share| field::from_bytes(share.x.0));
    let [y1, y2] = [first, second].map(|share| field::from_bytes(share.y));
    let inverse = (x2 - x1).inverse().ok_or(NoSecret::SameListing)?;
    let sk = (y1 * x2 - y2 * x1) * inverse;
    if sk.is_zero() {
        return Err(NoSecret::NotOfThisSubject);
    }
    let secret =
        OperatorSecret::from_field(field::to_bytes(&sk)).ok_or(NoSecret::NotOfThisSubject)?;
    if secret.subject(epoch).to_bytes() != *subject {
        return Err(NoSecret::NotOfThisSubject);
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;
    use veilpool_protocol::tag;

    use super::*;

    fn secret(seed: u64) -> OperatorSecret {
        OperatorSecret::generate(&mut ChaCha20Rng::seed_from_u64(seed))
    }

    fn domain(number: u128) -> DomainBytes {
        DomainBytes::from_field(FieldBytes::from_u128(number))
    }

    fn hash(byte: u8) -> ListingHash {
        ListingHash::from_digest(&[byte; 32]).unwrap()
    }

    #[test]
    fn the_tag_is_the_next_after_the_protocols() {
        assert_eq!(tag::ALL.last(), Some(&(RLN - 1)));
    }

    #[test]
    fn i9_zero_is_no_listing_hash() {
        assert_eq!(ListingHash::new(FieldBytes::ZERO), Err(ZeroListingHash));
        assert_eq!(ListingHash::from_digest(&[0; 32]), Err(ZeroListingHash));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn i9_two_listings_of_one_epoch_reveal_the_secret(seed in any::<u64>(), e in any::<u32>(), a in 1u8.., b in 1u8..) {
            let (secret, epoch) = (secret(seed), EpochId::new(e));
            let subject = secret.subject(epoch).to_bytes();
            let shares = [a, b].map(|byte| Share::derive(&secret, epoch, &domain(1), hash(byte)));
            let recovered = recover(&shares[0], &shares[1], &subject, epoch);
            if a == b {
                prop_assert_eq!(recovered.err(), Some(NoSecret::SameListing));
            } else {
                prop_assert_eq!(recovered.unwrap().commitment(), secret.commitment());
            }
        }
    }

    #[test]
    fn i9_shares_of_two_epochs_two_pools_or_two_operators_reveal_nothing() {
        let (one, other) = (secret(1), secret(2));
        let (e, f) = (EpochId::new(1), EpochId::new(2));
        let subject = one.subject(e).to_bytes();
        let first = Share::derive(&one, e, &domain(1), hash(1));
        for second in [
            Share::derive(&one, f, &domain(1), hash(2)),
            Share::derive(&one, e, &domain(2), hash(2)),
            Share::derive(&other, e, &domain(1), hash(2)),
        ] {
            assert_eq!(
                recover(&first, &second, &subject, e).err(),
                Some(NoSecret::NotOfThisSubject)
            );
        }
    }
}
