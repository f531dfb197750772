//! `veilpool pool`: pools on the chain.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{ArgGroup, Args, Subcommand};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_interface::{address, class::default_table, instruction::InitialisePool};
use veilpool_primitives::MeasurerSet;
use veilpool_protocol::{CommitmentBytes, MeasurerKeyBytes};

use crate::{
    cluster::{self, ChainArguments, LOCAL_MINT, PoolArguments},
    keys::{PassphraseArguments, read_wallet},
    output::Output,
};

/// Pools: rules, money, operators.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a pool with the default class table (nine classes; uptime earns more than speed).
    Init(Init),
    /// Prints a pool, and its epochs that are still open.
    Show(Show),
    /// Gives tokens to the pool for shares.
    Deposit(Deposit),
    /// Bonds an operator: takes the bond from the wallet and appends the commitment to the registry. The wallet
    /// is seen as some operator's; it is never connected with a claim.
    Register(Register),
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    #[command(flatten)]
    chain: ChainArguments,
    /// Wallet that pays rent and becomes the pool's authority.
    #[arg(long, value_name = "FILE")]
    wallet: PathBuf,
    /// The pool's token; by default that of `veilpool localnet`.
    #[arg(long, default_value_t = LOCAL_MINT, value_name = "ADDRESS")]
    mint: Pubkey,
    /// Attestation key of a measurer, as `veilpool measurer show` prints it; 3, 5 or 7 times, in order.
    #[arg(long = "measurer", value_name = "U:U'", required = true)]
    measurers: Vec<String>,
    /// Length of an epoch in seconds.
    #[arg(long, default_value_t = 86_400)]
    epoch_seconds: u32,
    /// Length of a claim window in seconds.
    #[arg(long, default_value_t = 172_800)]
    claim_window_seconds: u32,
    /// An operator's bond, in the token's smallest unit.
    #[arg(long, default_value_t = 1_000_000_000)]
    bond: u64,
    /// The most that weight 1 earns in an epoch, in the token's smallest unit.
    #[arg(long, default_value_t = 1_000_000)]
    rate_cap: u64,
    /// The most that an epoch may pay of what is available, in basis points.
    #[arg(long, default_value_t = 100)]
    outflow_bps: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pool: PoolArguments,
}

#[derive(Debug, Args)]
pub(crate) struct Deposit {
    #[command(flatten)]
    pool: PoolArguments,
    /// Wallet that deposits.
    #[arg(long, value_name = "FILE")]
    wallet: PathBuf,
    /// How much, in the token's smallest unit.
    #[arg(long)]
    amount: u64,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("who").required(true).args(["commitment", "identity"]))]
pub(crate) struct Register {
    #[command(flatten)]
    pool: PoolArguments,
    /// Wallet that bonds.
    #[arg(long, value_name = "FILE")]
    wallet: PathBuf,
    /// The operator's commitment, as `veilpool identity show` prints it.
    #[arg(long, value_name = "HEX")]
    commitment: Option<CommitmentBytes>,
    /// The operator's secret, if it is on this machine.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

#[derive(Serialize)]
struct Sent {
    pool: String,
    signature: String,
    compute_units: Option<u64>,
}

#[derive(Serialize)]
struct Description {
    pool: String,
    mint: String,
    assets: u64,
    reserved: u64,
    operators: u32,
    measurers: usize,
    bond: u64,
    epoch_seconds: u32,
    claim_window_seconds: u32,
    rate_cap: u64,
    next_epoch: u32,
    epochs: Vec<OpenEpoch>,
}

#[derive(Serialize)]
struct OpenEpoch {
    epoch: u32,
    starts_at: i64,
    ends_at: i64,
    claim_until: i64,
    leaves: u32,
    rate: u64,
    reserved: u64,
    claims: u32,
}

pub(crate) async fn run(command: Command, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Init(arguments) => init(arguments, output).await,
        Command::Show(arguments) => show(&arguments.pool, output).await,
        Command::Deposit(arguments) => {
            let wallet = read_wallet(&arguments.wallet)?;
            let chain = arguments.pool.chain.connect();
            let pool = arguments.pool.pool;
            let receipt = cluster::deposit(&chain, &pool, &wallet, arguments.amount).await?;
            print(&pool, &receipt, "deposited to the pool", output)
        }
        Command::Register(arguments) => register(arguments, output).await,
    }
}

/// An attestation key from `U:U'`, both of 64 hexadecimal digits.
pub(crate) fn parse_key(text: &str) -> anyhow::Result<MeasurerKeyBytes> {
    let Some((u, shifted_u)) = text.split_once(':') else {
        bail!(
            "'{text}' is not a measurer's key: U:U' is expected, as `veilpool measurer show` prints it"
        );
    };
    let parse = |part: &str| {
        part.parse()
            .map_err(|error| anyhow::anyhow!("'{text}' is not a measurer's key: {error}"))
    };
    Ok(MeasurerKeyBytes {
        u: parse(u)?,
        shifted_u: parse(shifted_u)?,
    })
}

