//! Governance: `proposals`, `execute`, `cancel`, `pause`, `resume`, `hand-over`, `accept`.

use anyhow::{Context, bail};
use clap::{ArgGroup, Args};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_interface::{Change, Proposal, address, builder};
use veilpool_protocol::AddressBytes;

use super::{Nothing, Signed, describe::Describe, print};
use crate::{
    cluster::{self, PoolArguments},
    output::Output,
};

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pool: PoolArguments,
}

#[derive(Debug, Args)]
pub(crate) struct Numbered {
    #[command(flatten)]
    signed: Signed,
    /// The proposal's number, as `veilpool pool proposals` prints it.
    #[arg(long)]
    number: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Plain {
    #[command(flatten)]
    signed: Signed,
}

#[derive(Debug, Args)]
pub(crate) struct Pause {
    #[command(flatten)]
    signed: Signed,
    /// For how long: at most the timelock, and not before claims have been open for as long since the last pause.
    #[arg(long)]
    seconds: u32,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("next").required(true).args(["to", "to_nobody"]))]
pub(crate) struct HandOver {
    #[command(flatten)]
    signed: Signed,
    /// To whom; they take it over with `veilpool pool accept`.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<Pubkey>,
    /// To nobody: takes an earlier hand-over back.
    #[arg(long)]
    to_nobody: bool,
}

/// A proposal, for people and scripts.
#[derive(Serialize)]
struct Waiting {
    number: u32,
    proposer: String,
    ready_at: i64,
    expires_at: i64,
    state: &'static str,
    #[serde(flatten)]
    change: Describe,
}

impl Waiting {
    fn of(proposal: &Proposal, now: i64) -> Self {
        let state = if now < proposal.ready_at {
            "waits"
        } else if now < proposal.expires_at {
            "ready"
        } else {
            "expired"
        };
        Self {
            number: proposal.number,
            proposer: address::pubkey(&proposal.proposer).to_string(),
            ready_at: proposal.ready_at,
            expires_at: proposal.expires_at,
            state,
            change: Describe::of(&proposal.change),
        }
    }
}

pub(super) async fn list(arguments: &List, output: Output) -> anyhow::Result<()> {
    let chain = arguments.pool.chain.connect();
    let address = arguments.pool.pool;
    let (pool, now) = (chain.pool(&address).await?, chain.now().await?);
    let mut proposals = chain.proposals(&address).await?;
    proposals.sort_by_key(|proposal| proposal.number);
    let waiting: Vec<Waiting> = proposals
        .iter()
        .map(|proposal| Waiting::of(proposal, now))
        .collect();
    output.show(&waiting, || {
        if waiting.is_empty() {
            return "no proposal waits".to_owned();
        }
        let mut lines = Vec::new();
        for it in &waiting {
            let when = match it.state {
                "waits" => format!("ready in {} s", it.ready_at.saturating_sub(now)),
                "ready" => format!("ready, expires in {} s", it.expires_at.saturating_sub(now)),
                _ => "expired".to_owned(),
            };
            lines.push(format!("proposal {}: {}", it.number, when));
            let against = it.change.lines(&pool);
            lines.extend(against.into_iter().map(|line| format!("  {line}")));
        }
        lines.join("\n")
    })
}

pub(super) async fn execute(arguments: &Numbered, output: Output) -> anyhow::Result<()> {
    let (chain, pool, wallet) = arguments.signed.open()?;
    let number = arguments.number;
    let proposal = chain
        .proposal(&pool, number)
        .await?
        .with_context(|| format!("no proposal {number} waits in this pool"))?;
    // The key that the pool has afterwards.
    let key = match &proposal.change {
        Change::Measurers { verifying_key, .. } => *verifying_key,
        _ => chain.pool(&pool).await?.rules.verifying_key,
    };
    let proposer = address::pubkey(&proposal.proposer);
    let instruction = builder::execute_proposal(chain.program(), &pool, &proposer, number, &key);
    let what = "the proposal was not carried out";
    let receipt = cluster::send(&chain, &wallet, &[instruction], what).await?;
    let what = format!("proposal {number} carried out; epochs that are open keep what they froze");
    print(&pool, &receipt, &what, Nothing {}, output)
}

pub(super) async fn cancel(arguments: &Numbered, output: Output) -> anyhow::Result<()> {
    let (chain, pool, wallet) = arguments.signed.open()?;
    let number = arguments.number;
    let instruction = builder::cancel_proposal(chain.program(), &pool, &wallet.pubkey(), number);
    let what = "the proposal was not taken back";
    let receipt = cluster::send(&chain, &wallet, &[instruction], what).await?;
    let what = format!("proposal {number} taken back");
    print(&pool, &receipt, &what, Nothing {}, output)
}

pub(super) async fn pause(arguments: &Pause, output: Output) -> anyhow::Result<()> {
    let (chain, pool, wallet) = arguments.signed.open()?;
    let seconds = arguments.seconds;
    let instruction = builder::pause_claims(chain.program(), &pool, &wallet.pubkey(), seconds);
    let what = "claims were not paused";
    let receipt = cluster::send(&chain, &wallet, &[instruction], what).await?;
    let what =
        format!("claims are paused for {seconds} s, and their windows last longer by as much");
    print(&pool, &receipt, &what, Nothing {}, output)
}

pub(super) async fn resume(arguments: &Plain, output: Output) -> anyhow::Result<()> {
    let (chain, pool, wallet) = arguments.signed.open()?;
    let instruction = builder::resume_claims(chain.program(), &pool, &wallet.pubkey());
    let what = "the pause was not ended";
    let receipt = cluster::send(&chain, &wallet, &[instruction], what).await?;
    print(
        &pool,
        &receipt,
        "claims are taken again",
        Nothing {},
        output,
    )
}

pub(super) async fn hand_over(arguments: &HandOver, output: Output) -> anyhow::Result<()> {
    let (chain, pool, wallet) = arguments.signed.open()?;
    let next = arguments
        .to
        .map_or(AddressBytes::new([0; 32]), |next| address::bytes(&next));
    let instruction = builder::propose_authority(chain.program(), &pool, &wallet.pubkey(), next);
    let what = "nothing was handed over";
    let receipt = cluster::send(&chain, &wallet, &[instruction], what).await?;
    let what = match arguments.to {
        Some(next) => format!(
            "the authority is being handed over to {next}, who takes it with `veilpool pool accept`"
        ),
        None => "the authority is being handed over to nobody".to_owned(),
    };
    print(&pool, &receipt, &what, Nothing {}, output)
}

pub(super) async fn accept(arguments: &Plain, output: Output) -> anyhow::Result<()> {
    let (chain, pool, wallet) = arguments.signed.open()?;
    let next = chain.pool(&pool).await?.rules.next_authority;
    if next != address::bytes(&wallet.pubkey()) {
        bail!("the pool's authority is not being handed over to this wallet");
    }
    let instruction = builder::accept_authority(chain.program(), &pool, &wallet.pubkey());
    let what = "the authority was not taken over";
    let receipt = cluster::send(&chain, &wallet, &[instruction], what).await?;
    let what = format!("{} is the pool's authority now", wallet.pubkey());
    print(&pool, &receipt, &what, Nothing {}, output)
}
