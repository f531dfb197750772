//! T11: a proof of this version of the circuit verifies for as long as the version is accepted.

use veilpool_halo2::{ListingProver, UniversalParameters, listing::Circuit};

use super::{
    common::{K, rng, sample},
    frozen_proofs,
};

#[test]
fn a_proof_made_long_ago_verifies() {
    let universal = UniversalParameters::development(K).unwrap();
    frozen_proofs::verifies(&universal, &Circuit::blank(), || {
        let (public, witness) = sample(21);
        let prover = ListingProver::new(&universal).unwrap();
        let proof = prover.prove(&public, &witness, &mut rng(22)).unwrap();
        (public.to_fields().to_vec(), proof.as_bytes().to_vec())
    });
}
