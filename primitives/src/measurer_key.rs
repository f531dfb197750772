//! A measurer's attestation key: K = x·B of BabyJubJub's prime-order subgroup, up to sign.
//!
//! ```text
//! key bytes = u(K) ‖ u(2⁶⁴·K)      of the two points ±K the one with even v
//! ```
//! The second coordinate is redundant on the host. The claim circuit, which can't afford 64 doublings,
//! takes it from the measurer set, whose hash pins it; that it belongs to K is checked here, whenever a key
//! is decoded.

use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup, twisted_edwards::TECurveConfig};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsConfig, EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{AdditiveGroup, PrimeField, Zero};
use veilpool_protocol::{CoordinateBytes, MeasurerKeyBytes};

use crate::{field, montgomery};

/// By how many bits the second point of a key is shifted: half a challenge.
pub const SHIFT: u32 = veilpool_protocol::attestation::CHALLENGE_BITS / 2;

/// A measurer's attestation key: a point of the prime-order subgroup other than the identity, with even v.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MeasurerKey {
    point: EdwardsAffine,
    shifted: EdwardsAffine,
    u: Fr,
    shifted_u: Fr,
}

/// Why a point is not a measurer's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMeasurerKey {
    /// The equation does not hold.
    #[error("the point is not on BabyJubJub")]
    NotOnCurve,
    /// Low order, or a torsion component (attack C5).
    #[error(
        "the point is not in the prime-order subgroup: it is the identity or has a small-order component"
    )]
    NotInSubgroup,
    /// The second coordinate is of another point than 2⁶⁴·K.
    #[error("the second coordinate is not that of 2^64 times the key")]
    OtherMultiple,
}

impl MeasurerKey {
    /// The key that is this point or its negative. Checks curve and subgroup.
    ///
    /// # Errors
    /// [`InvalidMeasurerKey`].
    pub fn new(point: EdwardsAffine) -> Result<Self, InvalidMeasurerKey> {
        if !point.is_on_curve() {
            return Err(InvalidMeasurerKey::NotOnCurve);
        }
        if point.is_zero() || !mul_by_order(point).is_zero() {
            return Err(InvalidMeasurerKey::NotInSubgroup);
        }
        Ok(Self::of_multiple(point))
    }

    /// From the encoding.
    ///
    /// # Errors
    /// [`InvalidMeasurerKey`].
    pub fn from_bytes(bytes: &MeasurerKeyBytes) -> Result<Self, InvalidMeasurerKey> {
        let u = field::from_bytes(bytes.u.to_field());
        // u = 0 is the point of order two, which is on the curve.
        let point = match montgomery::lift(u) {
            Some(point) => point,
            None if u.is_zero() => return Err(InvalidMeasurerKey::NotInSubgroup),
            None => return Err(InvalidMeasurerKey::NotOnCurve),
        };
        let key = Self::new(point)?;
        if key.shifted_u != field::from_bytes(bytes.shifted_u.to_field()) {
            return Err(InvalidMeasurerKey::OtherMultiple);
        }
        Ok(key)
    }

    // Of a point known to be a multiple of the base other than the identity.
    pub(crate) fn of_multiple(point: EdwardsAffine) -> Self {
        let Some((u, v)) = montgomery::coordinates(&point) else {
            unreachable!("the subgroup has odd order: only its identity lacks coordinates")
        };
        let point = if montgomery::is_even(&v) {
            point
        } else {
            -point
        };
        let mut shifted = EdwardsProjective::from(point);
        for _ in 0..SHIFT {
            shifted.double_in_place();
        }
        let shifted = shifted.into_affine();
        let Some(shifted_u) = montgomery::u(&shifted) else {
            unreachable!("the subgroup's order is prime")
        };
        Self {
            point,
            shifted,
            u,
            shifted_u,
        }
    }

    /// The encoding.
    #[must_use]
    pub fn to_bytes(&self) -> MeasurerKeyBytes {
        MeasurerKeyBytes {
            u: CoordinateBytes::from_field(field::to_bytes(&self.u)),
            shifted_u: CoordinateBytes::from_field(field::to_bytes(&self.shifted_u)),
        }
    }

    /// K.
    pub const fn point(&self) -> &EdwardsAffine {
        &self.point
    }

    /// 2⁶⁴·K.
    pub const fn shifted(&self) -> &EdwardsAffine {
        &self.shifted
    }

    /// u(K).
    #[must_use]
    pub const fn u(&self) -> Fr {
        self.u
    }

    /// u(2⁶⁴·K).
    #[must_use]
    pub const fn shifted_u(&self) -> Fr {
        self.shifted_u
    }
}

