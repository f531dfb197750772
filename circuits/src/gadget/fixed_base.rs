//! A multiple of BabyJubJub's base: `s·B` for a scalar that occurs nowhere else. 501 constraints.
//!
//! Signed digits on the base B/2 (Hedabou, Pinel, Bénéteau 2005 use odd digits likewise):
//!
//! ```text
//! s·B = Σ dᵢ·8ⁱ·(B/2)     i = 0…82: dᵢ ∈ {±1, ±3, ±5, ±7}     i = 83: dᵢ ∈ {±1, ±3}
//! dᵢ = 2wᵢ − 7 (last: 2wᵢ − 3), where wᵢ are the 3-bit digits of U = s + (2²⁵¹ − 1)/2 mod l
//! ```
//! for 2s = Σ dᵢ8ⁱ = 2U − (2²⁵¹ − 1), and 0 ≤ U < l < 2²⁵¹. **s needs no bits**: whoever knows the
//! digits knows s, and no other statement uses s, so each window proves just that its point is one
//! of the table's.
//!
//! *Lookup, 3 constraints.* The four points of a window with positive digit, as (u, v²) in the
//! plane, no three of them collinear (asserted when the table is made), are exactly the common
//! zeros of two pairs of lines, `L₀₁·L₂₃ = 0` and `L₀₂·L₁₃ = 0`: a common zero lies on one line of
//! each pair, two such lines differ and meet in one of the four points. `v·v` gives the square, and
//! leaves v's sign to the prover, which is the digit's sign. In the last window the four points (u,
//! ±v) themselves are looked up: 2 constraints.
//!
//! *Addition, 3 constraints, no exception.* The sum of the first i digits is odd and at most 8ⁱ − 1
//! in size, the next digit times 8ⁱ at least 8ⁱ; so as integers they differ and don't cancel, and
//! both sum and difference are below 8⁸³ = 2²⁴⁹ < l: nor modulo l. Only at the last window may they
//! meet modulo l: there `u₁ ≠ u₂` is a constraint (1 more). It makes s = 0 unprovable, and s =
//! −3·2²⁴⁹ mod l with the digits above (see [`is_representable`]); an honest signature hits one of
//! them with probability 2⁻²⁴⁹.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ed_on_bn254::{EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField, Zero};
use ark_relations::gr1cs::SynthesisError;

use crate::{
    gadget::{edwards::to_montgomery, montgomery::MontgomeryVar},
    num::Num,
    synthesizer::Synthesizer,
};

const WINDOW_BITS: usize = 3;
const FULL_WINDOWS: usize = 83;
const LAST_WINDOW_BITS: usize = 2;
/// Bits of U.
const SCALAR_BITS: usize = FULL_WINDOWS * WINDOW_BITS + LAST_WINDOW_BITS;
const _: () = assert!(SCALAR_BITS == SubgroupScalar::MODULUS_BIT_SIZE as usize);

/// For each window the points of the digits 1, 3, 5, 7 (last: 1, 3), in Montgomery coordinates.
fn table() -> &'static [Vec<(Fr, Fr)>] {
    static TABLE: OnceLock<Vec<Vec<(Fr, Fr)>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let half = SubgroupScalar::from(2u8)
            .inverse()
            .unwrap_or(SubgroupScalar::ZERO);
        let mut base = EdwardsProjective::generator() * half;
        (0..=FULL_WINDOWS)
            .map(|window| {
                let digits = if window < FULL_WINDOWS { 4 } else { 2 };
                let step = base.double();
                let mut point = base;
                let points = (0..digits)
                    .map(|_| {
                        let coordinates = to_montgomery(&point.into_affine());
                        point += step;
                        coordinates.unwrap_or_else(|| {
                            unreachable!("multiples of B/2 by odd digits have odd order")
                        })
                    })
                    .collect();
                base = base.double().double().double();
                points
            })
            .collect()
    })
}

