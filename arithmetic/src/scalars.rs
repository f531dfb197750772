//! Exponents: scalars as signed integers of at most half the group's order.
//!
//! ```text
//! s > r/2  is written as  −(r − s):  |s| < 2^252.6, and a small negative number stays small
//! ```

use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};
use zeroize::Zeroize;

use crate::engine::Words;

/// The bit of the highest word that says that the exponent is negative.
const SIGN: u64 = 1 << 63;

/// Exponents of one multiplication. Overwritten when dropped.
#[derive(Default)]
pub struct Exponents(Vec<Words>);

impl Drop for Exponents {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Exponents {
    /// Of scalars.
    #[must_use]
    pub fn new(scalars: &[Fr]) -> Self {
        let mut all = Self::with_capacity(scalars.len());
        all.extend(scalars);
        all
    }

    /// Of integers in `[0, r)`, which are overwritten.
    #[must_use]
    pub fn from_integers(mut integers: Vec<Words>) -> Self {
        for words in &mut integers {
            *words = signed(*words);
        }
        Self(integers)
    }

    /// Room for so many.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Adds some.
    pub fn extend(&mut self, scalars: &[Fr]) {
        let needed = self.0.len() + scalars.len();
        if needed > self.0.capacity() {
            // A new place, so that the old one can be overwritten before it is given back.
            let mut larger = Vec::with_capacity(needed);
            larger.extend_from_slice(&self.0);
            core::mem::swap(&mut self.0, &mut larger);
            larger.zeroize();
        }
        self.0
            .extend(scalars.iter().map(|scalar| signed(scalar.into_bigint().0)));
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Absolute value and sign of one; `None` beyond the end.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<(Words, bool)> {
        self.0.get(index).map(|words| {
            let [a, b, c, d] = *words;
            ([a, b, c, d & !SIGN], d & SIGN != 0)
        })
    }
}

#[inline]
fn signed(words: Words) -> Words {
    let integer = BigInt(words);
    if integer <= Fr::MODULUS_MINUS_ONE_DIV_TWO {
        return words;
    }
    let mut negated = Fr::MODULUS;
    negated.sub_with_borrow(&integer);
    let [a, b, c, d] = negated.0;
    [a, b, c, d | SIGN]
}
