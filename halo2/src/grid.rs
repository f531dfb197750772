//! All cells of an assignment, and what the gates say of them: like the matrices of the R1CS circuit,
//! for tests that edit a finished assignment (`MockProver` takes no edits). Its verdict is tested to
//! be that of `MockProver`.

use std::collections::{BTreeMap, BTreeSet};

use halo2_proofs::{
    halo2curves::ff::Field,
    plonk::{Advice, Any, Column, ConstraintSystem, Error, Expression, Fixed, Selector},
};

use crate::{
    field::Fr,
    relation::{Layout, Relation},
    sheet::{Backend, Place, Sheet},
};

/// Why an assignment does not satisfy its circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A gate, by name, at the row of its selector.
    Gate {
        /// Its name.
        name: String,
        /// Where.
        row: usize,
    },
    /// Two cells that must be equal.
    Copy {
        /// The copy.
        left: Place,
        /// What it is copied from.
        right: Place,
    },
    /// A row that isn't in the table.
    Lookup {
        /// Where.
        row: usize,
    },
}

/// An assignment.
pub struct Grid<S> {
    /// Which rows belong to which statement.
    pub layout: Layout<S>,
    system: ConstraintSystem<Fr>,
    cells: Cells,
    rows: usize,
    usable: usize,
    tables: Vec<BTreeSet<Vec<Fr>>>,
}

#[derive(Default)]
struct Cells {
    advice: Vec<Vec<Fr>>,
    assigned: BTreeSet<(usize, usize)>,
    fixed: Vec<Vec<Fr>>,
    selectors: Vec<Vec<bool>>,
    copies: Vec<(Place, Place)>,
    copies_by_cell: BTreeMap<(usize, usize), Vec<usize>>,
    instance: Vec<Fr>,
}

impl Backend for Cells {
    fn advice(&mut self, column: Column<Advice>, row: usize, value: Fr) {
        self.advice[column.index()][row] = value;
        let new = self.assigned.insert((column.index(), row));
        assert!(new, "row {row} of column {} was taken", column.index());
    }

    fn fixed(&mut self, column: Column<Fixed>, row: usize, value: Fr) {
        self.fixed[column.index()][row] = value;
    }

    fn selector(&mut self, selector: Selector, row: usize) -> Result<(), Error> {
        self.selectors[selector.index()][row] = true;
        Ok(())
    }

    fn equal(&mut self, left: Place, right: Place) {
        let index = self.copies.len();
        self.copies.push((left, right));
        for place in [left, right] {
            if matches!(place.column.column_type(), Any::Advice(_)) {
                let cell = (place.column.index(), place.row);
                self.copies_by_cell.entry(cell).or_default().push(index);
            }
        }
    }
}

impl<S: Copy + PartialEq> Grid<S> {
    /// Fills a grid.
    ///
    /// # Panics
    /// When the circuit writes outside of its rows, or a cell twice.
    #[must_use]
    pub fn new<R: Relation<Statement = S>>(relation: &R, public: &[Fr]) -> Self {
        let mut system = ConstraintSystem::default();
        let config = R::configure(&mut system);
        let rows = 1usize << R::K;
        let usable = rows - (system.blinding_factors() + 1);
        let columns = |count| vec![vec![Fr::ZERO; rows]; count];
        let mut instance = public.to_vec();
        instance.resize(rows, Fr::ZERO);
        let mut cells = Cells {
            advice: columns(system.num_advice_columns()),
            fixed: columns(system.num_fixed_columns()),
            selectors: vec![vec![false; rows]; system.num_selectors()],
            instance,
            ..Cells::default()
        };
        let layout = {
            let mut sheet = Sheet::new(&mut cells, R::constants(&config));
            match relation.assign(&config, &mut sheet) {
                Ok(layout) => layout,
                Err(error) => unreachable!("a grid refuses nothing: {error}"),
            }
        };
        assert!(
            layout.rows() <= usable,
            "{} of {usable} rows",
            layout.rows()
        );
        let mut grid = Self {
            layout,
            system,
            cells,
            rows,
            usable,
            tables: Vec::new(),
        };
        grid.tables = grid
            .system
            .lookups()
            .iter()
            .map(|lookup| {
                (0..grid.usable)
                    .map(|row| grid.evaluate_all(lookup.table_expressions(), row))
                    .collect()
            })
            .collect();
        grid
    }

    /// The cells that the circuit wrote, as (column, row).
    #[must_use]
    pub fn assigned(&self) -> Vec<(usize, usize)> {
        self.cells.assigned.iter().copied().collect()
    }

    /// What is in a cell.
    #[must_use]
    pub fn value(&self, column: usize, row: usize) -> Fr {
        self.cells.advice[column][row]
    }

    /// Puts another value into a cell; returns the old one.
    pub fn edit(&mut self, column: usize, row: usize, value: Fr) -> Fr {
        core::mem::replace(&mut self.cells.advice[column][row], value)
    }

