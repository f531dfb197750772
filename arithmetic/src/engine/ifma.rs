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

use core::{
    arch::x86_64::{
        __m512i, _MM_HINT_T0, _mm_prefetch, _mm256_loadu_si256, _mm512_add_epi64, _mm512_and_si512,
        _mm512_castsi256_si512, _mm512_cmpeq_epi64_mask, _mm512_cmplt_epi64_mask,
        _mm512_inserti64x4, _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
        _mm512_mask_add_epi64, _mm512_mask_blend_epi64, _mm512_mask_sub_epi64, _mm512_or_si512,
        _mm512_permutex2var_epi64, _mm512_permutexvar_epi64, _mm512_set1_epi64,
        _mm512_setzero_si512, _mm512_shuffle_i64x2, _mm512_slli_epi64, _mm512_srai_epi64,
        _mm512_srli_epi64, _mm512_storeu_si512, _mm512_sub_epi64, _mm512_unpackhi_epi64,
        _mm512_unpacklo_epi64, _mm512_xor_si512,
    },
    marker::PhantomData,
};

use ark_bn254::{Fq, Fr};
use ark_ff::PrimeField;
use zeroize::Zeroize;

#[cfg(doc)]
use super::MAX_PRODUCTS;
use super::{Engine, Kernel, LANES, Lanes, Words};
use crate::words::Raw;

type Vector = __m512i;
/// Ten columns of a product.
type Wide = [Vector; 10];

const LIMBS: usize = 5;
const BITS: u32 = 52;
const MASK: u64 = (1 << BITS) - 1;

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
        // SAFETY: a prefetch of any address is no access; this one is a reference's.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(bytes) };
        if size_of::<T>() > 64 {
            // SAFETY: as above, and the address is within the object.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(bytes.add(64)) };
        }
    }
}

/// Constants of a field, computed when compiled.
pub trait Modulus: Raw {
    /// 52-bit limbs of p.
    const P: [u64; LIMBS] = limbs52(&<Self as PrimeField>::MODULUS.0);
    /// −p⁻¹ mod 2^52.
    const NEGATED_INVERSE: u64 = negated_inverse(<Self as PrimeField>::MODULUS.0[0]);
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

const fn limbs52(words: &[u64; 4]) -> [u64; LIMBS] {
    let [a, b, c, d] = *words;
    [
        a & MASK,
        (a >> 52 | b << 12) & MASK,
        (b >> 40 | c << 24) & MASK,
        (c >> 28 | d << 36) & MASK,
        d >> 16,
    ]
}

const fn negated_inverse(p: u64) -> u64 {
    // Newton: each step doubles the number of right bits.
    let mut inverse = 1u64;
    let mut step = 0;
    while step < 6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(p.wrapping_mul(inverse)));
        step += 1;
    }
    inverse.wrapping_neg() & MASK
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

// Intrinsics by short names. Private: the module's argument holds for their callers.
macro_rules! intrinsics {
    ($($name:ident($($argument:ident),+) = $intrinsic:ident;)+) => {$(
        #[inline(always)]
        fn $name($($argument: Vector),+) -> Vector {
            // SAFETY: the processor has the instruction (see the module).
            unsafe { $intrinsic($($argument),+) }
        }
    )+};
}

intrinsics! {
    plus(a, b) = _mm512_add_epi64;
    minus(a, b) = _mm512_sub_epi64;
    and(a, b) = _mm512_and_si512;
    or(a, b) = _mm512_or_si512;
    xor(a, b) = _mm512_xor_si512;
    low(sum, a, b) = _mm512_madd52lo_epu64;
    high(sum, a, b) = _mm512_madd52hi_epu64;
    interleave_low(a, b) = _mm512_unpacklo_epi64;
    interleave_high(a, b) = _mm512_unpackhi_epi64;
    permute(index, a) = _mm512_permutexvar_epi64;
    permute_two(a, index, b) = _mm512_permutex2var_epi64;
}

#[inline(always)]
fn zero() -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_setzero_si512() }
}

