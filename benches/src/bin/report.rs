//! Prints measured figures of the claim's prover.
//!
//! ```text
//! report [--json] [--runs N] [--cache FOLDER]
//! ```
//! Markdown by default, for the text between `<!-- generated:bench -->` and `<!-- /generated -->`.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail, ensure};
use serde::Serialize;
use veilpool_benches::{
    machine::Machine,
    measure::{self, Claim, MIN_RUNS, Memory},
    table,
};
use veilpool_params::default_cache_dir;
use veilpool_protocol::MeasurerCount;

#[derive(Serialize)]
struct Report {
    machine: Machine,
    claims: Vec<Claim>,
}

struct Arguments {
    json: bool,
    runs: usize,
    cache: PathBuf,
    // Set in the child process that proves once for its memory.
    memory_of: Option<MeasurerCount>,
}

fn main() -> anyhow::Result<()> {
    let arguments = parse(env::args().skip(1))?;
    if let Some(n) = arguments.memory_of {
        let memory = measure::memory_of_one_proof(n, &arguments.cache)?;
        println!("{}", serde_json::to_string(&memory)?);
        return Ok(());
    }
    let mut claims = Vec::new();
    for n in MeasurerCount::ALL {
        eprintln!("measuring n = {} …", n.get());
        // Makes the key first if need be, so that the child only proves.
        let without_memory = measure::claim(n, &arguments.cache, arguments.runs, None)?;
        let memory = in_child(n, &arguments.cache)?;
        claims.push(Claim {
            peak_memory: memory.peak,
            resident_before: memory.before,
            ..without_memory
        });
    }
    let machine = Machine::this();
    if arguments.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&Report { machine, claims })?
        );
    } else {
        print!("{}", table::markdown(&machine, &claims));
    }
    Ok(())
}

fn in_child(n: MeasurerCount, cache: &Path) -> anyhow::Result<Memory> {
    let output = Command::new(env::current_exe()?)
        .args(["--memory-of", &n.get().to_string(), "--cache"])
        .arg(cache)
        .output()
        .context("starting the process whose memory is measured")?;
    ensure!(
        output.status.success(),
        "the process whose memory is measured failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).context("its answer")
}

fn parse(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Arguments> {
    let mut parsed = Arguments {
        json: false,
        runs: 2 * MIN_RUNS + 1,
        cache: default_cache_dir(),
        memory_of: None,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} wants a value"))
        };
        match argument.as_str() {
            "--json" => parsed.json = true,
            "--runs" => parsed.runs = value()?.parse().context("--runs wants a number")?,
            "--cache" => parsed.cache = value()?.into(),
            "--memory-of" => {
                let n: usize = value()?.parse().context("--memory-of wants a number")?;
                parsed.memory_of = Some(MeasurerCount::try_from(n)?);
            }
            other => bail!("unknown argument {other}; known are --json, --runs N, --cache FOLDER"),
        }
    }
    Ok(parsed)
}
