//! BabyJubJub as the claim's gates see it: twisted Edwards with a = 1, complete addition.
//!
//! ```text
//! x² + y² = 1 + d·x²·y²,   d = 168696/168700
//! P + Q:  p = x₁x₂y₁y₂,   x₃·(1 + d·p) = x₁y₂ + y₁x₂,   y₃·(1 − d·p) = y₁y₂ − x₁x₂
//! 2P:     x₃·(x² + y²) = 2xy,   y₃·(2 − x² − y²) = y² − x²
//! ```
//! a = 1 is a square and d is not, so no two points of the curve make a denominator zero (Bernstein,
//! Birkner, Joye, Lange, Peters 2008, section 6): the formulas have no exception, whatever a prover puts
//! in. With points on the curve the doubling's denominators are 1 ± d·x²·y², which saves its product. A gate
//! takes points on the curve to points on the curve, so that the curve's equation is asked of inputs only.
//!
//! u = (1 + y)/(1 − y) is the first coordinate of the Montgomery form.

use ark_ec::{AffineRepr, CurveGroup, twisted_edwards::TECurveConfig};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsConfig, EdwardsProjective};
use halo2_proofs::{halo2curves::ff::Field, plonk::Expression};

use crate::field::{Fr, from_ark};

/// A point's affine coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) x: Fr,
    pub(super) y: Fr,
}

/// A point in a gate.
#[derive(Clone)]
pub(super) struct PointExpression {
    pub(super) x: Expression<Fr>,
    pub(super) y: Expression<Fr>,
}

impl Point {
    pub(super) fn of(point: &EdwardsAffine) -> Self {
        Self {
            x: from_ark(&point.x),
            y: from_ark(&point.y),
        }
    }

    /// u; zero for the identity, which has none.
    pub(super) fn u(&self) -> Fr {
        let inverse = (Fr::ONE - self.y).invert().unwrap_or(Fr::ZERO);
        (Fr::ONE + self.y) * inverse
    }

    /// x₁x₂y₁y₂.
    pub(super) fn product(&self, other: &Self) -> Fr {
        self.x * other.x * self.y * other.y
    }
}

/// Affine coordinates of many points with one inversion.
pub(super) fn normalise(points: &[EdwardsProjective]) -> Vec<Point> {
    EdwardsProjective::normalize_batch(points)
        .iter()
        .map(Point::of)
        .collect()
}

/// d.
pub(super) fn d() -> Fr {
    from_ark(&<EdwardsConfig as TECurveConfig>::COEFF_D)
}

pub(super) fn one() -> Expression<Fr> {
    Expression::Constant(Fr::ONE)
}

impl PointExpression {
    /// Zero on the curve. Degree 4.
    pub(super) fn on_curve(&self) -> Expression<Fr> {
        let (x2, y2) = (
            self.x.clone() * self.x.clone(),
            self.y.clone() * self.y.clone(),
        );
        x2.clone() + y2.clone() - one() - x2 * y2 * d()
    }

    /// x₁x₂y₁y₂. Degree 4.
    pub(super) fn product(&self, other: &Self) -> Expression<Fr> {
        self.x.clone() * other.x.clone() * self.y.clone() * other.y.clone()
    }

    /// Zero where `sum` is the sum and `product` that of [`Self::product`]. Degree 2.
    pub(super) fn sum(
        &self,
        other: &Self,
        product: &Expression<Fr>,
        sum: &Self,
    ) -> [Expression<Fr>; 2] {
        let dp = product.clone() * d();
        let x = self.x.clone() * other.y.clone() + self.y.clone() * other.x.clone();
        let y = self.y.clone() * other.y.clone() - self.x.clone() * other.x.clone();
        [
            sum.x.clone() * (one() + dp.clone()) - x,
            sum.y.clone() * (one() - dp) - y,
        ]
    }

