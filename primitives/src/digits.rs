//! A signature's response as odd digits, by which the circuit multiplies the base:
//!
//! ```text
//! s·B = Σ dᵢ·18ⁱ·(B/2)     i = 0…59: dᵢ ∈ {±1, ±3, …, ±17}
//! dᵢ = 2wᵢ − 17, where wᵢ are the digits in base 18 of U = s + (18⁶⁰ − 1)/2 mod l
//! ```
//! for 2s ≡ Σ dᵢ18ⁱ = 2U − (18⁶⁰ − 1). A response is **short** if U < 18⁶⁰: about three in four are
//! (18⁶⁰ is 2^250.2, l is 2^250.6), and a signer draws until its own is. Then the sum S = Σ dᵢ18ⁱ is the
//! one odd integer with S ≡ 2s mod l and |S| < 18⁶⁰ < l.

use ark_ed_on_bn254::Fr as SubgroupScalar;
use ark_ff::{BigInteger, Field, PrimeField};

/// Number of digits.
pub const DIGITS: usize = 60;
/// The base: digits have 9 magnitudes and a sign.
pub const RADIX: u64 = 18;

type Integer = <SubgroupScalar as PrimeField>::BigInt;

/// One digit: ±(2·index + 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digit {
    /// 0 to 8.
    pub index: usize,
    /// Whether the digit is below zero.
    pub negative: bool,
}

/// The digits, lowest first; `None` if the response isn't short.
#[must_use]
pub fn digits(response: &SubgroupScalar) -> Option<[Digit; DIGITS]> {
    // (18⁶⁰ − 1)/2 = 17/2·(1 + 18 + … + 18⁵⁹)
    let all_highest = SubgroupScalar::from(RADIX).pow([DIGITS as u64]) - SubgroupScalar::ONE;
    let half = SubgroupScalar::from(2u8).inverse()?;
    let mut shifted = (*response + all_highest * half).into_bigint();
    let digits = core::array::from_fn(|_| {
        let w = divide_by_radix(&mut shifted);
        let (index, negative) = if w >= RADIX / 2 {
            (w - RADIX / 2, false)
        } else {
            (RADIX / 2 - 1 - w, true)
        };
        Digit {
            index: index as usize,
            negative,
        }
    });
    shifted.is_zero().then_some(digits)
}

/// Whether the response is short.
#[must_use]
pub fn is_short(response: &SubgroupScalar) -> bool {
    digits(response).is_some()
}

// Divides in place and gives the remainder.
fn divide_by_radix(integer: &mut Integer) -> u64 {
    let mut remainder = 0u64;
    for limb in integer.0.iter_mut().rev() {
        let dividend = u128::from(remainder) << 64 | u128::from(*limb);
        // The remainder is below 18, so the quotient fits a limb.
        *limb = (dividend / u128::from(RADIX)) as u64;
        remainder = (dividend % u128::from(RADIX)) as u64;
    }
    remainder
}

#[cfg(test)]
mod tests {
    use ark_ff::{AdditiveGroup, UniformRand};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn sum(digits: &[Digit]) -> SubgroupScalar {
        digits
            .iter()
            .rev()
            .fold(SubgroupScalar::ZERO, |sum, digit| {
                let magnitude = SubgroupScalar::from(2 * digit.index as u64 + 1);
                let signed = if digit.negative {
                    -magnitude
                } else {
                    magnitude
                };
                sum * SubgroupScalar::from(RADIX) + signed
            })
    }

    fn bound() -> SubgroupScalar {
        SubgroupScalar::from(RADIX).pow([DIGITS as u64])
    }

    #[test]
    fn the_bound_is_below_the_order() {
        // 18⁶⁰ = 2⁶⁰·9⁶⁰, not reduced: its 251 bits are those of an integer below l.
        let mut integer = Integer::from(1u64);
        for _ in 0..DIGITS {
            let mut carry = 0u128;
            for limb in &mut integer.0 {
                carry += u128::from(*limb) * u128::from(RADIX);
                *limb = carry as u64;
                carry >>= 64;
            }
            assert_eq!(carry, 0);
        }
        assert!(integer < SubgroupScalar::MODULUS);
        assert_eq!(SubgroupScalar::from_bigint(integer), Some(bound()));
    }

    #[test]
    fn the_largest_and_smallest_short_responses_are_those_with_all_digits_at_an_end() {
        let half = SubgroupScalar::from(2u8).inverse().unwrap();
        let largest = (bound() - SubgroupScalar::ONE) * half;
        for (response, negative) in [(largest, false), (-largest, true)] {
            let expected = Digit { index: 8, negative };
            assert_eq!(digits(&response), Some([expected; DIGITS]));
        }
        assert_eq!(digits(&(largest + SubgroupScalar::ONE)), None);
        assert_eq!(digits(&(-largest - SubgroupScalar::ONE)), None);
        // One half is S = 1, minus one half S = −1: the ends of the gap in the middle. Zero is S = ±l, and not short.
        assert!(is_short(&half));
        assert!(is_short(&-half));
        assert!(!is_short(&SubgroupScalar::ZERO));
    }

    #[test]
    fn about_three_in_four_responses_are_short() {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let short = (0..1000)
            .filter(|_| is_short(&SubgroupScalar::rand(rng)))
            .count();
        assert!((700..800).contains(&short), "{short} of 1000");
    }

    proptest! {
        #[test]
        fn digits_sum_to_twice_the_response(seed in any::<u64>()) {
            let response = SubgroupScalar::rand(&mut ChaCha20Rng::seed_from_u64(seed));
            if let Some(digits) = digits(&response) {
                prop_assert_eq!(sum(&digits), response.double());
            }
        }

        #[test]
        fn every_choice_of_digits_is_a_short_response_with_just_these(choice in prop::collection::vec((0usize..9, any::<bool>()), DIGITS)) {
            let chosen: Vec<Digit> = choice.into_iter().map(|(index, negative)| Digit { index, negative }).collect();
            let response = sum(&chosen) * SubgroupScalar::from(2u8).inverse().unwrap();
            prop_assert_eq!(digits(&response).unwrap().to_vec(), chosen);
        }
    }
}
