//! `veilpool node`.

pub(crate) mod file;
mod guest;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Serialize;
use veilpool_interface::address;
use veilpool_node::{
    Node, NodeConfig, NodeStatus, claim, exit::PolicySource, http::Http, identity,
    measurers::Measurer, relayers::Relayer, status_from_store, store::Store,
};
use veilpool_params::default_cache_dir;
use veilpool_protocol::{ClassId, EpochId};

use crate::{cluster::PoolArguments, keys::PassphraseArguments, output::Output, signals};

/// A node forwards WireGuard traffic, is measured, and claims what it earned. It needs no root.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs until it is told to end. Killed at any instant it goes on where it was when it is started again.
    Run(Box<Run>),
    /// Shows how it fares: epochs, classes, payments, and why a slot or a claim failed. Works while it runs or not.
    Status(Status),
    /// Asks measurers what they have on the node: every slot and round, with its reason.
    Results(Results),
    /// Writes a claim's document for `veilpool prove`. It names leaf and nullifier together: keep it to yourself.
    ExportClaim(Box<ExportClaim>),
    Guest(Box<guest::Guest>),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// File of options: TOML whose keys are the options below, without dashes in front, and lists where an option may be
    /// given several times. What the command line says holds, and adds to lists.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    pool: PoolArguments,
    /// The operator's secret.
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    /// Folder of the state.
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
    /// Where WireGuard listens, UDP.
    #[arg(long, default_value = "0.0.0.0:51820", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The public address that measurers are told, when it isn't the one listened on (NAT).
    #[arg(long, value_name = "ADDRESS")]
    endpoint: Option<SocketAddr>,
    /// URL of a measurer of the pool; once for each.
    #[arg(long = "measurer", value_name = "URL", required = true)]
    measurers: Vec<String>,
    /// URL of a relayer; a claim goes to one of them at random.
    #[arg(long = "relayer", value_name = "URL")]
    relayers: Vec<String>,
    /// The most that a relayer may keep of a claim, in the token's smallest unit.
    #[arg(long, default_value_t = 10_000)]
    max_fee: u64,
    /// Claims at most the weight of this class of the pool's table: a larger crowd to hide in.
    #[arg(long, value_name = "CLASS")]
    max_class: Option<u8>,
    /// Megabits per second that guests may use together, each way.
    #[arg(long, value_name = "MBIT")]
    rate_limit: Option<f64>,
    /// Lets guests reach this address although it is loopback or private: for a reflector of a test on this
    /// machine. Several times for several.
    #[arg(long = "allow-destination", value_name = "ADDRESS")]
    allowed: Vec<SocketAddr>,
    /// Where guests may go: a file as docs/policy.example.toml. It is read again when it changes, and at SIGHUP.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Claims between these fractions of the claim window, at a time drawn at random.
    #[arg(long, default_value = "0.0..0.8", value_parser = parse_fractions, value_name = "FROM..TO")]
    claim_delay: std::ops::Range<f32>,
    /// Collects attestations but makes no claims.
    #[arg(long)]
    no_claim: bool,
    /// Folder of the proving keys.
    #[arg(long, env = "VEILPOOL_PARAMS", value_name = "FOLDER")]
    cache: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Folder of the state.
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The operator's secret.
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    /// Which epoch.
    #[arg(long)]
    epoch: u32,
    /// URL of a measurer; once for each.
    #[arg(long = "measurer", value_name = "URL", required = true)]
    measurers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportClaim {
    #[command(flatten)]
    pool: PoolArguments,
    /// The operator's secret.
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    /// Folder of the node's state.
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
    /// Which epoch.
    #[arg(long)]
    epoch: u32,
    /// URL of the relayer that the claim is bound to.
    #[arg(long, value_name = "URL")]
    relayer: String,
    /// The new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Running {
    wireguard: String,
}

fn parse_fractions(text: &str) -> Result<std::ops::Range<f32>, String> {
    let (from, to) = text
        .split_once("..")
        .ok_or("two fractions are expected, as 0.0..0.8")?;
    let parse = |part: &str| part.parse::<f32>().map_err(|error| error.to_string());
    Ok(parse(from)?..parse(to)?)
}

pub(crate) async fn run(command: Command, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Run(arguments) => daemon(*arguments, output).await,
        Command::Status(arguments) => {
            let status = status_from_store(&arguments.state).await?;
            output.show(&status, || text(&status))
        }
        Command::Results(arguments) => results(arguments, output).await,
        Command::ExportClaim(arguments) => export(*arguments, output).await,
        Command::Guest(arguments) => guest::run(&arguments, output),
    }
}

async fn daemon(arguments: Run, output: Output) -> anyhow::Result<()> {
    if let Some(file) = &arguments.config {
        tracing::info!(file = %file.display(), "configuration");
    }
    let secret = identity::read(&arguments.identity, arguments.passphrase.read()?.as_ref())?;
    let chain = arguments.pool.chain;
    let mut config = NodeConfig::new(
        chain.rpc,
        chain.program,
        arguments.pool.pool,
        arguments.state,
        arguments.listen,
    );
    config.exit.bounds.rate_limit = arguments.rate_limit;
    config.policy = Some(PolicySource {
        file: arguments.policy,
        allowed: arguments.allowed,
        endpoint: arguments.endpoint,
    });
    config.endpoint = arguments.endpoint;
    config.measurers = arguments.measurers;
    config.relayers = arguments.relayers;
    config.max_fee = arguments.max_fee;
    config.max_class = arguments.max_class.map(ClassId::new);
    config.claim_delay = arguments.claim_delay;
    config.auto_claim = !arguments.no_claim;
    // Read from the cache for each proof: a router has better uses for the memory in between.
    let cache = arguments.cache.unwrap_or_else(default_cache_dir);
    let node = Node::start(config, secret, cache).await?;
    let running = Running {
        wireguard: arguments.listen.to_string(),
    };
    output.show(&running, || {
        format!("node: WireGuard on {}; Ctrl-C ends it", running.wireguard)
    })?;
    let mut hang_up = signals::hang_up()?;
    loop {
        tokio::select! {
            ended = signals::ended() => break ended?,
            _ = hang_up.recv() => node.reload(),
        }
    }
    node.shutdown().await;
    Ok(())
}