#[inline(always)]
fn all(value: u64) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_set1_epi64(value.cast_signed()) }
}

#[inline(always)]
fn carry(a: Vector) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_srai_epi64::<BITS>(a) }
}

#[inline(always)]
fn left<const N: u32>(a: Vector) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_slli_epi64::<N>(a) }
}

#[inline(always)]
fn right<const N: u32>(a: Vector) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_srli_epi64::<N>(a) }
}

#[inline(always)]
fn blend(mask: u8, a: Vector, b: Vector) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_mask_blend_epi64(mask, b, a) }
}

#[inline(always)]
fn read(words: &[u64; 8]) -> Vector {
    // SAFETY: reads the 64 bytes that the reference is to, unaligned; see the module.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[inline(always)]
fn write(words: &mut [u64; 8], value: Vector) {
    // SAFETY: writes the 64 bytes that the reference is to, unaligned; see the module.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), value) }
}

/// Four words each of two rows.
#[inline(always)]
fn read_halves(a: *const u64, b: *const u64) -> Vector {
    // SAFETY: both callers pass pointers to at least four words, from references; see the module.
    unsafe {
        _mm512_inserti64x4::<1>(
            _mm512_castsi256_si512(_mm256_loadu_si256(a.cast())),
            _mm256_loadu_si256(b.cast()),
        )
    }
}

/// Rows to columns.
#[inline(always)]
fn transpose(r: [Vector; 8]) -> [Vector; 8] {
    // SAFETY: see the module.
    unsafe {
        let even = [
            interleave_low(r[0], r[1]),
            interleave_low(r[2], r[3]),
            interleave_low(r[4], r[5]),
            interleave_low(r[6], r[7]),
        ];
        let odd = [
            interleave_high(r[0], r[1]),
            interleave_high(r[2], r[3]),
            interleave_high(r[4], r[5]),
            interleave_high(r[6], r[7]),
        ];
        let a = _mm512_shuffle_i64x2::<0x44>(even[0], even[1]);
        let b = _mm512_shuffle_i64x2::<0x44>(even[2], even[3]);
        let c = _mm512_shuffle_i64x2::<0xee>(even[0], even[1]);
        let d = _mm512_shuffle_i64x2::<0xee>(even[2], even[3]);
        let e = _mm512_shuffle_i64x2::<0x44>(odd[0], odd[1]);
        let f = _mm512_shuffle_i64x2::<0x44>(odd[2], odd[3]);
        let g = _mm512_shuffle_i64x2::<0xee>(odd[0], odd[1]);
        let h = _mm512_shuffle_i64x2::<0xee>(odd[2], odd[3]);
        [
            _mm512_shuffle_i64x2::<0x88>(a, b),
            _mm512_shuffle_i64x2::<0x88>(e, f),
            _mm512_shuffle_i64x2::<0xdd>(a, b),
            _mm512_shuffle_i64x2::<0xdd>(e, f),
            _mm512_shuffle_i64x2::<0x88>(c, d),
            _mm512_shuffle_i64x2::<0x88>(g, h),
            _mm512_shuffle_i64x2::<0xdd>(c, d),
            _mm512_shuffle_i64x2::<0xdd>(g, h),
        ]
    }
}

/// Four words of each of eight rows to columns.
#[inline(always)]
fn transpose_halves(rows: [*const u64; LANES]) -> [Vector; 4] {
    let first = read(&[0, 1, 8, 9, 4, 5, 12, 13]);
    let second = read(&[2, 3, 10, 11, 6, 7, 14, 15]);
    let r = [
        read_halves(rows[0], rows[4]),
        read_halves(rows[1], rows[5]),
        read_halves(rows[2], rows[6]),
        read_halves(rows[3], rows[7]),
    ];
    let (a, b) = (interleave_low(r[0], r[1]), interleave_low(r[2], r[3]));
    let (c, d) = (interleave_high(r[0], r[1]), interleave_high(r[2], r[3]));
    [
        permute_two(a, first, b),
        permute_two(c, first, d),
        permute_two(a, second, b),
        permute_two(c, second, d),
    ]
}

/// 64-bit words to 52-bit limbs.
#[inline(always)]
fn split(w: [Vector; 4]) -> [Vector; LIMBS] {
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
fn join(l: [Vector; LIMBS]) -> [Vector; 4] {
    [
        or(l[0], left::<52>(l[1])),
        or(right::<12>(l[1]), left::<40>(l[2])),
        or(right::<24>(l[2]), left::<28>(l[3])),
        or(right::<36>(l[3]), left::<16>(l[4])),
    ]
}

/// Carries to the top; the value is not negative and below 2^260.
#[inline(always)]
fn propagate(l: [Vector; LIMBS]) -> [Vector; LIMBS] {
    let mask = all(MASK);
    let b = plus(l[1], carry(l[0]));
    let c = plus(l[2], carry(b));
    let d = plus(l[3], carry(c));
    let e = plus(l[4], carry(d));
    [and(l[0], mask), and(b, mask), and(c, mask), and(d, mask), e]
}

/// Takes multiples of p from a value in (−3.9 p, 4 p), given by signed limbs: [0, 1.1 p) is left.
#[inline(always)]
fn normalise<M: Modulus>(l: [Vector; LIMBS]) -> [Vector; LIMBS] {
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
fn each_plus(a: [Vector; LIMBS], b: [Vector; LIMBS]) -> [Vector; LIMBS] {
    [
        plus(a[0], b[0]),
        plus(a[1], b[1]),
        plus(a[2], b[2]),
        plus(a[3], b[3]),
        plus(a[4], b[4]),
    ]
}

#[inline(always)]
fn each_minus(a: [Vector; LIMBS], b: [Vector; LIMBS]) -> [Vector; LIMBS] {
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
fn factor_difference<M: Modulus>(a: [Vector; LIMBS], b: [Vector; LIMBS]) -> [Vector; LIMBS] {
    let mut limbs = each_minus(a, b);
    for (limb, p) in limbs.iter_mut().zip(M::P) {
        *limb = plus(*limb, all(2 * p));
    }
    propagate(limbs)
}

#[inline(always)]
fn multiply(a: [Vector; LIMBS], b: [Vector; LIMBS]) -> Wide {
    multiply_onto([zero(); 10], a, b)
}

#[inline(always)]
fn multiply_onto(mut t: Wide, a: [Vector; LIMBS], b: [Vector; LIMBS]) -> Wide {
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
fn multiply_by_itself(a: [Vector; LIMBS]) -> Wide {
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
fn reduce<M: Modulus>(mut t: Wide) -> [Vector; LIMBS] {
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
fn canonical<M: Modulus>(l: [Vector; LIMBS]) -> [Vector; LIMBS] {
    let mut reduced = l;
    for (limb, p) in reduced.iter_mut().zip(M::P) {
        *limb = minus(*limb, all(p));
    }
    let reduced = propagate(reduced);
    // SAFETY: see the module.
    let negative = unsafe { _mm512_cmplt_epi64_mask(reduced[4], zero()) };
    [
        blend(negative, l[0], reduced[0]),
        blend(negative, l[1], reduced[1]),
        blend(negative, l[2], reduced[2]),
        blend(negative, l[3], reduced[3]),
        blend(negative, l[4], reduced[4]),
    ]
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
            // SAFETY: see the module.
            limbs[j] = unsafe {
                let a = _mm512_mask_sub_epi64(a.limbs[j], sign_a, zero(), a.limbs[j]);
                _mm512_mask_add_epi64(minus(a, b.limbs[j]), sign_b, a, b.limbs[j])
            };
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
        // SAFETY: see the module.
        unsafe {
            _mm512_cmpeq_epi64_mask(zero_bits, zero()) | _mm512_cmpeq_epi64_mask(p_bits, zero())
        }
    }

    #[inline(always)]
    fn integers(self) -> [Words; LANES] {
        let mut columns = [zero(); 10];
        columns[..LIMBS].copy_from_slice(&self.limbs);
        Self::new(canonical::<M>(reduce::<M>(columns))).scatter()
    }
}
