//! Poseidon (Grassi et al., USENIX Security 2021) with circomlib's parameters: x⁵, width
//! t = inputs + 1, 8 full rounds. Twin of `primitives::poseidon`.
//!
//! Cost for 1 to 12 variable inputs: 213 240 261 297 321 354 381 402 417 459 465 504, and 3 less
//! when the first input is a constant (a domain tag).
//!
//! An S-box is three rows `x·x = x₂`, `x₂·x = x₃`, `x₃·x₂ = x₅`; x₃ and x₅ then never stand on a B
//! side for their own sake. The capacity element and a constant tag go through their first S-box as
//! constants, and only the first row of the last matrix is needed; everything between is linear and
//! costs nothing.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use ark_relations::gr1cs::SynthesisError;
use light_poseidon::{PoseidonParameters, parameters::bn254_x5::get_poseidon_parameters};

use crate::{num::Num, synthesizer::Synthesizer};

/// Largest number of inputs, as on chain.
pub const MAX_INPUTS: usize = veilpool_primitives::poseidon::MAX_INPUTS;

fn parameters(width: usize) -> &'static PoseidonParameters<Fr> {
    static PARAMETERS: [OnceLock<PoseidonParameters<Fr>>; MAX_INPUTS] =
        [const { OnceLock::new() }; MAX_INPUTS];
    PARAMETERS[width - 2].get_or_init(|| {
        match get_poseidon_parameters::<Fr>(u8::try_from(width).unwrap_or(u8::MAX)) {
            Ok(parameters) => parameters,
            Err(_) => unreachable!("parameters exist for widths 2 to 13"),
        }
    })
}

/// `P(inputs)`.
///
/// # Errors
/// Those of the constraint system.
///
/// # Panics
/// Without inputs and for more than [`MAX_INPUTS`].
pub fn hash(cs: &mut Synthesizer, inputs: &[Num]) -> Result<Num, SynthesisError> {
    assert!(
        (1..=MAX_INPUTS).contains(&inputs.len()),
        "Poseidon takes 1 to 12 inputs"
    );
    let width = inputs.len() + 1;
    let parameters = parameters(width);
    let half = parameters.full_rounds / 2;
    let rounds = parameters.full_rounds + parameters.partial_rounds;

    let mut state = vec![Num::zero()];
    state.extend_from_slice(inputs);
    for round in 0..rounds {
        let constants = &parameters.ark[round * width..(round + 1) * width];
        for (element, constant) in state.iter_mut().zip(constants) {
            *element = &*element + *constant;
        }
        let full = round < half || round >= half + parameters.partial_rounds;
        let boxes = if full { width } else { 1 };
        for element in state.iter_mut().take(boxes) {
            *element = s_box(cs, element)?;
        }
        let last = round + 1 == rounds;
        state = parameters.mds[..if last { 1 } else { width }]
            .iter()
            .map(|row| {
                row.iter()
                    .zip(&state)
                    .fold(Num::zero(), |sum, (weight, element)| {
                        sum.add_scaled(element, *weight)
                    })
            })
            .collect();
    }
    Ok(state.swap_remove(0))
}

fn s_box(cs: &mut Synthesizer, x: &Num) -> Result<Num, SynthesisError> {
    if x.is_constant() {
        let value = x.value().unwrap_or(Fr::ZERO);
        return Ok(Num::constant(value.pow([5u64])));
    }
    let square = cs.multiply("poseidon x²", x, x)?;
    let cube = cs.multiply("poseidon x³", &square, x)?;
    cs.multiply("poseidon x⁵", &cube, &square)
}
