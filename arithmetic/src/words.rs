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
