//! The second proof system beside Groth16: the claim again, and the listing, in halo2 (KZG over BN254).

use anyhow::Context;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use veilpool_circuits::claim::sample::Sample;
use veilpool_halo2::{
    ListingProver, UniversalParameters, claim, listing,
    relation::Relation,
    system::{Shape, shape},
};
use veilpool_primitives::{OperatorSecret, field};
use veilpool_protocol::MeasurerCount;

use crate::{
    child::Host,
    clock::{Spent, Times, time},
    memory,
    progress::Progress,
    proving::THREADS_VARIABLE,
    task::Task,
};

/// One circuit, one thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Number of measurers of a claim; `None` is the listing.
    pub n: Option<usize>,
    /// Binary logarithm of the rows.
    pub k: u32,
    /// Columns of the witness.
    pub advice_columns: usize,
    /// Size of a proof.
    pub proof_bytes: usize,
    /// Making the keys from universal parameters: one run.
    pub keys: Spent,
    /// Native check, witness, proof, and verification of it.
    pub prove: Times,
    /// A verification.
    pub verify: Times,
    /// Largest resident size of the process, in bytes; `None` where the system doesn't say.
    pub peak_bytes: Option<u64>,
}

/// Measures the listing and claims of these sizes, each in a process of one thread.
///
/// # Errors
/// Whatever keeps it from proving.
pub fn measure(
    host: &Host,
    counts: &[MeasurerCount],
    runs: usize,
    progress: &mut dyn Progress,
) -> anyhow::Result<Vec<Row>> {
    let claims = counts.iter().map(|n| Some(n.get()));
    let circuits = std::iter::once(None).chain(claims);
    let one = |n: Option<usize>| {
        let name = n.map_or_else(|| "listing".to_owned(), |n| format!("claim, n = {n}"));
        progress.begins(&format!("halo2, {name}: {runs} proofs, one thread"));
        host.ask(
            &Task::Halo2 { n, runs },
            &[(THREADS_VARIABLE, "1".to_owned())],
        )
    };
    circuits.map(one).collect()
}

pub(crate) fn prove_here(n: Option<usize>, runs: usize) -> anyhow::Result<Row> {
    match n.map(MeasurerCount::try_from).transpose()? {
        None => listing_here(runs),
        Some(MeasurerCount::Three) => claim_here::<3>(runs),
        Some(MeasurerCount::Five) => claim_here::<5>(runs),
        Some(MeasurerCount::Seven) => claim_here::<7>(runs),
    }
}

fn listing_here(runs: usize) -> anyhow::Result<Row> {
    let universal = UniversalParameters::development(<listing::Circuit<'static> as Relation>::K)?;
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let (public, witness) = listing::sample::generate(rng);
    let (prover, keys) = time(|| ListingProver::new(&universal));
    let prover = prover?;
    let verifier = prover.verifier();
    row(
        None,
        shape::<listing::Circuit<'static>>(),
        keys,
        runs,
        || Ok(prover.prove(&public, &witness, rng)?),
        |proof| Ok(verifier.verify(&public, proof)?),
        |proof| proof.as_bytes().len(),
    )
}

fn claim_here<const N: usize>(runs: usize) -> anyhow::Result<Row> {
    let universal = UniversalParameters::development(<claim::Circuit<'static, N> as Relation>::K)?;
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let sample = Sample::<N>::generate(rng).witness;
    let public = claim::PublicInputs::of(&sample.claimed);
    let secret = field::to_bytes(&sample.secret.expose_scalar());
    let witness = claim::Witness {
        claimed: sample.claimed,
        secret: OperatorSecret::from_field(secret).context("a sample's secret isn't zero")?,
        path: sample.path,
        domain: sample.domain,
        measurers: sample.measurers,
        attestations: sample.attestations.map(|attestation| {
            attestation.map(|attestation| claim::Attestation {
                metrics: attestation.metrics,
                signature: attestation.signature,
            })
        }),
    };
    let (prover, keys) = time(|| claim::ClaimProver::<N>::new(&universal));
    let prover = prover?;
    let verifier = prover.verifier();
    row(
        Some(N),
        shape::<claim::Circuit<'static, N>>(),
        keys,
        runs,
        || Ok(prover.prove(&public, &witness, rng)?),
        |proof| Ok(verifier.verify(&public, proof)?),
        Vec::len,
    )
}

fn row<P>(
    n: Option<usize>,
    shape: Shape,
    keys: Spent,
    runs: usize,
    mut prove: impl FnMut() -> anyhow::Result<P>,
    verify: impl Fn(&P) -> anyhow::Result<()>,
    len: impl Fn(&P) -> usize,
) -> anyhow::Result<Row> {
    let (mut proving, mut verifying) = (Vec::new(), Vec::new());
    let mut proof = prove()?;
    for _ in 0..runs {
        let (made, spent) = time(&mut prove);
        proof = made?;
        proving.push(spent);
        let (verified, spent) = time(|| verify(&proof));
        verified?;
        verifying.push(spent);
    }
    Ok(Row {
        n,
        k: shape.k,
        advice_columns: shape.advice,
        proof_bytes: len(&proof),
        keys,
        prove: Times::of(&proving),
        verify: Times::of(&verifying),
        peak_bytes: memory::peak_resident(),
    })
}