async fn export(arguments: ExportClaim, output: Output) -> anyhow::Result<()> {
    let secret = identity::read(&arguments.identity, arguments.passphrase.read()?.as_ref())?;
    let chain = arguments.pool.chain.connect();
    let (pool, number) = (arguments.pool.pool, EpochId::new(arguments.epoch));
    let store = Store::open_to_read(&arguments.state).await?;
    let records = store.records().await?;
    store.close().await;
    let record = records
        .iter()
        .find(|record| record.epoch == number)
        .with_context(|| format!("the node has no record of epoch {number}"))?;
    let choice = record
        .choice
        .context("no class has been chosen yet: the epoch isn't over, or too few attestations came; see `veilpool node status`")?;
    let epoch = chain
        .epoch(&pool, number)
        .await?
        .context("the epoch's account is closed")?;
    let on_chain = chain.pool(&pool).await?;
    let pool_bytes = address::bytes(&pool);
    let info = Relayer::new(Http::new()?, arguments.relayer.clone())
        .info(&pool_bytes)
        .await?;
    let ids = (
        address::bytes(chain.program()),
        pool_bytes,
        on_chain.rules.mint,
    );
    let bound_to = (info.relayer, info.fee);
    let binding = claim::inputs::binding(ids, record, choice.class, bound_to, &secret);
    let leaves = chain.leaves(&pool, &epoch).await?;
    let document = claim::document(
        record,
        &epoch,
        leaves,
        on_chain.rules.domain,
        &binding,
        &secret,
    )?;
    veilpool_keyfile::write_new(&arguments.out, document.to_json().as_bytes())?;
    output.show(&arguments.out, || arguments.out.display().to_string())
}

/// What measurers have on the node, slot by slot and round by round, with their reasons.
async fn results(arguments: Results, output: Output) -> anyhow::Result<()> {
    let secret = identity::read(&arguments.identity, arguments.passphrase.read()?.as_ref())?;
    let epoch = EpochId::new(arguments.epoch);
    let subject = secret.subject(epoch).to_bytes();
    let http = Http::new()?;
    let mut reports = BTreeMap::new();
    for url in arguments.measurers {
        let report = Measurer::new(http.clone(), url.clone())
            .results(epoch, &subject)
            .await?;
        reports.insert(url, report);
    }
    output.show(&reports, || {
        let mut lines = Vec::new();
        for (url, report) in &reports {
            let mut counts: BTreeMap<String, u16> = BTreeMap::new();
            for slot in &report.slots {
                let debug = format!("{:?}", slot.outcome);
                let name = debug
                    .split([' ', '{'])
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                *counts.entry(name).or_default() += 1;
            }
            lines.push(format!(
                "{url}: {} slots over, {counts:?}",
                report.slots.len()
            ));
            for round in &report.rounds {
                lines.push(format!("  round {}: {:?}", round.round, round.outcome));
            }
        }
        lines.join("\n")
    })
}

fn text(status: &NodeStatus) -> String {
    let traffic = status.traffic;
    let mut lines = vec![format!(
        "node on {}, {} bytes from guests, {} to guests",
        status.address.map_or_else(
            || "no address yet".to_owned(),
            |address| address.to_string()
        ),
        traffic.up,
        traffic.down
    )];
    for epoch in &status.epochs {
        let mut line = format!("  epoch {}: {}", epoch.epoch, epoch.state.name());
        if let (Some(class), Some(weight)) = (epoch.class, epoch.weight) {
            line.push_str(&format!(", class {class} (weight {weight})"));
        }
        if let (Some(amount), Some(fee), Some(payout)) = (epoch.amount, epoch.fee, &epoch.payout) {
            line.push_str(&format!(", {amount} paid to {payout} (fee {fee})"));
        }
        lines.push(line);
        lines.extend(epoch.reason.iter().map(|reason| format!("    {reason}")));
        for listing in &epoch.listings {
            if let Some(reason) = &listing.reason {
                lines.push(format!(
                    "    not listed with {}: {reason}",
                    listing.measurer
                ));
            }
        }
        for attestation in &epoch.attestations {
            lines.push(match (&attestation.metrics, &attestation.fault) {
                (Some(seen), _) => format!(
                    "    {}: {} Mbit/s, {} of 144 slots, {} ms",
                    attestation.measurer,
                    seen.bandwidth.mbit_per_second(),
                    seen.uptime,
                    seen.latency
                ),
                (None, fault) => format!(
                    "    {}: {}",
                    attestation.measurer,
                    fault.as_deref().unwrap_or("nothing")
                ),
            });
        }
    }
    lines.join("\n")
}
