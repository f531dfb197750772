//! Schnorr signatures over BabyJubJub's prime-order subgroup (order l, base B) with a 128-bit
//! challenge, message and challenge in one Poseidon hash.
//!
//! ```text
//! sign:    R = k·B,  h = P(v, R.x, K.x, domain, S); draw k anew until h < 2²⁵³ (1.5 tries on average)
//!          c = h mod 2¹²⁸,  c' = 2¹²⁸ + 2c + 1,  s = k + c'·x mod l
//! verify:  R' = s·B − c'·K,  h' = P(v, R'.x, K.x, domain, S) < 2²⁵³  and  h' mod 2¹²⁸ = c
//! ```
//! R' is computed and not given, so it is on the curve and in the subgroup. c ↦ c' is injective, so
//! Schnorr's argument holds unchanged (Schnorr 1991; Neven, Smart, Warinschi 2009 for short challenges);
//! c' is what an exception-free ladder in the circuit multiplies by. A nonce is derived from key, message and
//! fresh randomness. Coordinates are those with a = 1 (`ark-ed-on-bn254`).

use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup, twisted_edwards::TECurveConfig};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsConfig, EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{AdditiveGroup, BigInteger, PrimeField, Zero};
use rand::{CryptoRng, RngCore};
use sha2::{Digest, Sha512};
use veilpool_protocol::{
    CoordinateBytes, MeasurerKeyBytes, SchnorrSignatureBytes,
    attestation::{CHALLENGE_BITS, HASH_BITS},
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{field, poseidon};

/// A measurer's attestation key: a point of the prime-order subgroup other than the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MeasurerKey(EdwardsAffine);

/// A measurer's secret x, K = x·B. Zeroized on drop; no `Debug`, `Clone` or `Copy`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MeasurerSecret(SubgroupScalar);

/// c and s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchnorrSignature {
    /// The challenge.
    pub challenge: u128,
    /// The response.
    pub response: SubgroupScalar,
}

/// What is signed: `v`, the domain and the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Epoch and metrics, packed (`protocol::attestation::pack`).
    pub packed: Fr,
    /// Cluster, program and pool.
    pub domain: Fr,
    /// Whom it is about.
    pub subject: Fr,
}

/// Why a point is not a measurer's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMeasurerKey {
    /// The equation does not hold.
    #[error("the point is not on BabyJubJub")]
    NotOnCurve,
    /// Low order, or a torsion component (attack C5).
    #[error(
        "the point is not in the prime-order subgroup: it is the identity or has a small-order component"
    )]
    NotInSubgroup,
}

/// The signature's bytes have a response that is not less than the subgroup's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature's response is not less than the order of BabyJubJub's prime-order subgroup")]
pub struct NonCanonicalResponse;

/// The signature does not hold for this key and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Schnorr signature does not verify for this key, epoch, subject, values and domain")]
pub struct InvalidSignature;

impl MeasurerKey {
    /// Checks curve and subgroup.
    ///
    /// # Errors
    /// [`InvalidMeasurerKey`].
    pub fn new(point: EdwardsAffine) -> Result<Self, InvalidMeasurerKey> {
        if !point.is_on_curve() {
            return Err(InvalidMeasurerKey::NotOnCurve);
        }
        if point.is_zero() || !mul_by_order(point).is_zero() {
            return Err(InvalidMeasurerKey::NotInSubgroup);
        }
        Ok(Self(point))
    }

    /// From the encoding.
    ///
    /// # Errors
    /// [`InvalidMeasurerKey`].
    pub fn from_bytes(bytes: &MeasurerKeyBytes) -> Result<Self, InvalidMeasurerKey> {
        Self::new(EdwardsAffine::new_unchecked(
            field::from_bytes(bytes.x.to_field()),
            field::from_bytes(bytes.y.to_field()),
        ))
    }

    /// The encoding.
    #[must_use]
    pub fn to_bytes(&self) -> MeasurerKeyBytes {
        MeasurerKeyBytes {
            x: CoordinateBytes::from_field(field::to_bytes(&self.0.x)),
            y: CoordinateBytes::from_field(field::to_bytes(&self.0.y)),
        }
    }

    /// The point.
    #[must_use]
    pub const fn point(&self) -> &EdwardsAffine {
        &self.0
    }

    /// Verifies a signature.
    ///
    /// # Errors
    /// [`InvalidSignature`].
    pub fn verify(
        &self,
        message: &Message,
        signature: &SchnorrSignature,
    ) -> Result<(), InvalidSignature> {
        let nonce_point = EdwardsProjective::generator() * signature.response
            - self.0 * expand_challenge(signature.challenge);
        match challenge(message, &nonce_point.into_affine(), &self.0) {
            Some(expected) if expected == signature.challenge => Ok(()),
            _ => Err(InvalidSignature),
        }
    }
}

