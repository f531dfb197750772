//! Poseidon (Grassi et al., USENIX Security 2021) with circomlib's parameters: x⁵, width
//! t = inputs + 1, 8 full rounds. The native twin is `primitives::poseidon`.
//!
//! A **block** of rows takes the state at its first row to the state at the row after it. With
//! selector, no gate is above degree 4: the S-box is x⁵ = w²·x with the cell w = x².
//!
//! ```text
//! full round:      wⱼ = (sⱼ + cⱼ)²                        s'ᵢ = Σⱼ Mᵢⱼ·wⱼ²·(sⱼ + cⱼ)
//! k partial rounds: m₀ = s₀;  wᵣ = (mᵣ + κᵣ)²,  yᵣ = wᵣ²·(mᵣ + κᵣ)
//!                   mᵣ₊₁ and s' are linear in s₁ … sₜ₋₁, y₀ … yᵣ
//! ```
//! In partial rounds only the first element goes through an S-box, so the constants of the others
//! can be carried forward through the matrix into the first full round after them: one constant κ
//! for each partial round is left (the paper's appendix B). Each cell of a block is determined by
//! the state before it, so a block is a function of its first row.
//!
//! A block's cells run through the chip's columns and go on in the next row when there are more
//! cells than columns: a chip with few columns makes high, narrow hashes.

use std::sync::OnceLock;

use ark_bn254::Fr as ArkFr;
use halo2_proofs::{
    halo2curves::ff::Field,
    plonk::{Advice, Column, ConstraintSystem, Constraints, Error, Expression, Fixed, Selector},
    poly::Rotation,
};
use light_poseidon::parameters::bn254_x5::get_poseidon_parameters;

use crate::{
    field::{Fr, from_ark},
    sheet::{Cell, Input, Sheet},
};

/// What a width's permutation consists of.
struct Rounds {
    width: usize,
    matrix: Vec<Vec<Fr>>,
    /// Constants of the first full rounds.
    first: Vec<Vec<Fr>>,
    /// The constant of the first element in each partial round.
    partial: Vec<Fr>,
    /// Constants of the last full rounds, with those that the partial rounds carried forward.
    last: Vec<Vec<Fr>>,
}

/// Widths go up to this: twelve inputs.
const MAX_WIDTH: usize = 13;

fn rounds(width: usize) -> &'static Rounds {
    static ROUNDS: [OnceLock<Rounds>; MAX_WIDTH + 1] = [const { OnceLock::new() }; MAX_WIDTH + 1];
    ROUNDS[width].get_or_init(|| Rounds::new(width))
}

impl Rounds {
    fn new(width: usize) -> Self {
        let parameters = match get_poseidon_parameters::<ArkFr>(width as u8) {
            Ok(parameters) => parameters,
            Err(_) => unreachable!("circuits use widths from 2 to 13"),
        };
        let matrix: Vec<Vec<Fr>> = parameters
            .mds
            .iter()
            .map(|row| row.iter().map(from_ark).collect())
            .collect();
        let mut constants = parameters
            .ark
            .chunks(width)
            .map(|round| round.iter().map(from_ark).collect::<Vec<_>>());
        let half = parameters.full_rounds / 2;
        let first = constants.by_ref().take(half).collect();

        let mut carried = vec![Fr::ZERO; width];
        let mut partial = Vec::with_capacity(parameters.partial_rounds);
        for constants in constants.by_ref().take(parameters.partial_rounds) {
            for (carried, constant) in carried.iter_mut().zip(constants) {
                *carried += constant;
            }
            partial.push(carried[0]);
            carried[0] = Fr::ZERO;
            carried = multiply(&matrix, &carried);
        }
        let mut last: Vec<Vec<Fr>> = constants.collect();
        for (constant, carried) in last[0].iter_mut().zip(carried) {
            *constant += carried;
        }
        Self {
            width,
            matrix,
            first,
            partial,
            last,
        }
    }
}

fn multiply(matrix: &[Vec<Fr>], vector: &[Fr]) -> Vec<Fr> {
    matrix
        .iter()
        .map(|row| row.iter().zip(vector).map(|(m, v)| *m * v).sum())
        .collect()
}

/// Cells that follow one another through the columns and then the rows.
#[derive(Clone, Copy)]
struct Run {
    columns: usize,
}

impl Run {
    const fn column(self, index: usize) -> usize {
        index % self.columns
    }

    const fn row(self, index: usize) -> usize {
        index / self.columns
    }

    const fn rows(self, cells: usize) -> usize {
        cells.div_ceil(self.columns)
    }
}

/// The gates of one width.
#[derive(Clone, Debug)]
pub struct PoseidonChip {
    width: usize,
    /// Partial rounds in a block.
    rounds_per_block: usize,
    columns: Vec<Column<Advice>>,
    constants: Vec<Column<Fixed>>,
    full: Selector,
    partial: Selector,
}

/// A finished hash.
pub struct Hashed {
    /// The cells of its inputs.
    pub inputs: Vec<Cell>,
    /// The digest, in the first column.
    pub output: Cell,
}

