//! The functions that LLVM calls for 128-bit multiplication, division and remainder.
//!
//! Rust up to 1.96 returns a 128-bit integer through a hidden pointer on BPF; LLVM 23 expects it in
//! r0 and r2. With the compiler's own functions, 128-bit arithmetic and overflow-checked 64-bit
//! multiplication link, and then write to wild addresses. The "unadjusted" ABI hands LLVM's type over
//! as it is. The program's tests compare this arithmetic on chain with the host's, case by case.
//!
//! A program links it by `use veilpool_sbf_builtins as _;`. Nothing here is compiled by the official
//! platform tools, whose architecture has another name.

#![cfg_attr(target_arch = "bpf", no_std)]
#![cfg_attr(target_arch = "bpf", feature(abi_unadjusted))]
#![cfg_attr(target_arch = "bpf", allow(internal_features))]

#[cfg(target_arch = "bpf")]
use solana_compiler_builtins as _;

const LOW_32: u64 = 0xffff_ffff;

const fn join(low: u64, high: u64) -> u128 {
    low as u128 | ((high as u128) << 64)
}

const fn split(value: u128) -> (u64, u64) {
    (value as u64, (value >> 64) as u64)
}

/// Low and high 64 bits of x·y, from products of 32-bit halves.
#[inline(always)]
const fn multiply_wide(x: u64, y: u64) -> (u64, u64) {
    let (x_low, x_high, y_low, y_high) = (x & LOW_32, x >> 32, y & LOW_32, y >> 32);
    let low = x_low.wrapping_mul(y_low);
    let middle = x_high.wrapping_mul(y_low).wrapping_add(low >> 32);
    let cross = x_low.wrapping_mul(y_high).wrapping_add(middle & LOW_32);
    let high = x_high
        .wrapping_mul(y_high)
        .wrapping_add(middle >> 32)
        .wrapping_add(cross >> 32);
    ((cross << 32) | (low & LOW_32), high)
}

/// a·b mod 2¹²⁸.
#[inline(always)]
#[must_use]
pub const fn multiply(a: u128, b: u128) -> u128 {
    let ((a_low, a_high), (b_low, b_high)) = (split(a), split(b));
    let (low, high) = multiply_wide(a_low, b_low);
    let high = high
        .wrapping_add(a_low.wrapping_mul(b_high))
        .wrapping_add(a_high.wrapping_mul(b_low));
    join(low, high)
}

/// Quotient and remainder. The divisor must not be 0: the compiler checks that before it calls.
#[inline(always)]
#[must_use]
pub fn divide(numerator: u128, divisor: u128) -> (u128, u128) {
    let ((n_low, n_high), (d_low, d_high)) = (split(numerator), split(divisor));
    if d_high == 0 && n_high == 0 {
        return (join(n_low / d_low, 0), join(n_low % d_low, 0));
    }
    if d_high == 0 && d_low >> 32 == 0 {
        // Three digits of at most 64, 32 and 32 bits.
        let (top, rest) = (n_high / d_low, n_high % d_low);
        let upper = (rest << 32) | (n_low >> 32);
        let (middle, rest) = (upper / d_low, upper % d_low);
        let lower = (rest << 32) | (n_low & LOW_32);
        let quotient = join((middle << 32) | (lower / d_low), top);
        return (quotient, join(lower % d_low, 0));
    }
    if numerator < divisor {
        return (0, numerator);
    }
    // Shift and subtract, over the quotient's bits only.
    let mut shift = divisor.leading_zeros() - numerator.leading_zeros();
    let (mut rest, mut quotient, mut shifted) = (numerator, 0u128, divisor << shift);
    loop {
        if rest >= shifted {
            rest -= shifted;
            quotient |= 1;
        }
        if shift == 0 {
            return (quotient, rest);
        }
        shift -= 1;
        shifted >>= 1;
        quotient <<= 1;
    }
}

#[cfg(target_arch = "bpf")]
mod exports {
    use super::{divide, multiply};

    // SAFETY of each `no_mangle`: these are the names that LLVM calls, with the types it calls them with;
    // the weak definitions of `solana-compiler-builtins` give way to them.

    #[unsafe(no_mangle)]
    unsafe extern "unadjusted" fn __multi3(a: i128, b: i128) -> i128 {
        multiply(a as u128, b as u128) as i128
    }

    #[unsafe(no_mangle)]
    unsafe extern "unadjusted" fn __udivti3(numerator: u128, divisor: u128) -> u128 {
        divide(numerator, divisor).0
    }

    #[unsafe(no_mangle)]
    unsafe extern "unadjusted" fn __umodti3(numerator: u128, divisor: u128) -> u128 {
        divide(numerator, divisor).1
    }

    #[unsafe(no_mangle)]
    unsafe extern "unadjusted" fn __divti3(numerator: i128, divisor: i128) -> i128 {
        let quotient = divide(numerator.unsigned_abs(), divisor.unsigned_abs()).0 as i128;
        if (numerator < 0) != (divisor < 0) {
            quotient.wrapping_neg()
        } else {
            quotient
        }
    }

    #[unsafe(no_mangle)]
    unsafe extern "unadjusted" fn __modti3(numerator: i128, divisor: i128) -> i128 {
        let rest = divide(numerator.unsigned_abs(), divisor.unsigned_abs()).1 as i128;
        if numerator < 0 {
            rest.wrapping_neg()
        } else {
            rest
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]
        #[test]
        fn arithmetic_is_the_hosts(a: u128, b: u128, left in 0u32..128, right in 0u32..128) {
            let (a, b) = (a >> left, (b >> right).max(1));
            prop_assert_eq!(multiply(a, b), a.wrapping_mul(b));
            prop_assert_eq!(divide(a, b), (a / b, a % b));
        }
    }

    #[test]
    fn extremes_are_the_hosts() {
        let values = [
            1,
            2,
            3,
            u128::from(u32::MAX),
            1 << 32,
            u128::from(u64::MAX),
            1 << 64,
            1 << 127,
            u128::MAX,
        ];
        for a in values {
            for b in values {
                assert_eq!(multiply(a, b), a.wrapping_mul(b));
                assert_eq!(divide(a, b), (a / b, a % b), "{a} / {b}");
            }
        }
    }
}
