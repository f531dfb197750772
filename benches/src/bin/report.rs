//! Prints measured figures of the claim's prover.
//!
//! ```text
//! report [--json] [--write] [--runs N] [--cache FOLDER]
//! ```
//! Markdown by default; `--write` puts it into `README.md`, between `<!-- generated:benchmarks -->` and
//! `<!-- /generated -->`. Run it in the repository's top folder.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail, ensure};
use serde::Serialize;
use veilpool_benches::{
    machine::Machine,
    measure::{self, Claim, MIN_RUNS, Memory},
    onchain::{self, OnChain},
    table,
};
use veilpool_params::default_cache_dir;
use veilpool_protocol::MeasurerCount;

const BEGIN: &str = "<!-- generated:benchmarks -->";
const END: &str = "<!-- /generated -->";

#[derive(Serialize)]
struct Report {
    machine: Machine,
    claims: Vec<Claim>,
    on_chain: OnChain,
}

struct Arguments {
    json: bool,
    write: bool,
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
    eprintln!("measuring the on-chain program …");
    let on_chain = onchain::measure()?;
    let text = format!(
        "{}\n{}",
        table::markdown(&machine, &claims),
        table::on_chain(&on_chain)
    );
    if arguments.write {
        write_block(Path::new("README.md"), &text)?;
    }
    if arguments.json {
        let report = Report {
            machine,
            claims,
            on_chain,
        };
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{text}");
    }
    Ok(())
}

/// Puts the text between the markers of a document.
fn write_block(path: &Path, text: &str) -> anyhow::Result<()> {
    let document = fs::read_to_string(path).with_context(|| {
        format!(
            "reading {}: run this in the repository's top folder",
            path.display()
        )
    })?;
    let (head, rest) = document
        .split_once(BEGIN)
        .with_context(|| format!("{} has no {BEGIN}", path.display()))?;
    let (_, tail) = rest
        .split_once(END)
        .with_context(|| format!("{} has no {END}", path.display()))?;
    fs::write(path, format!("{head}{BEGIN}\n{text}{END}{tail}"))
        .with_context(|| format!("writing {}", path.display()))
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
        write: false,
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
            "--write" => parsed.write = true,
            "--runs" => parsed.runs = value()?.parse().context("--runs wants a number")?,
            "--cache" => parsed.cache = value()?.into(),
            "--memory-of" => {
                let n: usize = value()?.parse().context("--memory-of wants a number")?;
                parsed.memory_of = Some(MeasurerCount::try_from(n)?);
            }
            other => bail!(
                "unknown argument {other}; known are --json, --write, --runs N, --cache FOLDER"
            ),
        }
    }
    Ok(parsed)
}
