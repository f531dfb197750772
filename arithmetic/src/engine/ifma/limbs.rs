//! Eight elements as five vectors of limbs: constants of a modulus, carries, products, reduction. Bounds are the
//! parent's.

use ark_bn254::{Fq, Fr};
use ark_ff::PrimeField;

use super::vector::*;
use crate::words::{Raw, negated_inverse};

/// Ten columns of a product.
pub(super) type Wide = [Vector; 10];

pub(super) const LIMBS: usize = 5;
pub(super) const BITS: u32 = 52;
const MASK: u64 = (1 << BITS) - 1;

/// Constants of a field, computed when compiled.
pub trait Modulus: Raw {
    /// 52-bit limbs of p.
    const P: [u64; LIMBS] = limbs52(&<Self as PrimeField>::MODULUS.0);
    /// −p⁻¹ mod 2^52.
    const NEGATED_INVERSE: u64 = negated_inverse(<Self as PrimeField>::MODULUS.0[0]) & MASK;
    /// Limb j of (4 − q)·p, signed, for the estimates q = 0 … 7.
    const MULTIPLES: &'static Multiples = &multiples(&Self::P);
    /// What makes the top limb of a value in (−3.9 p, 4 p) positive, less what carries may take.
    const BIAS: u64 = 4 * Self::P[4] - 16;
    /// ⌊2^52 / (p's top limb + 1)⌋.
    const RECIPROCAL: u64 = (1 << BITS) / (Self::P[4] + 1);
    /// p·2^256 in limbs 4 … 9: with it, a difference of two products stays positive.
    const SHIFTED: [u64; 6] = shifted(&<Self as PrimeField>::MODULUS.0);
}

impl Modulus for Fq {}
impl Modulus for Fr {}

/// A vector for each limb.
#[repr(C, align(64))]
pub struct Multiples([[u64; 8]; LIMBS]);

pub(super) const fn limbs52(words: &[u64; 4]) -> [u64; LIMBS] {
    let [a, b, c, d] = *words;
    [
        a & MASK,
        (a >> 52 | b << 12) & MASK,
        (b >> 40 | c << 24) & MASK,
        (c >> 28 | d << 36) & MASK,
        d >> 16,
    ]
}

const fn multiples(p: &[u64; LIMBS]) -> Multiples {
    let mut table = [[0; 8]; LIMBS];
    let mut limb = 0;
    while limb < LIMBS {
        let mut q = 0;
        while q < 8 {
            table[limb][q] = 4u64.wrapping_sub(q as u64).wrapping_mul(p[limb]);
            q += 1;
        }
        limb += 1;
    }
    Multiples(table)
}

const fn shifted(words: &[u64; 4]) -> [u64; 6] {
    // p·2^48 in limbs of 52 bits: limb j begins at bit 52 j − 48 of p.
    let [a, b, c, d] = *words;
    [
        a << 48 & MASK,
        a >> 4 & MASK,
        (a >> 56 | b << 8) & MASK,
        (b >> 44 | c << 20) & MASK,
        (c >> 32 | d << 32) & MASK,
        d >> 20,
    ]
}

/// 64-bit words to 52-bit limbs.
#[inline(always)]
pub(super) fn split(w: [Vector; 4]) -> [Vector; LIMBS] {
    let mask = all(MASK);
    [
        and(w[0], mask),
        and(or(right::<52>(w[0]), left::<12>(w[1])), mask),
        and(or(right::<40>(w[1]), left::<24>(w[2])), mask),
        and(or(right::<28>(w[2]), left::<36>(w[3])), mask),
        right::<16>(w[3]),
    ]
}

/// 52-bit limbs to 64-bit words.
#[inline(always)]
pub(super) fn join(l: [Vector; LIMBS]) -> [Vector; 4] {
    [
        or(l[0], left::<52>(l[1])),
        or(right::<12>(l[1]), left::<40>(l[2])),
        or(right::<24>(l[2]), left::<28>(l[3])),
        or(right::<36>(l[3]), left::<16>(l[4])),
    ]
}

/// Carries to the top; the value is not negative and below 2^260.
#[inline(always)]
pub(super) fn propagate(l: [Vector; LIMBS]) -> [Vector; LIMBS] {
    let mask = all(MASK);
    let b = plus(l[1], carry(l[0]));
    let c = plus(l[2], carry(b));
    let d = plus(l[3], carry(c));
    let e = plus(l[4], carry(d));
    [and(l[0], mask), and(b, mask), and(c, mask), and(d, mask), e]
}

