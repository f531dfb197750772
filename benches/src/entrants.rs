//! Our side of the contests: provers in Rust, once or staying.

use std::{
    fs,
    io::{BufRead, Write, stdin, stdout},
    path::{Path, PathBuf},
};

use anyhow::Context;
use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::{Groth16, Proof};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use veilpool_iden3::{Wtns, Zkey, json};
use veilpool_params::OddCoset;
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
    /// Somebody's key and witness with stock arkworks.
    Arkworks {
        /// The key.
        zkey: PathBuf,
        /// The witness.
        wtns: PathBuf,
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
            write(
                out,
                &snarkjs::verification_key(prover.verifying_key()),
                &prove()?,
            )
        }
        Entrant::Arkworks { zkey, wtns, out } => {
            let key = Zkey::from_bytes(&fs::read(zkey)?)?;
            let witness = Wtns::from_bytes(&fs::read(wtns)?)?;
            let mut rng = ChaCha20Rng::seed_from_u64(SEED);
            let mut prove = || -> anyhow::Result<Proof<Bn254>> {
                let (r, s) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
                let assignment = witness.expose_assignment();
                Ok(
                    Groth16::<Bn254, OddCoset>::create_proof_with_reduction_and_matrices(
                        &key.proving_key,
                        r,
                        s,
                        &key.matrices,
                        key.public_columns,
                        key.rows(),
                        assignment,
                    )?,
                )
            };
            if stay {
                return serve(|| {
                    prove()?;
                    Ok(())
                });
            }
            let public = witness
                .expose_assignment()
                .get(1..key.public_columns)
                .context("the witness is shorter than the public columns")?;
            let files = [
                (snarkjs::PROOF_FILE, json::proof(&prove()?)),
                (snarkjs::PUBLIC_FILE, json::public(public)),
            ];
            write_files(out, &files)
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

fn write(out: &Path, key: &Value, proof: &VerifiedProof) -> anyhow::Result<()> {
    let files = [
        (snarkjs::VERIFICATION_KEY_FILE, key.clone()),
        (snarkjs::PROOF_FILE, snarkjs::proof(proof.proof())),
        (snarkjs::PUBLIC_FILE, snarkjs::public(&proof.public_input())),
    ];
    write_files(out, &files)
}

fn write_files(out: &Path, files: &[(&str, Value)]) -> anyhow::Result<()> {
    fs::create_dir_all(out)?;
    for (name, value) in files {
        fs::write(out.join(name), serde_json::to_string(value)?)?;
    }
    Ok(())
}
