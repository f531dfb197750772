//! Liquidity providers: `deposit`, `request-withdrawal`, `withdraw`, `withdrawals`.

use anyhow::{Context, bail};
use clap::{ArgGroup, Args};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_associated_token_account_interface::address::get_associated_token_address;
use veilpool_interface::{Pool, Withdrawal, address, builder, reward};

use super::{Nothing, Signed, free_number, print};
use crate::{
    cluster::{self, PoolArguments, create_account},
    output::Output,
};

#[derive(Debug, Args)]
pub(crate) struct Deposit {
    #[command(flatten)]
    signed: Signed,
    /// How much, in the token's smallest unit.
    #[arg(long)]
    amount: u64,
    /// Refuses when the deposit earns fewer shares, in their smallest unit: the price may move before it arrives.
    #[arg(long, default_value_t = 0)]
    min_shares: u64,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("how_many").required(true).args(["shares", "all"]))]
pub(crate) struct Request {
    #[command(flatten)]
    signed: Signed,
    /// How many, in their smallest unit.
    #[arg(long)]
    shares: Option<u64>,
    /// All that the wallet has.
    #[arg(long)]
    all: bool,
    /// The wallet's own number of the withdrawal; by default the lowest under which none waits.
    #[arg(long)]
    number: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    #[command(flatten)]
    signed: Signed,
    /// Whose withdrawals; by default the wallet's.
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<Pubkey>,
    /// Only this one; by default all of the owner's that have waited long enough.
    #[arg(long)]
    number: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pool: PoolArguments,
    /// Only those of this address.
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<Pubkey>,
}

/// A withdrawal, for people and scripts.
#[derive(Serialize)]
struct Waiting {
    owner: String,
    number: u32,
    shares: u64,
    /// In the token's smallest unit, if it were paid now.
    worth: Option<u64>,
    ready_at: i64,
    ready: bool,
}

impl Waiting {
    fn of(withdrawal: &Withdrawal, pool: &Pool, now: i64) -> Self {
        Self {
            owner: address::pubkey(&withdrawal.owner).to_string(),
            number: withdrawal.number,
            shares: withdrawal.shares,
            worth: reward::assets_for(withdrawal.shares, pool.books.shares, pool.books.assets)
                .map(|now| now.min(withdrawal.worth)),
            ready_at: withdrawal.ready_at,
            ready: now >= withdrawal.ready_at,
        }
    }

    fn line(&self, now: i64) -> String {
        let when = if self.ready {
            "ready".to_owned()
        } else {
            format!("ready in {} s", self.ready_at.saturating_sub(now))
        };
        let worth = self.worth.map_or_else(|| "?".into(), |it| it.to_string());
        format!(
            "{} number {}: {} shares, worth {worth} now, {when}",
            self.owner, self.number, self.shares
        )
    }
}

pub(super) async fn deposit(arguments: &Deposit, output: Output) -> anyhow::Result<()> {
    let (chain, pool, wallet) = arguments.signed.open()?;
    let (amount, least) = (arguments.amount, arguments.min_shares);
    let receipt = cluster::deposit(&chain, &pool, &wallet, amount, least).await?;
    print(&pool, &receipt, "deposited to the pool", Nothing {}, output)
}

pub(super) async fn request(arguments: &Request, output: Output) -> anyhow::Result<()> {
    let (chain, pool, wallet) = arguments.signed.open()?;
    let owner = wallet.pubkey();
    let rules = chain.pool(&pool).await?.rules;
    let account = get_associated_token_address(&owner, &address::pubkey(&rules.share_mint));
    let shares = match arguments.shares {
        Some(shares) => shares,
        None => {
            chain
                .token_account(&account)
                .await?
                .filter(|account| account.amount > 0)
                .context("the wallet has no shares of this pool in its associated token account")?
                .amount
        }
    };
    let number = match arguments.number {
        Some(number) => number,
        None => {
            let waiting = chain.withdrawals_of(&pool, &owner).await?;
            free_number(waiting.iter().map(|withdrawal| withdrawal.number))
        }
    };
    let program = chain.program();
    let instruction = builder::request_withdrawal(program, &pool, &owner, &account, number, shares);
    let what = "the shares were not handed in";
    let receipt = cluster::send(&chain, &wallet, &[instruction], what).await?;
    let waiting = chain.withdrawals_of(&pool, &owner).await?;
    let waiting = waiting.iter().find(|it| it.number == number);
    let (record, now) = (chain.pool(&pool).await?, chain.now().await?);
    let waiting = waiting.map(|withdrawal| Waiting::of(withdrawal, &record, now));
    let what = match &waiting {
        Some(waiting) => format!("shares handed in: {}", waiting.line(now)),
        None => format!("{shares} shares handed in as number {number}"),
    };
    print(&pool, &receipt, &what, waiting, output)
}

