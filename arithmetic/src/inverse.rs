//! Modular inverses, many by one.

use ark_ff::Field;

use crate::{
    engine::{LANES, Lanes, Words},
    words::Raw,
};

/// Inverses of eight elements in word form, by one inversion (Montgomery's trick); of zero, zero.
pub(crate) fn invert_all<L: Lanes>(words: &[Words; LANES]) -> [Words; LANES] {
    let zero = L::Scalar::from(0u64);
    // As arkworks reads them these are x · 2^shift; the inverses' words are x⁻¹ · 2^shift.
    let values = words.map(|words| L::Scalar::from_words(&words));
    let mut prefix = [zero; LANES];
    let mut product = L::Scalar::from(1u64);
    for (value, before) in values.iter().zip(&mut prefix) {
        *before = product;
        if *value != zero {
            product *= value;
        }
    }
    let mut inverse = product.inverse().unwrap_or(zero);
    let correction = L::Scalar::from(1u64 << (2 * L::SHIFT));
    let mut out = [[0; 4]; LANES];
    for lane in (0..LANES).rev() {
        if values[lane] != zero {
            out[lane] = (inverse * prefix[lane] * correction).to_words();
            inverse *= values[lane];
        }
    }
    out
}
