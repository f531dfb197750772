//! BabyJubJub in Montgomery form, where an addition costs three constraints:
//!
//! ```text
//! v² = u³ + A·u² + u        A = 168698, v scaled so that the curve's coefficient B is 1
//! P + Q:  λ = (v_Q − v_P)/(u_Q − u_P)   u₃ = λ² − A − u_P − u_Q   v₃ = λ(u_P − u₃) − v_P
//! ```
//! (Okeya, Kurumatani, Sakurai 2000; Costello, Smith 2017.) These formulas are **incomplete**: with
//! `u_P = u_Q` the slope's equation becomes 0·λ = 0 or 0·λ ≠ 0, and in the first case λ is free,
//! which is a forgery. Each function names the condition under which it is sound, and each caller
//! argues that no assignment reaches the exception.
//!
//! Only slopes stand on a B side.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use ark_relations::gr1cs::SynthesisError;
use veilpool_primitives::montgomery::A;

use crate::{num::Num, synthesizer::Synthesizer};

/// A point that isn't the one at infinity.
#[derive(Clone)]
pub struct MontgomeryVar {
    /// First coordinate.
    pub u: Num,
    /// Second coordinate.
    pub v: Num,
}

impl MontgomeryVar {
    /// `v² = u³ + A·u² + u`, which it returns. 3 constraints; u and v stand on B sides.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn enforce_on_curve(cs: &mut Synthesizer, u: &Num, v: &Num) -> Result<Num, SynthesisError> {
        let square = cs.multiply("u²", u, u)?;
        let cube = cs.multiply("u³", &square, u)?;
        let right = cube.add_scaled(&square, Fr::from(A)) + u;
        cs.enforce(v, v, &right)?;
        Ok(right)
    }

    /// `−P`. Free.
    #[must_use]
    pub fn negate(&self) -> Self {
        Self {
            u: self.u.clone(),
            v: -&self.v,
        }
    }

    /// `P + Q`. 3 constraints. Sound if `P ≠ ±Q`.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn add(&self, cs: &mut Synthesizer, other: &Self) -> Result<Self, SynthesisError> {
        let (slope, u) = self.chord(cs, other)?;
        self.on_line(cs, &slope, u)
    }

    /// u of `P + Q`. 2 constraints. Sound if `P ≠ ±Q`.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn u_of_sum(&self, cs: &mut Synthesizer, other: &Self) -> Result<Num, SynthesisError> {
        Ok(self.chord(cs, other)?.1)
    }

    /// `2P + Q` as `(P + Q) + P`, without the second coordinate of `P + Q` (Eisenträger, Lauter,
    /// Montgomery 2003). 5 constraints. Sound if `P ≠ ±Q` and `P + Q ≠ ±P`.
    ///
    /// With λ₁ the slope of P + Q = (u_r, v_r), v_r = λ₁(u_P − u_r) − v_P; the second slope is
    /// λ₂ = (v_r − v_P)/(u_r − u_P) = 2v_P/(u_P − u_r) − λ₁, that is `(u_P − u_r)(λ₁ + λ₂) = 2v_P`.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn double_and_add(
        &self,
        cs: &mut Synthesizer,
        other: &Self,
    ) -> Result<Self, SynthesisError> {
        let (slope, sum_u) = self.chord(cs, other)?;
        let slopes = divide_minus(cs, &(&self.v * Fr::from(2u8)), &(&self.u - &sum_u), &slope)?;
        let u = third_u(cs, &slopes, &self.u, &sum_u)?;
        self.on_line(cs, &slopes, u)
    }

    // The slope through P and Q, and u of the third point. 2 constraints.
    fn chord(&self, cs: &mut Synthesizer, other: &Self) -> Result<(Num, Num), SynthesisError> {
        let slope = cs.divide("slope", &(&other.v - &self.v), &(&other.u - &self.u))?;
        let u = third_u(cs, &slope, &self.u, &other.u)?;
        Ok((slope, u))
    }

    // v₃ = λ(u_P − u₃) − v_P. 1 constraint.
    fn on_line(&self, cs: &mut Synthesizer, slope: &Num, u: Num) -> Result<Self, SynthesisError> {
        let distance = &self.u - &u;
        let value = slope
            .value()
            .zip(distance.value())
            .zip(self.v.value())
            .map(|((slope, distance), v)| slope * distance - v);
        let v = cs.witness("v", value)?;
        cs.enforce(&distance, slope, &(&v + &self.v))?;
        Ok(Self { u, v })
    }
}

// u₃ = λ² − A − u_P − u_Q. 1 constraint.
fn third_u(cs: &mut Synthesizer, slope: &Num, p: &Num, q: &Num) -> Result<Num, SynthesisError> {
    let others = p + q + Fr::from(A);
    let value = slope
        .value()
        .zip(others.value())
        .map(|(slope, others)| slope * slope - others);
    let u = cs.witness("u", value)?;
    cs.enforce(slope, slope, &(&u + &others))?;
    Ok(u)
}

// The column λ₂ with denominator·(λ₁ + λ₂) = numerator. 1 constraint; unique if the denominator
// isn't zero.
fn divide_minus(
    cs: &mut Synthesizer,
    numerator: &Num,
    denominator: &Num,
    first: &Num,
) -> Result<Num, SynthesisError> {
    use ark_ff::Field;
    let value = numerator
        .value()
        .zip(denominator.value())
        .zip(first.value())
        .map(|((n, d), first)| n * d.inverse().unwrap_or(Fr::ZERO) - first);
    let second = cs.witness("second slope", value)?;
    cs.enforce(denominator, &(first + &second), numerator)?;
    Ok(second)
}
