//! Schnorr signatures over BabyJubJub's prime-order subgroup (order l, base B) with a 128-bit
//! challenge, message and challenge in one Poseidon hash.
//!
//! ```text
//! sign:    R = k·B,  h = P(v, u(R), u(K) + domain, S)
//!          c = h mod 2¹²⁸,  m = 2⁶⁴ + 1 + 2c,  s = k + m·x mod l
//!          draw k anew until h < 2²⁵³ and s is short (`digits`): two tries on average
//! verify:  s is short,  R' = s·B − m·K ≠ O,
//!          h' = P(v, u(R'), u(K) + domain, S) < 2²⁵³  and  h' mod 2¹²⁸ = c
//! ```
//! R' is computed and not given, so it is on the curve and in the subgroup; u names it up to sign. c ↦ m is
//! injective, 0 < m < 2¹³⁰, and neither the difference nor the sum of two multipliers is a multiple of l, so
//! that Schnorr's argument holds unchanged: two accepted answers to different challenges for ±R give
//! (m ∓ m')·x = s ∓ s' (Schnorr 1991; Neven, Smart, Warinschi 2009 for short challenges). m is what the
//! circuit's ladder over K and 2⁶⁴·K multiplies by: with c = c₀ + 2⁶⁴·c₁, m = (2c₀ + 1) + 2⁶⁴·(2c₁ + 1). (There
//! the points' signs are the prover's; what that costs is argued in `circuits::gadget::variable_base`.) For
//! a given key, u(K) + domain determines the domain. A nonce is derived from key, message, fresh randomness and the
//! number of the try: two tries differ even where the generator is stuck.

use ark_bn254::Fr;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{AdditiveGroup, BigInteger, PrimeField};
use rand::{CryptoRng, RngCore};
use sha2::{Digest, Sha512};
use veilpool_protocol::{
    SchnorrSignatureBytes,
    attestation::{CHALLENGE_BITS, HASH_BITS},
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{digits, field, measurer_key::MeasurerKey, montgomery, poseidon, secret_multiple};

/// A measurer's secret x, K = x·B. Zeroized on drop; no `Debug`, `Clone` or `Copy`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MeasurerSecret {
    scalar: SubgroupScalar,
    // Kept, so that signing computes no multiple by the secret.
    #[zeroize(skip)]
    key: MeasurerKey,
}

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

/// The signature's bytes have a response that is not less than the subgroup's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature's response is not less than the order of BabyJubJub's prime-order subgroup")]
pub struct NonCanonicalResponse;

/// The signature does not hold for this key and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Schnorr signature does not verify for this key, epoch, subject, values and domain")]
pub struct InvalidSignature;

