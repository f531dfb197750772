//! `veilpool prove`, `verify` and `export`: proofs without a node.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use veilpool_params::{Parameters, default_cache_dir, load::embedded_verifying_key};
use veilpool_protocol::{CompressedProofBytes, MeasurerCount, ProofBytes, PublicInputBytes};
use veilpool_prover::{
    ClaimDocument, ClaimInputs, Options, Prover, VerifiedProof, proof::Proof, sample_inputs,
    snarkjs, verify,
};

use crate::{keys::PassphraseArguments, output::Output};

/// What is proven: a given claim, or one made up on the spot.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The claim's document, as `veilpool node export-claim` writes it. Without it a sample claim is made up.
    #[arg(long, value_name = "FILE", requires = "identity")]
    claim: Option<PathBuf>,
    /// The operator's secret, which is never in the document.
    #[arg(long, value_name = "FILE", requires = "claim")]
    identity: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    /// Number of measurers of the sample claim: 3, 5 or 7.
    #[arg(long, default_value_t = 5, conflicts_with = "claim")]
    n: usize,
    /// Makes the same sample claim for the same number.
    #[arg(long, default_value_t = 1, conflicts_with = "claim")]
    seed: u64,
    /// Folder of the proving keys.
    #[arg(long, env = "VEILPOOL_PARAMS", value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Proves with less than 48 MB and one thread, as nodes do.
    #[arg(long)]
    low_memory: bool,
}

/// Proves a claim: checks every statement in plain Rust first and names the one that fails, then
/// proves, then verifies its own proof.
#[derive(Debug, Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    source: Source,
    /// Where the proof is written, as JSON. Without it only the result is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Verifies a proof that `veilpool prove --out` has written.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The proof's file.
    #[arg(long, value_name = "FILE")]
    proof: PathBuf,
}

/// Formats of an export.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// `snarkjs groth16 verify verification_key.json public.json proof.json`
    Snarkjs,
}

/// Proves, and writes the proof for verifiers that aren't ours.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The format.
    #[arg(long, value_enum, default_value_t = Format::Snarkjs)]
    format: Format,
    /// Folder for verification_key.json, proof.json and public.json.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Writes claim.zkey too: the proving key, for `snarkjs groth16 prove`.
    #[arg(long)]
    zkey: bool,
    /// Writes claim.r1cs too: the constraint system, for `snarkjs r1cs info` and `snarkjs wtns check`.
    #[arg(long)]
    r1cs: bool,
    /// Writes claim.wtns too: the assignment, from which the operator's secret can be read. Only its owner may read the
    /// file; delete it when you are done.
    #[arg(long)]
    wtns: bool,
    #[command(flatten)]
    source: Source,
}

/// A proof in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofFile {
    circuit: String,
    n: usize,
    public_input: PublicInputBytes,
    proof: CompressedProofBytes,
}

#[derive(Serialize)]
struct Report {
    n: usize,
    constraints: usize,
    public_input: PublicInputBytes,
    proof: CompressedProofBytes,
    proof_bytes: usize,
    native_check_ms: f64,
    witness_ms: f64,
    proof_ms: f64,
    verification_ms: f64,
}

impl Source {
    fn inputs(&self) -> anyhow::Result<ClaimInputs> {
        let (Some(claim), Some(identity)) = (&self.claim, &self.identity) else {
            return Ok(sample_inputs(MeasurerCount::try_from(self.n)?, self.seed)?);
        };
        let json = fs::read_to_string(claim)
            .with_context(|| format!("cannot read the claim's document {}", claim.display()))?;
        let secret = veilpool_node::identity::read(identity, self.passphrase.read()?.as_ref())?;
        Ok(ClaimDocument::parse(&json)?.validate(secret)?)
    }

    fn cache(&self) -> PathBuf {
        self.cache.clone().unwrap_or_else(default_cache_dir)
    }

    fn prove(
        &self,
        inputs: &ClaimInputs,
        output: Output,
    ) -> anyhow::Result<(Prover, VerifiedProof)> {
        let cache = self.cache();
        let bar = output.parameters_bar();
        let options = if self.low_memory {
            Options::low_memory()
        } else {
            Options::default()
        };
        let prover = Prover::load_with(inputs.count(), &cache, &options, &mut |stage, at| {
            bar.stage(stage, at)
        })?;
        let proof = prover.prove(inputs, &mut OsRng)?;
        Ok((prover, proof))
    }
}

fn millis(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1e5).round() / 100.0
}

