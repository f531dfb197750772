//! The hash of the measurers' keys in order, with the domain: twin of
//! `primitives::MeasurerSet::hash`. 399, 501 and 828 constraints for 3, 5 and 7 keys.

use ark_bn254::Fr;
use ark_ed_on_bn254::EdwardsAffine;
use ark_relations::gr1cs::SynthesisError;
use veilpool_primitives::{MeasurerKey, montgomery};
use veilpool_protocol::{measurer_set::SPLIT, tag};

use crate::{
    gadget::{operator::tagged, poseidon},
    num::Num,
    synthesizer::Synthesizer,
};

/// A measurer's key K, of order l, by u(K) and u(2⁶⁴·K): twin of
/// [`veilpool_primitives::MeasurerKey`]. The circuit relies on what a key is: that is checked when the
/// set is made, and the set's hash pins it.
#[derive(Clone)]
pub struct MeasurerKeyVar {
    /// u(K).
    pub u: Num,
    /// u(2⁶⁴·K).
    pub shifted_u: Num,
    /// v(K), a hint for whoever needs the point.
    pub v: Option<Fr>,
    /// v(2⁶⁴·K), likewise.
    pub shifted_v: Option<Fr>,
}

impl MeasurerKeyVar {
    /// The two coordinates as columns. No constraint.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn alloc(cs: &mut Synthesizer, key: Option<&MeasurerKey>) -> Result<Self, SynthesisError> {
        let v = |point: &EdwardsAffine| match montgomery::coordinates(point) {
            Some((_, v)) => v,
            None => unreachable!("a key and its multiple have odd order"),
        };
        Ok(Self {
            u: cs.witness("key u", key.map(MeasurerKey::u))?,
            shifted_u: cs.witness("shifted key u", key.map(MeasurerKey::shifted_u))?,
            v: key.map(|key| v(key.point())),
            shifted_v: key.map(|key| v(key.shifted())),
        })
    }
}

/// `set_hash`.
///
/// # Errors
/// Those of the constraint system.
pub fn hash(
    cs: &mut Synthesizer,
    domain: &Num,
    keys: &[MeasurerKeyVar],
) -> Result<Num, SynthesisError> {
    let coordinates: Vec<Num> = keys
        .iter()
        .flat_map(|key| [key.u.clone(), key.shifted_u.clone()])
        .collect();
    let level = |head: u8, second: Num, rest: &[Num]| {
        let mut inputs = vec![tagged(head), second];
        inputs.extend_from_slice(rest);
        inputs
    };
    let one_level = level(tag::MEASURER_SET, domain.clone(), &coordinates);
    if one_level.len() <= poseidon::MAX_INPUTS {
        return poseidon::hash(cs, &one_level);
    }
    let (first, rest) = coordinates.split_at(SPLIT);
    let inner = poseidon::hash(cs, &level(tag::MEASURER_SET, domain.clone(), first))?;
    poseidon::hash(cs, &level(tag::MEASURER_SET_TAIL, inner, rest))
}
