//! Our side of the contests: provers in Rust, once or staying.

use std::{
    fs,
    io::{BufRead, Write, stdin, stdout},
    path::{Path, PathBuf},
};

use anyhow::Context;
use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::Proof;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use veilpool_iden3::{Wtns, json};
use veilpool_protocol::MeasurerCount;
use veilpool_prover::{
    Arithmetic, Backend, Fast, Options, Prover, QuotientBasis, Stock, Token, VerifiedProof,
    sample_inputs, snarkjs,
};

use crate::{clock::time, foreign::ForeignKey};

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
    /// Somebody's key and witness, with a backend of ours.
    Foreign {
        /// Which.
        backend: Chosen,
        /// The key, imported ([`crate::foreign`]).
        key: PathBuf,
        /// The witness.
        wtns: PathBuf,
        /// Where the proof goes, in snarkjs' form.
        out: PathBuf,
    },
}

/// A backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// arkworks' prover as it comes.
    Stock,
    /// Ours without the instructions that only some machines have.
    Portable,
    /// Ours.
    Best,
}

impl Chosen {
    /// In the order of tables; ours last.
    pub const ALL: [Self; 3] = [Self::Stock, Self::Portable, Self::Best];

    /// For tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "arkworks",
            Self::Portable => "Veilpool, portable arithmetic",
            Self::Best => "Veilpool",
        }
    }

    fn over(self, key: &ForeignKey) -> anyhow::Result<Box<dyn Backend + '_>> {
        let fast = |arithmetic| {
            let options = Options {
                arithmetic,
                ..Options::default()
            };
            Fast::new(
                &key.proving_key,
                key.constraints(),
                QuotientBasis::OddCoset,
                &options,
                &Token::new(),
            )
        };
        Ok(match self {
            Self::Stock => Box::new(Stock::new(
                &key.proving_key,
                &key.matrices,
                key.public_columns,
                key.witness_columns(),
                QuotientBasis::OddCoset,
            )),
            Self::Portable => Box::new(fast(Arithmetic::Portable)?),
            Self::Best => Box::new(fast(Arithmetic::Best)?),
        })
    }
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
        Entrant::Foreign {
            backend,
            key,
            wtns,
            out,
        } => {
            let key = ForeignKey::read(key)?;
            let witness = Wtns::from_bytes(&fs::read(wtns)?)?;
            let backend = backend.over(&key)?;
            let mut rng = ChaCha20Rng::seed_from_u64(SEED);
            let mut prove = || -> anyhow::Result<Proof<Bn254>> {
                let (r, s) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
                let (proof, _) = backend.prove(witness.expose_assignment(), r, s, &Token::new())?;
                Ok(proof)
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