pub(crate) fn prove(arguments: &Prove, output: Output) -> anyhow::Result<()> {
    let inputs = arguments.source.inputs()?;
    let (prover, proof) = arguments.source.prove(&inputs, output)?;
    if let Some(path) = &arguments.out {
        let file = ProofFile {
            circuit: "claim".into(),
            n: proof.count().get(),
            public_input: proof.public_input(),
            proof: proof.to_compressed(),
        };
        fs::write(path, serde_json::to_string_pretty(&file)?)
            .with_context(|| format!("cannot write the proof to {}", path.display()))?;
    }
    let timings = proof.timings();
    let report = Report {
        n: proof.count().get(),
        constraints: prover.record().constraints,
        public_input: proof.public_input(),
        proof: proof.to_compressed(),
        proof_bytes: CompressedProofBytes::LEN,
        native_check_ms: millis(timings.native_check),
        witness_ms: millis(timings.witness),
        proof_ms: millis(timings.proof),
        verification_ms: millis(timings.verification),
    };
    output.show(&report, || {
        format!(
            "proven and verified: {} measurers, {} constraints, {} bytes\n  native check {} ms, witness {} ms, proof {} ms, \
             verification {} ms\n  public input {}\n  proof {}",
            report.n,
            report.constraints,
            report.proof_bytes,
            report.native_check_ms,
            report.witness_ms,
            report.proof_ms,
            report.verification_ms,
            hex::encode(report.public_input.as_bytes()),
            hex::encode(report.proof.as_bytes()),
        )
    })
}

#[derive(Serialize)]
struct Verdict {
    valid: bool,
    n: usize,
}

pub(crate) fn check(arguments: &Verify, output: Output) -> anyhow::Result<()> {
    let text = fs::read_to_string(&arguments.proof)
        .with_context(|| format!("cannot read the proof {}", arguments.proof.display()))?;
    let file: ProofFile = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is not a proof of this software",
            arguments.proof.display()
        )
    })?;
    let n = MeasurerCount::try_from(file.n)?;
    let bytes: ProofBytes = Proof::from_compressed(&file.proof)?.to_bytes();
    verify(&embedded_verifying_key(n)?, &file.public_input, &bytes)?;
    let verdict = Verdict {
        valid: true,
        n: file.n,
    };
    output.show(&verdict, || format!("valid: claim of {} measurers", file.n))
}

/// What was asked for of proving key, constraint system and assignment.
fn export_binary(arguments: &Export, inputs: &ClaimInputs) -> anyhow::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    if arguments.zkey || arguments.r1cs {
        let cache = arguments.source.cache();
        let parameters = Parameters::load(inputs.count(), &cache, &mut |_, _| {})?;
        let mut write = |name: &str, bytes: Vec<u8>| {
            let path = arguments.out.join(name);
            fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
            written.push(path);
            anyhow::Ok(())
        };
        if arguments.zkey {
            write(snarkjs::ZKEY_FILE, snarkjs::zkey(&parameters)?)?;
        }
        if arguments.r1cs {
            write(snarkjs::R1CS_FILE, snarkjs::r1cs(&parameters)?.to_bytes())?;
        }
    }
    if arguments.wtns {
        let path = arguments.out.join(snarkjs::WTNS_FILE);
        veilpool_keyfile::write_new(&path, &snarkjs::wtns(inputs)?.expose_bytes())?;
        written.push(path);
    }
    Ok(written)
}

pub(crate) fn export(arguments: &Export, output: Output) -> anyhow::Result<()> {
    let Format::Snarkjs = arguments.format;
    let inputs = arguments.source.inputs()?;
    let (prover, proof) = arguments.source.prove(&inputs, output)?;
    fs::create_dir_all(&arguments.out)
        .with_context(|| format!("cannot make the folder {}", arguments.out.display()))?;
    let mut written = Vec::new();
    let files = snarkjs::files(prover.verifying_key(), proof.proof(), &proof.public_input());
    for (name, value) in files {
        let path = arguments.out.join(name);
        fs::write(&path, serde_json::to_string_pretty(&value)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        written.push(path);
    }
    written.extend(export_binary(arguments, &inputs)?);
    output.show(&written, || {
        let names: Vec<String> = written
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        format!(
            "{}\nCheck it: cd {} && snarkjs groth16 verify {} {} {}",
            names.join("\n"),
            arguments.out.display(),
            snarkjs::VERIFICATION_KEY_FILE,
            snarkjs::PUBLIC_FILE,
            snarkjs::PROOF_FILE
        )
    })
}