    /// Puts another value into the public inputs; returns the old one.
    pub fn edit_public(&mut self, index: usize, value: Fr) -> Fr {
        core::mem::replace(&mut self.cells.instance[index], value)
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn failures(&self) -> Vec<Failure> {
        let gates = self.gate_failures(0..self.usable);
        let copies = self.copy_failures(0..self.cells.copies.len());
        let lookups = self.lookup_failures(0..self.usable);
        gates.chain(copies).chain(lookups).collect()
    }

    /// What is wrong in the gates, copies and lookups that a cell takes part in.
    #[must_use]
    pub fn failures_near(&self, column: usize, row: usize) -> Vec<Failure> {
        // No gate looks further than this.
        const REACH: usize = 4;
        let rows = row.saturating_sub(REACH)..(row + REACH).min(self.usable);
        let copies = self.cells.copies_by_cell.get(&(column, row));
        let copies = copies.into_iter().flatten().copied();
        self.gate_failures(rows)
            .chain(self.copy_failures(copies))
            .chain(self.lookup_failures(row..row + 1))
            .collect()
    }

    /// Witness cells, as (column, row), that a gate which is on reads and that the circuit never wrote:
    /// an honest prover leaves them 0, another one chooses. (halo2's mock prover once looked for them;
    /// this version's doesn't.)
    #[must_use]
    pub fn unwritten_reads(&self) -> Vec<(usize, usize)> {
        let mut found = BTreeSet::new();
        for constraint in self
            .system
            .gates()
            .iter()
            .flat_map(|gate| gate.polynomials())
        {
            let Expression::Product(selector, body) = constraint else {
                unreachable!("every gate here is a selector times something")
            };
            let Expression::Selector(selector) = selector.as_ref() else {
                unreachable!("every gate here begins with its selector")
            };
            let reads = reads(body);
            let on = &self.cells.selectors[selector.index()];
            for row in (0..self.usable).filter(|row| on[*row]) {
                for (column, rotation) in &reads {
                    let cell = (*column, (row as i64 + i64::from(*rotation)) as usize);
                    if !self.cells.assigned.contains(&cell) {
                        found.insert(cell);
                    }
                }
            }
        }
        found.into_iter().collect()
    }

    fn gate_failures(
        &self,
        rows: impl Iterator<Item = usize> + Clone,
    ) -> impl Iterator<Item = Failure> {
        self.system.gates().iter().flat_map(move |gate| {
            rows.clone()
                .filter(|row| {
                    let mut constraints = gate.polynomials().iter();
                    constraints.any(|constraint| !is_zero(&self.evaluate(constraint, *row)))
                })
                .map(|row| Failure::Gate {
                    name: gate.name().to_owned(),
                    row,
                })
                .collect::<Vec<_>>()
        })
    }

    fn copy_failures(&self, copies: impl Iterator<Item = usize>) -> impl Iterator<Item = Failure> {
        copies.filter_map(|index| {
            let (left, right) = self.cells.copies[index];
            let differ = self.at(&left) != self.at(&right);
            differ.then_some(Failure::Copy { left, right })
        })
    }

    fn lookup_failures(
        &self,
        rows: impl Iterator<Item = usize> + Clone,
    ) -> impl Iterator<Item = Failure> {
        self.system
            .lookups()
            .iter()
            .zip(&self.tables)
            .flat_map(move |(lookup, table)| {
                rows.clone()
                    .filter(|row| {
                        !table.contains(&self.evaluate_all(lookup.input_expressions(), *row))
                    })
                    .map(|row| Failure::Lookup { row })
                    .collect::<Vec<_>>()
            })
    }

    fn at(&self, place: &Place) -> Fr {
        let columns = match place.column.column_type() {
            Any::Advice(_) => &self.cells.advice,
            Any::Fixed => &self.cells.fixed,
            Any::Instance => return self.cells.instance[place.row],
        };
        columns[place.column.index()][place.row]
    }

    fn evaluate_all(&self, expressions: &[Expression<Fr>], row: usize) -> Vec<Fr> {
        let each = expressions.iter();
        each.map(|expression| self.evaluate(expression, row))
            .collect()
    }

    fn evaluate(&self, expression: &Expression<Fr>, row: usize) -> Fr {
        // A gate that is off is not worth evaluating.
        if let Expression::Product(left, right) = expression
            && let Expression::Selector(selector) = left.as_ref()
        {
            if !self.cells.selectors[selector.index()][row] {
                return Fr::ZERO;
            }
            return self.evaluate(right, row);
        }
        let rotated = |rotation: i32| (row as i64 + i64::from(rotation)) as usize % self.rows;
        expression.evaluate(
            &|constant| constant,
            &|selector| Fr::from(u64::from(self.cells.selectors[selector.index()][row])),
            &|query| self.cells.fixed[query.column_index()][rotated(query.rotation().0)],
            &|query| self.cells.advice[query.column_index()][rotated(query.rotation().0)],
            &|query| self.cells.instance[rotated(query.rotation().0)],
            &|_| unreachable!("no circuit here has challenges"),
            &|a| -a,
            &|a, b| a + b,
            &|a, b| a * b,
            &|a, factor| a * factor,
        )
    }
}

/// Witness columns and rotations that an expression reads.
fn reads(expression: &Expression<Fr>) -> BTreeSet<(usize, i32)> {
    let none = |_: Fr| BTreeSet::new();
    let join = |mut a: BTreeSet<_>, mut b: BTreeSet<_>| {
        a.append(&mut b);
        a
    };
    expression.evaluate(
        &none,
        &|_| BTreeSet::new(),
        &|_| BTreeSet::new(),
        &|query| BTreeSet::from([(query.column_index(), query.rotation().0)]),
        &|_| BTreeSet::new(),
        &|_| BTreeSet::new(),
        &|a| a,
        &join,
        &join,
        &|a, _| a,
    )
}

fn is_zero(value: &Fr) -> bool {
    bool::from(value.is_zero())
}
