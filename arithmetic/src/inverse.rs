//! Modular inverses, many by one.
//!
//! The one is a binary GCD on 64-bit approximations: Pornin, *Optimized Binary GCD for Modular
//! Inversion* (ePrint 2020/972), algorithm 2. Invariants, with `u, v` in `[0, p)`:
//!
//! ```text
//! a ≡ u·y,  b ≡ v·y (mod p),  b odd;  17 times 31 steps bring a to 0 and b to 1, so v = 1/y
//! ```
//! 2·254 − 1 = 507 steps are enough for operands below 2^254; further ones change nothing.

use crate::{
    engine::{LANES, Lanes, Words},
    words::{Raw, negated_inverse},
};

const STEPS: u32 = 31;
const ROUNDS: usize = 17;

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
    let correction = L::Scalar::from(1u64 << (2 * L::SHIFT));
    // The factor of the words' form goes along.
    let mut inverse = invert(&product);
    let mut out = [[0; 4]; LANES];
    for lane in (0..LANES).rev() {
        if values[lane] != zero {
            out[lane] = (inverse * prefix[lane] * correction).to_words();
            inverse *= values[lane];
        }
    }
    out
}

/// `1/y`; of zero, zero.
pub(crate) fn invert<F: Raw>(y: &F) -> F {
    let words = inverse_modulo(y.to_words(), F::MODULUS.0);
    // y's words are y·R, so these are those of y⁻¹·R⁻²: two factors R are missing.
    let r = F::from_words(&F::R_SQUARED);
    F::from_words(&words) * r * r
}

fn inverse_modulo(y: Words, p: Words) -> Words {
    let negated_inverse = negated_inverse(p[0]) & LOW;
    let (mut a, mut b) = (y, p);
    let (mut u, mut v): (Words, Words) = ([1, 0, 0, 0], [0; 4]);
    for _ in 0..ROUNDS {
        let [f0, g0, f1, g1] = steps(&a, &b);
        let (next_a, a_negative) = combine_exactly(&a, f0, &b, g0);
        let (next_b, b_negative) = combine_exactly(&a, f1, &b, g1);
        (a, b) = (next_a, next_b);
        let sign = |negative: bool, factor: i64| if negative { -factor } else { factor };
        let (f0, g0) = (sign(a_negative, f0), sign(a_negative, g0));
        let (f1, g1) = (sign(b_negative, f1), sign(b_negative, g1));
        (u, v) = (
            combine_modulo(&u, f0, &v, g0, &p, negated_inverse),
            combine_modulo(&u, f1, &v, g1, &p, negated_inverse),
        );
    }
    // Zero's only: b is p then, and v is what began as 0.
    v
}

const LOW: u64 = (1 << STEPS) - 1;

/// 31 steps of the binary GCD on approximations; the factors of the linear combinations.
#[inline]
fn steps(a: &Words, b: &Words) -> [i64; 4] {
    let (mut x, mut y) = approximate(a, b);
    let (mut f0, mut g0, mut f1, mut g1) = (1i64, 0i64, 0i64, 1i64);
    for _ in 0..STEPS {
        // Without branches: a coin decides each of them.
        let odd = (x & 1).wrapping_neg();
        let swap = odd & u64::from(x < y).wrapping_neg();
        let t = (x ^ y) & swap;
        x ^= t;
        y ^= t;
        let swap = swap.cast_signed();
        let t = (f0 ^ f1) & swap;
        f0 ^= t;
        f1 ^= t;
        let t = (g0 ^ g1) & swap;
        g0 ^= t;
        g1 ^= t;
        x = x.wrapping_sub(y & odd) >> 1;
        f0 -= f1 & odd.cast_signed();
        g0 -= g1 & odd.cast_signed();
        f1 <<= 1;
        g1 <<= 1;
    }
    [f0, g0, f1, g1]
}

/// The low 31 bits, and the 33 highest bits at the same place of both.
#[inline]
fn approximate(a: &Words, b: &Words) -> (u64, u64) {
    let mut top = 3;
    while top > 0 && a[top] | b[top] == 0 {
        top -= 1;
    }
    if top == 0 {
        return (a[0], b[0]);
    }
    let shift = (a[top] | b[top]).leading_zeros();
    let high = |w: &Words| {
        let both = u128::from(w[top]) << 64 | u128::from(w[top - 1]);
        ((both << shift) >> 64) as u64
    };
    let mix = |w: &Words| (w[0] & LOW) | (high(w) & !LOW);
    (mix(a), mix(b))
}

