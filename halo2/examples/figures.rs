//! Proof sizes, proving and verifying times of every circuit here, as a table in Markdown.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo run --release -p veilpool-halo2 --example figures -- [runs]
//! ```
//! Times are medians of the thread's CPU time, so that other work on the machine does not count: that is
//! all the CPU there is with one thread of rayon's, and says little with more.

use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::claim::sample::Sample;
use veilpool_halo2::{
    ListingProver, UniversalParameters, claim,
    listing::{self, sample},
    relation::Relation,
    system::{Shape, shape},
};
use veilpool_primitives::{OperatorSecret, claim::fold_bytes};
use veilpool_protocol::FieldBytes;

type Failure = Box<dyn std::error::Error>;

/// CPU time of the process so far.
fn cpu_time() -> Result<Duration, Failure> {
    // Nanoseconds on a CPU of each thread, by Linux.
    let mut total = 0u64;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split_whitespace().next().unwrap_or("0");
        total += first.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}

fn median<T>(runs: usize, mut f: impl FnMut() -> Result<T, Failure>) -> Result<(T, f64), Failure> {
    let mut times = Vec::with_capacity(runs);
    let mut last = None;
    for _ in 0..runs {
        let before = cpu_time()?;
        last = Some(f()?);
        times.push(cpu_time()?.saturating_sub(before).as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let last = last.ok_or("at least one run")?;
    Ok((last, times[runs / 2]))
}

fn row(name: &str, shape: Shape, proof: usize, times: [f64; 3]) {
    let Shape {
        k,
        degree,
        advice,
        fixed,
        selectors,
        permutation,
        lookups,
    } = shape;
    let [keys, prove, verify] = times;
    println!(
        "| {name} | {k} | {advice} | {fixed} + {selectors} | {permutation} | {lookups} | {degree} | {proof} | {keys:.0} | {prove:.0} | {verify:.2} |"
    );
}

fn claim_row<const N: usize>(universal: &UniversalParameters, runs: usize) -> Result<(), Failure> {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let sample = Sample::<N>::generate(rng).witness;
    let public = claim::PublicInputs::from_bytes(fold_bytes(&sample.claimed));
    let secret = FieldBytes::new(*sample.secret.expose_bytes())?;
    let witness = claim::Witness {
        claimed: sample.claimed,
        secret: OperatorSecret::from_field(secret).ok_or("a sample's secret isn't zero")?,
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
    let (prover, keys) = median(1, || Ok(claim::ClaimProver::<N>::new(universal)?))?;
    let (proof, prove) = median(runs, || Ok(prover.prove(&public, &witness, rng)?))?;
    let verifier = prover.verifier();
    let ((), verify) = median(runs * 5, || Ok(verifier.verify(&public, &proof)?))?;
    let shape = shape::<claim::Circuit<'static, N>>();
    row(
        &format!("claim, n = {N}"),
        shape,
        proof.len(),
        [keys, prove, verify],
    );
    Ok(())
}

fn main() -> Result<(), Failure> {
    let runs = std::env::args().nth(1).map_or(Ok(5), |runs| runs.parse())?;
    let k = <claim::Circuit<'static, 7> as Relation>::K;
    let universal = UniversalParameters::development(k)?;
    println!(
        "| circuit | k | witness columns | fixed + selectors | copied | lookups | degree | proof, B | keys, ms | prove, ms | verify, ms |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");

    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let (public, witness) = sample::generate(rng);
    let (prover, keys) = median(1, || Ok(ListingProver::new(&universal)?))?;
    let (proof, prove) = median(runs, || Ok(prover.prove(&public, &witness, rng)?))?;
    let verifier = prover.verifier();
    let ((), verify) = median(runs * 5, || Ok(verifier.verify(&public, &proof)?))?;
    let shape = shape::<listing::Circuit<'static>>();
    row(
        "listing",
        shape,
        proof.as_bytes().len(),
        [keys, prove, verify],
    );

    claim_row::<3>(&universal, runs)?;
    claim_row::<5>(&universal, runs)?;
    claim_row::<7>(&universal, runs)
}
