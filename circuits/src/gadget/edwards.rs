//! From BabyJubJub's Edwards form, in which points are written and hashed, to its Montgomery form,
//! in which they are added, and back.
//!
//! ```text
//! Edwards     x² + y² = 1 + (168696/168700)·x²·y²     (a = 1, as in ark-ed-on-bn254)
//! Montgomery  v² = u³ + 168698·u² + u
//! u = (1 + y)/(1 − y)    v = √168700·u/x    x = √168700·u/v
//! ```
//! (Bernstein et al., "Twisted Edwards curves", 2008; the usual map has B·v² with B = 168700, here
//! v is scaled by √B, which exists in the field.) Points of odd order other than the identity have
//! x ≠ 0, y ≠ ±1, u ≠ 0 and v ≠ 0, so that both directions are defined and unique for them.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ed_on_bn254::EdwardsAffine;
use ark_ff::{AdditiveGroup, Field};
use ark_relations::gr1cs::SynthesisError;

use crate::{gadget::montgomery::MontgomeryVar, num::Num, synthesizer::Synthesizer};

/// The smaller of the two square roots of 168700.
#[must_use]
pub fn sqrt_b() -> Fr {
    static ROOT: OnceLock<Fr> = OnceLock::new();
    *ROOT.get_or_init(|| match Fr::from(168_700u32).sqrt() {
        Some(root) => root.min(-root),
        None => unreachable!("168700 is a square in the BN254 scalar field"),
    })
}

/// Montgomery coordinates of a point of odd order other than the identity; `None` for points that
/// have none.
#[must_use]
pub fn to_montgomery(point: &EdwardsAffine) -> Option<(Fr, Fr)> {
    let u = (Fr::ONE + point.y) * (Fr::ONE - point.y).inverse()?;
    let v = sqrt_b() * u * point.x.inverse()?;
    Some((u, v))
}

/// `(x, y)` to `(u, v)`. 2 constraints: `(1 − y)·u = 1 + y`, `x·v = √B·u`. Sound if the point is
/// known to be on the curve, with y ≠ 1 and x ≠ 0.
///
/// # Errors
/// Those of the constraint system.
pub fn into_montgomery(
    cs: &mut Synthesizer,
    x: &Num,
    y: &Num,
) -> Result<MontgomeryVar, SynthesisError> {
    let one = Num::constant(Fr::ONE);
    let u = cs.divide("u of key", &(&one + y), &(&one - y))?;
    let v = cs.divide("v of key", &(&u * sqrt_b()), x)?;
    Ok(MontgomeryVar { u, v })
}

/// The Edwards x-coordinate of a Montgomery point. 1 constraint: `v·x = √B·u`. Sound if v ≠ 0.
///
/// # Errors
/// Those of the constraint system.
pub fn edwards_x(cs: &mut Synthesizer, point: &MontgomeryVar) -> Result<Num, SynthesisError> {
    let numerator = &point.u * sqrt_b();
    let value = numerator
        .value()
        .zip(point.v.value())
        .map(|(n, v)| n * v.inverse().unwrap_or(Fr::ZERO));
    let x = cs.witness("edwards x", value)?;
    // x on the A side, v on the B side, where it stands already.
    cs.enforce(&x, &point.v, &numerator)?;
    Ok(x)
}
