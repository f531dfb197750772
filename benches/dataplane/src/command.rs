//! What is measured, in which order, and where results go.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::{
    ends::Duties,
    entrant::{Entrant, Field, install},
    lab,
    machine::Machine,
    measure::{self, ALL, ONE, Pair, Sample},
    needs,
    report::{Part, Report, Row, fill},
    table,
};

/// The document that tables are written into; also the template of a new one.
const DOCUMENT: &str = include_str!("../../../docs/dataplane.md");
const DOCUMENT_FILE: &str = "dataplane.md";
/// A limit that no peer reaches here: what is measured is what looking at it costs.
const HIGH_LIMIT: f64 = 100_000.0;
/// Configured peers that are silent.
const IDLE: u16 = 500;
/// Peers that send.
const ACTIVE: u8 = 100;

/// What is asked for.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// Measures these parts only, and keeps the rest of an earlier run's results.
    #[arg(long, value_delimiter = ',', value_name = "PART,…")]
    only: Vec<Section>,
    /// Rounds that each median is of. All pairs take part in each round, in another order.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Seconds of each transfer.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=100))]
    seconds: u32,
    /// Has another wireguard-go take part beside the one on PATH. Can be given several times.
    #[arg(long, value_name = "PATH")]
    wireguard_go: Vec<PathBuf>,
    /// Compiles boringtun-cli and gotatun-cli first (some minutes).
    #[arg(long)]
    install_peers: bool,
    /// Where they are.
    #[arg(long, value_name = "FOLDER", default_value_os_t = peers_folder())]
    peers_folder: PathBuf,
    /// Where results go. In the repository's top folder that is docs.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Section {
    /// Everybody: TCP, UDP, processor time, latency.
    Contest,
    /// Ours with policy and rate limit, and without.
    Policy,
    /// Ours with 500 silent peers, and without.
    Idle,
    /// Ours with 100 peers that send, and with one.
    Active,
    /// Ours under a flood of handshakes.
    Flood,
}

impl Section {
    const fn name(self) -> &'static str {
        match self {
            Self::Contest => "contest",
            Self::Policy => "policy",
            Self::Idle => "idle",
            Self::Active => "active",
            Self::Flood => "flood",
        }
    }
}

/// How a row is measured.
type Measure = Box<dyn Fn(&Pair, u32) -> anyhow::Result<Sample>>;

/// A row to be measured.
struct Plan {
    pair: Pair,
    variant: &'static str,
    measure: Measure,
}

impl Plan {
    fn new(
        [client, exit]: [&Entrant; 2],
        variant: &'static str,
        measure: impl Fn(&Pair, u32) -> anyhow::Result<Sample> + 'static,
    ) -> Self {
        Self {
            pair: Pair {
                client: client.clone(),
                exit: exit.clone(),
            },
            variant,
            measure: Box::new(measure),
        }
    }
}

/// Measures and writes.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    needs::check()?;
    if arguments.install_peers {
        install(&arguments.peers_folder)?;
    }
    let field = Field::gather(&arguments.wireguard_go, &arguments.peers_folder)?;
    for name in &field.absent {
        eprintln!("{name} takes no part: it isn't on PATH; --install-peers compiles it");
    }
    // Not before: what is started then inherits that signals are held back, and a compiler should end by Ctrl-C.
    lab::clean_up_on_signals()?;
    lab::sweep();
    let out = out_folder(arguments)?;
    let mut report = Report::earlier(&out);
    let sections = match arguments.only.as_slice() {
        [] => Section::value_variants(),
        some => some,
    };
    let begun = Instant::now();
    for section in sections {
        let part = measure(*section, &field, arguments, begun)?;
        report.parts.insert(section.name().to_owned(), part);
        // After each part, so that a later one's failure loses nothing.
        report.write(&out)?;
        write_document(&report, &out)?;
    }
    for block in table::BLOCKS {
        println!("{}", table::block(block, &report));
    }
    eprintln!(
        "[{:>4} s] written to {}",
        begun.elapsed().as_secs(),
        out.display()
    );
    Ok(())
}

