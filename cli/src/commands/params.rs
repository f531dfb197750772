//! `veilpool params`: the parameters that this build was made with.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use veilpool_params::{Parameters, default_cache_dir, load::embedded_manifest, setup};
use veilpool_protocol::{MeasurerCount, verifying_key::Status};

use crate::output::Output;

/// Parameters: what is embedded, what is cached.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists circuits, fingerprints, hashes and status as the manifest in this build has them.
    Show,
    /// Makes (development parameters only) and checks the proving keys in the cache: size, hash, fingerprint, unsafe
    /// points.
    Check(Check),
    /// Makes the insecure, deterministic development keys anew and, with --write, stores manifest and verifying keys
    /// in the source tree. For those who change a circuit.
    SetupDev(SetupDev),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Only for this number of measurers.
    #[arg(long)]
    n: Option<usize>,
    /// Folder of the proving keys.
    #[arg(long, env = "VEILPOOL_PARAMS")]
    cache: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SetupDev {
    /// Writes into this folder of the source tree.
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = "params")]
    write: Option<PathBuf>,
}

#[derive(Serialize)]
struct Entry {
    circuit: &'static str,
    version: u32,
    n: usize,
    status: &'static str,
    constraints: usize,
    fingerprint: String,
    proving_key_bytes: u64,
}

pub(crate) fn run(command: &Command, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Show => show(output),
        Command::Check(arguments) => check(arguments, output),
        Command::SetupDev(arguments) => setup_dev(arguments, output),
    }
}

fn entry(record: &veilpool_params::Record) -> Entry {
    Entry {
        circuit: "claim",
        version: record.version,
        n: record.n.get(),
        status: match record.status {
            Status::Development => "dev: anybody can forge claims",
            Status::Ceremony => "ceremony",
        },
        constraints: record.constraints,
        fingerprint: hex::encode(record.fingerprint),
        proving_key_bytes: record.proving_key.size,
    }
}

fn print(entries: &[Entry], output: Output) -> anyhow::Result<()> {
    output.show(&entries, || {
        entries
            .iter()
            .map(|entry| {
                format!(
                    "{} v{} n={}  {}  {} constraints, proving key {} bytes\n  fingerprint {}",
                    entry.circuit,
                    entry.version,
                    entry.n,
                    entry.status,
                    entry.constraints,
                    entry.proving_key_bytes,
                    entry.fingerprint
                )
            })
            .collect::<Vec<_>>()
            .join("\n")
    })
}

fn show(output: Output) -> anyhow::Result<()> {
    let manifest = embedded_manifest()?;
    print(
        &manifest.records().iter().map(entry).collect::<Vec<_>>(),
        output,
    )
}

fn check(arguments: &Check, output: Output) -> anyhow::Result<()> {
    let cache = arguments.cache.clone().unwrap_or_else(default_cache_dir);
    let sizes = match arguments.n {
        Some(n) => vec![MeasurerCount::try_from(n)?],
        None => MeasurerCount::ALL.to_vec(),
    };
    let mut entries = Vec::new();
    for n in sizes {
        let bar = output.parameters_bar();
        let parameters =
            Parameters::load_or_make(n, &cache, &mut |stage, at| bar.stage(stage, at))?;
        entries.push(entry(&parameters.record));
    }
    print(&entries, output)
}

fn setup_dev(arguments: &SetupDev, output: Output) -> anyhow::Result<()> {
    let bar = output.parameters_bar();
    let progress = &mut |stage, at| bar.stage(stage, at);
    if let Some(folder) = &arguments.write {
        let manifest = setup::write_development(folder, progress)?;
        return print(
            &manifest.records().iter().map(entry).collect::<Vec<_>>(),
            output,
        );
    }
    let mut entries = Vec::new();
    for n in MeasurerCount::ALL {
        entries.push(entry(&setup::record(&setup::development_keys(
            n, progress,
        )?)));
    }
    print(&entries, output)
}