impl MeasurerSecret {
    /// A fresh secret.
    pub fn generate<R: RngCore + CryptoRng>(rng: &mut R) -> Self {
        let mut entropy = Zeroizing::new([0u8; 64]);
        rng.fill_bytes(entropy.as_mut());
        Self::from_entropy(&entropy)
    }

    /// From 64 uniformly random bytes.
    #[must_use]
    pub fn from_entropy(entropy: &[u8; 64]) -> Self {
        Self(SubgroupScalar::from_be_bytes_mod_order(entropy))
    }

    /// K = x·B.
    #[must_use]
    pub fn key(&self) -> MeasurerKey {
        MeasurerKey((EdwardsProjective::generator() * self.0).into_affine())
    }

    /// Signs.
    pub fn sign<R: RngCore + CryptoRng>(&self, message: &Message, rng: &mut R) -> SchnorrSignature {
        let key = self.key();
        loop {
            let mut nonce = self.draw_nonce(message, rng);
            let nonce_point = (EdwardsProjective::generator() * nonce).into_affine();
            if let Some(challenge) = challenge(message, &nonce_point, &key.0) {
                let response = nonce + expand_challenge(challenge) * self.0;
                nonce.zeroize();
                return SchnorrSignature {
                    challenge,
                    response,
                };
            }
        }
    }

    // Hedged: a broken random generator alone, or a fault that repeats a message alone, gives no two signatures
    // with one nonce.
    fn draw_nonce<R: RngCore + CryptoRng>(&self, message: &Message, rng: &mut R) -> SubgroupScalar {
        let mut fresh = Zeroizing::new([0u8; 64]);
        rng.fill_bytes(fresh.as_mut());
        let secret = Zeroizing::new(self.0.into_bigint().to_bytes_be());
        let mut digest = Sha512::new()
            .chain_update(b"veilpool/schnorr-nonce/v1")
            .chain_update(secret.as_slice())
            .chain_update(field::to_bytes(&message.packed).as_bytes())
            .chain_update(field::to_bytes(&message.domain).as_bytes())
            .chain_update(field::to_bytes(&message.subject).as_bytes())
            .chain_update(fresh.as_slice())
            .finalize();
        let nonce = SubgroupScalar::from_be_bytes_mod_order(&digest);
        digest.as_mut_slice().zeroize();
        nonce
    }
}

impl SchnorrSignature {
    /// `c (16) ‖ s (32)`, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> SchnorrSignatureBytes {
        let mut bytes = [0u8; SchnorrSignatureBytes::LEN];
        let (challenge, response) = bytes.split_at_mut(16);
        challenge.copy_from_slice(&self.challenge.to_be_bytes());
        response.copy_from_slice(&self.response.into_bigint().to_bytes_be());
        SchnorrSignatureBytes::new(bytes)
    }

    /// From the encoding.
    ///
    /// # Errors
    /// [`NonCanonicalResponse`].
    pub fn from_bytes(bytes: &SchnorrSignatureBytes) -> Result<Self, NonCanonicalResponse> {
        let mut challenge = [0u8; 16];
        challenge.copy_from_slice(&bytes.as_bytes()[..16]);
        let response = &bytes.as_bytes()[16..];
        if response >= SubgroupScalar::MODULUS.to_bytes_be().as_slice() {
            return Err(NonCanonicalResponse);
        }
        Ok(Self {
            challenge: u128::from_be_bytes(challenge),
            response: SubgroupScalar::from_be_bytes_mod_order(response),
        })
    }
}

/// c' = 2¹²⁸ + 2c + 1.
#[must_use]
pub fn expand_challenge(challenge: u128) -> SubgroupScalar {
    let two_to_128 = SubgroupScalar::from(u128::MAX) + SubgroupScalar::from(1u8);
    two_to_128 + SubgroupScalar::from(challenge).double() + SubgroupScalar::from(1u8)
}

/// The whole hash `h = P(v, R.x, K.x, domain, S)`.
#[must_use]
pub fn hash(message: &Message, nonce_point: &EdwardsAffine, key: &EdwardsAffine) -> Fr {
    poseidon::hash([
        message.packed,
        nonce_point.x,
        key.x,
        message.domain,
        message.subject,
    ])
}