/// Index into the window's table and sign (true: negative) of each digit of `s`.
fn digits(s: SubgroupScalar) -> Vec<(usize, bool)> {
    let all_ones = SubgroupScalar::from(2u8).pow([SCALAR_BITS as u64]) - SubgroupScalar::from(1u8);
    let half = SubgroupScalar::from(2u8)
        .inverse()
        .unwrap_or(SubgroupScalar::ZERO);
    let shifted = (s + all_ones * half).into_bigint();
    (0..=FULL_WINDOWS)
        .map(|window| {
            let width = if window < FULL_WINDOWS {
                WINDOW_BITS
            } else {
                LAST_WINDOW_BITS
            };
            let w: usize = (0..width)
                .map(|bit| usize::from(shifted.get_bit(window * WINDOW_BITS + bit)) << bit)
                .sum();
            // d = 2w − (2^width − 1): positive from the middle on; index (|d| − 1)/2.
            let middle = 1 << (width - 1);
            if w >= middle {
                (w - middle, false)
            } else {
                (middle - 1 - w, true)
            }
        })
        .collect()
}

/// Whether the gadget can be satisfied for `s`: the last addition must have neither equal nor
/// opposite points.
#[must_use]
pub fn is_representable(s: SubgroupScalar) -> bool {
    let Some((index, negative)) = digits(s).last().copied() else {
        return false;
    };
    let magnitude = SubgroupScalar::from(2 * index as u64 + 1)
        * SubgroupScalar::from(2u8).pow([(FULL_WINDOWS * WINDOW_BITS) as u64]);
    let last = if negative { -magnitude } else { magnitude };
    let rest = s.double() - last;
    rest != last && rest != -last
}

/// `s·B`.
///
/// # Errors
/// Those of the constraint system.
pub fn multiply(
    cs: &mut Synthesizer,
    s: Option<SubgroupScalar>,
) -> Result<MontgomeryVar, SynthesisError> {
    let digits = s.map(digits);
    let mut sum: Option<MontgomeryVar> = None;
    for (window, table) in table().iter().enumerate() {
        let is_last = window == FULL_WINDOWS;
        let chosen = digits.as_ref().map(|digits| {
            let (index, negative) = digits[window];
            let (u, v) = table[index];
            (u, if negative { -v } else { v })
        });
        let u = cs.witness("window u", chosen.map(|(u, _)| u))?;
        let v = cs.witness("window v", chosen.map(|(_, v)| v))?;
        if is_last {
            let points = [
                table[0],
                (table[0].0, -table[0].1),
                table[1],
                (table[1].0, -table[1].1),
            ];
            enforce_one_of_four(cs, &u, &v, &points)?;
        } else {
            let square = cs.multiply("window v²", &v, &v)?;
            let points = core::array::from_fn(|i| (table[i].0, table[i].1.square()));
            enforce_one_of_four(cs, &u, &square, &points)?;
        }
        let point = MontgomeryVar { u, v };
        sum = Some(match sum {
            None => point,
            Some(sum) => {
                if is_last {
                    cs.enforce_nonzero(&(&sum.u - &point.u))?;
                }
                sum.add(cs, &point)?
            }
        });
    }
    sum.ok_or(SynthesisError::Unsatisfiable)
}

/// `(x, y)` is one of four points of the plane, no three collinear. 2 constraints; what stands on
/// their B sides are x and y.
fn enforce_one_of_four(
    cs: &mut Synthesizer,
    x: &Num,
    y: &Num,
    points: &[(Fr, Fr); 4],
) -> Result<(), SynthesisError> {
    assert!(
        no_three_collinear(points),
        "the lookup needs four points in general position"
    );
    let line = |from: usize, to: usize| {
        let ((x0, y0), (x1, y1)) = (points[from], points[to]);
        let (dx, dy) = (x1 - x0, y1 - y0);
        (x * dy).add_scaled(y, -dx) + (dx * y0 - dy * x0)
    };
    cs.enforce(&line(0, 1), &line(2, 3), &Num::zero())?;
    cs.enforce(&line(0, 2), &line(1, 3), &Num::zero())
}

fn no_three_collinear(points: &[(Fr, Fr); 4]) -> bool {
    let area = |i: usize, j: usize, k: usize| {
        let (p, q, r) = (points[i], points[j], points[k]);
        (q.0 - p.0) * (r.1 - p.1) - (r.0 - p.0) * (q.1 - p.1)
    };
    [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)]
        .into_iter()
        .all(|(i, j, k)| !area(i, j, k).is_zero())
}
