//! What is measured of the claim's prover.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use veilpool_circuits::claim;
use veilpool_params::{load::embedded_manifest, verifying_key::ARK_LEN};
use veilpool_protocol::{CompressedProofBytes, MeasurerCount, ProofBytes, verifying_key};
use veilpool_prover::{Prover, VerifiedProof, sample_inputs, verify};

use crate::memory;

/// Fewest runs that a median is taken of.
pub const MIN_RUNS: usize = 5;

/// Figures for one number of measurers. Times are medians, in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Number of measurers.
    pub n: usize,
    /// Rows of the circuit.
    pub constraints: usize,
    /// Witness columns.
    pub witnesses: usize,
    /// Columns that stand on a B side.
    pub b_columns: usize,
    /// Coefficients of A, B and C.
    pub non_zeros: [usize; 3],
    /// Size of the proving key's file.
    pub proving_key_bytes: u64,
    /// Size of the verifying key on chain.
    pub on_chain_verifying_key_bytes: usize,
    /// Size of the verifying key as arkworks writes it.
    pub verifying_key_bytes: usize,
    /// Size of a proof on chain.
    pub proof_bytes: usize,
    /// Size of a proof everywhere else.
    pub compressed_proof_bytes: usize,
    /// Runs that medians are of.
    pub runs: usize,
    /// Reading and checking the key, building the matrices: one run.
    pub load_us: u64,
    /// All statements in plain Rust.
    pub native_check_us: u64,
    /// The assignment.
    pub witness_us: u64,
    /// Proof from the assignment.
    pub proof_us: u64,
    /// Verification by arkworks, points decoded before.
    pub verification_us: u64,
    /// Native check to verified proof.
    pub total_us: u64,
    /// Peak resident memory of a process that does one proof, in bytes.
    pub peak_memory: Option<u64>,
    /// Resident memory of that process with the key loaded, before it proves.
    pub resident_before: Option<u64>,
}

/// What a process that makes one proof says of its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// At its highest.
    pub peak: Option<u64>,
    /// With the key loaded, before proving.
    pub before: Option<u64>,
}

/// Proves once and says how much memory this process has needed.
///
/// # Errors
/// Whatever keeps it from proving.
pub fn memory_of_one_proof(n: MeasurerCount, cache: &Path) -> anyhow::Result<Memory> {
    let prover = Prover::load(n, cache, &mut |_, _| {})?;
    let before = memory::resident();
    prove(&prover, 0)?;
    Ok(Memory {
        peak: memory::peak_resident(),
        before,
    })
}

/// Proves `runs` times.
///
/// # Errors
/// Whatever keeps it from proving, and fewer runs than [`MIN_RUNS`].
pub fn claim(
    n: MeasurerCount,
    cache: &Path,
    runs: usize,
    memory: Option<Memory>,
) -> anyhow::Result<Claim> {
    ensure!(runs >= MIN_RUNS, "a median wants at least {MIN_RUNS} runs");
    // The first load may have to make the key.
    drop(Prover::load(n, cache, &mut |_, _| {})?);
    let start = Instant::now();
    let prover = Prover::load(n, cache, &mut |_, _| {})?;
    let load = start.elapsed();

    prove(&prover, 0)?;
    let proofs = (1..=runs as u64)
        .map(|seed| prove(&prover, seed))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let of = |step: fn(&VerifiedProof) -> Duration| median(proofs.iter().map(step).collect());

    let manifest = embedded_manifest()?;
    let record = manifest.find(n).context("parameters for this size")?;
    let info = claim::info(n.get())?;
    Ok(Claim {
        n: n.get(),
        constraints: info.constraints,
        witnesses: info.witnesses,
        b_columns: info.b_columns,
        non_zeros: info.non_zeros,
        proving_key_bytes: record.proving_key.size,
        on_chain_verifying_key_bytes: verifying_key::LEN,
        verifying_key_bytes: ARK_LEN,
        proof_bytes: ProofBytes::LEN,
        compressed_proof_bytes: CompressedProofBytes::LEN,
        runs,
        load_us: micros(load),
        native_check_us: of(|proof| proof.timings().native_check),
        witness_us: of(|proof| proof.timings().witness),
        proof_us: of(|proof| proof.timings().proof),
        verification_us: of(|proof| proof.timings().verification),
        total_us: of(|proof| proof.timings().total()),
        peak_memory: memory.and_then(|memory| memory.peak),
        resident_before: memory.and_then(|memory| memory.before),
    })
}

fn prove(prover: &Prover, seed: u64) -> anyhow::Result<VerifiedProof> {
    let inputs = sample_inputs(prover.count(), seed)?;
    let proof = prover.prove(&inputs, &mut ChaCha20Rng::seed_from_u64(seed))?;
    verify(
        prover.verifying_key(),
        &proof.public_input(),
        &proof.to_bytes(),
    )?;
    Ok(proof)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn median(mut times: Vec<Duration>) -> u64 {
    times.sort();
    times.get(times.len() / 2).copied().map_or(0, micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_one() {
        let of =
            |millis: &[u64]| median(millis.iter().copied().map(Duration::from_millis).collect());
        assert_eq!(of(&[5, 1, 9, 2, 3]), 3000);
        assert_eq!(of(&[7]), 7000);
        assert_eq!(of(&[]), 0);
    }

    #[test]
    fn too_few_runs_are_refused() {
        assert!(claim(MeasurerCount::Three, Path::new("unused"), 4, None).is_err());
    }
}