/// c = h mod 2¹²⁸; `None` when h ≥ 2²⁵³, or R is the identity, whose coordinates the circuit cannot represent.
fn challenge(message: &Message, nonce_point: &EdwardsAffine, key: &EdwardsAffine) -> Option<u128> {
    if nonce_point.is_zero() {
        return None;
    }
    let h = hash(message, nonce_point, key).into_bigint();
    if h.num_bits() > HASH_BITS {
        return None;
    }
    const { assert!(CHALLENGE_BITS == 128) };
    Some(u128::from(h.0[0]) | u128::from(h.0[1]) << 64)
}

/// The eight points of order dividing 8, the identity first: for tests of attack C5.
#[must_use]
pub fn torsion_points() -> Vec<EdwardsAffine> {
    // l·P for random P has order dividing 8; some P of the curve gives order 8.
    let mut y = Fr::from(2u8);
    loop {
        y += Fr::from(1u8);
        let Some(point) = EdwardsAffine::get_point_from_y_unchecked(y, false) else {
            continue;
        };
        let candidate = mul_by_order(point);
        let quarter = candidate.double().double();
        if !quarter.is_zero() {
            let mut points = vec![EdwardsAffine::zero()];
            let mut next = candidate;
            while !next.is_zero() {
                points.push(next.into_affine());
                next += candidate;
            }
            return points;
        }
    }
}

fn mul_by_order(point: EdwardsAffine) -> EdwardsProjective {
    <EdwardsConfig as TECurveConfig>::mul_affine(&point, SubgroupScalar::MODULUS.as_ref())
}

#[cfg(test)]
mod tests {
    use ark_ff::Field;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn message(i: u64) -> Message {
        Message {
            packed: Fr::from(i),
            domain: Fr::from(i + 1),
            subject: Fr::from(i + 2),
        }
    }

    #[test]
    fn the_base_has_prime_order() {
        let base = EdwardsProjective::generator().into_affine();
        assert!(MeasurerKey::new(base).is_ok());
    }

    #[test]
    fn c5_a_key_with_any_torsion_component_or_off_the_curve_is_refused() {
        let key = *MeasurerSecret::generate(&mut ChaCha20Rng::seed_from_u64(1))
            .key()
            .point();
        let points = torsion_points();
        assert_eq!(points.len(), 8);
        for (i, torsion) in points.iter().enumerate() {
            assert_eq!(
                MeasurerKey::new(*torsion),
                Err(InvalidMeasurerKey::NotInSubgroup)
            );
            let shifted = (key + torsion).into_affine();
            assert_eq!(MeasurerKey::new(shifted).is_ok(), i == 0);
        }
        let off = EdwardsAffine::new_unchecked(key.x, key.y + Fr::from(1u8));
        assert_eq!(MeasurerKey::new(off), Err(InvalidMeasurerKey::NotOnCurve));
    }

    #[test]
    fn a_response_of_the_order_or_more_is_refused() {
        let mut bytes = [0u8; 48];
        bytes[16..].copy_from_slice(&SubgroupScalar::MODULUS.to_bytes_be());
        assert_eq!(
            SchnorrSignature::from_bytes(&SchnorrSignatureBytes::new(bytes)),
            Err(NonCanonicalResponse)
        );
    }

    #[test]
    fn the_challenge_expands_to_two_to_the_128_plus_twice_it_plus_one() {
        let expected = SubgroupScalar::from(2u8).pow([129u64]) - SubgroupScalar::from(1u8);
        assert_eq!(expand_challenge(u128::MAX >> 1), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_signature_verifies_for_its_message_and_key_only(seed in any::<u64>(), i in 0u64..1_000_000) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let secret = MeasurerSecret::generate(&mut rng);
            let other = MeasurerSecret::generate(&mut rng).key();
            let signature = secret.sign(&message(i), &mut rng);
            let decoded = SchnorrSignature::from_bytes(&signature.to_bytes()).unwrap();
            prop_assert_eq!(decoded, signature);
            prop_assert_eq!(secret.key().verify(&message(i), &signature), Ok(()));
            prop_assert_eq!(secret.key().verify(&message(i + 1), &signature), Err(InvalidSignature));
            prop_assert_eq!(other.verify(&message(i), &signature), Err(InvalidSignature));
            let mut tampered = signature;
            tampered.challenge ^= 1;
            prop_assert_eq!(secret.key().verify(&message(i), &tampered), Err(InvalidSignature));
            tampered = signature;
            tampered.response += SubgroupScalar::from(1u8);
            prop_assert_eq!(secret.key().verify(&message(i), &tampered), Err(InvalidSignature));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in any::<[u8; 48]>()) {
            let _ = SchnorrSignature::from_bytes(&SchnorrSignatureBytes::new(bytes));
        }
    }
}