impl PoseidonChip {
    /// Makes the gates of the hash of `inputs` inputs, with `rounds_per_block` partial rounds in a
    /// block (a divisor of their number).
    ///
    /// # Panics
    /// When `rounds_per_block` does not divide the number of partial rounds, or the state is wider
    /// than the columns: mistakes of the caller, met by every use of the circuit.
    pub fn configure(
        meta: &mut ConstraintSystem<Fr>,
        inputs: usize,
        rounds_per_block: usize,
        columns: &[Column<Advice>],
        constants: &[Column<Fixed>],
    ) -> Self {
        let rounds = rounds(inputs + 1);
        assert!(rounds.width <= columns.len());
        assert_eq!(rounds.partial.len() % rounds_per_block, 0);
        let chip = Self {
            width: rounds.width,
            rounds_per_block,
            columns: columns.to_vec(),
            constants: constants.to_vec(),
            full: meta.selector(),
            partial: meta.selector(),
        };
        chip.full_gate(meta, rounds);
        chip.partial_gate(meta, rounds);
        chip
    }

    /// Rows of a hash, that of its output included.
    #[must_use]
    pub fn rows(&self) -> usize {
        let rounds = rounds(self.width);
        let full = rounds.first.len() + rounds.last.len();
        let blocks = rounds.partial.len() / self.rounds_per_block;
        full * self.full_rows() + blocks * self.partial_rows() + 1
    }

    /// `P(inputs)`, from the sheet's next row on. The first row holds the state before the first
    /// round: 0 in the first column, then the inputs.
    ///
    /// # Errors
    /// halo2's.
    pub fn hash(&self, sheet: &mut Sheet<'_>, inputs: &[Input]) -> Result<Hashed, Error> {
        assert_eq!(inputs.len() + 1, self.width);
        let rounds = rounds(self.width);
        let row = sheet.row();
        sheet.input(self.columns[0], row, Input::Constant(Fr::ZERO));
        let cells: Vec<Cell> = (1..self.width)
            .map(|i| sheet.input(self.columns[i], row, inputs[i - 1]))
            .collect();
        let mut state = vec![Fr::ZERO];
        state.extend(cells.iter().map(|cell| cell.value));

        let mut output = cells[0];
        for constants in &rounds.first {
            output = self.full_block(sheet, rounds, &mut state, constants)?;
        }
        for constants in rounds.partial.chunks(self.rounds_per_block) {
            output = self.partial_block(sheet, rounds, &mut state, constants)?;
        }
        for constants in &rounds.last {
            output = self.full_block(sheet, rounds, &mut state, constants)?;
        }
        sheet.take(1);
        Ok(Hashed {
            inputs: cells,
            output,
        })
    }

    const fn run(&self) -> Run {
        Run {
            columns: self.columns.len(),
        }
    }

    const fn constants_run(&self) -> Run {
        Run {
            columns: self.constants.len(),
        }
    }

    const fn full_rows(&self) -> usize {
        self.run().rows(2 * self.width)
    }

    const fn partial_rows(&self) -> usize {
        self.run().rows(self.width + 2 * self.rounds_per_block - 1)
    }

    fn full_gate(&self, meta: &mut ConstraintSystem<Fr>, rounds: &Rounds) {
        meta.create_gate(format!("poseidon {}: full round", self.width), |meta| {
            let mut cells = Cells { chip: self, meta };
            let selector = cells.meta.query_selector(self.full);
            let mut constraints = Vec::new();
            let mut outputs = Vec::new();
            for j in 0..self.width {
                let x = cells.block(j) + cells.constant(j);
                let w = cells.block(self.width + j);
                constraints.push(w.clone() - x.clone() * x.clone());
                outputs.push(w.clone() * w * x);
            }
            for (i, row) in rounds.matrix.iter().enumerate() {
                let next = cells.after(i, self.full_rows());
                constraints.push(next - combine(row, &outputs));
            }
            Constraints::with_selector(selector, constraints)
        });
    }

    fn partial_gate(&self, meta: &mut ConstraintSystem<Fr>, rounds: &Rounds) {
        meta.create_gate(format!("poseidon {}: partial rounds", self.width), |meta| {
            let mut cells = Cells { chip: self, meta };
            let selector = cells.meta.query_selector(self.partial);
            let mut constraints = Vec::new();
            // The state as combinations of a basis: at first its own elements.
            let mut basis: Vec<Expression<Fr>> = (0..self.width).map(|j| cells.block(j)).collect();
            let mut state = identity(self.width);
            for round in 0..self.rounds_per_block {
                let mut m = basis[0].clone();
                if round > 0 {
                    m = cells.block(self.width + 2 * round - 1);
                    constraints.push(m.clone() - combine(&state[0], &basis));
                }
                let x = m + cells.constant(round);
                let w = cells.block(self.width + 2 * round);
                constraints.push(w.clone() - x.clone() * x.clone());
                basis.push(w.clone() * w * x);
                state = after_partial_round(&rounds.matrix, &state, basis.len());
            }
            for (i, combination) in state.iter().enumerate() {
                let next = cells.after(i, self.partial_rows());
                constraints.push(next - combine(combination, &basis));
            }
            Constraints::with_selector(selector, constraints)
        });
    }

