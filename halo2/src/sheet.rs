//! Where a circuit writes its cells. One sheet of rows and columns, filled from the top: the floor
//! planner of this halo2 never moves a region, so the rows are ours to choose, and a test can ask
//! which statement a row belongs to.
//!
//! What is written goes to a [`Backend`]: halo2's region, or the grid of [`crate::grid`], in which
//! tests edit single cells.

use halo2_proofs::{
    circuit::{Region, Value},
    plonk::{Advice, Any, Column, Error, Fixed, Instance, Selector},
};

use crate::field::Fr;

/// Takes what a circuit assigns. Rows are absolute.
pub trait Backend {
    /// A witness cell.
    fn advice(&mut self, column: Column<Advice>, row: usize, value: Fr);
    /// A fixed cell.
    fn fixed(&mut self, column: Column<Fixed>, row: usize, value: Fr);
    /// Switches a gate on.
    ///
    /// # Errors
    /// halo2's, when there is no such row.
    fn selector(&mut self, selector: Selector, row: usize) -> Result<(), Error>;
    /// A copy constraint.
    fn equal(&mut self, left: Place, right: Place);
}

/// Where a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its column.
    pub column: Column<Any>,
    /// Its row.
    pub row: usize,
}

/// A cell with the value that the prover gives it.
#[derive(Clone, Copy)]
pub struct Cell {
    /// Where it is.
    pub place: Place,
    /// What is in it.
    pub value: Fr,
}

/// What a gadget takes as an input.
#[derive(Clone, Copy)]
pub enum Input {
    /// A cell elsewhere: copied.
    Copy(Cell),
    /// A constant of the circuit.
    Constant(Fr),
    /// A new witness, bound by nothing yet.
    Free(Fr),
}

impl Input {
    /// Its value.
    #[must_use]
    pub const fn value(&self) -> Fr {
        match self {
            Self::Copy(cell) => cell.value,
            Self::Constant(value) | Self::Free(value) => *value,
        }
    }
}

impl From<Cell> for Input {
    fn from(cell: Cell) -> Self {
        Self::Copy(cell)
    }
}

/// Rows and columns being filled.
pub struct Sheet<'b> {
    backend: &'b mut dyn Backend,
    constants: Column<Fixed>,
    known_constants: Vec<Fr>,
    row: usize,
}

impl<'b> Sheet<'b> {
    /// An empty sheet. `constants` is a fixed column with equality, used for nothing else.
    pub fn new(backend: &'b mut dyn Backend, constants: Column<Fixed>) -> Self {
        Self {
            backend,
            constants,
            known_constants: Vec::new(),
            row: 0,
        }
    }

    /// The first row that is not taken.
    #[must_use]
    pub const fn row(&self) -> usize {
        self.row
    }

    /// Takes rows; returns the first of them.
    pub const fn take(&mut self, rows: usize) -> usize {
        let first = self.row;
        self.row += rows;
        first
    }

    /// Writes a witness.
    pub fn advice(&mut self, column: Column<Advice>, row: usize, value: Fr) -> Cell {
        self.backend.advice(column, row, value);
        Cell {
            place: Place {
                column: column.into(),
                row,
            },
            value,
        }
    }

    /// Writes an input of a gadget, with what binds it.
    pub fn input(&mut self, column: Column<Advice>, row: usize, input: Input) -> Cell {
        let cell = self.advice(column, row, input.value());
        match input {
            Input::Copy(source) => self.equal(&cell, &source),
            Input::Constant(value) => self.equal_constant(&cell, value),
            Input::Free(_) => {}
        }
        cell
    }

    /// Writes a fixed cell.
    pub fn fixed(&mut self, column: Column<Fixed>, row: usize, value: Fr) {
        self.backend.fixed(column, row, value);
    }

    /// Switches a gate on.
    ///
    /// # Errors
    /// halo2's, when there is no such row.
    pub fn enable(&mut self, selector: Selector, row: usize) -> Result<(), Error> {
        self.backend.selector(selector, row)
    }

    /// Two cells are equal.
    pub fn equal(&mut self, left: &Cell, right: &Cell) {
        self.backend.equal(left.place, right.place);
    }

    /// A cell is a public input.
    pub fn equal_public(&mut self, cell: &Cell, instance: Column<Instance>, index: usize) {
        let public = Place {
            column: instance.into(),
            row: index,
        };
        self.backend.equal(cell.place, public);
    }

    /// A cell is a constant. Each constant stands once in the column of constants.
    pub fn equal_constant(&mut self, cell: &Cell, value: Fr) {
        let known = self
            .known_constants
            .iter()
            .position(|known| *known == value);
        let row = known.unwrap_or_else(|| {
            let row = self.known_constants.len();
            self.backend.fixed(self.constants, row, value);
            self.known_constants.push(value);
            row
        });
        let constant = Place {
            column: self.constants.into(),
            row,
        };
        self.backend.equal(cell.place, constant);
    }
}

/// halo2's own backend.
pub(crate) struct RegionBackend<'r>(pub(crate) Region<'r, Fr>);

impl Backend for RegionBackend<'_> {
    fn advice(&mut self, column: Column<Advice>, row: usize, value: Fr) {
        self.0.assign_advice(column, row, Value::known(value));
    }

    fn fixed(&mut self, column: Column<Fixed>, row: usize, value: Fr) {
        self.0.assign_fixed(column, row, value);
    }

    fn selector(&mut self, selector: Selector, row: usize) -> Result<(), Error> {
        selector.enable(&mut self.0, row)
    }

    fn equal(&mut self, left: Place, right: Place) {
        self.0.constrain_equal(cell_at(left), cell_at(right));
    }
}

fn cell_at(place: Place) -> halo2_proofs::circuit::Cell {
    halo2_proofs::circuit::Cell {
        row_offset: place.row,
        column: place.column,
    }
}
