//! Samples of the R1CS circuit's crate, as both circuits take them, and both verdicts.

use ark_bn254::Fr;
use ark_relations::gr1cs::{ConstraintSystem, SynthesisError, SynthesisMode};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::sync::{Arc, Mutex};
use veilpool_circuits::{
    claim::{self as r1cs, sample::Sample},
    matrices::Matrices,
};
use veilpool_halo2::{
    claim::{self as plonk, Statement},
    grid::{Failure, Grid},
    system,
};
use veilpool_primitives::{OperatorSecret, field};
use veilpool_protocol::{FieldBytes, PublicInputBytes};

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn sample<const N: usize>(seed: u64) -> Sample<N> {
    Sample::generate(&mut rng(seed))
}

/// The matrices, made once for each size.
fn matrices(n: usize) -> Arc<Matrices> {
    static CACHE: Mutex<Vec<(usize, Arc<Matrices>)>> = Mutex::new(Vec::new());
    let mut cache = CACHE.lock().unwrap();
    if let Some((_, matrices)) = cache.iter().find(|(size, _)| *size == n) {
        return matrices.clone();
    }
    let matrices = Arc::new(r1cs::matrices(n).unwrap());
    cache.push((n, matrices.clone()));
    matrices
}

/// The same claim for the circuit here.
pub(crate) fn witness<const N: usize>(witness: &r1cs::Witness<N>) -> plonk::Witness<N> {
    let secret = FieldBytes::new(*witness.secret.expose_bytes()).unwrap();
    plonk::Witness {
        claimed: witness.claimed,
        secret: OperatorSecret::from_field(secret).unwrap(),
        path: witness.path.clone(),
        domain: witness.domain,
        measurers: witness.measurers,
        attestations: witness.attestations.map(|attestation| {
            attestation.map(|attestation| plonk::Attestation {
                metrics: attestation.metrics,
                signature: attestation.signature,
            })
        }),
    }
}

/// Whether the R1CS circuit's matrices hold for the assignment that it makes of a witness.
pub(crate) fn r1cs_accepts<const N: usize>(x: Fr, witness: &r1cs::Witness<N>) -> bool {
    let public = r1cs::PublicInputs::from_bytes(bytes(x));
    let cs = ConstraintSystem::new_ref();
    cs.set_mode(SynthesisMode::Prove {
        construct_matrices: false,
        generate_lc_assignments: false,
    });
    // It refuses to make an assignment at all where it can't compute with a signature.
    if let Err(error) = r1cs::Circuit::new(public, witness).synthesize(cs.clone()) {
        assert!(matches!(error, SynthesisError::Unsatisfiable), "{error}");
        return false;
    }
    let assignment = [
        cs.instance_assignment().unwrap(),
        cs.witness_assignment().unwrap(),
    ]
    .concat();
    matrices(N).failing_rows(&assignment).is_empty()
}

pub(crate) fn bytes(x: Fr) -> PublicInputBytes {
    PublicInputBytes::from_field(field::to_bytes(&x))
}

pub(crate) fn grid<const N: usize>(x: Fr, witness: &plonk::Witness<N>) -> Grid<Statement> {
    let public = plonk::PublicInputs::from_bytes(bytes(x));
    let circuit = plonk::Circuit::new(public, witness);
    Grid::new(&circuit, &public.to_elements())
}

/// halo2's own verdict.
pub(crate) fn mock_accepts<const N: usize>(x: Fr, witness: &plonk::Witness<N>) -> bool {
    let public = plonk::PublicInputs::from_bytes(bytes(x));
    let circuit = plonk::Circuit::new(public, witness);
    system::mock(&circuit, &public.to_elements())
        .verify()
        .is_ok()
}

/// Whether a failure is in the rows of a statement: the first end of a copy.
pub(crate) fn is_of(grid: &Grid<Statement>, failure: &Failure, statement: Statement) -> bool {
    let layout = &grid.layout;
    match failure {
        Failure::Gate { name, row } if name.starts_with("range") => {
            layout.contains_beside(statement, *row)
        }
        Failure::Gate { row, .. } => layout.contains(statement, *row),
        Failure::Lookup { row } => {
            layout.contains_beside(statement, *row) || layout.contains(statement, *row)
        }
        Failure::Copy { left, .. } => layout.contains(statement, left.row),
    }
}
