//! Witness, proof and verification of a claim, and the memory that a process needs for it.

use std::path::Path;

use anyhow::ensure;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use veilpool_protocol::MeasurerCount;
use veilpool_prover::{Options, Prover, Timings, VerifiedProof, sample_inputs, verify};

use crate::{
    child::{Host, micros},
    clock::{Spent, Times, time},
    memory,
    progress::Progress,
    stats::{MIN_RUNS, Stat},
    task::Task,
};

/// One number of measurers with one number of threads. Times in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Number of measurers.
    pub n: usize,
    /// Of the prover.
    pub threads: usize,
    /// Reading and checking the key, building the matrices: one run.
    pub load: Spent,
    /// All statements in plain Rust, by the wall.
    pub native_check_us: Stat,
    /// The assignment, by the wall.
    pub witness_us: Stat,
    /// Proof from the assignment, by the wall.
    pub proof_us: Stat,
    /// Verification by arkworks, points decoded before, by the wall.
    pub verification_us: Stat,
    /// Parts of the proof, by the wall; with several threads they overlap.
    pub phases: Phases,
    /// Native check to verified proof.
    pub total: Times,
}

/// Parts of a proof, in microseconds (`veilpool_prover::PhaseTimings`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Values of A and B, and the quotient.
    pub quotient_us: Stat,
    /// The multiplications with witness columns: A.
    pub a_us: Stat,
    /// B in G1.
    pub b_g1_us: Stat,
    /// B in G2.
    pub b_g2_us: Stat,
    /// C's share of the witness.
    pub l_us: Stat,
    /// The multiplication with the quotient.
    pub h_us: Stat,
}

/// Memory of a process that proves once, in bytes; `None` where the system doesn't say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Number of measurers.
    pub n: usize,
    /// At its highest.
    pub peak_bytes: Option<u64>,
    /// With the key loaded, before proving.
    pub loaded_bytes: Option<u64>,
    /// At its highest with `Options::low_memory`.
    pub low_peak_bytes: Option<u64>,
}

/// Measures every n with 1, 2, … threads: powers of two, and all of them.
///
/// # Errors
/// Whatever keeps it from proving, and fewer runs than [`MIN_RUNS`].
pub fn measure(
    host: &Host,
    counts: &[MeasurerCount],
    cache: &Path,
    runs: usize,
    progress: &mut dyn Progress,
) -> anyhow::Result<Vec<Row>> {
    ensure!(runs >= MIN_RUNS, "a median wants at least {MIN_RUNS} runs");
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let mut rows = Vec::new();
    for n in counts {
        load(*n, cache, progress)?;
        for threads in thread_counts(available) {
            progress.begins(&format!(
                "proving n = {}, threads: {threads}, {runs} runs",
                n.get()
            ));
            let task = Task::Prove {
                n: n.get(),
                threads,
                runs,
                cache: cache.to_owned(),
            };
            rows.push(host.ask(&task, &[(THREADS_VARIABLE, threads.to_string())])?);
        }
    }
    Ok(rows)
}

/// Measures the memory of a process that proves once.
///
/// # Errors
/// Whatever keeps it from proving.
pub fn measure_memory(
    host: &Host,
    counts: &[MeasurerCount],
    cache: &Path,
    progress: &mut dyn Progress,
) -> anyhow::Result<Vec<Memory>> {
    let one = |n: &MeasurerCount| {
        load(*n, cache, progress)?;
        progress.begins(&format!(
            "memory of a process that proves once, n = {}",
            n.get()
        ));
        let task = |low| Task::Memory {
            n: n.get(),
            cache: cache.to_owned(),
            low,
        };
        let [usual, low]: [Resident; 2] =
            [host.ask(&task(false), &[])?, host.ask(&task(true), &[])?];
        Ok(Memory {
            n: n.get(),
            peak_bytes: usual.peak_bytes,
            loaded_bytes: usual.loaded_bytes,
            low_peak_bytes: low.peak_bytes,
        })
    };
    counts.iter().map(one).collect()
}

/// How many threads a child's prover uses.
pub const THREADS_VARIABLE: &str = "RAYON_NUM_THREADS";

