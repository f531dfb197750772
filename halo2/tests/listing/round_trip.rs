//! T9: keys, proof, verification.

use veilpool_halo2::{ListingProver, UniversalParameters};

use super::common::{K, rng, sample};

#[test]
fn a_proof_verifies() {
    let universal = UniversalParameters::development(K).unwrap();
    let prover = ListingProver::new(&universal).unwrap();
    let (public, witness) = sample(1);
    let proof = prover.prove(&public, &witness, &mut rng(2)).unwrap();
    prover.verifier().verify(&public, &proof).unwrap();
}
