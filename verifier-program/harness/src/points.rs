//! Points on the curve of G2 outside of its subgroup of prime order, with which a pairing says nothing.

use ark_bn254::{Fq2, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::AdditiveGroup;
use veilpool_params::encoding::{InvalidPoint, g2_from_bytes, g2_to_bytes};
use veilpool_protocol::proof::G2_LEN;

/// The first points of G2's curve from x = 1 on: each outside of the subgroup, and its multiple by the cofactor inside.
///
/// # Panics
/// When a point is not what it should be.
#[must_use]
pub fn outside_and_inside<const N: usize>() -> [([u8; G2_LEN], [u8; G2_LEN]); N] {
    let mut x = Fq2::ZERO;
    std::array::from_fn(|_| {
        let outside = loop {
            x += Fq2::from(1u64);
            if let Some(point) = G2Affine::get_point_from_x_unchecked(x, false) {
                break point;
            }
        };
        assert!(outside.is_on_curve());
        assert!(!outside.is_in_correct_subgroup_assuming_on_curve());
        let [outside, inside] = [outside, outside.clear_cofactor()].map(|it| g2_to_bytes(&it));
        assert_eq!(g2_from_bytes(&outside), Err(InvalidPoint::NotInSubgroup));
        assert!(g2_from_bytes(&inside).is_ok());
        (outside, inside)
    })
}
