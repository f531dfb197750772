//! A measurer's Schnorr signature, valid if the slot is present: twin of
//! `primitives::MeasurerKey::verify`. 1,854 constraints besides the presence bit.
//!
//! ```text
//! R = s·B − c'·K     c' = 2¹²⁸ + 2c + 1     h = P(v, R.x, K.x, domain, S)
//! present·(h − c − 2¹²⁸·hi) = 0     c of 128 bits, hi of 125 bits
//! ```
//! c + 2¹²⁸·hi is an integer below 2²⁵³ < r, so that (c, hi) is the one canonical decomposition of
//! h, and h < 2²⁵³ as the signer's rule wants: no comparison with r is needed (attack C6).
//!
//! | part | constraints |
//! | --- | --- |
//! | K to Montgomery form | 2 |
//! | c's bits | 128 |
//! | c'·K | 772 |
//! | s·B | 501 |
//! | R = s·B − c'·K and its x | 5 |
//! | h | 321 |
//! | hi's bits and the equality | 126 |
//!
//! *Soundness.* K is of order l and not the identity (see [`MeasurerKeyVar`]), so its Montgomery
//! form exists and is unique. s·B and c'·K are computed without reachable exception. For their sum
//! `u₁ ≠ u₂` is enforced: it excludes R = O, whose coordinates don't exist, and the doubling s·B =
//! −c'·K, where the slope would be free. So R is a multiple of B other than O: v ≠ 0, and its x is
//! unique. R is computed and not given, hence on the curve and without torsion (attack C5). Its x
//! names it: the curve has two points with one x, (x, y) and (x, −y) = −(x, y) + (0, −1), and the
//! second is of even order.

use ark_bn254::Fr;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ed_on_bn254::{EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::PrimeField;
use ark_relations::gr1cs::SynthesisError;
use veilpool_primitives::{MeasurerKey, SchnorrSignature, schnorr::expand_challenge};
use veilpool_protocol::attestation::HASH_BITS;

use crate::{
    gadget::{bits, edwards, fixed_base, measurer_set::MeasurerKeyVar, poseidon, variable_base},
    num::Num,
    synthesizer::Synthesizer,
};

/// Bits of h above the challenge.
const HIGH_BITS: usize = HASH_BITS as usize - variable_base::BITS;

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
    let key_point = edwards::into_montgomery(cs, &key.x, &key.y)?;
    let challenge = signature.map(|signature| Fr::from(signature.challenge).into_bigint());
    let challenge_bits = bits::alloc_bits(cs, "challenge bit", challenge, 0, variable_base::BITS)?;
    let from_key = variable_base::multiply(cs, &key_point, &challenge_bits)?;
    let from_base = fixed_base::multiply(cs, signature.map(|signature| signature.response))?;

    cs.enforce_nonzero(&(&from_base.u - &from_key.u))?;
    let nonce_point = from_base.add(cs, &from_key.negate())?;
    let nonce_x = edwards::edwards_x(cs, &nonce_point)?;

    let hash = poseidon::hash(
        cs,
        &[
            message.packed.clone(),
            nonce_x,
            key.x.clone(),
            message.domain.clone(),
            message.subject.clone(),
        ],
    )?;
    let high_bits = bits::alloc_bits(
        cs,
        "high hash bit",
        hash.value().map(PrimeField::into_bigint),
        variable_base::BITS,
        HIGH_BITS,
    )?;
    let low = Num::from_bits(&challenge_bits, 0);
    let high = Num::from_bits(&high_bits, variable_base::BITS as u32);
    cs.enforce(present, &(&hash - &low - &high), &Num::zero())
}

/// Whether the gadget can compute with these: `s·B ≠ ±c'·K`, and s is representable in the
/// fixed-base windows. A signature that verifies and isn't computable has an s or an R that is fixed
/// by c before c is hashed: as hard to find as a preimage of the challenge.
#[must_use]
pub fn is_computable(key: &MeasurerKey, signature: &SchnorrSignature) -> bool {
    let from_base = (EdwardsProjective::generator() * signature.response).into_affine();
    let from_key = (*key.point() * expand_challenge(signature.challenge)).into_affine();
    // P and −P share y, and no other point of odd order does.
    fixed_base::is_representable(signature.response) && from_base.y != from_key.y
}

/// A signature for an absent slot: not valid, but one that the gadget can compute with, whatever
/// the key (a measurer can't choose a key that locks out whoever lacks its signature).
#[must_use]
pub fn placeholder(key: &MeasurerKey) -> SchnorrSignature {
    let mut candidate = SchnorrSignature {
        challenge: 0,
        response: SubgroupScalar::from(1u8),
    };
    while !is_computable(key, &candidate) {
        candidate.response += SubgroupScalar::from(1u8);
    }
    candidate
}
