//! Bits and ranges.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use ark_relations::gr1cs::SynthesisError;

use crate::{
    num::{Num, power_of_two},
    synthesizer::Synthesizer,
};

/// `b·(b − 1) = 0`, hence b ∈ {0, 1}: a field has no zero divisors. 1 constraint.
///
/// # Errors
/// Those of the constraint system.
pub fn enforce_boolean(cs: &mut Synthesizer, bit: &Num) -> Result<(), SynthesisError> {
    cs.enforce(bit, &(bit - Fr::ONE), &Num::zero())
}

/// A new boolean column. 1 constraint.
///
/// # Errors
/// Those of the constraint system.
pub fn alloc_bit(
    cs: &mut Synthesizer,
    name: &'static str,
    value: Option<bool>,
) -> Result<Num, SynthesisError> {
    let bit = cs.witness(name, value.map(Fr::from))?;
    enforce_boolean(cs, &bit)?;
    Ok(bit)
}

/// `count` new boolean columns with the lowest bits of `value` from bit `from` on, lowest first.
/// `count` constraints. Says nothing about `value`: the caller ties the bits to it.
///
/// # Errors
/// Those of the constraint system.
pub fn alloc_bits(
    cs: &mut Synthesizer,
    name: &'static str,
    value: Option<<Fr as PrimeField>::BigInt>,
    from: usize,
    count: usize,
) -> Result<Vec<Num>, SynthesisError> {
    (from..from + count)
        .map(|i| alloc_bit(cs, name, value.map(|value| value.get_bit(i))))
        .collect()
}

/// `0 ≤ num < 2^bits`. `bits` constraints: all bits but the highest are columns; the highest is the
/// linear combination `(num − Σ bᵢ·2ⁱ)/2^(bits−1)`, and is boolean too. Then `num = Σ bᵢ·2ⁱ` over all
/// `bits` bits, an integer below 2^bits, which is below r: there is no second decomposition.
///
/// # Errors
/// Those of the constraint system.
///
/// # Panics
/// When `bits` is 0 or more than 253.
pub fn enforce_range(
    cs: &mut Synthesizer,
    name: &'static str,
    num: &Num,
    bits: u32,
) -> Result<(), SynthesisError> {
    assert!((1..=253).contains(&bits), "1 to 253 bits, not {bits}");
    let low = alloc_bits(
        cs,
        name,
        num.value().map(PrimeField::into_bigint),
        0,
        bits as usize - 1,
    )?;
    let rest = num - &Num::from_bits(&low, 0);
    let inverse = power_of_two(bits - 1).inverse().unwrap_or(Fr::ZERO);
    enforce_boolean(cs, &(rest * inverse))
}