/// Takes multiples of p from a value in (−3.9 p, 4 p), given by signed limbs: [0, 1.1 p) is left.
#[inline(always)]
pub(super) fn normalise<M: Modulus>(l: [Vector; LIMBS]) -> [Vector; LIMBS] {
    let q = high(zero(), plus(l[4], all(M::BIAS)), all(M::RECIPROCAL));
    propagate([
        plus(l[0], permute(q, read(&M::MULTIPLES.0[0]))),
        plus(l[1], permute(q, read(&M::MULTIPLES.0[1]))),
        plus(l[2], permute(q, read(&M::MULTIPLES.0[2]))),
        plus(l[3], permute(q, read(&M::MULTIPLES.0[3]))),
        plus(l[4], permute(q, read(&M::MULTIPLES.0[4]))),
    ])
}

#[inline(always)]
pub(super) fn each_plus(a: [Vector; LIMBS], b: [Vector; LIMBS]) -> [Vector; LIMBS] {
    [
        plus(a[0], b[0]),
        plus(a[1], b[1]),
        plus(a[2], b[2]),
        plus(a[3], b[3]),
        plus(a[4], b[4]),
    ]
}

#[inline(always)]
pub(super) fn each_minus(a: [Vector; LIMBS], b: [Vector; LIMBS]) -> [Vector; LIMBS] {
    [
        minus(a[0], b[0]),
        minus(a[1], b[1]),
        minus(a[2], b[2]),
        minus(a[3], b[3]),
        minus(a[4], b[4]),
    ]
}

/// `a − b + 2p`, for a factor only: in (0.7 p, 3.3 p).
#[inline(always)]
pub(super) fn factor_difference<M: Modulus>(
    a: [Vector; LIMBS],
    b: [Vector; LIMBS],
) -> [Vector; LIMBS] {
    let mut limbs = each_minus(a, b);
    for (limb, p) in limbs.iter_mut().zip(M::P) {
        *limb = plus(*limb, all(2 * p));
    }
    propagate(limbs)
}

#[inline(always)]
pub(super) fn multiply(a: [Vector; LIMBS], b: [Vector; LIMBS]) -> Wide {
    multiply_onto([zero(); 10], a, b)
}

#[inline(always)]
pub(super) fn multiply_onto(mut t: Wide, a: [Vector; LIMBS], b: [Vector; LIMBS]) -> Wide {
    for i in 0..LIMBS {
        for j in 0..LIMBS {
            t[i + j] = low(t[i + j], a[i], b[j]);
            t[i + j + 1] = high(t[i + j + 1], a[i], b[j]);
        }
    }
    t
}

/// Products of different limbs once, doubled, and the squares.
#[inline(always)]
pub(super) fn multiply_by_itself(a: [Vector; LIMBS]) -> Wide {
    let mut t = [zero(); 10];
    for i in 0..LIMBS {
        for j in i + 1..LIMBS {
            t[i + j] = low(t[i + j], a[i], a[j]);
            t[i + j + 1] = high(t[i + j + 1], a[i], a[j]);
        }
    }
    for column in &mut t {
        *column = plus(*column, *column);
    }
    for i in 0..LIMBS {
        t[2 * i] = low(t[2 * i], a[i], a[i]);
        t[2 * i + 1] = high(t[2 * i + 1], a[i], a[i]);
    }
    t
}

/// Montgomery's reduction of signed columns whose value is not negative.
#[inline(always)]
pub(super) fn reduce<M: Modulus>(mut t: Wide) -> [Vector; LIMBS] {
    for i in 0..LIMBS {
        let m = low(zero(), t[i], all(M::NEGATED_INVERSE));
        for j in 0..LIMBS {
            t[i + j] = low(t[i + j], m, all(M::P[j]));
            t[i + j + 1] = high(t[i + j + 1], m, all(M::P[j]));
        }
        // The low 52 bits are zero now.
        t[i + 1] = plus(t[i + 1], carry(t[i]));
    }
    propagate([t[5], t[6], t[7], t[8], t[9]])
}

/// In [0, p), from below 2 p.
#[inline(always)]
pub(super) fn canonical<M: Modulus>(l: [Vector; LIMBS]) -> [Vector; LIMBS] {
    let mut reduced = l;
    for (limb, p) in reduced.iter_mut().zip(M::P) {
        *limb = minus(*limb, all(p));
    }
    let reduced = propagate(reduced);
    let negative = less(reduced[4], zero());
    [
        blend(negative, l[0], reduced[0]),
        blend(negative, l[1], reduced[1]),
        blend(negative, l[2], reduced[2]),
        blend(negative, l[3], reduced[3]),
        blend(negative, l[4], reduced[4]),
    ]
}
