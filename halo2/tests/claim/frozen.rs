//! T11: a proof of this version of the circuit verifies for as long as the version is accepted.

use veilpool_circuits::claim as r1cs;
use veilpool_halo2::{
    UniversalParameters,
    claim::{Circuit, ClaimProver, PublicInputs},
    relation::Relation,
};

use super::{
    common::{rng, sample, witness},
    frozen_proofs,
};

fn verifies<const N: usize>() {
    let universal = UniversalParameters::development(<Circuit<'_, N> as Relation>::K).unwrap();
    frozen_proofs::verifies(&universal, &Circuit::<N>::blank(), || {
        let witness = witness(&sample::<N>(23).witness);
        let public = PublicInputs::of(&witness.claimed);
        let prover = ClaimProver::<N>::new(&universal).unwrap();
        let proof = prover.prove(&public, &witness, &mut rng(24)).unwrap();
        let public = r1cs::PublicInputs::of(&witness.claimed).to_bytes();
        (vec![public.to_field()], proof.to_vec())
    });
}

#[test]
fn a_proof_for_three_measurers_made_long_ago_verifies() {
    verifies::<3>();
}

#[test]
fn a_proof_for_five_measurers_made_long_ago_verifies() {
    verifies::<5>();
}

#[test]
fn a_proof_for_seven_measurers_made_long_ago_verifies() {
    verifies::<7>();
}
