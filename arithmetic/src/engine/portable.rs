//! The engine for every machine: four 64-bit words, Montgomery with R = 2^256, element by element.
//!
//! ```text
//! values stay below 2p; 4p < R, so (ab + mp)/R < (4p² + Rp)/R < 2p needs no last subtraction
//! ```
//! Sums and differences come back below 2p by masks, without branches: arkworks' field, which is
//! always fully reduced by comparisons, spends as long on a subtraction as on half a product.

use core::marker::PhantomData;

use ark_bn254::{Fq, Fr};

use super::{Engine, Kernel, LANES, Lanes, Words};
use crate::words::{Raw, negated_inverse};

/// Needs no instructions that a machine may lack.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

/// Eight elements as words.
#[derive(Clone, Copy)]
pub struct PortableLanes<F>([Words; LANES], PhantomData<F>);

/// The same in memory.
pub type PortableBlock = [Words; LANES];

impl Engine for Portable {
    type Fq = PortableLanes<Fq>;
    type Fr = PortableLanes<Fr>;
    const NAME: &'static str = "portable";

    #[inline]
    fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn prefetch<T>(self, _: &T) {}
}

/// Constants of a field, computed when compiled.
trait Modulus: Raw {
    const P: Words = Self::MODULUS.0;
    const TWICE: Words = doubled(&Self::MODULUS.0);
    /// −p⁻¹ mod 2^64.
    const NEGATED_INVERSE: u64 = negated_inverse(Self::MODULUS.0[0]);
}

impl<F: Raw> Modulus for F {}

const fn doubled(p: &Words) -> Words {
    let [a, b, c, d] = *p;
    [a << 1, b << 1 | a >> 63, c << 1 | b >> 63, d << 1 | c >> 63]
}

/// `sum + a·b + carry`: the low word, and the new carry.
#[inline(always)]
fn multiply_add(sum: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    // (2^64 − 1)² + 2(2^64 − 1) = 2^128 − 1: nothing wraps, and nothing need be checked.
    let t = u128::from(a).wrapping_mul(u128::from(b));
    let t = t
        .wrapping_add(u128::from(sum))
        .wrapping_add(u128::from(carry));
    (t as u64, (t >> 64) as u64)
}

#[inline(always)]
fn plus(a: &Words, b: &Words) -> (Words, bool) {
    let (r0, c) = a[0].overflowing_add(b[0]);
    let (r1, c) = a[1].carrying(b[1], c);
    let (r2, c) = a[2].carrying(b[2], c);
    let (r3, c) = a[3].carrying(b[3], c);
    ([r0, r1, r2, r3], c)
}

#[inline(always)]
fn minus(a: &Words, b: &Words) -> (Words, bool) {
    let (r0, c) = a[0].overflowing_sub(b[0]);
    let (r1, c) = a[1].borrowing(b[1], c);
    let (r2, c) = a[2].borrowing(b[2], c);
    let (r3, c) = a[3].borrowing(b[3], c);
    ([r0, r1, r2, r3], c)
}

trait Carry: Sized {
    fn carrying(self, other: Self, carry: bool) -> (Self, bool);
    fn borrowing(self, other: Self, borrow: bool) -> (Self, bool);
}

impl Carry for u64 {
    #[inline(always)]
    fn carrying(self, other: Self, carry: bool) -> (Self, bool) {
        let (t, a) = self.overflowing_add(other);
        let (t, b) = t.overflowing_add(Self::from(carry));
        (t, a | b)
    }

    #[inline(always)]
    fn borrowing(self, other: Self, borrow: bool) -> (Self, bool) {
        let (t, a) = self.overflowing_sub(other);
        let (t, b) = t.overflowing_sub(Self::from(borrow));
        (t, a | b)
    }
}

#[inline(always)]
fn masked(words: &Words, condition: bool) -> Words {
    let mask = u64::from(condition).wrapping_neg();
    [
        words[0] & mask,
        words[1] & mask,
        words[2] & mask,
        words[3] & mask,
    ]
}

/// From below 4p to below 2p.
#[inline(always)]
fn add<M: Modulus>(a: &Words, b: &Words) -> Words {
    let (difference, borrow) = minus(&plus(a, b).0, &M::TWICE);
    plus(&difference, &masked(&M::TWICE, borrow)).0
}

#[inline(always)]
fn sub<M: Modulus>(a: &Words, b: &Words) -> Words {
    let (difference, borrow) = minus(a, b);
    plus(&difference, &masked(&M::TWICE, borrow)).0
}

#[inline(always)]
fn mul<M: Modulus>(a: &Words, b: &Words) -> Words {
    let p = &M::P;
    let mut r = [0u64; 4];
    for word in *b {
        // r stays below 2p + …: the two highest carries fit one word, as 2p < 2^255.
        let (r0, c) = multiply_add(r[0], a[0], word, 0);
        let m = r0.wrapping_mul(M::NEGATED_INVERSE);
        let (_, d) = multiply_add(r0, m, p[0], 0);
        let (r1, c) = multiply_add(r[1], a[1], word, c);
        let (s0, d) = multiply_add(r1, m, p[1], d);
        let (r2, c) = multiply_add(r[2], a[2], word, c);
        let (s1, d) = multiply_add(r2, m, p[2], d);
        let (r3, c) = multiply_add(r[3], a[3], word, c);
        let (s2, d) = multiply_add(r3, m, p[3], d);
        r = [s0, s1, s2, c.wrapping_add(d)];
    }
    r
}

/// In [0, p), from below 2p.
#[inline(always)]
fn canonical<M: Modulus>(a: &Words) -> Words {
    let (difference, borrow) = minus(a, &M::P);
    plus(&difference, &masked(&M::P, borrow)).0
}

