//! Eight 64-bit words: the instructions by short names, rows to columns, and memory.
//!
//! Safe to call from the parent only, whose argument holds here: there is a token [`Ifma`](super::Ifma) wherever
//! these are reached, so the processor has the instructions.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m512i, _MM_HINT_T0, _mm_prefetch, _mm256_loadu_si256, _mm512_add_epi64, _mm512_and_si512,
    _mm512_castsi256_si512, _mm512_cmpeq_epi64_mask, _mm512_cmplt_epi64_mask, _mm512_inserti64x4,
    _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_add_epi64,
    _mm512_mask_blend_epi64, _mm512_mask_sub_epi64, _mm512_or_si512, _mm512_permutex2var_epi64,
    _mm512_permutexvar_epi64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_shuffle_i64x2,
    _mm512_slli_epi64, _mm512_srai_epi64, _mm512_srli_epi64, _mm512_storeu_si512, _mm512_sub_epi64,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use super::limbs::BITS;
use crate::engine::LANES;

pub(super) type Vector = __m512i;

// Intrinsics by short names. Private: the module's argument holds for their callers.
macro_rules! intrinsics {
    ($($name:ident($($argument:ident),+) = $intrinsic:ident;)+) => {$(
        #[inline(always)]
        pub(super) fn $name($($argument: Vector),+) -> Vector {
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
pub(super) fn zero() -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_setzero_si512() }
}

#[inline(always)]
pub(super) fn all(value: u64) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_set1_epi64(value.cast_signed()) }
}

#[inline(always)]
pub(super) fn carry(a: Vector) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_srai_epi64::<BITS>(a) }
}

#[inline(always)]
pub(super) fn left<const N: u32>(a: Vector) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_slli_epi64::<N>(a) }
}

#[inline(always)]
pub(super) fn right<const N: u32>(a: Vector) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_srli_epi64::<N>(a) }
}

#[inline(always)]
pub(super) fn blend(mask: u8, a: Vector, b: Vector) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_mask_blend_epi64(mask, b, a) }
}

/// −a where the mask says so.
#[inline(always)]
pub(super) fn negate(mask: u8, a: Vector) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_mask_sub_epi64(a, mask, zero(), a) }
}

/// a + b where the mask says so, else a − b.
#[inline(always)]
pub(super) fn plus_or_minus(mask: u8, a: Vector, b: Vector) -> Vector {
    // SAFETY: see the module.
    unsafe { _mm512_mask_add_epi64(minus(a, b), mask, a, b) }
}

/// Asks for the cache line at an address.
#[inline(always)]
pub(super) fn fetch(address: *const i8) {
    // SAFETY: a prefetch is no access, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address) }
}

/// Lanes where a < b, signed.
#[inline(always)]
pub(super) fn less(a: Vector, b: Vector) -> u8 {
    // SAFETY: see the module.
    unsafe { _mm512_cmplt_epi64_mask(a, b) }
}

/// Lanes where a = b.
#[inline(always)]
pub(super) fn equal(a: Vector, b: Vector) -> u8 {
    // SAFETY: see the module.
    unsafe { _mm512_cmpeq_epi64_mask(a, b) }
}

#[inline(always)]
pub(super) fn read(words: &[u64; 8]) -> Vector {
    // SAFETY: reads the 64 bytes that the reference is to, unaligned; see the module.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[inline(always)]
pub(super) fn write(words: &mut [u64; 8], value: Vector) {
    // SAFETY: writes the 64 bytes that the reference is to, unaligned; see the module.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), value) }
}

/// Four words each of two rows.
#[inline(always)]
pub(super) fn read_halves(a: *const u64, b: *const u64) -> Vector {
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
pub(super) fn transpose(r: [Vector; 8]) -> [Vector; 8] {
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
pub(super) fn transpose_halves(rows: [*const u64; LANES]) -> [Vector; 4] {
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
