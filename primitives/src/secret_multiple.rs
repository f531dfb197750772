//! k·B for a secret k, in the same steps whatever k is.
//!
//! ```text
//! R = O;  for each of k's 251 bits from the top:  R = 2R,  R' = R + B,  R = bit ? R' : R
//! (x, y) = (X·Z^(p−2), Y·Z^(p−2))
//! ```
//! BabyJubJub's addition is complete, so that no step depends on its operands; the choice is by masks, and the
//! inverse by a power, since arkworks' own takes a time that depends on Z (which tells of k: Naccache, Smart, Stern
//! 2004). What is left is within a field operation: arkworks subtracts the modulus from a result only when it must.

use ark_bn254::Fr;
use ark_ec::PrimeGroup;
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField, Zero};
use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroize;

/// `scalar·B`.
pub(crate) fn of_base(scalar: &SubgroupScalar) -> EdwardsAffine {
    let base = EdwardsProjective::generator();
    let mut bits = scalar.into_bigint();
    let mut sum = EdwardsProjective::zero();
    for bit in (0..SubgroupScalar::MODULUS_BIT_SIZE).rev() {
        sum.double_in_place();
        let mut more = sum + base;
        let word = bits.0[(bit / 64) as usize];
        let chosen = Choice::from((word >> (bit % 64) & 1) as u8);
        for (to, from) in [
            (&mut sum.x, &more.x),
            (&mut sum.y, &more.y),
            (&mut sum.t, &more.t),
            (&mut sum.z, &more.z),
        ] {
            assign(to, from, chosen);
        }
        more.zeroize();
    }
    bits.zeroize();
    let mut exponent = Fr::MODULUS;
    exponent.sub_with_borrow(&BigInt::from(2u8));
    let inverse = sum.z.pow(exponent);
    let point = EdwardsAffine::new_unchecked(sum.x * inverse, sum.y * inverse);
    sum.zeroize();
    point
}

fn assign(to: &mut Fr, from: &Fr, chosen: Choice) {
    let limbs = &mut to.0.0;
    for (to, from) in limbs.iter_mut().zip(from.0.0) {
        to.conditional_assign(&from, chosen);
    }
}

#[cfg(test)]
mod tests {
    use ark_ec::CurveGroup;
    use ark_ff::One;
    use proptest::prelude::*;

    use super::*;

    fn expected(scalar: SubgroupScalar) -> EdwardsAffine {
        (EdwardsProjective::generator() * scalar).into_affine()
    }

    #[test]
    fn multiples_by_edge_scalars_are_arkworks() {
        let (zero, one) = (SubgroupScalar::zero(), SubgroupScalar::one());
        let high = SubgroupScalar::from(2u8).pow([250]);
        for scalar in [zero, one, -one, one + one, high, high - one, -high] {
            assert_eq!(of_base(&scalar), expected(scalar));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn multiples_are_arkworks(bytes in any::<[u8; 32]>()) {
            let scalar = SubgroupScalar::from_be_bytes_mod_order(&bytes);
            prop_assert_eq!(of_base(&scalar), expected(scalar));
        }
    }
}