// Not inlined: kernels have many of these, and code that fits its cache is faster.
#[inline(never)]
fn mul_each<M: Modulus>(a: &[Words; LANES], b: &[Words; LANES]) -> [Words; LANES] {
    let mut out = [[0; 4]; LANES];
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = mul::<M>(a, b);
    }
    out
}

impl<F: Raw> PortableLanes<F> {
    #[inline(always)]
    fn new(words: [Words; LANES]) -> Self {
        Self(words, PhantomData)
    }

    #[inline(always)]
    fn each(self, other: Self, f: impl Fn(&Words, &Words) -> Words) -> Self {
        let mut out = self;
        for ((out, a), b) in out.0.iter_mut().zip(&self.0).zip(&other.0) {
            *out = f(a, b);
        }
        out
    }
}

#[inline(always)]
fn half(row: &[u64; 8], at: usize) -> Words {
    [row[at], row[at + 1], row[at + 2], row[at + 3]]
}

#[inline(always)]
fn signed<M: Modulus>(value: &Words, signs: u8, lane: usize) -> Words {
    let negative = signs >> lane & 1 == 1;
    let opposite = sub::<M>(&[0; 4], value);
    let (a, b) = (masked(&opposite, negative), masked(value, !negative));
    [a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]]
}

impl<F: Raw> Lanes for PortableLanes<F> {
    type Engine = Portable;
    type Scalar = F;
    type Block = PortableBlock;
    type Sum = Self;
    const SHIFT: u32 = 0;
    const EMPTY: PortableBlock = [[0; 4]; LANES];

    #[inline(always)]
    fn gather(_: Portable, rows: [&Words; LANES]) -> Self {
        Self::new(rows.map(|row| *row))
    }

    #[inline(always)]
    fn gather_first(_: Portable, rows: [&[u64; 8]; LANES]) -> Self {
        Self::new(rows.map(|row| half(row, 0)))
    }

    #[inline(always)]
    fn gather_pair(_: Portable, rows: [&[u64; 8]; LANES]) -> [Self; 2] {
        [
            Self::new(rows.map(|row| half(row, 0))),
            Self::new(rows.map(|row| half(row, 4))),
        ]
    }

    #[inline(always)]
    fn scatter(self) -> [Words; LANES] {
        self.0
    }

    #[inline(always)]
    fn scatter_pair(pair: [Self; 2], rows: [&mut [u64; 8]; LANES]) {
        for (lane, row) in rows.into_iter().enumerate() {
            let (first, second) = row.split_at_mut(4);
            first.copy_from_slice(&pair[0].0[lane]);
            second.copy_from_slice(&pair[1].0[lane]);
        }
    }

    #[inline(always)]
    fn load(_: Portable, block: &PortableBlock) -> Self {
        Self::new(*block)
    }

    #[inline(always)]
    fn save(self, block: &mut PortableBlock) {
        *block = self.0;
    }

    #[inline(always)]
    fn splat(_: Portable, value: &Words) -> Self {
        Self::new([*value; LANES])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.each(other, add::<F>)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.each(other, sub::<F>)
    }

    #[inline(always)]
    fn sub_two(self, a: Self, b: Self) -> Self {
        self.sub(a).sub(b)
    }

    #[inline(always)]
    fn signed_difference(a: Self, sign_a: u8, b: Self, sign_b: u8) -> Self {
        let mut out = a;
        for (lane, out) in out.0.iter_mut().enumerate() {
            let a = signed::<F>(&a.0[lane], sign_a, lane);
            *out = sub::<F>(&a, &signed::<F>(&b.0[lane], sign_b, lane));
        }
        out
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::new(mul_each::<F>(&self.0, &other.0))
    }

    #[inline(always)]
    fn square(self) -> Self {
        self.mul(self)
    }

    #[inline(always)]
    fn mul_difference(self, a: Self, b: Self) -> Self {
        self.mul(a.sub(b))
    }

    #[inline(always)]
    fn no_products(_: Portable) -> Self {
        Self::new([[0; 4]; LANES])
    }

    #[inline(always)]
    fn add_product(sum: Self, a: Self, b: Self) -> Self {
        sum.add(a.mul(b))
    }

    #[inline(always)]
    fn total(sum: Self) -> Self {
        sum
    }

    #[inline(always)]
    fn transpose(all: [Self; LANES]) -> [Self; LANES] {
        let mut out = all;
        for (i, lanes) in out.iter_mut().enumerate() {
            for (j, other) in all.iter().enumerate() {
                lanes.0[j] = other.0[i];
            }
        }
        out
    }

    #[inline(always)]
    fn mul_complex(a: [Self; 2], b: [Self; 2]) -> [Self; 2] {
        let (low, high) = (a[0].mul(b[0]), a[1].mul(b[1]));
        let all = a[0].add(a[1]).mul(b[0].add(b[1]));
        [low.sub(high), all.sub_two(low, high)]
    }

    #[inline(always)]
    fn select(mask: u8, a: Self, b: Self) -> Self {
        let mut out = b;
        for (lane, out) in out.0.iter_mut().enumerate() {
            if mask >> lane & 1 == 1 {
                *out = a.0[lane];
            }
        }
        out
    }

    #[inline(always)]
    fn zeros(self) -> u8 {
        // Below 2p there are two forms of zero.
        let mut mask = 0;
        for (lane, value) in self.0.iter().enumerate() {
            mask |= u8::from(*value == [0; 4] || *value == F::MODULUS.0) << lane;
        }
        mask
    }

    #[inline(always)]
    fn integers(self) -> [Words; LANES] {
        self.0
            .map(|value| canonical::<F>(&mul::<F>(&value, &[1, 0, 0, 0])))
    }
}
