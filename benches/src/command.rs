//! `veilpool bench`: which parts are measured, how often, and where the results go.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, ValueEnum};
use veilpool_params::default_cache_dir;
use veilpool_protocol::MeasurerCount;

use crate::{
    child::Host,
    circuits, contests, halo2,
    machine::Machine,
    onchain,
    peers::{Depth, Install, Package, install::versions},
    plot,
    progress::Progress,
    proving,
    report::{self, Circuits, Part, Peers, Report},
    scaling,
    stats::MIN_RUNS,
    table,
};

/// The document that tables are written into; also the template of a new one.
const DOCUMENT: &str = include_str!("../../docs/benchmarks.md");
const DOCUMENT_FILE: &str = "benchmarks.md";

/// Measures circuits, proving, memory, and other provers beside ours.
///
/// Without `--quick`: every circuit, peers for n = 3, 5, 7 and Semaphore; under twenty minutes, once the peers are set up
/// (they are installed by npm and make development keys below the cache folder, which takes some minutes the first time).
/// With `--quick`: n = 5 only; under two minutes. Tables go into benchmarks.md, between markers, figures into
/// benchmarks.json, plots into benchmarks/*.svg.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// Fewer circuits.
    #[arg(long)]
    pub quick: bool,
    /// Measures these parts only, and keeps the rest of an earlier run's results.
    #[arg(long, value_delimiter = ',', value_name = "PART,…")]
    pub only: Vec<Section>,
    /// Runs that each median is of.
    #[arg(long, default_value_t = MIN_RUNS, value_parser = at_least_five)]
    pub runs: usize,
    /// Has rapidsnark take part: the path of its binary, called as `rapidsnark KEY.zkey WITNESS.wtns PROOF PUBLIC`.
    #[arg(long, value_name = "PATH")]
    pub rapidsnark: Option<PathBuf>,
    /// Where results go. In the repository's top folder that is docs, and below the cache with --quick and elsewhere.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Where parameters are kept.
    #[arg(long, value_name = "FOLDER", default_value_os_t = default_cache_dir())]
    pub cache: PathBuf,
    /// Does one task of a measurement, and prints its answer. This is how the command runs itself.
    #[arg(long, hide = true, value_name = "JSON")]
    pub task: Option<String>,
}

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Section {
    /// Constraints by n and size of the registry, beside circom's.
    Circuits,
    /// Witness, proof and verification by n and threads.
    Proving,
    /// Peak memory of a process that proves once.
    Memory,
    /// Proving by size of the registry.
    Scaling,
    /// The claim and the listing in halo2.
    Halo2,
    /// snarkjs, stock arkworks, Semaphore.
    Peers,
    /// Compute units of the program. Wants the repository, and builds the Solana runtime; only when asked for.
    Chain,
}

impl Section {
    const DEFAULT: [Self; 6] = [
        Self::Circuits,
        Self::Proving,
        Self::Memory,
        Self::Scaling,
        Self::Halo2,
        Self::Peers,
    ];
}

fn at_least_five(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(runs) if runs >= MIN_RUNS => Ok(runs),
        Ok(_) => Err(format!("a median wants at least {MIN_RUNS} runs")),
        Err(_) => Err("not a number".to_owned()),
    }
}

/// Measures, writes the results, and gives them back with the tables.
///
/// # Errors
/// Whatever keeps a part from being measured or written.
pub fn run(
    arguments: &Arguments,
    host: &Host,
    progress: &mut dyn Progress,
) -> anyhow::Result<(Report, String)> {
    let out = out_folder(arguments);
    let mut report = Report::earlier(&out)?;
    let sections = if arguments.only.is_empty() {
        &Section::DEFAULT[..]
    } else {
        &arguments.only[..]
    };
    for section in sections {
        measure(*section, arguments, host, &mut report, progress)?;
        // After each part, so that a later one's failure loses nothing.
        write(&report, &out)?;
    }
    progress.begins(&format!("written to {}", out.display()));
    Ok((report.clone(), table::all(&report)))
}

