//! A multiple of BabyJubJub's base: `s·B` for a short scalar that occurs nowhere else. 477
//! constraints: 60 windows of 5, 59 additions of 3. Twin of `primitives::digits`.
//!
//! ```text
//! s·B = Σ dᵢ·18ⁱ·(B/2)     i = 0…59: dᵢ ∈ {±1, ±3, …, ±17}
//! ```
//! (Odd signed digits: Hedabou, Pinel, Bénéteau 2005.) **s needs no bits**: whoever knows the digits
//! knows s, and no other statement uses s, so each window proves just that its point is one of the
//! table's eighteen.
//!
//! *Lookup, 5 constraints.* `u² = u·u`, `t = u³ = u²·u` and `v·v = t + A·u² + u` make (u, v) a point of
//! the curve. That u is one of nine values is a polynomial of degree 9 with these roots and no other,
//! which in powers of t = u³ is, with r₀, r₁, r₂ quadratic in u and so linear in 1, u, u²,
//!
//! ```text
//! Π (u − uᵢ) = ((t + r₂)·t + r₁)·t + r₀      2 constraints; t alone on their B sides
//! ```
//! u names a point up to sign, so v's sign, the prover's, is the digit's. Nine values is where a bit
//! costs least: k cubics give 3k values (6k points) for k + 2 constraints, and 3 for the addition.
//!
//! *Addition, 3 constraints, no exception.* The sum of the first i digits is odd and at most 18ⁱ − 1 in
//! size, the next digit times 18ⁱ at least 18ⁱ; so as integers they differ and don't cancel, and both
//! sum and difference are below 18⁶⁰ < l in size: nor modulo l.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ed_on_bn254::{EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{AdditiveGroup, Field};
use ark_relations::gr1cs::SynthesisError;
use veilpool_primitives::{
    digits::{DIGITS, Digit, RADIX, digits},
    montgomery,
};

use crate::{gadget::montgomery::MontgomeryVar, synthesizer::Synthesizer};

/// Magnitudes of a digit.
const CHOICES: usize = RADIX as usize / 2;
const _: () = assert!(CHOICES == 9, "the lookup is for nine values");

struct Window {
    // Of the digits 1, 3, …, 17, in Montgomery coordinates.
    points: [(Fr, Fr); CHOICES],
    // Of Π (u − uᵢ), lowest first; the highest is 1.
    polynomial: [Fr; CHOICES + 1],
}

fn windows() -> &'static [Window] {
    static WINDOWS: OnceLock<Vec<Window>> = OnceLock::new();
    WINDOWS.get_or_init(|| {
        let half = SubgroupScalar::from(2u8).inverse();
        let Some(half) = half else {
            unreachable!("the subgroup's order is odd")
        };
        let mut base = EdwardsProjective::generator() * half;
        (0..DIGITS)
            .map(|_| {
                let step = base.double();
                let mut point = base;
                let points = core::array::from_fn(|_| {
                    let coordinates = montgomery::coordinates(&point.into_affine());
                    point += step;
                    coordinates.unwrap_or_else(|| {
                        unreachable!("an odd multiple of B/2 below l is not the identity")
                    })
                });
                base *= SubgroupScalar::from(RADIX);
                Window {
                    points,
                    polynomial: with_roots(&points.map(|(u, _)| u)),
                }
            })
            .collect()
    })
}

// Coefficients of Π (x − root), lowest first.
fn with_roots(roots: &[Fr; CHOICES]) -> [Fr; CHOICES + 1] {
    let mut polynomial = [Fr::ZERO; CHOICES + 1];
    polynomial[0] = Fr::ONE;
    for (degree, root) in roots.iter().enumerate() {
        for i in (0..=degree + 1).rev() {
            let below = if i == 0 { Fr::ZERO } else { polynomial[i - 1] };
            polynomial[i] = below - polynomial[i] * root;
        }
    }
    polynomial
}

/// `s·B`.
///
/// # Errors
/// Those of the constraint system; [`SynthesisError::Unsatisfiable`] if s isn't short.
pub fn multiply(
    cs: &mut Synthesizer,
    s: Option<SubgroupScalar>,
) -> Result<MontgomeryVar, SynthesisError> {
    let digits = match s {
        Some(s) => Some(digits(&s).ok_or(SynthesisError::Unsatisfiable)?),
        None => None,
    };
    let mut sum: Option<MontgomeryVar> = None;
    for (i, window) in windows().iter().enumerate() {
        let point = window.look_up(cs, digits.as_ref().map(|digits| digits[i]))?;
        sum = Some(match sum {
            None => point,
            Some(sum) => sum.add(cs, &point)?,
        });
    }
    sum.ok_or(SynthesisError::Unsatisfiable)
}

impl Window {
    fn look_up(
        &self,
        cs: &mut Synthesizer,
        digit: Option<Digit>,
    ) -> Result<MontgomeryVar, SynthesisError> {
        let chosen = digit.map(|digit| {
            let (u, v) = self.points[digit.index];
            (u, if digit.negative { -v } else { v })
        });
        let u = cs.witness("window u", chosen.map(|(u, _)| u))?;
        let v = cs.witness("window v", chosen.map(|(_, v)| v))?;
        let square = cs.multiply("window u²", &u, &u)?;
        let cube = cs.multiply("window u³", &square, &u)?;
        let right = cube.add_scaled(&square, Fr::from(montgomery::A)) + &u;
        cs.enforce(&v, &v, &right)?;

        let quadratic = |from: usize| {
            let coefficients = &self.polynomial[from..from + 3];
            (&u * coefficients[1]).add_scaled(&square, coefficients[2]) + coefficients[0]
        };
        let inner = cs.multiply("window product", &(&cube + &quadratic(6)), &cube)?;
        cs.enforce(&(&inner + &quadratic(3)), &cube, &-quadratic(0))?;
        Ok(MontgomeryVar { u, v })
    }
}
