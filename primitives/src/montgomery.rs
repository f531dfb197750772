//! BabyJubJub's Montgomery coordinates, by which keys and nonce points are named and in which the
//! circuit adds.
//!
//! ```text
//! Edwards     x² + y² = 1 + (168696/168700)·x²·y²     (a = 1, as in ark-ed-on-bn254)
//! Montgomery  v² = u³ + 168698·u² + u
//! u = (1 + y)/(1 − y)    v = √168700·u/x    y = (u − 1)/(u + 1)    x = √168700·u/v
//! ```
//! (Bernstein et al., "Twisted Edwards curves", 2008; the usual map has B·v² with B = 168700, here
//! v is scaled by √B, which exists in the field.) Points of odd order other than the identity have
//! x ≠ 0, y ≠ ±1, u ≠ 0 and v ≠ 0, so that both directions are defined for them. u names such a
//! point up to sign, and is the same in circomlib's form of the curve (a = 168700).

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ed_on_bn254::EdwardsAffine;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

/// The coefficient A.
pub const A: u64 = 168_698;

/// The smaller of the two square roots of 168700.
#[must_use]
pub fn sqrt_b() -> Fr {
    static ROOT: OnceLock<Fr> = OnceLock::new();
    *ROOT.get_or_init(|| match Fr::from(168_700u32).sqrt() {
        Some(root) => root.min(-root),
        None => unreachable!("168700 is a square in the BN254 scalar field"),
    })
}

/// `u` of a point other than the identity, for which there is none.
#[must_use]
pub fn u(point: &EdwardsAffine) -> Option<Fr> {
    Some((Fr::ONE + point.y) * (Fr::ONE - point.y).inverse()?)
}

/// `(u, v)` of a point; `None` for the identity and the point of order two.
#[must_use]
pub fn coordinates(point: &EdwardsAffine) -> Option<(Fr, Fr)> {
    let u = u(point)?;
    let v = sqrt_b() * u * point.x.inverse()?;
    Some((u, v))
}

/// Whether v is even, as an integer in [0, r): exactly one of P and −P has an even v ≠ 0.
#[must_use]
pub fn is_even(v: &Fr) -> bool {
    v.into_bigint().is_even()
}

/// The point of the curve with this u and an even v; `None` when there is none.
#[must_use]
pub fn lift(u: Fr) -> Option<EdwardsAffine> {
    let square = u * (u * (u + Fr::from(A)) + Fr::ONE);
    let root = square.sqrt().filter(|root| *root != Fr::ZERO)?;
    let v = if is_even(&root) { root } else { -root };
    let y = (u - Fr::ONE) * (u + Fr::ONE).inverse()?;
    let x = sqrt_b() * u * v.inverse()?;
    Some(EdwardsAffine::new_unchecked(x, y))
}

#[cfg(test)]
mod tests {
    use ark_ec::{CurveGroup, PrimeGroup};
    use ark_ed_on_bn254::{EdwardsProjective, Fr as SubgroupScalar};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_identity_and_the_point_of_order_two_have_no_coordinates() {
        assert_eq!(coordinates(&EdwardsAffine::zero()), None);
        let two = EdwardsAffine::new_unchecked(Fr::ZERO, -Fr::ONE);
        assert_eq!(coordinates(&two), None);
        assert_eq!(lift(Fr::ZERO), None);
        assert_eq!(lift(-Fr::ONE), None);
    }

    proptest! {
        #[test]
        fn coordinates_satisfy_the_equation_and_lead_back(scalar in 1u64..) {
            let point = (EdwardsProjective::generator() * SubgroupScalar::from(scalar)).into_affine();
            let (u, v) = coordinates(&point).unwrap();
            prop_assert_eq!(v * v, u * u * u + Fr::from(A) * u * u + u);
            let lifted = lift(u).unwrap();
            prop_assert_eq!(lifted, if is_even(&v) { point } else { -point });
            prop_assert_eq!(coordinates(&-point), Some((u, -v)));
        }

        #[test]
        fn every_u_lifts_to_a_point_of_the_curve_or_to_none(u in any::<u64>()) {
            if let Some(point) = lift(Fr::from(u)) {
                prop_assert!(point.is_on_curve());
                prop_assert_eq!(coordinates(&point).map(|(u, _)| u), Some(Fr::from(u)));
            }
        }
    }
}