/// `|a·f + b·g| / 2^31`, which is exact, and whether the sum is negative.
#[inline]
fn combine_exactly(a: &Words, f: i64, b: &Words, g: i64) -> (Words, bool) {
    let sum = combine(a, f, b, g);
    let negative = sum[4] >> 63 == 1;
    let mask = u64::from(negative).wrapping_neg();
    let mut carry = u64::from(negative);
    let mut absolute = [0u64; 5];
    for (out, word) in absolute.iter_mut().zip(sum) {
        let (value, overflow) = (word ^ mask).overflowing_add(carry);
        *out = value;
        carry = u64::from(overflow);
    }
    (shifted(&absolute), negative)
}

/// `(u·f + v·g) / 2^31 mod p`.
#[inline]
fn combine_modulo(u: &Words, f: i64, v: &Words, g: i64, p: &Words, negated_inverse: u64) -> Words {
    let mut sum = combine(u, f, v, g);
    // A multiple of p that makes the low 31 bits zero.
    let k = (sum[0] & LOW).wrapping_mul(negated_inverse) & LOW;
    let mut carry = 0u128;
    for (word, p) in sum.iter_mut().zip(p) {
        let t = u128::from(*word) + u128::from(k) * u128::from(*p) + carry;
        *word = t as u64;
        carry = t >> 64;
    }
    sum[4] = sum[4].wrapping_add(carry as u64);
    // In (−p, 2p): p is added or taken away as the sign says, without a branch.
    let negative = (sum[4].cast_signed() >> 63).cast_unsigned();
    let mut out = shifted(&sum);
    let mut carry = 0u64;
    for (word, p) in out.iter_mut().zip(p) {
        let (t, c1) = word.overflowing_add(p & negative);
        let (t, c2) = t.overflowing_add(carry);
        *word = t;
        carry = u64::from(c1 | c2);
    }
    let mut reduced = out;
    let mut borrow = 0u64;
    for (word, p) in reduced.iter_mut().zip(p) {
        let (t, c1) = word.overflowing_sub(*p);
        let (t, c2) = t.overflowing_sub(borrow);
        *word = t;
        borrow = u64::from(c1 | c2);
    }
    if borrow == 0 { reduced } else { out }
}

#[inline]
fn combine(a: &Words, f: i64, b: &Words, g: i64) -> [u64; 5] {
    let (f, g) = (i128::from(f), i128::from(g));
    let mut sum = [0u64; 5];
    let mut carry = 0i128;
    for i in 0..4 {
        // Below 2^96 each: the factors have at most 31 bits and a sign.
        let (a, b) = (i128::from(a[i]), i128::from(b[i]));
        carry = carry
            .wrapping_add(a.wrapping_mul(f))
            .wrapping_add(b.wrapping_mul(g));
        sum[i] = carry as u64;
        carry >>= 64;
    }
    sum[4] = carry as u64;
    sum
}

#[inline]
fn shifted(sum: &[u64; 5]) -> Words {
    core::array::from_fn(|i| sum[i] >> STEPS | sum[i + 1] << (64 - STEPS))
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fq, Fr};

    use super::invert;
    use crate::words::Raw;

    fn agrees<F: Raw>() {
        assert_eq!(invert(&F::ZERO), F::ZERO);
        let mut value = F::from(3u8);
        // Miri is a thousand times slower.
        for exponent in 0..if cfg!(miri) { 4 } else { 300u64 } {
            let power = F::from(2u8).pow([exponent]);
            for edge in [power, power - F::ONE, -power, power + F::ONE, value] {
                assert_eq!(invert(&edge), edge.inverse().unwrap_or(F::ZERO), "{edge}");
            }
            value = value.square() + F::from(exponent);
        }
    }

    #[test]
    fn portable_inverses_are_arkworks_inverses() {
        agrees::<Fq>();
        agrees::<Fr>();
    }
}
