//! A claim made up on the spot: real hashes, signatures and paths of invented people. For benches,
//! `veilpool export` without inputs, and tests.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::claim::sample::Sample;
use veilpool_primitives::MeasurerSet;
use veilpool_protocol::MeasurerCount;

use crate::inputs::{AttestationDocument, ClaimInputs, InputError};

/// A claim that holds, for `n` measurers; the same for the same seed.
///
/// # Errors
/// [`InputError`]; not for any seed known.
pub fn sample_inputs(n: MeasurerCount, seed: u64) -> Result<ClaimInputs, InputError> {
    let rng = &mut ChaCha20Rng::seed_from_u64(seed);
    match n {
        MeasurerCount::Three => inputs_of(Sample::<3>::generate(rng)),
        MeasurerCount::Five => inputs_of(Sample::<5>::generate(rng)),
        MeasurerCount::Seven => inputs_of(Sample::<7>::generate(rng)),
    }
}

fn inputs_of<const N: usize>(sample: Sample<N>) -> Result<ClaimInputs, InputError> {
    let witness = sample.witness;
    let attestations = witness.attestations.map(|attestation| {
        attestation.map(|attestation| AttestationDocument {
            metrics: attestation.metrics,
            schnorr: attestation.signature.to_bytes(),
        })
    });
    ClaimInputs::new(
        witness.claimed,
        witness.domain,
        witness.path,
        MeasurerSet::new(witness.measurers.to_vec())?,
        &attestations,
        witness.secret,
    )
}
