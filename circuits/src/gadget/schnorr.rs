//! A measurer's Schnorr signature, valid if the slot is present: twin of
//! `primitives::MeasurerKey::verify`. 1,554 constraints besides the presence bit.
//!
//! ```text
//! R = s·B − m·K     m = 2⁶⁴ + 1 + 2c     h = P(v, u(R), u(K) + domain, S)
//! present·(h − c − 2¹²⁸·hi) = 0     c of 128 bits, hi of 125 bits
//! ```
//! c + 2¹²⁸·hi is an integer below 2²⁵³ < r, so that (c, hi) is the one canonical decomposition of
//! h, and h < 2²⁵³ as the signer's rule wants: no comparison with r is needed (attack C6).
//!
//! | part | constraints |
//! | --- | --- |
//! | m·K, and c in its range | 651 |
//! | s·B | 477 |
//! | u of R = s·B − m·K | 3 |
//! | h | 297 |
//! | hi's bits and the equality | 126 |
//!
//! *Soundness.* s·B and m·K are computed without reachable exception; the latter up to the signs of K and
//! 2⁶⁴·K, which let a forger answer two challenges at most in place of one (`variable_base`). For their sum `u₁ ≠ u₂` is enforced: it
//! excludes R = O, which has no coordinates, and the doubling s·B = −m·K, where the slope would be free. So
//! R is a multiple of B other than O, and its u is unique. R is computed and not given, hence on the
//! curve and without torsion (attack C5). u names it up to sign: an answer for −R is worth to a forger what
//! one for R is (`primitives::schnorr`). u(K) + domain is one input of the hash: K is pinned by the set and
//! determines the domain from the sum.

use ark_ec::{CurveGroup, PrimeGroup};
use ark_ed_on_bn254::{EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{Field, PrimeField};
use ark_relations::gr1cs::SynthesisError;
use veilpool_primitives::{MeasurerKey, SchnorrSignature, digits, schnorr::multiplier};
use veilpool_protocol::attestation::{CHALLENGE_BITS, HASH_BITS};

use crate::{
    gadget::{bits, fixed_base, measurer_set::MeasurerKeyVar, poseidon, variable_base},
    num::Num,
    synthesizer::Synthesizer,
};

/// Bits of h above the challenge.
const HIGH_BITS: usize = (HASH_BITS - CHALLENGE_BITS) as usize;

/// What is signed: twin of `primitives::schnorr::Message`.
pub struct MessageVar<'a> {
    /// Epoch and metrics, packed.
    pub packed: &'a Num,
    /// Cluster, program and pool.
    pub domain: &'a Num,
    /// Whom it is about.
    pub subject: &'a Num,
}

/// Enforces that, if `present` (known to be boolean), the signature is valid.
///
/// `signature` must be given in any case: for an absent slot one that can be computed with
/// ([`placeholder`]).
///
/// # Errors
/// Those of the constraint system.
pub fn enforce_valid_if(
    cs: &mut Synthesizer,
    present: &Num,
    key: &MeasurerKeyVar,
    message: &MessageVar<'_>,
    signature: Option<&SchnorrSignature>,
) -> Result<(), SynthesisError> {
    let (from_key, challenge) =
        variable_base::multiply(cs, key, signature.map(|signature| signature.challenge))?;
    let from_base = fixed_base::multiply(cs, signature.map(|signature| signature.response))?;

    cs.enforce_nonzero(&(&from_base.u - &from_key.u))?;
    let nonce_u = from_base.u_of_sum(cs, &from_key.negate())?;

    let hash = poseidon::hash(
        cs,
        &[
            message.packed.clone(),
            nonce_u,
            &key.u + message.domain,
            message.subject.clone(),
        ],
    )?;
    let high_bits = bits::alloc_bits(
        cs,
        "high hash bit",
        hash.value().map(PrimeField::into_bigint),
        CHALLENGE_BITS as usize,
        HIGH_BITS,
    )?;
    let low = challenge.num();
    let high = Num::from_bits(&high_bits, CHALLENGE_BITS);
    cs.enforce(&(&hash - &low - &high), present, &Num::zero())
}

/// Whether the gadget can compute with these: s is short, and `s·B ≠ ±m·K`. A signature that verifies
/// and isn't computable would have s·B = −m·K, hence R = −2m·K: whoever finds one knows the measurer's
/// secret, and has found a challenge that is the hash of its own multiple of K besides.
#[must_use]
pub fn is_computable(key: &MeasurerKey, signature: &SchnorrSignature) -> bool {
    let from_base = (EdwardsProjective::generator() * signature.response).into_affine();
    let from_key = (*key.point() * multiplier(signature.challenge)).into_affine();
    // P and −P share y, and no other point of odd order does.
    digits::is_short(&signature.response) && from_base.y != from_key.y
}

/// A signature for an absent slot: not valid, but one that the gadget can compute with, whatever
/// the key (a measurer can't choose a key that locks out whoever lacks its signature).
#[must_use]
pub fn placeholder(key: &MeasurerKey) -> SchnorrSignature {
    // One half has the digits' sum 1, which is short; one more is two more in that sum.
    let Some(half) = SubgroupScalar::from(2u8).inverse() else {
        unreachable!("the subgroup's order is odd")
    };
    let mut candidate = SchnorrSignature {
        challenge: 0,
        response: half,
    };
    while !is_computable(key, &candidate) {
        candidate.response += SubgroupScalar::from(1u8);
    }
    candidate
}