/// The eight points of order dividing 8, the identity first: for tests of attack C5.
#[must_use]
pub fn torsion_points() -> Vec<EdwardsAffine> {
    // l·P for random P has order dividing 8; some P of the curve gives order 8.
    let mut y = Fr::from(2u8);
    loop {
        y += Fr::from(1u8);
        let Some(point) = EdwardsAffine::get_point_from_y_unchecked(y, false) else {
            continue;
        };
        let candidate = mul_by_order(point);
        let quarter = candidate.double().double();
        if !quarter.is_zero() {
            let mut points = vec![EdwardsAffine::zero()];
            let mut next = candidate;
            while !next.is_zero() {
                points.push(next.into_affine());
                next += candidate;
            }
            return points;
        }
    }
}

fn mul_by_order(point: EdwardsAffine) -> EdwardsProjective {
    <EdwardsConfig as TECurveConfig>::mul_affine(&point, SubgroupScalar::MODULUS.as_ref())
}

#[cfg(test)]
mod tests {
    use ark_ec::PrimeGroup;
    use ark_ff::Field;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;
    use veilpool_protocol::FieldBytes;

    use super::*;
    use crate::schnorr::MeasurerSecret;

    fn key(seed: u64) -> MeasurerKey {
        MeasurerSecret::generate(&mut ChaCha20Rng::seed_from_u64(seed)).key()
    }

    #[test]
    fn the_base_has_prime_order() {
        let base = EdwardsProjective::generator().into_affine();
        assert!(MeasurerKey::new(base).is_ok());
    }

    #[test]
    fn c5_keys_of_low_order_or_with_a_torsion_component_are_refused() {
        let point = *key(1).point();
        let points = torsion_points();
        assert_eq!(points.len(), 8);
        for (i, torsion) in points.iter().enumerate() {
            assert_eq!(
                MeasurerKey::new(*torsion),
                Err(InvalidMeasurerKey::NotInSubgroup)
            );
            let moved = (point + torsion).into_affine();
            assert_eq!(MeasurerKey::new(moved).is_ok(), i == 0);
            // And as bytes, by their u.
            if let Some(u) = montgomery::u(&moved).filter(|_| i > 0) {
                let mut bytes = key(1).to_bytes();
                bytes.u = CoordinateBytes::from_field(field::to_bytes(&u));
                assert_eq!(
                    MeasurerKey::from_bytes(&bytes),
                    Err(InvalidMeasurerKey::NotInSubgroup)
                );
            }
        }
        let off = EdwardsAffine::new_unchecked(point.x, point.y + Fr::ONE);
        assert_eq!(MeasurerKey::new(off), Err(InvalidMeasurerKey::NotOnCurve));
        let zero = MeasurerKeyBytes {
            u: CoordinateBytes::from_field(FieldBytes::ZERO),
            ..key(1).to_bytes()
        };
        assert_eq!(
            MeasurerKey::from_bytes(&zero),
            Err(InvalidMeasurerKey::NotInSubgroup)
        );
    }

    #[test]
    fn a_key_with_another_keys_multiple_is_refused() {
        let mut bytes = key(1).to_bytes();
        bytes.shifted_u = key(2).to_bytes().shifted_u;
        assert_eq!(
            MeasurerKey::from_bytes(&bytes),
            Err(InvalidMeasurerKey::OtherMultiple)
        );
    }

    #[test]
    fn half_of_all_field_elements_are_no_u_of_the_curve() {
        let refused = (2..202u64)
            .filter(|u| {
                let bytes = MeasurerKeyBytes {
                    u: CoordinateBytes::from_field(FieldBytes::from_u128(u128::from(*u))),
                    ..key(1).to_bytes()
                };
                MeasurerKey::from_bytes(&bytes) == Err(InvalidMeasurerKey::NotOnCurve)
            })
            .count();
        assert!((60..140).contains(&refused), "{refused} of 200");
    }

    #[test]
    fn a_key_and_its_negative_are_one_key_whose_encoding_leads_back() {
        for seed in 0..10 {
            let key = key(seed);
            assert_eq!(MeasurerKey::new(-*key.point()), Ok(key));
            assert_eq!(MeasurerKey::from_bytes(&key.to_bytes()), Ok(key));
            let (_, v) = montgomery::coordinates(key.point()).unwrap();
            assert!(montgomery::is_even(&v));
            let two_to_64 = SubgroupScalar::from(1u128 << 64);
            let expected = (*key.point() * two_to_64).into_affine();
            assert_eq!(*key.shifted(), expected);
        }
    }
}
