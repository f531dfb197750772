//! The hash of the measurers' keys in order, with the domain: twin of
//! `primitives::MeasurerSet::hash`. 399, 501 and 828 constraints for 3, 5 and 7 keys.

use ark_relations::gr1cs::SynthesisError;
use veilpool_protocol::{measurer_set::SPLIT, tag};

use crate::{
    gadget::{operator::tagged, poseidon},
    num::Num,
    synthesizer::Synthesizer,
};

/// A measurer's key by its Edwards coordinates (a = 1), twin of
/// [`veilpool_primitives::MeasurerKey`]. The circuit relies on its being of order l: that is
/// checked when the set is made, and the set's hash pins it.
#[derive(Clone)]
pub struct MeasurerKeyVar {
    /// Affine x.
    pub x: Num,
    /// Affine y.
    pub y: Num,
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
        .flat_map(|key| [key.x.clone(), key.y.clone()])
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