// 1, 2, 4, … and the last.
fn thread_counts(available: usize) -> Vec<usize> {
    let mut counts: Vec<usize> = std::iter::successors(Some(1usize), |count| count.checked_mul(2))
        .take_while(|count| *count < available)
        .collect();
    counts.push(available.max(1));
    counts
}

// The first load may have to make the key: not to be measured.
fn load(n: MeasurerCount, cache: &Path, progress: &mut dyn Progress) -> anyhow::Result<Prover> {
    let mut said = false;
    Ok(Prover::load(n, cache, &mut |stage, _| {
        if stage == veilpool_params::Stage::Setup && !said {
            said = true;
            progress.begins(&format!("making development parameters, n = {}", n.get()));
        }
    })?)
}

pub(crate) fn prove_here(
    n: usize,
    threads: usize,
    runs: usize,
    cache: &Path,
) -> anyhow::Result<Row> {
    let n = MeasurerCount::try_from(n)?;
    let (prover, load) = time(|| Prover::load(n, cache, &mut |_, _| {}));
    let prover = prover?;
    prove(&prover, 0)?;
    let mut proofs = Vec::with_capacity(runs);
    let mut totals = Vec::with_capacity(runs);
    for seed in 1..=runs as u64 {
        let (proof, spent) = prove(&prover, seed)?;
        proofs.push(proof);
        totals.push(spent);
    }
    let of = |step: fn(&Timings) -> std::time::Duration| {
        Stat::of(proofs.iter().map(|proof| micros(step(proof.timings()))))
    };
    Ok(Row {
        n: n.get(),
        threads,
        load,
        native_check_us: of(|timings| timings.native_check),
        witness_us: of(|timings| timings.witness),
        proof_us: of(|timings| timings.proof),
        verification_us: of(|timings| timings.verification),
        phases: Phases {
            quotient_us: of(|timings| timings.phases.witness_map),
            a_us: of(|timings| timings.phases.a),
            b_g1_us: of(|timings| timings.phases.b_g1),
            b_g2_us: of(|timings| timings.phases.b_g2),
            l_us: of(|timings| timings.phases.l),
            h_us: of(|timings| timings.phases.h),
        },
        total: Times::of(&totals),
    })
}

/// What a process that has proven once says.
#[derive(Serialize, Deserialize)]
pub(crate) struct Resident {
    peak_bytes: Option<u64>,
    loaded_bytes: Option<u64>,
}

pub(crate) fn memory_here(n: usize, cache: &Path, low: bool) -> anyhow::Result<Resident> {
    let n = MeasurerCount::try_from(n)?;
    let options = if low {
        Options::low_memory()
    } else {
        Options::default()
    };
    let prover = Prover::load_with(n, cache, &options, &mut |_, _| {})?;
    let loaded_bytes = memory::resident();
    prove(&prover, 0)?;
    Ok(Resident {
        peak_bytes: memory::peak_resident(),
        loaded_bytes,
    })
}

fn prove(prover: &Prover, seed: u64) -> anyhow::Result<(VerifiedProof, Spent)> {
    let inputs = sample_inputs(prover.count(), seed)?;
    let (proof, spent) = time(|| prover.prove(&inputs, &mut ChaCha20Rng::seed_from_u64(seed)));
    let proof = proof?;
    verify(
        prover.verifying_key(),
        &proof.public_input(),
        &proof.to_bytes(),
    )?;
    Ok((proof, spent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_powers_of_two_and_all_of_them() {
        assert_eq!(thread_counts(1), [1]);
        assert_eq!(thread_counts(2), [1, 2]);
        assert_eq!(thread_counts(6), [1, 2, 4, 6]);
        assert_eq!(thread_counts(8), [1, 2, 4, 8]);
    }

    #[test]
    fn too_few_runs_are_refused() {
        let host = Host::at("unused".into(), &[]);
        let error = measure(
            &host,
            &MeasurerCount::ALL,
            Path::new("unused"),
            4,
            &mut crate::progress::Silent,
        );
        assert_eq!(
            error.map_err(|error| error.to_string()),
            Err("a median wants at least 5 runs".to_owned())
        );
    }
}
