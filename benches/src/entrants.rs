//! Our side of the contests: provers in Rust, once or staying.

use std::{
    fs,
    io::{BufRead, Write, stdin, stdout},
    path::{Path, PathBuf},
};

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use veilpool_protocol::MeasurerCount;
use veilpool_prover::{Prover, VerifiedProof, sample_inputs, snarkjs};

use crate::clock::time;

/// Who proves what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entrant {
    /// A claim with our circuit and prover, witness included.
    Claim {
        /// Number of measurers.
        n: usize,
        /// Folder of the proving key.
        cache: PathBuf,
        /// Where the proof goes, in snarkjs' form.
        out: PathBuf,
    },
}

/// Takes part.
///
/// # Errors
/// Whatever keeps it from proving.
pub(crate) fn run(entrant: &Entrant, stay: bool) -> anyhow::Result<()> {
    match entrant {
        Entrant::Claim { n, cache, out } => {
            let n = MeasurerCount::try_from(*n)?;
            let prover = Prover::load(n, cache, &mut |_, _| {})?;
            let inputs = sample_inputs(n, SEED)?;
            let prove = || prover.prove(&inputs, &mut ChaCha20Rng::seed_from_u64(SEED));
            if stay {
                return serve(|| {
                    prove()?;
                    Ok(())
                });
            }
            write(out, &prover, &prove()?)
        }
    }
}

/// Of the claim that everybody proves.
pub const SEED: u64 = 1;

// Once for each line.
fn serve(mut prove: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<()> {
    for line in stdin().lock().lines() {
        line?;
        let (result, spent) = time(&mut prove);
        result?;
        let mut out = stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&spent)?)?;
        out.flush()?;
    }
    Ok(())
}

fn write(out: &Path, prover: &Prover, proof: &VerifiedProof) -> anyhow::Result<()> {
    fs::create_dir_all(out)?;
    let key = snarkjs::verification_key(prover.verifying_key());
    for (name, value) in [
        (snarkjs::VERIFICATION_KEY_FILE, key),
        (snarkjs::PROOF_FILE, snarkjs::proof(proof.proof())),
        (snarkjs::PUBLIC_FILE, snarkjs::public(&proof.public_input())),
    ] {
        fs::write(out.join(name), serde_json::to_string(&value)?)?;
    }
    Ok(())
}