fn plans(section: Section, field: &Field) -> Vec<Plan> {
    let ours = Entrant::Tun;
    let transfers = |kinds: &'static [measure::Kind], duties: Duties| {
        move |pair: &Pair, seconds| measure::transfers(pair, duties, kinds, seconds)
    };
    let duties = |guarded, idle| transfers(&ONE, Duties { guarded, idle });
    let both = [&ours, &ours];
    match section {
        Section::Contest => {
            let peers: Vec<_> = field.peers.iter().cloned().map(Entrant::Peer).collect();
            let nothing = Entrant::Nothing;
            let mut pairs = vec![[&nothing, &nothing], both, [&ours, &Entrant::Userspace]];
            pairs.extend(peers.iter().map(|peer| [peer, peer]));
            pairs.extend(peers.iter().map(|peer| [&ours, peer]));
            let all = |pair| Plan::new(pair, "", transfers(&ALL, Duties::default()));
            pairs.into_iter().map(all).collect()
        }
        Section::Policy => vec![
            Plan::new(both, "metering only", duties(None, 0)),
            Plan::new(
                both,
                "metering, policy and limit",
                duties(Some(HIGH_LIMIT), 0),
            ),
        ],
        Section::Idle => vec![
            Plan::new(both, "1 peer", duties(None, 0)),
            Plan::new(both, "1 peer beside 500 silent ones", duties(None, IDLE)),
        ],
        Section::Active => vec![
            Plan::new(both, "1", |pair, seconds| measure::active(pair, 1, seconds)),
            Plan::new(both, "100", |pair, seconds| {
                measure::active(pair, ACTIVE, seconds)
            }),
        ],
        Section::Flood => vec![Plan::new(both, "", measure::flooded)],
    }
}

fn measure(
    section: Section,
    field: &Field,
    arguments: &Arguments,
    begun: Instant,
) -> anyhow::Result<Part> {
    let &Arguments {
        rounds, seconds, ..
    } = arguments;
    let machine = Machine::this();
    let plans = plans(section, field);
    let mut rows: Vec<Row> = plans
        .iter()
        .map(|plan| {
            let Pair { client, exit } = &plan.pair;
            Row::new(client.to_string(), exit.to_string(), plan.variant)
        })
        .collect();
    for round in 0..rounds as usize {
        for step in 0..plans.len() {
            // Nobody is always first.
            let at = (step + round) % plans.len();
            let (Some(plan), Some(row)) = (plans.get(at), rows.get_mut(at)) else {
                continue;
            };
            eprintln!(
                "[{:>4} s] {}, round {} of {rounds}: {} → {} {}",
                begun.elapsed().as_secs(),
                section.name(),
                round + 1,
                row.client,
                row.exit,
                row.variant
            );
            // A pair that fails once is absent in that round; everybody else's figures stay.
            let sample = (plan.measure)(&plan.pair, seconds).unwrap_or_else(|error| {
                eprintln!("         failed: {error:#}");
                Sample::new()
            });
            row.push(sample);
        }
    }
    if rows.iter().all(|row| row.medians.is_empty()) {
        bail!("nothing of '{}' could be measured", section.name());
    }
    let absent = match section {
        Section::Contest => field.absent.clone(),
        _ => Vec::new(),
    };
    Ok(Part {
        machine,
        rounds,
        seconds,
        absent,
        rows,
    })
}

fn write_document(report: &Report, folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(DOCUMENT_FILE);
    let mut document = fs::read_to_string(&path).unwrap_or_else(|_| DOCUMENT.to_owned());
    for block in table::BLOCKS {
        document = fill(&document, block, &table::block(block, report))?;
    }
    fs::write(&path, document).with_context(|| path.display().to_string())
}

fn out_folder(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder)?;
        return Ok(folder.clone());
    }
    let docs = PathBuf::from("docs");
    if docs.join(DOCUMENT_FILE).is_file() {
        return Ok(docs);
    }
    bail!("this isn't the repository's top folder; say with --out where results go")
}

fn peers_folder() -> PathBuf {
    let home = env::var_os("HOME").map_or_else(env::temp_dir, PathBuf::from);
    home.join(".cache/veilpool/peers")
}