/// What was paid.
#[derive(Serialize)]
struct Paid {
    number: u32,
    shares: u64,
    signature: String,
}

pub(super) async fn withdraw(arguments: &Withdraw, output: Output) -> anyhow::Result<()> {
    let (chain, pool, wallet) = arguments.signed.open()?;
    let owner = arguments.owner.unwrap_or_else(|| wallet.pubkey());
    let mut waiting = chain.withdrawals_of(&pool, &owner).await?;
    waiting.sort_by_key(|withdrawal| (withdrawal.ready_at, withdrawal.number));
    let now = chain.now().await?;
    let chosen: Vec<&Withdrawal> = match arguments.number {
        // The program says when it is too early.
        Some(number) => waiting.iter().filter(|it| it.number == number).collect(),
        None => waiting.iter().filter(|it| now >= it.ready_at).collect(),
    };
    if chosen.is_empty() {
        match (arguments.number, waiting.first()) {
            (Some(number), _) => bail!("no withdrawal {number} of {owner} waits in this pool"),
            (None, Some(next)) => bail!(
                "no withdrawal of {owner} has waited long enough: the next, number {}, is ready in {} s",
                next.number,
                next.ready_at.saturating_sub(now)
            ),
            (None, None) => bail!(
                "no withdrawal of {owner} waits in this pool; hand shares in with `veilpool pool request-withdrawal`"
            ),
        }
    }
    let mint = address::pubkey(&chain.pool(&pool).await?.rules.mint);
    let tokens = get_associated_token_address(&owner, &mint);
    let mut paid = Vec::new();
    for withdrawal in chosen {
        let instructions = [
            create_account(&wallet.pubkey(), &owner, &mint),
            builder::withdraw(chain.program(), &pool, &owner, withdrawal.number, &tokens),
        ];
        let what = "the withdrawal was not paid";
        let receipt = cluster::send(&chain, &wallet, &instructions, what).await?;
        paid.push(Paid {
            number: withdrawal.number,
            shares: withdrawal.shares,
            signature: receipt.signature.to_string(),
        });
    }
    output.show(&paid, || {
        let lines = paid.iter().map(|it| {
            let (number, shares) = (it.number, it.shares);
            format!(
                "withdrawal {number} of {shares} shares paid\n  transaction {}",
                it.signature
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

pub(super) async fn list(arguments: &List, output: Output) -> anyhow::Result<()> {
    let chain = arguments.pool.chain.connect();
    let address = arguments.pool.pool;
    let (pool, now) = (chain.pool(&address).await?, chain.now().await?);
    let mut waiting = match &arguments.owner {
        Some(owner) => chain.withdrawals_of(&address, owner).await?,
        None => chain.withdrawals(&address).await?,
    };
    waiting.sort_by_key(|it| (it.ready_at, *it.owner.as_bytes(), it.number));
    let waiting: Vec<Waiting> = waiting
        .iter()
        .map(|withdrawal| Waiting::of(withdrawal, &pool, now))
        .collect();
    output.show(&waiting, || {
        if waiting.is_empty() {
            return "no withdrawal waits".to_owned();
        }
        let lines = waiting.iter().map(|withdrawal| withdrawal.line(now));
        lines.collect::<Vec<_>>().join("\n")
    })
}
