//! A multiple of a variable point by an expanded 128-bit challenge:
//!
//! ```text
//! c' = 2¹²⁸ + 2c + 1        (2¹²⁸ + 2c + 1)·K  from the 128 bits of c
//! ```
//! 772 constraints: 4 for 2K and 6 a bit. Twin of `primitives::schnorr::expand_challenge`.
//!
//! The accumulator starts at a = 2 (the point 2K) and runs through the bits from the highest: a ←
//! 2a + σ with σ = 2b − 1 ∈ {−1, 1}. After 128 steps a = 2¹²⁹ + Σ σᵢ2ⁱ = 2¹²⁹ + 2c − (2¹²⁸ − 1) =
//! c'.
//!
//! **No exception is reachable, whatever the bits**, provided that K has order l (a prime of 251
//! bits): a ≥ 2 at the beginning, and a ≥ 3 afterwards since 2a − 1 ≥ 3; and 2a + σ < 2¹²⁹ + 2¹²⁸
//! at the end. Hence, as integers between −2¹³⁰ and 2¹³⁰ and therefore modulo l:
//! - `P ≠ ±Q` in `double_and_add`: a ≠ ±1;
//! - `P + Q ≠ ±P`: a + σ ≠ a, since σ ≠ 0, and 2a + σ ≠ 0, since it is odd.
//!
//! (To start at K, a = 1, would not be sound: while the bits are 1 0 … the accumulator could be ±K
//! and the slope free.) That K has order l is checked when a measurer set is made, and pinned by
//! the set's hash.

use ark_bn254::Fr;
use ark_relations::gr1cs::SynthesisError;

use crate::{gadget::montgomery::MontgomeryVar, num::Num, synthesizer::Synthesizer};

/// Bits of the challenge.
pub const BITS: usize = veilpool_protocol::attestation::CHALLENGE_BITS as usize;

/// `(2¹²⁸ + 2c + 1)·K`, from c's bits, lowest first, known to be boolean.
///
/// # Errors
/// Those of the constraint system.
pub fn multiply(
    cs: &mut Synthesizer,
    key: &MontgomeryVar,
    bits: &[Num],
) -> Result<MontgomeryVar, SynthesisError> {
    assert_eq!(bits.len(), BITS, "a challenge has 128 bits");
    let mut accumulator = key.double(cs)?;
    for bit in bits.iter().rev() {
        let sign = bit * Fr::from(2u8) - Fr::from(1u8);
        let signed = MontgomeryVar {
            u: key.u.clone(),
            v: cs.multiply("±v of key", &sign, &key.v)?,
        };
        accumulator = accumulator.double_and_add(cs, &signed)?;
    }
    Ok(accumulator)
}
