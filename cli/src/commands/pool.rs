//! `veilpool pool`: pools on the chain.

mod describe;
mod govern;
mod init;
mod liquidity;
mod operators;
mod propose;
mod render;
mod show;

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use veilpool_chain::{Chain, Receipt};
use veilpool_protocol::MeasurerKeyBytes;

use crate::{cluster::PoolArguments, keys::read_wallet, output::Output};

/// Pools: rules, money, operators, governance.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a pool with the default class table (nine classes; uptime earns more than speed), and publishes its
    /// verifying key if it is not on the chain yet.
    Init(init::Init),
    /// Prints a pool: what it owns and owes, its rules, and its epochs that are still open.
    Show(show::Show),
    /// Gives tokens to the pool for shares. Shares are tokens themselves and can be sent and sold.
    Deposit(liquidity::Deposit),
    /// Hands shares in: they are paid after the cool-down, out of what no open epoch has reserved, at what they are
    /// worth then.
    RequestWithdrawal(liquidity::Request),
    /// Pays withdrawals that have waited. Anybody may; keepers do.
    Withdraw(liquidity::Withdraw),
    /// Lists withdrawals that wait.
    Withdrawals(liquidity::List),
    /// Bonds an operator: takes the bond from the wallet and appends the commitment to the registry. The wallet
    /// is seen as some operator's; it is never connected with a claim.
    Register(operators::Register),
    /// Takes an operator out of the registry, for the wallet that bonded it. It can still claim for epochs that have
    /// opened; its bond is released when the last of them has shut.
    Exit(operators::Exit),
    /// Gives bonds of operators that have left back to who bonded them: without --commitment or --identity all that
    /// the wallet bonded and whose time has come. Anybody may; keepers do.
    ReleaseBond(operators::Release),
    /// Proposes a change of the pool's rules, which waits behind the timelock.
    #[command(subcommand)]
    Propose(propose::Propose),
    /// Lists proposals that wait.
    Proposals(govern::List),
    /// Carries out a proposal that has waited. Anybody may.
    Execute(govern::Numbered),
    /// Takes a proposal back.
    Cancel(govern::Numbered),
    /// Pauses claims for a bounded time. Their windows last longer by as much; withdrawals and exits go on.
    Pause(govern::Pause),
    /// Ends a pause early.
    Resume(govern::Plain),
    /// Begins to hand the authority over; the other side must accept.
    HandOver(govern::HandOver),
    /// Takes an authority over that is being handed over.
    Accept(govern::Plain),
}

/// A pool, and the wallet that signs and pays.
#[derive(Debug, Args)]
pub(crate) struct Signed {
    #[command(flatten)]
    pool: PoolArguments,
    /// Wallet that signs and pays fees and rent.
    #[arg(long, value_name = "FILE")]
    wallet: PathBuf,
}

impl Signed {
    fn open(&self) -> anyhow::Result<(Chain, Pubkey, Keypair)> {
        let wallet = read_wallet(&self.wallet)?;
        Ok((self.pool.chain.connect(), self.pool.pool, wallet))
    }
}

/// What was sent, and what it was about.
#[derive(Serialize)]
struct Sent<T> {
    pool: String,
    signature: String,
    compute_units: Option<u64>,
    #[serde(flatten)]
    more: T,
}

/// Nothing more to say.
#[derive(Serialize)]
struct Nothing {}

pub(crate) async fn run(command: Command, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Init(arguments) => init::run(arguments, output).await,
        Command::Show(arguments) => show::run(&arguments, output).await,
        Command::Deposit(arguments) => liquidity::deposit(&arguments, output).await,
        Command::RequestWithdrawal(arguments) => liquidity::request(&arguments, output).await,
        Command::Withdraw(arguments) => liquidity::withdraw(&arguments, output).await,
        Command::Withdrawals(arguments) => liquidity::list(&arguments, output).await,
        Command::Register(arguments) => operators::register(&arguments, output).await,
        Command::Exit(arguments) => operators::exit(&arguments, output).await,
        Command::ReleaseBond(arguments) => operators::release(&arguments, output).await,
        Command::Propose(command) => propose::run(&command, output).await,
        Command::Proposals(arguments) => govern::list(&arguments, output).await,
        Command::Execute(arguments) => govern::execute(&arguments, output).await,
        Command::Cancel(arguments) => govern::cancel(&arguments, output).await,
        Command::Pause(arguments) => govern::pause(&arguments, output).await,
        Command::Resume(arguments) => govern::resume(&arguments, output).await,
        Command::HandOver(arguments) => govern::hand_over(&arguments, output).await,
        Command::Accept(arguments) => govern::accept(&arguments, output).await,
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

fn print<T: Serialize>(
    pool: &Pubkey,
    receipt: &Receipt,
    what: &str,
    more: T,
    output: Output,
) -> anyhow::Result<()> {
    let sent = Sent {
        pool: pool.to_string(),
        signature: receipt.signature.to_string(),
        compute_units: receipt.compute_units,
        more,
    };
    output.show(&sent, || {
        format!(
            "{what}\n  pool {}\n  transaction {}",
            sent.pool, sent.signature
        )
    })
}

/// The lowest number that isn't taken.
fn free_number(taken: impl IntoIterator<Item = u32>) -> u32 {
    let taken: std::collections::BTreeSet<u32> = taken.into_iter().collect();
    (0..=u32::MAX)
        .find(|number| !taken.contains(number))
        .unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_number_that_nothing_waits_under_is_taken() {
        assert_eq!(free_number([]), 0);
        assert_eq!(free_number([1, 0, 3]), 2);
    }
}
