//! The engine for AVX-512 IFMA: eight elements in five vectors, radix 2^52, Montgomery with R = 2^260.
//!
//! ```text
//! x = Σ_j limb_j · 2^(52 j), 0 ≤ limb_j < 2^52        value x < 1.25·p
//! product: T = Σ a_i b_j 2^(52 (i+j)) in ten columns, low and high halves of each limb product apart;
//!          five times: m = −T/p mod 2^52 of the lowest column, T += m·p, drop that column
//! ```
//! **Bounds.** A column gets at most 10 halves below 2^52 from each product and 10 from m·p; with
//! the three products of [`mul_complex`](Lanes::mul_complex) that is below 2^58 in absolute value,
//! so 64-bit columns with signed carries never overflow; nor do [`MAX_PRODUCTS`] products in one sum
//! (128 · 2^55.4 < 2^62.4), whose value is below p + 128 · 0.012 p < 2.6 p before it is normalised. p < 2^253.6 gives p/R < 2^−6.4 < 0.012:
//! from operands with `a·b ≤ 4.1 p²` a product is below `p + 4.1·0.012 p < 1.05 p`.
//! Sums and differences are formed limb by limb (signed), then [`normalise`] takes away ⌊x/p⌋ times
//! p, estimated from the top limb: the estimate is never too high, and too low by less than 0.1,
//! so what is left is in [0, 1.1·p).
//!
//! Reference: Gueron and Krasnov, *Software implementation of modular exponentiation, using advanced
//! vector instructions architectures* (2012), for the redundant radix; the lazy complex product is
//! from Aranha et al., *Faster explicit formulas for computing pairings over ordinary curves* (2011).
//!
//! **Safety.** Every function here either takes an [`Ifma`] or a value that came from one, and
//! `Ifma` exists only where the processor has the instructions. That is the argument of every
//! `unsafe` block that calls an intrinsic; those that touch memory say more.
#![allow(unsafe_code)]
// Indices, not closures: those would be compiled without the engine's instructions.
#![allow(clippy::needless_range_loop)]

mod limbs;
mod vector;

use core::marker::PhantomData;

use ark_bn254::{Fq, Fr};
use zeroize::Zeroize;

#[cfg(doc)]
use super::MAX_PRODUCTS;
use super::{Engine, Kernel, LANES, Lanes, Words};
use limbs::*;
use vector::*;

/// Shows that the processor has AVX-512 F, DQ, VL and IFMA, and that the system saves their state.
#[derive(Clone, Copy, Debug)]
pub struct Ifma(());

/// Eight elements, 52 bits to a limb.
#[derive(Clone, Copy)]
pub struct IfmaLanes<M> {
    limbs: [Vector; LIMBS],
    modulus: PhantomData<M>,
}

/// Columns of a sum of products.
#[derive(Clone, Copy)]
pub struct IfmaSum(Wide);

/// The same in memory.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct IfmaBlock([u64; LIMBS * LANES]);

impl Zeroize for IfmaBlock {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Ifma {
    /// The engine, where the machine has it.
    #[must_use]
    pub fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512ifma")
            && is_x86_feature_detected!("bmi2");
        found.then_some(Self(()))
    }
}

impl Engine for Ifma {
    type Fq = IfmaLanes<Fq>;
    type Fr = IfmaLanes<Fr>;
    const NAME: &'static str = "avx512-ifma";

    fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512ifma,bmi2")]
        fn enabled<K: Kernel<Ifma>>(engine: Ifma, kernel: K) -> K::Output {
            kernel.run(engine)
        }
        // SAFETY: `self` shows that the processor has these features.
        unsafe { enabled(self, kernel) }
    }

    #[inline(always)]
    fn prefetch<T>(self, target: &T) {
        let bytes = core::ptr::from_ref(target).cast::<i8>();
        fetch(bytes);
        if size_of::<T>() > 64 {
            fetch(bytes.wrapping_add(64));
        }
    }
}

