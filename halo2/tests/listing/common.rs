//! Samples and verdicts.

use halo2_proofs::dev::MockProver;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_halo2::{
    grid::Grid,
    listing::{Circuit, PublicInputs, Statement, Witness, sample},
    relation::Relation,
    system,
};

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn sample(seed: u64) -> (PublicInputs, Witness) {
    sample::generate(&mut rng(seed))
}

pub(crate) fn grid(public: &PublicInputs, witness: &Witness) -> Grid<Statement> {
    Grid::new(&Circuit::new(*public, witness), &public.to_elements())
}

/// halo2's own verdict.
pub(crate) fn mock(
    public: &PublicInputs,
    witness: &Witness,
) -> MockProver<veilpool_halo2::field::Fr> {
    let circuit = Circuit::new(*public, witness);
    system::mock(&circuit, &public.to_elements())
}

pub(crate) const K: u32 = <Circuit<'static> as Relation>::K;
