//! T7: the shape, and that it does not depend on what is proven.

use veilpool_halo2::{
    ListingVerifier, UniversalParameters,
    grid::Grid,
    listing::{Circuit, PROOF_LEN},
    relation::MAX_DEGREE,
    system::{Shape, shape},
};

use super::common::{K, grid, sample};

#[test]
fn the_shape_is_pinned_and_no_gate_is_above_the_degree_that_proofs_have() {
    let expected = Shape {
        k: 9,
        degree: 5,
        advice: 10,
        fixed: 6,
        selectors: 8,
        permutation: 7,
        lookups: 0,
    };
    let shape = shape::<Circuit<'static>>();
    assert_eq!(shape, expected);
    assert!(shape.degree <= MAX_DEGREE);
}

#[test]
fn the_degree_is_what_halo2_takes_it_for_without_its_environment_variable() {
    // Should it be set where the tests run, keys are refused, and this test with them.
    assert!(std::env::var_os("MAX_DEGREE").is_none());
    let mut system = halo2_proofs::plonk::ConstraintSystem::default();
    <Circuit<'_> as veilpool_halo2::relation::Relation>::configure(&mut system);
    assert_eq!(system.degree(), shape::<Circuit<'static>>().degree);
}

#[test]
fn the_cells_that_are_written_do_not_depend_on_the_witness() {
    let blank = Grid::new(&Circuit::blank(), &[]);
    for seed in [1, 2] {
        let (public, witness) = sample(seed);
        let grid = grid(&public, &witness);
        assert_eq!(grid.assigned(), blank.assigned());
        assert_eq!(grid.layout.rows(), 385);
    }
}

#[test]
fn a_proof_has_the_length_that_its_parts_sum_to() {
    let universal = UniversalParameters::development(K).unwrap();
    let verifier = ListingVerifier::new(&universal).unwrap();
    assert_eq!(verifier.proof_len(), PROOF_LEN);
}
