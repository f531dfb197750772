//! T5 (attack C1): no column is free. Each is perturbed in turn, and some row must break; and by
//! linear algebra, the solutions near a witness have exactly the dimensions that are meant.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use ark_ff::{Field, One, UniformRand, Zero};
use veilpool_circuits::{Statement, claim::sample::Sample};

use super::common::{Assigned, BAD, rng, sample};

/// One slot absent, one bad, the rest good.
fn mixed<const N: usize>() -> Sample<N> {
    let mut sample = sample::<N>(70);
    if N > 3 {
        sample.attest(1, BAD, &mut rng(71));
    }
    sample.witness.attestations[0] = None;
    sample
}

fn sweep(mut assigned: Assigned) {
    let rng = &mut rng(72);
    assert!(assigned.is_satisfied());
    for column in 0..assigned.z.len() {
        let honest = assigned.z[column];
        // From 0 and from 1 neither of these leads to the other boolean: flips have a test of their
        // own.
        for delta in [Fr::from(2u8), Fr::rand(rng)] {
            assigned.z[column] = honest + delta;
            assert!(
                !assigned.is_satisfied_near(column),
                "column {column} ({}) is free",
                assigned.column_name(column)
            );
        }
        assigned.z[column] = honest;
    }
}

#[test]
fn c1_no_column_is_free_for_three_measurers() {
    sweep(Assigned::of(&sample::<3>(73).witness));
    sweep(Assigned::of(&mixed::<3>().witness));
}

#[test]
fn c1_no_column_is_free_for_five_measurers() {
    sweep(Assigned::of(&mixed::<5>().witness));
}

#[test]
fn c1_no_column_is_free_for_seven_measurers() {
    sweep(Assigned::of(&mixed::<7>().witness));
}

#[test]
fn c1_the_only_booleans_that_can_be_flipped_are_those_meant_to_be() {
    // Slot 0 is absent: its signature isn't asked for, so the 125 high bits of its hash are the
    // prover's. Slot 1 is bad and counted in no metric: it may as well be absent. Which of more
    // than f + 1 passing slots are counted would be the prover's choice too, but that takes more
    // than one column. Nothing else may be flipped.
    let mut assigned = Assigned::of(&mixed::<5>().witness);
    let mut meant: BTreeSet<usize> = assigned.columns("high hash bit")[..125]
        .iter()
        .copied()
        .collect();
    meant.insert(assigned.columns("present")[1]);
    let mut flippable = BTreeSet::new();
    for column in 0..assigned.z.len() {
        let honest = assigned.z[column];
        if honest.is_zero() || honest.is_one() {
            assigned.z[column] = Fr::one() - honest;
            if assigned.is_satisfied_near(column) {
                flippable.insert(column);
            }
            assigned.z[column] = honest;
        }
    }
    let named = |columns: &BTreeSet<usize>| -> Vec<(usize, &str)> {
        columns
            .iter()
            .map(|column| (*column, assigned.column_name(*column)))
            .collect()
    };
    assert_eq!(named(&flippable), named(&meant));
}

type Sparse = BTreeMap<usize, Fr>;

/// Columns as combinations of free columns, found by elimination on the rows' derivatives at the
/// assignment.
struct Tangent {
    expressed: Vec<Option<Sparse>>,
    // Rows whose derivative follows from those of the rows before.
    redundant: Vec<usize>,
}

impl Tangent {
    fn of(assigned: &Assigned) -> Self {
        let mut tangent = Self {
            expressed: vec![None; assigned.z.len()],
            redundant: Vec::new(),
        };
        // Constant and public columns are held fixed.
        for fixed in tangent
            .expressed
            .iter_mut()
            .take(assigned.matrices.public_columns)
        {
            *fixed = Some(Sparse::new());
        }
        for row in 0..assigned.matrices.rows() {
            // d(a·b − c) = b·da + a·db − dc
            let [a, b, c] = assigned.matrices.abc.each_ref().map(|matrix| &matrix[row]);
            let value = |terms: &[(Fr, usize)]| -> Fr {
                terms
                    .iter()
                    .map(|(weight, column)| *weight * assigned.z[*column])
                    .sum()
            };
            let (a_value, b_value) = (value(a), value(b));
            let mut derivative = Sparse::new();
            for (terms, factor) in [(a, b_value), (b, a_value), (c, -Fr::one())] {
                for (weight, column) in terms {
                    tangent.add(&mut derivative, *column, *weight * factor);
                }
            }
            derivative.retain(|_, weight| !weight.is_zero());
            if let Some((pivot, weight)) = derivative.pop_last() {
                let factor = -weight.inverse().unwrap();
                for weight in derivative.values_mut() {
                    *weight *= factor;
                }
                tangent.expressed[pivot] = Some(derivative);
            } else {
                tangent.redundant.push(row);
            }
        }
        tangent
    }

    fn add(&mut self, sum: &mut Sparse, column: usize, weight: Fr) {
        for (free, part) in self.resolve(column) {
            *sum.entry(free).or_insert(Fr::zero()) += weight * part;
        }
    }

    fn resolve(&mut self, column: usize) -> Sparse {
        let Some(expression) = self.expressed[column].clone() else {
            return Sparse::from([(column, Fr::one())]);
        };
        if expression
            .keys()
            .all(|free| self.expressed[*free].is_none())
        {
            return expression;
        }
        let mut resolved = Sparse::new();
        for (inner, weight) in expression {
            self.add(&mut resolved, inner, weight);
        }
        resolved.retain(|_, weight| !weight.is_zero());
        self.expressed[column] = Some(resolved.clone());
        resolved
    }

    fn dimension(&self) -> usize {
        self.expressed
            .iter()
            .filter(|expression| expression.is_none())
            .count()
    }
}

fn dimensions<const N: usize>(present: usize, sample: &Sample<N>) {
    let assigned = Assigned::of(&sample.witness);
    assert!(assigned.is_satisfied());
    let tangent = Tangent::of(&assigned);
    // Meant to be free: sk, epoch, domain, binding, 2n coordinates of keys, 3 siblings a level.
    // Each of these is tied down by what is hard to invert (hashes, discrete logarithms), not by
    // equations. Taken away: one for x, and one for the equation of each signature. Thresholds and
    // metrics are bits, which have no tangent; everything else follows from the free ones.
    let meant = 4 + 2 * N + 3 * 10;
    assert_eq!(tangent.dimension(), meant - 1 - present);

    // So each row takes away a dimension (a circuit without it would have one more), except, at this
    // witness: the last slot's passing bit, a linear combination of bits, for each metric; and `e·Z = 0`
    // for each slot, e being 0 by its bits. What these rows refuse lies further away, and has tests by
    // hand: thresholds in `soundness`, C8 in `majority`. An absent slot's equality is multiplied by 0.
    let absent = N - present;
    assert_eq!(tangent.redundant.len(), 4 + N + absent);
    for row in tangent.redundant {
        let block = assigned
            .layout
            .blocks()
            .iter()
            .find(|(_, rows)| rows.contains(&row))
            .unwrap();
        assert!(
            matches!(block.0, Statement::Thresholds { .. })
                || matches!(block.0, Statement::AttestationValidity { slot } if slot < absent && row + 1 == block.1.end),
            "row {row} of {:?} is redundant",
            block.0
        );
    }
}

#[test]
fn c1_the_solutions_near_a_witness_have_the_dimensions_that_are_meant() {
    dimensions(3, &sample::<3>(74));
    dimensions(2, &mixed::<3>());
    dimensions(4, &mixed::<5>());
    dimensions(6, &mixed::<7>());
}