async fn init(arguments: Init, output: Output) -> anyhow::Result<()> {
    let measurers = arguments
        .measurers
        .iter()
        .map(|text| parse_key(text))
        .collect::<anyhow::Result<Vec<_>>>()?;
    // The program can't check that keys are in the prime-order subgroup: this is where it is done.
    MeasurerSet::from_bytes(&measurers).context("these keys can't be a measurer set")?;
    let wallet = read_wallet(&arguments.wallet)?;
    let chain = arguments.chain.connect();
    let rules = InitialisePool {
        measurers,
        classes: default_table(),
        bond_amount: arguments.bond,
        epoch_seconds: arguments.epoch_seconds,
        claim_window_seconds: arguments.claim_window_seconds,
        rate_cap: arguments.rate_cap,
        outflow_bps: arguments.outflow_bps,
        genesis_hash: chain.genesis_hash().await?,
    };
    let (pool, receipt) = cluster::initialise_pool(&chain, &wallet, &arguments.mint, rules).await?;
    print(
        &pool,
        &receipt,
        &format!("pool made by {}", wallet.pubkey()),
        output,
    )
}

async fn register(arguments: Register, output: Output) -> anyhow::Result<()> {
    let commitment = match (arguments.commitment, &arguments.identity) {
        (Some(commitment), _) => commitment,
        (None, Some(identity)) => {
            veilpool_node::identity::read(identity, arguments.passphrase.read()?.as_ref())?
                .commitment()
                .to_bytes()
        }
        (None, None) => bail!("give --commitment or --identity"),
    };
    let wallet = read_wallet(&arguments.wallet)?;
    let chain = arguments.pool.chain.connect();
    let pool = arguments.pool.pool;
    let receipt = cluster::register(&chain, &pool, &wallet, commitment).await?;
    print(
        &pool,
        &receipt,
        "operator bonded; it takes part from the next epoch that opens",
        output,
    )
}

fn print(
    pool: &Pubkey,
    receipt: &veilpool_chain::Receipt,
    what: &str,
    output: Output,
) -> anyhow::Result<()> {
    let sent = Sent {
        pool: pool.to_string(),
        signature: receipt.signature.to_string(),
        compute_units: receipt.compute_units,
    };
    output.show(&sent, || {
        format!(
            "{what}\n  pool {}\n  transaction {}",
            sent.pool, sent.signature
        )
    })
}

async fn show(arguments: &PoolArguments, output: Output) -> anyhow::Result<()> {
    let chain = arguments.chain.connect();
    let pool = chain.pool(&arguments.pool).await?;
    let mut epochs = chain.epochs(&arguments.pool).await?;
    epochs.sort_unstable_by_key(|epoch| epoch.number);
    let description = Description {
        pool: arguments.pool.to_string(),
        mint: address::pubkey(&pool.mint).to_string(),
        assets: pool.assets,
        reserved: pool.reserved,
        operators: pool.registry.leaf_count,
        measurers: pool.measurers.len(),
        bond: pool.bond_amount,
        epoch_seconds: pool.epoch_seconds,
        claim_window_seconds: pool.claim_window_seconds,
        rate_cap: pool.rate_cap,
        next_epoch: pool.next_epoch.get(),
        epochs: epochs
            .iter()
            .map(|epoch| OpenEpoch {
                epoch: epoch.number.get(),
                starts_at: epoch.starts_at,
                ends_at: epoch.ends_at,
                claim_until: epoch.claim_until,
                leaves: epoch.leaf_count,
                rate: epoch.rate,
                reserved: epoch.reserved,
                claims: epoch.claims,
            })
            .collect(),
    };
    output.show(&description, || {
        let d = &description;
        let mut text = format!(
            "pool {}\n  mint {}\n  assets {} (of them reserved {})\n  operators {}, measurers {}, bond {}\n  epochs of {} s, claim \
             window {} s, rate cap {}; next epoch {}",
            d.pool, d.mint, d.assets, d.reserved, d.operators, d.measurers, d.bond, d.epoch_seconds,
            d.claim_window_seconds, d.rate_cap, d.next_epoch
        );
        for e in &d.epochs {
            text.push_str(&format!(
                "\n  epoch {}: {} to {}, claims until {}; {} leaves, rate {}, still reserved {}, {} claims",
                e.epoch, e.starts_at, e.ends_at, e.claim_until, e.leaves, e.rate, e.reserved, e.claims
            ));
        }
        text
    })
}