impl MeasurerKey {
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
            - *self.point() * multiplier(signature.challenge);
        match challenge(message, &nonce_point.into_affine(), self) {
            Some(expected)
                if expected == signature.challenge && digits::is_short(&signature.response) =>
            {
                Ok(())
            }
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

    /// From 64 uniformly random bytes. The sign is changed if need be, so that v(K) is even.
    ///
    /// # Panics
    /// If the bytes are 0 modulo l: random ones are with probability 2⁻²⁵¹.
    #[must_use]
    pub fn from_entropy(entropy: &[u8; 64]) -> Self {
        let mut scalar = SubgroupScalar::from_be_bytes_mod_order(entropy);
        let point = secret_multiple::of_base(&scalar);
        let (_, v) = montgomery::coordinates(&point).expect("a secret is not zero");
        if !montgomery::is_even(&v) {
            scalar.neg_in_place();
        }
        let key = MeasurerKey::of_multiple(point);
        Self { scalar, key }
    }

    /// K = x·B.
    #[must_use]
    pub const fn key(&self) -> MeasurerKey {
        self.key
    }

    /// Signs.
    pub fn sign<R: RngCore + CryptoRng>(&self, message: &Message, rng: &mut R) -> SchnorrSignature {
        let mut attempt = 0;
        loop {
            let mut nonce = self.draw_nonce(message, attempt, rng);
            let nonce_point = secret_multiple::of_base(&nonce);
            let signature = challenge(message, &nonce_point, &self.key)
                .map(|challenge| SchnorrSignature {
                    challenge,
                    response: nonce + multiplier(challenge) * self.scalar,
                })
                .filter(|signature| digits::is_short(&signature.response));
            nonce.zeroize();
            if let Some(signature) = signature {
                return signature;
            }
            attempt += 1;
        }
    }

    // Hedged: a broken random generator alone, or a fault that repeats a message alone, gives no two signatures
    // with one nonce.
    fn draw_nonce<R: RngCore + CryptoRng>(
        &self,
        message: &Message,
        attempt: u64,
        rng: &mut R,
    ) -> SubgroupScalar {
        let mut fresh = Zeroizing::new([0u8; 64]);
        rng.fill_bytes(fresh.as_mut());
        let secret = Zeroizing::new(self.scalar.into_bigint().to_bytes_be());
        let mut digest = Sha512::new()
            .chain_update(b"veilpool/schnorr-nonce/v1")
            .chain_update(secret.as_slice())
            .chain_update(field::to_bytes(&message.packed).as_bytes())
            .chain_update(field::to_bytes(&message.domain).as_bytes())
            .chain_update(field::to_bytes(&message.subject).as_bytes())
            .chain_update(fresh.as_slice())
            .chain_update(attempt.to_be_bytes())
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

/// m = 2⁶⁴ + 1 + 2c.
#[must_use]
pub fn multiplier(challenge: u128) -> SubgroupScalar {
    SubgroupScalar::from((1u128 << 64) + 1) + SubgroupScalar::from(challenge).double()
}

/// The whole hash `h = P(v, u(R), u(K) + domain, S)`.
#[must_use]
pub fn hash(message: &Message, nonce_u: Fr, key: &MeasurerKey) -> Fr {
    poseidon::hash([
        message.packed,
        nonce_u,
        key.u() + message.domain,
        message.subject,
    ])
}

/// c = h mod 2¹²⁸; `None` when h ≥ 2²⁵³, or R is the identity, which has no u.
fn challenge(message: &Message, nonce_point: &EdwardsAffine, key: &MeasurerKey) -> Option<u128> {
    let h = hash(message, montgomery::u(nonce_point)?, key).into_bigint();
    if h.num_bits() > HASH_BITS {
        return None;
    }
    const { assert!(CHALLENGE_BITS == 128) };
    Some(u128::from(h.0[0]) | u128::from(h.0[1]) << 64)
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
    fn a_response_of_the_order_or_more_is_refused() {
        let mut bytes = [0u8; 48];
        bytes[16..].copy_from_slice(&SubgroupScalar::MODULUS.to_bytes_be());
        assert_eq!(
            SchnorrSignature::from_bytes(&SchnorrSignatureBytes::new(bytes)),
            Err(NonCanonicalResponse)
        );
    }

    #[test]
    fn the_multiplier_is_two_odd_halves() {
        for challenge in [0, 1, u128::MAX, 1 << 64, (1 << 64) - 1, 77 << 90 | 5] {
            let (low, high) = (challenge as u64, (challenge >> 64) as u64);
            let odd = |half: u64| SubgroupScalar::from(2 * u128::from(half) + 1);
            let expected = odd(low) + odd(high) * SubgroupScalar::from(1u128 << 64);
            assert_eq!(multiplier(challenge), expected);
        }
    }

    #[test]
    fn a_response_that_is_not_short_is_refused_though_the_equation_holds() {
        // A signer that leaves out the second rule.
        let rng = &mut ChaCha20Rng::seed_from_u64(3);
        let secret = MeasurerSecret::generate(rng);
        let key = secret.key();
        let message = message(1);
        let (mut refused, mut accepted) = (0, 0);
        while refused < 3 {
            let nonce = secret.draw_nonce(&message, 0, rng);
            let point = secret_multiple::of_base(&nonce);
            let Some(challenge) = challenge(&message, &point, &key) else {
                continue;
            };
            let response = nonce + multiplier(challenge) * secret.scalar;
            let signature = SchnorrSignature {
                challenge,
                response,
            };
            if digits::is_short(&response) {
                assert_eq!(key.verify(&message, &signature), Ok(()));
                accepted += 1;
            } else {
                assert_eq!(key.verify(&message, &signature), Err(InvalidSignature));
                refused += 1;
            }
        }
        assert!(accepted > 0);
    }

    /// A generator that is stuck.
    struct Stuck;

    impl rand::RngCore for Stuck {
        fn next_u32(&mut self) -> u32 {
            0
        }

        fn next_u64(&mut self) -> u64 {
            0
        }

        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            bytes.fill(0);
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand::Error> {
            bytes.fill(0);
            Ok(())
        }
    }

    impl rand::CryptoRng for Stuck {}

    #[test]
    fn a_stuck_generator_keeps_nobody_from_signing_and_repeats_no_nonce() {
        let secret = MeasurerSecret::generate(&mut ChaCha20Rng::seed_from_u64(5));
        let signatures: Vec<_> = (0..20)
            .map(|i| secret.sign(&message(i), &mut Stuck))
            .collect();
        for (i, signature) in (0..).zip(&signatures) {
            assert_eq!(secret.key().verify(&message(i), signature), Ok(()));
        }
        // One nonce in two signatures would give the secret: (s − s') / (m − m').
        for (i, one) in signatures.iter().enumerate() {
            for other in &signatures[..i] {
                let difference = multiplier(one.challenge) - multiplier(other.challenge);
                let guess = (one.response - other.response) * difference.inverse().unwrap();
                assert_ne!(guess, secret.scalar);
            }
        }
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
