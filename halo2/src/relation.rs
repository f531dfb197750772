//! What a circuit of this crate is to the proof system: columns and gates, a way to fill them, and
//! which rows belong to which statement.

use std::ops::Range;

use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner},
    plonk::{Circuit, Column, ConstraintSystem, Error, Fixed},
};

use crate::{
    field::Fr,
    sheet::{RegionBackend, Sheet},
};

/// No gate may be above this degree, selector included. `ConstraintSystem::degree()` of this halo2 is
/// capped at it (by an environment variable whose default is 5): a gate above passes the mock prover
/// and no proof of it verifies.
pub const MAX_DEGREE: usize = 5;

/// A circuit: one relation between public inputs and a witness.
pub trait Relation {
    /// Names of its parts.
    type Statement: Copy + PartialEq;
    /// Its columns and gates.
    type Config: Clone;

    /// 2ᵏ rows.
    const K: u32;
    /// Public inputs.
    const PUBLIC: usize;

    /// The circuit's name in the manifest.
    fn name() -> String;

    /// Makes columns and gates.
    fn configure(meta: &mut ConstraintSystem<Fr>) -> Self::Config;

    /// The fixed column of constants.
    fn constants(config: &Self::Config) -> Column<Fixed>;

    /// Fills the sheet. Which cells are written must not depend on the witness.
    ///
    /// # Errors
    /// halo2's.
    fn assign(
        &self,
        config: &Self::Config,
        sheet: &mut Sheet<'_>,
    ) -> Result<Layout<Self::Statement>, Error>;
}

/// Which rows belong to which statement. A row may belong to several (the hash that makes the subject
/// serves all attestations), and columns that are used beside the others have their own entries.
#[derive(Clone, Debug)]
pub struct Layout<S> {
    blocks: Vec<Block<S>>,
}

#[derive(Clone, Debug)]
struct Block<S> {
    statement: S,
    beside: bool,
    rows: Range<usize>,
}

impl<S> Default for Layout<S> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<S: Copy + PartialEq> Layout<S> {
    /// Rows belong to a statement.
    pub fn record(&mut self, statement: S, rows: Range<usize>) {
        self.blocks.push(Block {
            statement,
            beside: false,
            rows,
        });
    }

    /// Rows of the columns that are used beside the others belong to a statement.
    pub fn record_beside(&mut self, statement: S, rows: Range<usize>) {
        self.blocks.push(Block {
            statement,
            beside: true,
            rows,
        });
    }

    /// Whether a row is of a statement.
    #[must_use]
    pub fn contains(&self, statement: S, row: usize) -> bool {
        self.has(statement, false, row)
    }

    /// Whether a row of the columns that are used beside the others is of a statement.
    #[must_use]
    pub fn contains_beside(&self, statement: S, row: usize) -> bool {
        self.has(statement, true, row)
    }

    fn has(&self, statement: S, beside: bool, row: usize) -> bool {
        self.blocks.iter().any(|block| {
            block.statement == statement && block.beside == beside && block.rows.contains(&row)
        })
    }

    /// The first block of rows of a statement; empty when there is none.
    #[must_use]
    pub fn rows_of(&self, statement: S) -> Range<usize> {
        let mut blocks = self.blocks.iter();
        let block = blocks.find(|block| block.statement == statement && !block.beside);
        block.map_or(0..0, |block| block.rows.clone())
    }

    /// The first row after all.
    #[must_use]
    pub fn rows(&self) -> usize {
        let ends = self.blocks.iter().map(|block| block.rows.end);
        ends.max().unwrap_or(0)
    }
}

/// A relation as halo2's trait wants it.
pub(crate) struct Synthesis<'a, R>(pub(crate) &'a R);

impl<R: Relation> Circuit<Fr> for Synthesis<'_, R> {
    type Config = R::Config;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self(self.0)
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> R::Config {
        R::configure(meta)
    }

    fn synthesize(&self, config: R::Config, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        layouter.assign_region(
            || "circuit",
            |region| {
                let mut backend = RegionBackend(region);
                let mut sheet = Sheet::new(&mut backend, R::constants(&config));
                self.0.assign(&config, &mut sheet).map(|_| ())
            },
        )
    }
}
