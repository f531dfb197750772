//! A multiple of a measurer's key by a challenge's multiplier, over two points of the key at once:
//!
//! ```text
//! m·K = X·K + Y·K'     K' = 2⁶⁴·K, c = c₀ + 2⁶⁴·c₁, X = 2c₀ + 1, Y = 2c₁ + 1, m = X + 2⁶⁴·Y
//! ```
//! 651 constraints, c's range included: 6 for both points, 3 for the start, 10 for two bits, 2 for c.
//! Twin of `primitives::schnorr::multiplier`. Straus 1964 with digits ±1.
//!
//! The accumulator A = X·K + Y·K' starts at X = Y = 1, and in each of 64 steps becomes `(2A + τ·K') +
//! σ·K` with σ, τ ∈ {−1, 1}: X ← 2X + σ, Y ← 2Y + τ. After that X = 2⁶⁴ + Σ σᵢ2ⁱ, so with σᵢ = 2bᵢ − 1
//! X = 2c₀ + 1 where the bᵢ are the bits of c₀; likewise Y.
//!
//! *No bits.* A step's point σ·K is `(u_K, w)` with `w² = v_K²`: a field has no zero divisors, so w =
//! ±v_K, and this one constraint says at once that σ is a sign and that w is σ·v_K. The number that the
//! signs spell is read off at the end, once for all: `Σ wᵢ2ⁱ = v_K·Σ σᵢ2ⁱ = v_K·(2c₀ + 1 − 2⁶⁴)`. As v_K ≠
//! 0 (K has odd order), c₀ is an integer in [0, 2⁶⁴) and unique: that range check costs nothing more.
//!
//! **No exception is reachable, whatever the signs**, provided that K has order l (a prime of 251 bits).
//! All X and Y are odd, positive and below 2⁶⁵, so that each integer below is less than 2¹³¹ in size, and
//! 0 modulo l only if it is 0:
//! - at the start K ≠ ±K': 1 ≠ ±2⁶⁴;
//! - 2A + τ·K' = (A + τ·K') + A needs A ≠ ±K': X + 2⁶⁴·Y ∓ 2⁶⁴ is odd; and A + τ·K' ≠ ±A: ±2⁶⁴ ≠ 0, and
//!   2X + 2⁶⁴·(2Y + τ) = 0 would make the odd X a multiple of 2⁶³;
//! - the addition of σ·K needs 2A + τ·K' ≠ ±K: 2X + 2⁶⁴·(2Y + τ) ∓ 1 is odd.
//!
//! *Signs.* The measurer set pins u of K and of K', so each is known up to sign: the prover may compute
//! ±(X + 2⁶⁴·Y)·K or ±(X − 2⁶⁴·Y)·K. The argument above holds with −2⁶⁴ as well (parities don't change).
//! R and −R have one hash, so what an answer is tied to is its multiplier up to sign, |X ± 2⁶⁴·Y| < 2¹³⁰.
//! **At most two challenges share that.** With Z = ±Y and Z' = ±Y', odd:
//! - `X + 2⁶⁴·Z = X' + 2⁶⁴·Z'`: Z' − Z is even, so X − X' is a multiple of 2⁶⁵, and less than that in size: it is
//!   0. Hence X = X', Z = Z', one challenge;
//! - `X + 2⁶⁴·Z = −(X' + 2⁶⁴·Z')`: Z + Z' is even, so X + X' is a multiple of 2⁶⁵, above 0 and below 2⁶⁶: it is 2⁶⁵,
//!   and Z + Z' = −2. So c₀' = 2⁶⁴ − 1 − c₀, and either Z = Y, Z' = −(Y + 2), or the other way round, or
//!   Z = Z' = −1. For given X and Z that is one X' and Z'.
//!
//! So three answers to different challenges for one u(R) give x (two do, where the signs are known), and whoever
//! doesn't know x can have at most two for each u(R): a forger gains one bit of 128.