    /// Zero where `twice` is the double. Degree 3.
    pub(super) fn double(&self, twice: &Self) -> [Expression<Fr>; 2] {
        let (x, y) = (&self.x, &self.y);
        let (x2, y2) = (x.clone() * x.clone(), y.clone() * y.clone());
        let squares = x2.clone() + y2.clone();
        [
            twice.x.clone() * squares.clone() - x.clone() * y.clone() * Fr::from(2),
            twice.y.clone() * (one() + one() - squares) - (y2 - x2),
        ]
    }

    /// `−P`.
    pub(super) fn negate(&self) -> Self {
        Self {
            x: -self.x.clone(),
            y: self.y.clone(),
        }
    }

    /// Zero where `u` is the point's. No u makes it zero at the identity. Degree 2.
    pub(super) fn montgomery_u(&self, u: &Expression<Fr>) -> Expression<Fr> {
        u.clone() * (one() - self.y.clone()) - (one() + self.y.clone())
    }
}

/// 2⁶⁴·P.
pub(super) fn shifted(point: &EdwardsAffine) -> EdwardsProjective {
    use ark_ff::AdditiveGroup;
    let mut shifted = point.into_group();
    for _ in 0..64 {
        shifted.double_in_place();
    }
    shifted
}

#[cfg(test)]
mod tests {
    use ark_ff::{AdditiveGroup, Field as _, LegendreSymbol};

    use super::*;

    #[test]
    fn a_is_one_and_d_is_no_square_so_that_addition_is_complete() {
        let (a, d) = (
            <EdwardsConfig as TECurveConfig>::COEFF_A,
            <EdwardsConfig as TECurveConfig>::COEFF_D,
        );
        assert_eq!(a, ark_bn254::Fr::from(1u8));
        assert_eq!(d.legendre(), LegendreSymbol::QuadraticNonResidue);
        let expected = ark_bn254::Fr::from(168_696u32) / ark_bn254::Fr::from(168_700u32);
        assert_eq!(d, expected);
    }

    #[test]
    fn the_formulas_hold_for_every_pair_of_special_points() {
        let torsion = veilpool_primitives::measurer_key::torsion_points();
        let base = EdwardsAffine::generator();
        let mut points: Vec<EdwardsAffine> = torsion.clone();
        for torsion in &torsion {
            points.push((base + *torsion).into_affine());
            points.push((-(base + *torsion)).into_affine());
        }
        let constant = |point: &EdwardsAffine| {
            let point = Point::of(point);
            PointExpression {
                x: Expression::Constant(point.x),
                y: Expression::Constant(point.y),
            }
        };
        let value = |expression: &Expression<Fr>| {
            expression.evaluate(
                &|constant| constant,
                &|_| Fr::ZERO,
                &|_| Fr::ZERO,
                &|_| Fr::ZERO,
                &|_| Fr::ZERO,
                &|_| Fr::ZERO,
                &|a| -a,
                &|a, b| a + b,
                &|a, b| a * b,
                &|a, b| a * b,
            )
        };
        for p in &points {
            assert_eq!(value(&constant(p).on_curve()), Fr::ZERO);
            let twice = p.into_group().double().into_affine();
            let [x, y] = constant(p).double(&constant(&twice));
            assert_eq!((value(&x), value(&y)), (Fr::ZERO, Fr::ZERO));
            for q in &points {
                let sum = (*p + q).into_affine();
                let product = constant(p).product(&constant(q));
                let [x, y] = constant(p).sum(&constant(q), &product, &constant(&sum));
                assert_eq!((value(&x), value(&y)), (Fr::ZERO, Fr::ZERO));
                // And for no other sum: the denominators aren't zero.
                let [x, y] = constant(p).sum(
                    &constant(q),
                    &product,
                    &PointExpression {
                        x: Expression::Constant(Point::of(&sum).x + Fr::ONE),
                        y: Expression::Constant(Point::of(&sum).y + Fr::ONE),
                    },
                );
                assert!(value(&x) != Fr::ZERO && value(&y) != Fr::ZERO);
            }
        }
    }
}