impl<M: Modulus> IfmaLanes<M> {
    #[inline(always)]
    fn new(limbs: [Vector; LIMBS]) -> Self {
        Self {
            limbs,
            modulus: PhantomData,
        }
    }
}

impl<M: Modulus> Lanes for IfmaLanes<M> {
    type Engine = Ifma;
    type Scalar = M;
    type Block = IfmaBlock;
    type Sum = IfmaSum;
    const SHIFT: u32 = 4;
    const EMPTY: IfmaBlock = IfmaBlock([0; LIMBS * LANES]);

    #[inline(always)]
    fn gather(_: Ifma, rows: [&Words; LANES]) -> Self {
        Self::new(split(transpose_halves([
            rows[0].as_ptr(),
            rows[1].as_ptr(),
            rows[2].as_ptr(),
            rows[3].as_ptr(),
            rows[4].as_ptr(),
            rows[5].as_ptr(),
            rows[6].as_ptr(),
            rows[7].as_ptr(),
        ])))
    }

    #[inline(always)]
    fn gather_first(_: Ifma, rows: [&[u64; 8]; LANES]) -> Self {
        Self::new(split(transpose_halves([
            rows[0].as_ptr(),
            rows[1].as_ptr(),
            rows[2].as_ptr(),
            rows[3].as_ptr(),
            rows[4].as_ptr(),
            rows[5].as_ptr(),
            rows[6].as_ptr(),
            rows[7].as_ptr(),
        ])))
    }

    #[inline(always)]
    fn gather_pair(_: Ifma, rows: [&[u64; 8]; LANES]) -> [Self; 2] {
        let t = transpose([
            read(rows[0]),
            read(rows[1]),
            read(rows[2]),
            read(rows[3]),
            read(rows[4]),
            read(rows[5]),
            read(rows[6]),
            read(rows[7]),
        ]);
        [
            Self::new(split([t[0], t[1], t[2], t[3]])),
            Self::new(split([t[4], t[5], t[6], t[7]])),
        ]
    }

    #[inline(always)]
    fn scatter(self) -> [Words; LANES] {
        let w = join(self.limbs);
        let rows = transpose([w[0], w[1], w[2], w[3], zero(), zero(), zero(), zero()]);
        let mut out = [[0; 4]; LANES];
        let mut row = [0; 8];
        for lane in 0..LANES {
            write(&mut row, rows[lane]);
            out[lane].copy_from_slice(&row[..4]);
        }
        out
    }