fn measure(
    section: Section,
    arguments: &Arguments,
    host: &Host,
    report: &mut Report,
    progress: &mut dyn Progress,
) -> anyhow::Result<()> {
    let &Arguments { quick, runs, .. } = arguments;
    let cache = &arguments.cache;
    let counts: &[MeasurerCount] = if quick {
        &[MeasurerCount::Five]
    } else {
        &MeasurerCount::ALL
    };
    let install = |package, progress: &mut dyn Progress| {
        Install::ready(package, &peers_folder(cache), progress)
    };
    match section {
        Section::Circuits => {
            let depths = if quick { &Depth::ALL[..1] } else { &Depth::ALL };
            let rows = circuits::measure(depths, &install(Package::Circom, progress)?, progress)?;
            let sizes = circuits::sizes();
            report.circuits = part(quick, Circuits { rows, sizes });
        }
        Section::Proving => {
            report.proving = part(
                quick,
                proving::measure(host, counts, cache, runs, progress)?,
            );
        }
        Section::Memory => {
            report.memory = part(
                quick,
                proving::measure_memory(host, counts, cache, progress)?,
            );
        }
        Section::Scaling => {
            let sizes: Vec<_> = counts
                .iter()
                .flat_map(|n| Depth::ALL.map(|depth| (*n, depth)))
                .collect();
            report.scaling = part(quick, scaling::measure(host, &sizes, runs, progress)?);
        }
        Section::Halo2 => {
            report.halo2 = part(quick, halo2::measure(host, counts, runs, progress)?);
        }
        Section::Peers => {
            let circom = install(Package::Circom, progress)?;
            let semaphore = install(Package::Semaphore, progress)?;
            let rapidsnark = arguments.rapidsnark.as_deref();
            let versions = versions(&circom, &semaphore, rapidsnark)?;
            let setting = contests::Setting {
                host,
                circom: &circom,
                semaphore: &semaphore,
                cache,
                rapidsnark,
            };
            let contests = setting.run(counts, runs, progress)?;
            report.peers = part(quick, Peers { versions, contests });
        }
        Section::Chain => {
            progress.begins("compute units of the program's instructions");
            report.chain = part(quick, onchain::measure()?);
        }
    }
    Ok(())
}

fn part<T>(quick: bool, data: T) -> Option<Part<T>> {
    Some(Part {
        machine: Machine::this(),
        quick,
        data,
    })
}

// Beside the parameters.
fn peers_folder(cache: &Path) -> PathBuf {
    beside(cache, "peers")
}

fn beside(cache: &Path, name: &str) -> PathBuf {
    cache.parent().unwrap_or(cache).join(name)
}

fn out_folder(arguments: &Arguments) -> PathBuf {
    arguments.out.clone().unwrap_or_else(|| {
        if !arguments.quick && Path::new("docs").join(DOCUMENT_FILE).exists() {
            PathBuf::from("docs")
        } else {
            beside(&arguments.cache, "benchmarks")
        }
    })
}

// The README has a short table, where there is one with a place for it.
fn write(report: &Report, out: &Path) -> anyhow::Result<()> {
    let plots = out.join("benchmarks");
    fs::create_dir_all(&plots).with_context(|| format!("making {}", plots.display()))?;
    write_file(&out.join(report::FILE), &report.to_json()?)?;
    for (name, svg) in plot::all(report) {
        write_file(&plots.join(name), &svg)?;
    }
    let path = out.join(DOCUMENT_FILE);
    let mut document = if path.exists() {
        fs::read_to_string(&path).with_context(|| path.display().to_string())?
    } else {
        DOCUMENT.to_owned()
    };
    for (block, text) in table::blocks(report) {
        document = report::fill(&document, block, &text)?;
    }
    write_file(&path, &document)?;
    let readme = out.join("../README.md");
    if let Ok(text) = fs::read_to_string(&readme)
        && text.contains("<!-- generated:benchmarks -->")
    {
        write_file(
            &readme,
            &report::fill(&text, "benchmarks", &table::short(report))?,
        )?;
    }
    Ok(())
}

// Whole or not at all.
fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    fs::write(&part, text)
        .and_then(|()| fs::rename(&part, path))
        .with_context(|| format!("writing {}", path.display()))
}