use ark_bn254::Fr;
use ark_ff::Field;
use ark_relations::gr1cs::SynthesisError;
use veilpool_primitives::measurer_key::SHIFT;

use crate::{
    gadget::{measurer_set::MeasurerKeyVar, montgomery::MontgomeryVar},
    num::{Num, power_of_two},
    synthesizer::Synthesizer,
};

/// A point whose u is given, with a v of the prover's choice of sign, and v².
struct SignedPoint {
    point: MontgomeryVar,
    square: Num,
    // The sum Σ wᵢ2ⁱ so far.
    spelt: Num,
}

/// A challenge in two halves, each shown to be in [0, 2⁶⁴).
pub struct ChallengeVar {
    /// c₀.
    pub low: Num,
    /// c₁.
    pub high: Num,
}

impl ChallengeVar {
    /// c₀ + 2⁶⁴·c₁.
    #[must_use]
    pub fn num(&self) -> Num {
        self.low.add_scaled(&self.high, power_of_two(SHIFT))
    }
}

/// `m·K` for a challenge of the prover's, and that challenge.
///
/// # Errors
/// Those of the constraint system.
pub fn multiply(
    cs: &mut Synthesizer,
    key: &MeasurerKeyVar,
    challenge: Option<u128>,
) -> Result<(MontgomeryVar, ChallengeVar), SynthesisError> {
    let halves = challenge.map(|c| (c as u64, (c >> SHIFT) as u64));
    let (low, high) = (halves.map(|(low, _)| low), halves.map(|(_, high)| high));
    let mut point = SignedPoint::alloc(cs, &key.u, key.v)?;
    let mut shifted = SignedPoint::alloc(cs, &key.shifted_u, key.shifted_v)?;

    let mut accumulator = point.point.add(cs, &shifted.point)?;
    for bit in (0..SHIFT).rev() {
        let signed = shifted.signed(cs, bit, high)?;
        accumulator = accumulator.double_and_add(cs, &signed)?;
        let signed = point.signed(cs, bit, low)?;
        accumulator = accumulator.add(cs, &signed)?;
    }
    let challenge = ChallengeVar {
        low: point.spelt_half(cs, low)?,
        high: shifted.spelt_half(cs, high)?,
    };
    Ok((accumulator, challenge))
}

impl SignedPoint {
    // On the curve: v² = u³ + A·u² + u. 3 constraints.
    fn alloc(cs: &mut Synthesizer, u: &Num, v: Option<Fr>) -> Result<Self, SynthesisError> {
        let v = cs.witness("v of key", v)?;
        let square = MontgomeryVar::enforce_on_curve(cs, u, &v)?;
        Ok(Self {
            point: MontgomeryVar { u: u.clone(), v },
            square,
            spelt: Num::zero(),
        })
    }

    // ±P with the sign of a bit. 1 constraint.
    fn signed(
        &mut self,
        cs: &mut Synthesizer,
        bit: u32,
        half: Option<u64>,
    ) -> Result<MontgomeryVar, SynthesisError> {
        let value = half.zip(self.point.v.value()).map(|(half, v)| {
            let is_one = half >> bit & 1 == 1;
            if is_one { v } else { -v }
        });
        let v = cs.witness("±v of key", value)?;
        cs.enforce(&v, &v, &self.square)?;
        self.spelt = self.spelt.add_scaled(&v, power_of_two(bit));
        Ok(MontgomeryVar {
            u: self.point.u.clone(),
            v,
        })
    }

    // The half of the challenge that the signs spell. 1 constraint.
    fn spelt_half(&self, cs: &mut Synthesizer, half: Option<u64>) -> Result<Num, SynthesisError> {
        let half = cs.witness("half challenge", half.map(Fr::from))?;
        let signs = &half * Fr::from(2u8) + (Fr::ONE - power_of_two(SHIFT));
        cs.enforce(&signs, &self.point.v, &self.spelt)?;
        Ok(half)
    }
}
