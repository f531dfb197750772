//! The engine for every machine: arkworks' field, element by element.

use ark_bn254::{Fq, Fr};

use super::{Engine, Kernel, LANES, Lanes, Words};
use crate::words::Raw;

/// Needs no instructions that a machine may lack.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

/// Eight elements as arkworks has them.
#[derive(Clone, Copy)]
pub struct PortableLanes<F>([F; LANES]);

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

impl<F: Raw> PortableLanes<F> {
    #[inline(always)]
    fn from_fn(f: impl Fn(usize) -> F) -> Self {
        Self(core::array::from_fn(f))
    }
}

#[inline(always)]
fn half(row: &[u64; 8], at: usize) -> &Words {
    // Both halves of eight words have four.
    row[at..].first_chunk().unwrap_or(&[0; 4])
}

#[inline(always)]
fn signed<F: Raw>(value: F, signs: u8, lane: usize) -> F {
    if signs >> lane & 1 == 1 {
        -value
    } else {
        value
    }
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
        Self::from_fn(|lane| F::from_words(rows[lane]))
    }

    #[inline(always)]
    fn gather_first(_: Portable, rows: [&[u64; 8]; LANES]) -> Self {
        Self::from_fn(|lane| F::from_words(half(rows[lane], 0)))
    }

    #[inline(always)]
    fn gather_pair(_: Portable, rows: [&[u64; 8]; LANES]) -> [Self; 2] {
        [0, 4].map(|at| Self::from_fn(|lane| F::from_words(half(rows[lane], at))))
    }

    #[inline(always)]
    fn scatter(self) -> [Words; LANES] {
        self.0.map(|value| value.to_words())
    }

    #[inline(always)]
    fn scatter_pair(pair: [Self; 2]) -> [[u64; 8]; LANES] {
        let [first, second] = pair;
        core::array::from_fn(|lane| {
            let (a, b) = (first.0[lane].to_words(), second.0[lane].to_words());
            [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]]
        })
    }

    #[inline(always)]
    fn load(_: Portable, block: &PortableBlock) -> Self {
        Self::from_fn(|lane| F::from_words(&block[lane]))
    }

    #[inline(always)]
    fn save(self) -> PortableBlock {
        self.scatter()
    }

    #[inline(always)]
    fn splat(_: Portable, value: &Words) -> Self {
        Self([F::from_words(value); LANES])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::from_fn(|lane| self.0[lane] + other.0[lane])
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::from_fn(|lane| self.0[lane] - other.0[lane])
    }

    #[inline(always)]
    fn sub_two(self, a: Self, b: Self) -> Self {
        self.sub(a).sub(b)
    }

    #[inline(always)]
    fn signed_difference(a: Self, sign_a: u8, b: Self, sign_b: u8) -> Self {
        Self::from_fn(|lane| signed(a.0[lane], sign_a, lane) - signed(b.0[lane], sign_b, lane))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::from_fn(|lane| self.0[lane] * other.0[lane])
    }

    #[inline(always)]
    fn square(self) -> Self {
        Self::from_fn(|lane| self.0[lane].square())
    }

    #[inline(always)]
    fn mul_difference(self, a: Self, b: Self) -> Self {
        self.mul(a.sub(b))
    }

    #[inline(always)]
    fn no_products(_: Portable) -> Self {
        Self([F::ZERO; LANES])
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
        Self::from_fn(|lane| {
            if mask >> lane & 1 == 1 {
                a.0[lane]
            } else {
                b.0[lane]
            }
        })
    }

    #[inline(always)]
    fn zeros(self) -> u8 {
        let mut mask = 0;
        for (lane, value) in self.0.iter().enumerate() {
            mask |= u8::from(*value == F::ZERO) << lane;
        }
        mask
    }

    #[inline(always)]
    fn integers(self) -> [Words; LANES] {
        self.0.map(|value| value.into_bigint().0)
    }
}
