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
//!
//! Of the partial rounds, which apply one S-box each, all that is linear is done at once. With M the
//! matrix, m its first column, M' the same with that column zero, c_r a round's constants, y_r its S-box's result:
//!
//! ```text
//! s_{r+1} = M'(s_r + c_r) + y_r·m
//! S-box r: of e·M'^r·s₀ + Σ_{k<r} (e·M'^{r−1−k}·m)·y_k + constant,   e = (1, 0, …, 0)
//! ```

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use ark_relations::gr1cs::SynthesisError;
use light_poseidon::{PoseidonParameters, parameters::bn254_x5::get_poseidon_parameters};

use crate::{num::Num, synthesizer::Synthesizer};

/// Largest number of inputs, as on chain.
pub const MAX_INPUTS: usize = veilpool_primitives::poseidon::MAX_INPUTS;

/// Parameters for one width.
struct Tables {
    parameters: PoseidonParameters<Fr>,
    /// Row r: what S-box r of the partial rounds takes of the state before them.
    of_state: Vec<Vec<Fr>>,
    /// What an S-box takes of the result of the S-box 1, 2, … rounds before it.
    of_results: Vec<Fr>,
    /// And its constant.
    constants: Vec<Fr>,
    /// The state after the partial rounds, by element: of the state before, of each result, and the constant.
    after: Vec<(Vec<Fr>, Vec<Fr>, Fr)>,
}

impl Tables {
    fn of(width: usize) -> &'static Self {
        static TABLES: [OnceLock<Tables>; MAX_INPUTS] = [const { OnceLock::new() }; MAX_INPUTS];
        TABLES[width - 2].get_or_init(|| {
            match get_poseidon_parameters::<Fr>(u8::try_from(width).unwrap_or(u8::MAX)) {
                Ok(parameters) => Self::new(parameters, width),
                Err(_) => unreachable!("parameters exist for widths 2 to 13"),
            }
        })
    }

    fn new(parameters: PoseidonParameters<Fr>, width: usize) -> Self {
        let rounds = parameters.partial_rounds;
        let first = parameters.full_rounds / 2;
        let first_column: Vec<Fr> = parameters.mds.iter().map(|row| row[0]).collect();
        // row·c_r
        let of_constants = |row: &[Fr], r: usize| {
            let constants = &parameters.ark[(first + r) * width..(first + r + 1) * width];
            dot(row, constants)
        };
        // row·M'
        let step = |row: &[Fr]| -> Vec<Fr> {
            let column = |j| parameters.mds.iter().map(move |row: &Vec<Fr>| row[j]);
            let product = |j| (row.iter().zip(column(j))).map(|(a, b)| *a * b).sum();
            (0..width)
                .map(|j| if j == 0 { Fr::ZERO } else { product(j) })
                .collect()
        };
        // row·M'^k for k = 0, 1, … rounds
        let powers = |row: Vec<Fr>| -> Vec<Vec<Fr>> {
            std::iter::successors(Some(row), |row| Some(step(row)))
                .take(rounds + 1)
                .collect()
        };
        let unit = |i| -> Vec<Fr> { (0..width).map(|j| Fr::from(i == j)).collect() };
        let of_state = powers(unit(0));
        let of_results: Vec<Fr> = of_state.iter().map(|row| dot(row, &first_column)).collect();
        // S-box r sees its own round's constants directly, those of round k < r by M'^(r−k).
        let constants = (0..rounds)
            .map(|r| (0..=r).map(|k| of_constants(&of_state[r - k], k)).sum())
            .collect();
        let after = (0..width)
            .map(|i| {
                let powers = powers(unit(i));
                let results = (0..rounds)
                    .map(|k| dot(&powers[rounds - 1 - k], &first_column))
                    .collect();
                let constant = (0..rounds).map(|k| of_constants(&powers[rounds - k], k));
                (powers[rounds].clone(), results, constant.sum())
            })
            .collect();
        Self {
            of_state,
            of_results,
            constants,
            after,
            parameters,
        }
    }
}

fn dot(a: &[Fr], b: &[Fr]) -> Fr {
    a.iter().zip(b).map(|(a, b)| *a * b).sum()
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
    let tables = Tables::of(width);
    let PoseidonParameters { mds, ark, .. } = &tables.parameters;
    let half = tables.parameters.full_rounds / 2;
    let mut rounds = ark.chunks_exact(width);

    let mut state = vec![Num::zero()];
    state.extend_from_slice(inputs);
    for constants in rounds.by_ref().take(half) {
        state = full_round(cs, &state, constants, mds)?;
    }
    state = partial_rounds(cs, &state, tables)?;
    let last = &mds[..1];
    for (left, constants) in (0..half)
        .rev()
        .zip(rounds.skip(tables.parameters.partial_rounds))
    {
        state = full_round(cs, &state, constants, if left == 0 { last } else { mds })?;
    }
    Ok(state.swap_remove(0))
}

fn full_round(
    cs: &mut Synthesizer,
    state: &[Num],
    constants: &[Fr],
    rows: &[Vec<Fr>],
) -> Result<Vec<Num>, SynthesisError> {
    let results = state
        .iter()
        .zip(constants)
        .map(|(element, constant)| s_box(cs, &(element + *constant)))
        .collect::<Result<Vec<_>, _>>()?;
    let mix = |row: &Vec<Fr>| Num::weighted_sum(results.iter().zip(row.iter().copied()));
    Ok(rows.iter().map(mix).collect())
}

fn partial_rounds(
    cs: &mut Synthesizer,
    before: &[Num],
    tables: &Tables,
) -> Result<Vec<Num>, SynthesisError> {
    let mut results: Vec<Num> = Vec::new();
    let linear = |of_state: &[Fr], results: &[Num], of_results: &mut dyn Iterator<Item = Fr>| {
        let of_state = before.iter().zip(of_state.iter().copied());
        Num::weighted_sum(of_state.chain(results.iter().zip(of_results)))
    };
    for (of_state, constant) in tables.of_state.iter().zip(&tables.constants) {
        let mut of_results = tables.of_results[..results.len()].iter().rev().copied();
        let x = linear(of_state, &results, &mut of_results) + *constant;
        results.push(s_box(cs, &x)?);
    }
    let after = tables.after.iter().map(|(of_state, of_results, constant)| {
        linear(of_state, &results, &mut of_results.iter().copied()) + *constant
    });
    Ok(after.collect())
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