    #[inline(always)]
    fn scatter_pair(pair: [Self; 2], rows: [&mut [u64; 8]; LANES]) {
        let [a, b] = [join(pair[0].limbs), join(pair[1].limbs)];
        let values = transpose([a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]]);
        for (row, value) in rows.into_iter().zip(values) {
            write(row, value);
        }
    }

    #[inline(always)]
    fn load(_: Ifma, block: &IfmaBlock) -> Self {
        let limbs = block.0.as_chunks::<LANES>().0;
        Self::new([
            read(&limbs[0]),
            read(&limbs[1]),
            read(&limbs[2]),
            read(&limbs[3]),
            read(&limbs[4]),
        ])
    }

    #[inline(always)]
    fn save(self, block: &mut IfmaBlock) {
        for (limb, value) in block
            .0
            .as_chunks_mut::<LANES>()
            .0
            .iter_mut()
            .zip(self.limbs)
        {
            write(limb, value);
        }
    }

    #[inline(always)]
    fn splat(_: Ifma, value: &Words) -> Self {
        let limbs = limbs52(value);
        Self::new([
            all(limbs[0]),
            all(limbs[1]),
            all(limbs[2]),
            all(limbs[3]),
            all(limbs[4]),
        ])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::new(normalise::<M>(each_plus(self.limbs, other.limbs)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::new(normalise::<M>(each_minus(self.limbs, other.limbs)))
    }

    #[inline(always)]
    fn sub_two(self, a: Self, b: Self) -> Self {
        Self::new(normalise::<M>(each_minus(
            each_minus(self.limbs, a.limbs),
            b.limbs,
        )))
    }

    #[inline(always)]
    fn signed_difference(a: Self, sign_a: u8, b: Self, sign_b: u8) -> Self {
        let mut limbs = [zero(); LIMBS];
        for j in 0..LIMBS {
            limbs[j] = plus_or_minus(sign_b, negate(sign_a, a.limbs[j]), b.limbs[j]);
        }
        Self::new(normalise::<M>(limbs))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::new(reduce::<M>(multiply(self.limbs, other.limbs)))
    }

    #[inline(always)]
    fn square(self) -> Self {
        Self::new(reduce::<M>(multiply_by_itself(self.limbs)))
    }

    #[inline(always)]
    fn mul_difference(self, a: Self, b: Self) -> Self {
        let difference = factor_difference::<M>(a.limbs, b.limbs);
        Self::new(reduce::<M>(multiply(self.limbs, difference)))
    }

    #[inline(always)]
    fn no_products(_: Ifma) -> IfmaSum {
        IfmaSum([zero(); 10])
    }

    #[inline(always)]
    fn add_product(sum: IfmaSum, a: Self, b: Self) -> IfmaSum {
        IfmaSum(multiply_onto(sum.0, a.limbs, b.limbs))
    }

    #[inline(always)]
    fn total(sum: IfmaSum) -> Self {
        Self::new(normalise::<M>(reduce::<M>(sum.0)))
    }

    #[inline(always)]
    fn transpose(all: [Self; LANES]) -> [Self; LANES] {
        let mut out = all;
        for limb in 0..LIMBS {
            let columns = transpose([
                all[0].limbs[limb],
                all[1].limbs[limb],
                all[2].limbs[limb],
                all[3].limbs[limb],
                all[4].limbs[limb],
                all[5].limbs[limb],
                all[6].limbs[limb],
                all[7].limbs[limb],
            ]);
            for lane in 0..LANES {
                out[lane].limbs[limb] = columns[lane];
            }
        }
        out
    }

    #[inline(always)]
    fn mul_complex(a: [Self; 2], b: [Self; 2]) -> [Self; 2] {
        let low = multiply(a[0].limbs, b[0].limbs);
        let high = multiply(a[1].limbs, b[1].limbs);
        let mut sum = multiply(
            propagate(each_plus(a[0].limbs, a[1].limbs)),
            propagate(each_plus(b[0].limbs, b[1].limbs)),
        );
        let mut difference = low;
        for column in 0..10 {
            sum[column] = minus(minus(sum[column], low[column]), high[column]);
            difference[column] = minus(difference[column], high[column]);
        }
        // a₁b₁ < 1.6 p² < p·2^256: what is added exceeds it, and adds p/16 to the result.
        for (column, limb) in difference[4..].iter_mut().zip(M::SHIFTED) {
            *column = plus(*column, all(limb));
        }
        [
            Self::new(reduce::<M>(difference)),
            Self::new(reduce::<M>(sum)),
        ]
    }

    #[inline(always)]
    fn select(mask: u8, a: Self, b: Self) -> Self {
        let mut limbs = b.limbs;
        for j in 0..LIMBS {
            limbs[j] = blend(mask, a.limbs[j], limbs[j]);
        }
        Self::new(limbs)
    }

    #[inline(always)]
    fn zeros(self) -> u8 {
        // Below 1.25 p there are two forms of zero.
        let (mut zero_bits, mut p_bits) = (zero(), zero());
        for (limb, p) in self.limbs.into_iter().zip(M::P) {
            zero_bits = or(zero_bits, limb);
            p_bits = or(p_bits, xor(limb, all(p)));
        }
        equal(zero_bits, zero()) | equal(p_bits, zero())
    }

    #[inline(always)]
    fn integers(self) -> [Words; LANES] {
        let mut columns = [zero(); 10];
        columns[..LIMBS].copy_from_slice(&self.limbs);
        Self::new(canonical::<M>(reduce::<M>(columns))).scatter()
    }
}
