//! Samples, assignments, and which statement a failing row belongs to.

use std::sync::{Arc, Mutex};

use ark_bn254::Fr;
use ark_relations::gr1cs::{ConstraintSystem, SynthesisMode};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::{
    PublicInputs, Statement, Witness,
    claim::{self, Circuit, Layout, sample::Sample},
    matrices::Matrices,
};
use veilpool_protocol::{Bandwidth, Latency, Metrics, Uptime, Zone};

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn sample<const N: usize>(seed: u64) -> Sample<N> {
    Sample::generate(&mut rng(seed))
}

/// Metrics that pass nothing of the sample's class.
pub(crate) const BAD: Metrics = Metrics {
    bandwidth: Bandwidth::new(100),
    uptime: Uptime::new(10),
    latency: Latency::new(3000),
    zone: Zone::new(9),
};

/// The matrices, made once for each size.
pub(crate) fn matrices(n: usize) -> Arc<Matrices> {
    static CACHE: Mutex<Vec<(usize, Arc<Matrices>)>> = Mutex::new(Vec::new());
    let mut cache = CACHE.lock().unwrap();
    if let Some((_, matrices)) = cache.iter().find(|(size, _)| *size == n) {
        return matrices.clone();
    }
    let matrices = Arc::new(claim::matrices(n).unwrap());
    cache.push((n, matrices.clone()));
    matrices
}

/// A finished assignment: constant 1, public columns, witness columns.
pub(crate) struct Assigned {
    pub(crate) matrices: Arc<Matrices>,
    pub(crate) layout: Layout,
    pub(crate) z: Vec<Fr>,
}

impl Assigned {
    pub(crate) fn new<const N: usize>(public: PublicInputs, witness: &Witness<N>) -> Self {
        let cs = ConstraintSystem::new_ref();
        cs.set_mode(SynthesisMode::Prove {
            construct_matrices: false,
            generate_lc_assignments: false,
        });
        let layout = Circuit::new(public, witness)
            .synthesize(cs.clone())
            .unwrap();
        let z = [
            cs.instance_assignment().unwrap(),
            cs.witness_assignment().unwrap(),
        ]
        .concat();
        Self {
            matrices: matrices(N),
            layout,
            z,
        }
    }

    /// With the public input that the witness folds to.
    pub(crate) fn of<const N: usize>(witness: &Witness<N>) -> Self {
        Self::new(PublicInputs::of(&witness.claimed), witness)
    }

    pub(crate) fn failing_rows(&self) -> Vec<usize> {
        self.matrices.failing_rows(&self.z)
    }

    pub(crate) fn is_satisfied(&self) -> bool {
        self.failing_rows().is_empty()
    }

    /// Asserts that rows fail, and all of them in the statement's block.
    #[track_caller]
    pub(crate) fn assert_violates_only(&self, statement: Statement) {
        let rows = self.failing_rows();
        assert!(!rows.is_empty(), "{statement:?} was not violated");
        for row in rows {
            assert!(
                self.layout.contains(statement, row),
                "row {row} isn't of {statement:?} but of {:?}",
                self.layout
                    .blocks()
                    .iter()
                    .find(|(_, rows)| rows.contains(&row))
            );
        }
    }

    /// Index in `z` of the columns with a name.
    pub(crate) fn columns(&self, name: &str) -> Vec<usize> {
        let columns: Vec<usize> = self
            .layout
            .column_names()
            .iter()
            .enumerate()
            .filter(|(_, column)| **column == name)
            .map(|(index, _)| self.matrices.public_columns + index)
            .collect();
        assert!(!columns.is_empty(), "no column is named {name:?}");
        columns
    }

    pub(crate) fn column_name(&self, column: usize) -> &'static str {
        match column.checked_sub(self.matrices.public_columns) {
            Some(witness) => self.layout.column_names()[witness],
            None => "public",
        }
    }
}

impl Assigned {
    /// Whether all rows in which a column takes part hold: for edits of that column.
    pub(crate) fn is_satisfied_near(&self, column: usize) -> bool {
        rows_by_column(&self.matrices)[column]
            .iter()
            .all(|row| self.matrices.row_holds(*row as usize, &self.z))
    }
}

/// Rows in which each column takes part, made once for each size.
fn rows_by_column(matrices: &Arc<Matrices>) -> Arc<Vec<Vec<u32>>> {
    type Rows = Arc<Vec<Vec<u32>>>;
    static CACHE: Mutex<Vec<(usize, Rows)>> = Mutex::new(Vec::new());
    let mut cache = CACHE.lock().unwrap();
    if let Some((_, rows)) = cache.iter().find(|(size, _)| *size == matrices.rows()) {
        return rows.clone();
    }
    let mut rows = vec![Vec::new(); matrices.public_columns + matrices.witness_columns];
    for matrix in &matrices.abc {
        for (row, terms) in matrix.iter().enumerate() {
            for (_, column) in terms {
                let rows: &mut Vec<u32> = &mut rows[*column];
                if rows.last() != Some(&(row as u32)) {
                    rows.push(row as u32);
                }
            }
        }
    }
    let rows = Arc::new(rows);
    cache.push((matrices.rows(), rows.clone()));
    rows
}