    // Writes what follows from the state at the block's first row, up to the next state; returns
    // its first cell.
    fn full_block(
        &self,
        sheet: &mut Sheet<'_>,
        rounds: &Rounds,
        state: &mut Vec<Fr>,
        constants: &[Fr],
    ) -> Result<Cell, Error> {
        let row = sheet.take(self.full_rows());
        sheet.enable(self.full, row)?;
        let mut outputs = Vec::with_capacity(self.width);
        for (j, (element, constant)) in state.iter().zip(constants).enumerate() {
            let x = element + constant;
            let w = x.square();
            self.write(sheet, row, self.width + j, w);
            self.write_constant(sheet, row, j, *constant);
            outputs.push(w.square() * x);
        }
        *state = multiply(&rounds.matrix, &outputs);
        Ok(self.write_state(sheet, state))
    }

    fn partial_block(
        &self,
        sheet: &mut Sheet<'_>,
        rounds: &Rounds,
        state: &mut Vec<Fr>,
        constants: &[Fr],
    ) -> Result<Cell, Error> {
        let row = sheet.take(self.partial_rows());
        sheet.enable(self.partial, row)?;
        for (round, constant) in constants.iter().enumerate() {
            if round > 0 {
                self.write(sheet, row, self.width + 2 * round - 1, state[0]);
            }
            let x = state[0] + constant;
            let w = x.square();
            self.write(sheet, row, self.width + 2 * round, w);
            self.write_constant(sheet, row, round, *constant);
            state[0] = w.square() * x;
            *state = multiply(&rounds.matrix, state);
        }
        Ok(self.write_state(sheet, state))
    }

    fn write_state(&self, sheet: &mut Sheet<'_>, state: &[Fr]) -> Cell {
        let row = sheet.row();
        let first = sheet.advice(self.columns[0], row, state[0]);
        for (column, element) in self.columns.iter().zip(state).skip(1) {
            sheet.advice(*column, row, *element);
        }
        first
    }

    fn write(&self, sheet: &mut Sheet<'_>, row: usize, index: usize, value: Fr) {
        let run = self.run();
        sheet.advice(self.columns[run.column(index)], row + run.row(index), value);
    }

    fn write_constant(&self, sheet: &mut Sheet<'_>, row: usize, index: usize, value: Fr) {
        let run = self.constants_run();
        let column = self.constants[run.column(index)];
        sheet.fixed(column, row + run.row(index), value);
    }
}

/// Queries of a block's cells.
struct Cells<'c, 'm> {
    chip: &'c PoseidonChip,
    meta: &'c mut halo2_proofs::plonk::VirtualCells<'m, Fr>,
}

impl Cells<'_, '_> {
    fn block(&mut self, index: usize) -> Expression<Fr> {
        self.after(index, 0)
    }

    fn after(&mut self, index: usize, rows: usize) -> Expression<Fr> {
        let run = self.chip.run();
        let column = self.chip.columns[run.column(index)];
        let rotation = Rotation((rows + run.row(index)) as i32);
        self.meta.query_advice(column, rotation)
    }

    fn constant(&mut self, index: usize) -> Expression<Fr> {
        let run = self.chip.constants_run();
        let column = self.chip.constants[run.column(index)];
        self.meta
            .query_fixed(column, Rotation(run.row(index) as i32))
    }
}

fn identity(width: usize) -> Vec<Vec<Fr>> {
    (0..width)
        .map(|i| (0..width).map(|j| Fr::from(u64::from(i == j))).collect())
        .collect()
}

// The first element is replaced by the basis' newest member, then the matrix is applied.
fn after_partial_round(matrix: &[Vec<Fr>], state: &[Vec<Fr>], basis: usize) -> Vec<Vec<Fr>> {
    let mut mixed: Vec<Vec<Fr>> = state.to_vec();
    mixed[0] = vec![Fr::ZERO; basis - 1];
    for combination in &mut mixed {
        combination.resize(basis, Fr::ZERO);
    }
    mixed[0][basis - 1] = Fr::ONE;
    matrix
        .iter()
        .map(|row| {
            (0..basis)
                .map(|k| row.iter().zip(&mixed).map(|(m, c)| *m * c[k]).sum())
                .collect()
        })
        .collect()
}

fn combine(coefficients: &[Fr], basis: &[Expression<Fr>]) -> Expression<Fr> {
    coefficients
        .iter()
        .zip(basis)
        .filter(|(coefficient, _)| !bool::from(coefficient.is_zero()))
        .map(|(coefficient, element)| element.clone() * *coefficient)
        .reduce(|sum, term| sum + term)
        .unwrap_or(Expression::Constant(Fr::ZERO))
}
