//! Field elements as raw words: arkworks' Montgomery form `x · 2^256 mod p`, read and written as it is.

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInt, BigInteger, PrimeField};

use crate::engine::Words;

/// A prime field whose Montgomery words can be had.
pub trait Raw: PrimeField<BigInt = BigInt<4>> {
    /// `2^512 mod p`: the words of 2^256.
    const R_SQUARED: Words;
    /// `x · 2^256 mod p`.
    fn to_words(&self) -> Words;
    /// From `x · 2^256`, which may be up to 2^256 − 1.
    fn from_words(words: &Words) -> Self;
}

/// −p⁻¹ mod 2^64, of an odd p: what Montgomery's reduction multiplies by.
pub(crate) const fn negated_inverse(p: u64) -> u64 {
    // Newton: each step doubles the number of right bits.
    let mut inverse = 1u64;
    let mut step = 0;
    while step < 6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(p.wrapping_mul(inverse)));
        step += 1;
    }
    inverse.wrapping_neg()
}

macro_rules! raw {
    ($field:ty) => {
        impl Raw for $field {
            const R_SQUARED: Words = Self::R2.0;

            #[inline]
            fn to_words(&self) -> Words {
                self.0.0
            }
            #[inline]
            fn from_words(words: &Words) -> Self {
                let mut integer = BigInt(*words);
                while integer >= Self::MODULUS {
                    integer.sub_with_borrow(&Self::MODULUS);
                }
                Self::new_unchecked(integer)
            }
        }
    };
}

raw!(Fq);
raw!(Fr);
