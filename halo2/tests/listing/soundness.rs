//! T3: for each statement a forgery that violates only it; the native check names it, and everything
//! that fails is in its rows. T4 and T5: no cell can be changed without a failure.

use halo2_proofs::{
    dev::{FailureLocation, VerifyFailure},
    halo2curves::ff::Field,
    plonk::Any,
};
use veilpool_halo2::{
    ListingHash, Share,
    field::{Fr, from_bytes, to_bytes},
    grid::{Failure, Grid},
    listing::{PublicInputs, Statement, Witness, check_native},
};
use veilpool_primitives::OperatorSecret;
use veilpool_protocol::{DomainBytes, EpochId, FieldBytes, RegistryRootBytes, SubjectBytes};

use super::common::{grid, mock, rng, sample};

fn plus_one(bytes: FieldBytes) -> FieldBytes {
    to_bytes(&(from_bytes(bytes) + Fr::ONE))
}

/// The statement whose rows a failure is in: at least one end of a copy that fails.
fn is_of(grid: &Grid<Statement>, failure: &Failure, statement: Statement) -> bool {
    let row = |row| grid.layout.contains(statement, row);
    match failure {
        Failure::Gate { row: at, .. } | Failure::Lookup { row: at } => row(*at),
        Failure::Copy { left, .. } => row(left.row),
    }
}

/// Asserts that the forgery violates this statement only: natively, here, and for halo2's own mock
/// prover.
#[track_caller]
fn violates(public: &PublicInputs, witness: &Witness, statement: Statement) {
    assert_eq!(check_native(public, witness), Err(statement));
    let grid = grid(public, witness);
    let failures = grid.failures();
    assert!(!failures.is_empty());
    for failure in &failures {
        assert!(is_of(&grid, failure, statement), "{failure:?}");
    }
    let failures = mock(public, witness).verify().unwrap_err();
    for failure in failures {
        match failure {
            VerifyFailure::ConstraintNotSatisfied { location, .. } => {
                let row = match location {
                    FailureLocation::InRegion { offset, .. } => offset,
                    FailureLocation::OutsideRegion { row } => row,
                };
                assert!(grid.layout.contains(statement, row));
            }
            // Both ends of a copy are named; that of the public inputs has no rows.
            VerifyFailure::Permutation { column, location } => {
                let row = match location {
                    FailureLocation::InRegion { offset, .. } => offset,
                    FailureLocation::OutsideRegion { row } => row,
                };
                let public = matches!(column.column_type(), Any::Instance);
                assert!(public || grid.layout.contains(statement, row));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn membership() {
    let (mut public, witness) = sample(10);
    public.registry_root = RegistryRootBytes::from_field(plus_one(public.registry_root.to_field()));
    violates(&public, &witness, Statement::Membership);

    // A path that is another leaf's.
    let (public, mut witness) = sample(10);
    witness.path.index ^= 1;
    violates(&public, &witness, Statement::Membership);
    for level in [0, 5, 9] {
        let (public, mut witness) = sample(10);
        witness.path.siblings[level][1] += ark_bn254::Fr::from(1u8);
        violates(&public, &witness, Statement::Membership);
    }

    // Somebody who is in no registry, with everything else their own.
    let (mut public, mut witness) = sample(10);
    witness.secret = OperatorSecret::generate(&mut rng(11));
    public.subject = witness.secret.subject(public.epoch).to_bytes();
    public.share = Share::derive(
        &witness.secret,
        public.epoch,
        &public.domain,
        public.share.x,
    );
    violates(&public, &witness, Statement::Membership);
}

#[test]
fn subject_integrity() {
    let (mut public, witness) = sample(12);
    public.subject = SubjectBytes::from_field(plus_one(public.subject.to_field()));
    violates(&public, &witness, Statement::SubjectIntegrity);

    // Of another operator, of another epoch.
    let (mut public, witness) = sample(12);
    let other = OperatorSecret::generate(&mut rng(13));
    public.subject = other.subject(public.epoch).to_bytes();
    violates(&public, &witness, Statement::SubjectIntegrity);
    let next = EpochId::new(public.epoch.get().wrapping_add(1));
    public.subject = witness.secret.subject(next).to_bytes();
    violates(&public, &witness, Statement::SubjectIntegrity);
}

#[test]
fn share_integrity() {
    let (mut public, witness) = sample(14);
    public.share.y = plus_one(public.share.y);
    violates(&public, &witness, Statement::ShareIntegrity);

    // The share of another listing, epoch, pool or operator.
    let (honest, witness) = sample(14);
    let x = ListingHash::from_digest(&[7; 32]).unwrap();
    let mut public = honest;
    public.share.x = x;
    violates(&public, &witness, Statement::ShareIntegrity);
    let next = EpochId::new(honest.epoch.get().wrapping_add(1));
    public.share = Share::derive(&witness.secret, next, &honest.domain, x);
    violates(&public, &witness, Statement::ShareIntegrity);
    let elsewhere = DomainBytes::from_field(plus_one(honest.domain.to_field()));
    public.share = Share::derive(&witness.secret, honest.epoch, &elsewhere, x);
    violates(&public, &witness, Statement::ShareIntegrity);
    let other = OperatorSecret::generate(&mut rng(15));
    public.share = Share::derive(&other, honest.epoch, &honest.domain, x);
    violates(&public, &witness, Statement::ShareIntegrity);
}

#[test]
fn i9_a_share_that_hides_the_secret_is_refused() {
    // y is freely chosen, so that two listings are no two points of one line.
    let (mut public, witness) = sample(16);
    public.share.y = FieldBytes::from_u128(1);
    violates(&public, &witness, Statement::ShareIntegrity);
}

#[test]
fn no_gate_reads_a_cell_that_is_never_written() {
    let (public, witness) = sample(19);
    assert_eq!(grid(&public, &witness).unwritten_reads(), []);
}

#[test]
fn every_cell_is_bound() {
    // Witness cells, one by one; x is a public input and so is bound by its copy.
    let (public, witness) = sample(17);
    let mut grid = grid(&public, &witness);
    assert_eq!(grid.failures(), []);
    let cells = grid.assigned();
    assert!(cells.len() > 3_000, "{}", cells.len());
    for (column, row) in cells {
        let honest = grid.value(column, row);
        for forged in [honest + Fr::ONE, Fr::ZERO, Fr::from(2)] {
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
fn every_public_input_is_bound() {
    let (public, witness) = sample(18);
    let mut grid = grid(&public, &witness);
    for index in 0..PublicInputs::COUNT {
        let honest = public.to_elements()[index];
        grid.edit_public(index, honest + Fr::ONE);
        assert!(!grid.failures().is_empty(), "public input {index} is free");
        grid.edit_public(index, honest);
    }
    assert_eq!(grid.failures(), []);
}
