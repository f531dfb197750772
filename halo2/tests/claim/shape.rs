//! T5, T7, T9 of the claim circuit.

use halo2_proofs::{halo2curves::ff::Field, plonk::ConstraintSystem};
use veilpool_circuits::claim::sample::good_metrics;
use veilpool_halo2::{
    UniversalParameters,
    claim::{Circuit, ClaimProver, Metric, PublicInputs, Statement},
    field::Fr,
    grid::{Failure, Grid},
    relation::{MAX_DEGREE, Relation},
    system::{ProveError, Shape, VerifyError, shape},
};
use veilpool_primitives::claim::fold;
use veilpool_protocol::{Bandwidth, Metrics, PublicInputBytes};

use super::common::{grid, rng, sample, witness};

#[test]
fn the_shapes_are_pinned_and_no_gate_is_above_the_degree_that_proofs_have() {
    fn check<const N: usize>(advice: usize, fixed: usize) {
        let shape = shape::<Circuit<'static, N>>();
        let expected = Shape {
            k: 10,
            degree: MAX_DEGREE,
            advice,
            fixed,
            selectors: 24,
            permutation: 9,
            lookups: 1,
        };
        assert_eq!(shape, expected);
        // What halo2 takes it for, without its environment variable.
        assert!(std::env::var_os("MAX_DEGREE").is_none());
        let mut system = ConstraintSystem::default();
        Circuit::<'_, N>::configure(&mut system);
        assert_eq!(system.degree(), shape.degree);
    }
    check::<3>(21, 15);
    check::<5>(21, 14);
    check::<7>(22, 16);
}

#[test]
fn the_cells_that_are_written_do_not_depend_on_the_witness() {
    fn check<const N: usize>(rows: usize) {
        let blank = Grid::new(&Circuit::<N>::blank(), &[]);
        let mut sample = sample::<N>(50);
        let full = grid(fold(&sample.witness.claimed), &witness(&sample.witness));
        sample.witness.attestations[0] = None;
        let absent = grid(fold(&sample.witness.claimed), &witness(&sample.witness));
        for other in [&full, &absent] {
            assert_eq!(other.assigned(), blank.assigned());
            assert_eq!(other.layout.rows(), rows);
        }
    }
    check::<3>(587);
    check::<5>(766);
    check::<7>(964);
}

#[test]
fn no_gate_reads_a_cell_that_is_never_written() {
    fn check<const N: usize>() {
        let sample = sample::<N>(57).witness;
        let grid = grid(fold(&sample.claimed), &witness(&sample));
        assert_eq!(grid.unwritten_reads(), []);
    }
    check::<3>();
    check::<5>();
    check::<7>();
}

#[test]
fn every_cell_is_bound() {
    // One absent slot, so that its cells are among them.
    let mut sample = sample::<3>(51);
    sample.witness.attestations[1] = None;
    let mut grid = grid(fold(&sample.witness.claimed), &witness(&sample.witness));
    assert_eq!(grid.failures(), []);
    for (column, row) in grid.assigned() {
        let honest = grid.value(column, row);
        for forged in [honest + Fr::ONE, -honest, Fr::from(2)] {
            if forged == honest {
                continue;
            }
            grid.edit(column, row, forged);
            let failures = grid.failures_near(column, row);
            assert!(!failures.is_empty(), "column {column}, row {row} is free");
        }
        grid.edit(column, row, honest);
    }
    assert_eq!(grid.failures(), []);
}

#[test]
fn c4_a_pass_that_is_none_needs_a_negative_difference_which_no_range_has() {
    let mut sample = sample::<3>(52);
    let metrics = Metrics {
        bandwidth: Bandwidth::new(499),
        ..good_metrics()
    };
    sample.attest(0, metrics, &mut rng(53));
    sample.witness.attestations[1] = None;
    let mut grid = grid(fold(&sample.witness.claimed), &witness(&sample.witness));
    let statement = Statement::Thresholds {
        metric: Metric::Bandwidth,
    };
    let rows = grid.layout.rows_of(statement);
    for failure in grid.failures() {
        assert!(matches!(failure, Failure::Gate { row, .. } if rows.contains(&row)));
    }
    // Slot 0 is said to pass: p, the difference of −1, and the count after it.
    let row = rows.start;
    grid.edit(3, row, Fr::ONE);
    grid.edit(4, row, -Fr::ONE);
    for row in row + 1..rows.end {
        let count = grid.value(5, row);
        grid.edit(5, row, count + Fr::ONE);
    }
    let failures = grid.failures();
    let [Failure::Copy { left, right }] = failures[..] else {
        panic!("the difference's range is all that is left: {failures:?}");
    };
    // Its sum in the lane follows; then no limbs make it.
    let sum = if left.row == row { right } else { left };
    grid.edit(sum.column.index(), sum.row, -Fr::ONE);
    let failures = grid.failures();
    assert!(!failures.is_empty());
    for failure in failures {
        let Failure::Gate { name, row } = failure else {
            panic!("{failure:?}")
        };
        assert!(name.starts_with("range") && grid.layout.contains_beside(statement, row));
    }
}

#[test]
fn a_proof_verifies_and_what_is_changed_is_refused() {
    fn check<const N: usize>(proof_len: usize) {
        let universal = UniversalParameters::development(10).unwrap();
        let prover = ClaimProver::<N>::new(&universal).unwrap();
        let mut sample = sample::<N>(54);
        for slot in 0..N / 2 {
            sample.witness.attestations[slot] = None;
        }
        let public = PublicInputs::of(&sample.witness.claimed);
        let honest = witness(&sample.witness);
        let proof = prover.prove(&public, &honest, &mut rng(55)).unwrap();
        let verifier = prover.verifier();
        assert_eq!(proof.len(), proof_len);
        assert_eq!(verifier.proof_len(), proof_len);
        assert_eq!(verifier.verify(&public, &proof), Ok(()));

        let other = PublicInputs::from_bytes(PublicInputBytes::from_field(
            veilpool_protocol::FieldBytes::from_u128(1),
        ));
        assert_eq!(verifier.verify(&other, &proof), Err(VerifyError::Invalid));
        for found in [0, 32, proof_len - 1] {
            let expected = proof_len;
            let refused = Err(VerifyError::Length { expected, found });
            assert_eq!(verifier.verify(&public, &proof[..found]), refused);
        }
        for at in (0..proof_len).step_by(7) {
            let mut flipped = proof.clone();
            flipped[at] ^= 1 << (at % 8);
            let refused = verifier.verify(&public, &flipped);
            assert!(matches!(
                refused,
                Err(VerifyError::Malformed | VerifyError::Invalid)
            ));
        }
        sample.witness.attestations[N / 2] = None;
        let metric = Metric::Bandwidth;
        assert_eq!(
            prover.prove(&public, &witness(&sample.witness), &mut rng(56)),
            Err(ProveError::Statement(Statement::Thresholds { metric }))
        );
    }
    check::<3>(3_872);
    check::<5>(4_640);
    check::<7>(4_032);
}
