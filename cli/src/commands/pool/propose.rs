//! `veilpool pool propose`: changes of a pool's rules.

use std::{fs, path::PathBuf};

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use serde::Serialize;
use solana_signer::Signer;
use veilpool_interface::{Change, Parameters, PoolError, builder, class::is_valid_table};
use veilpool_protocol::Class;

use super::{Signed, describe::Describe, free_number, init::measurer_keys, print};
use crate::{cluster, output::Output};

/// What to change. None of it reaches money, nor an epoch that is open.
#[derive(Debug, Subcommand)]
pub(crate) enum Propose {
    /// Another measurer set, with this build's verifying key for so many, which is published if it isn't yet.
    Measurers {
        #[command(flatten)]
        proposal: Proposing,
        /// Attestation key of a measurer, as `veilpool measurer show` prints it; 3, 5 or 7 times, in order.
        #[arg(long = "measurer", value_name = "U:U'", required = true)]
        measurers: Vec<String>,
    },
    /// Another class table.
    Classes {
        #[command(flatten)]
        proposal: Proposing,
        /// JSON file with a list of classes, as `veilpool pool show --json` prints the present one.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Other parameters: those that are given, and the rest as they are.
    Parameters {
        #[command(flatten)]
        proposal: Proposing,
        #[command(flatten)]
        parameters: Box<ParameterArguments>,
    },
    /// Claims again, after more claims than operators had frozen them.
    Unfreeze {
        #[command(flatten)]
        proposal: Proposing,
    },
}

/// By whom, and under which number.
#[derive(Debug, Args)]
pub(crate) struct Proposing {
    // The wallet must be the pool's authority.
    #[command(flatten)]
    signed: Signed,
    /// The proposal's number; by default the lowest under which none waits.
    #[arg(long)]
    number: Option<u32>,
}

/// Each as for `veilpool pool init`.
#[derive(Debug, Args)]
pub(crate) struct ParameterArguments {
    /// A new operator's bond, in the token's smallest unit.
    #[arg(long)]
    bond: Option<u64>,
    /// Length of an epoch in seconds.
    #[arg(long)]
    epoch_seconds: Option<u32>,
    /// Length of a claim window in seconds.
    #[arg(long)]
    claim_window_seconds: Option<u32>,
    /// How long a withdrawal waits, in seconds.
    #[arg(long)]
    cooldown_seconds: Option<u32>,
    /// How long a hub has to settle once a consumer begins to close, in seconds.
    #[arg(long)]
    challenge_seconds: Option<u32>,
    /// The most that weight 1 earns in an epoch, in the token's smallest unit.
    #[arg(long)]
    rate_cap: Option<u64>,
    /// The most that an epoch may pay of what is free, in basis points.
    #[arg(long)]
    outflow_bps: Option<u16>,
    /// The most that a hub may keep of what it settles, in basis points.
    #[arg(long)]
    hub_fee_cap_bps: Option<u16>,
    /// What whoever shows a revealed secret gets of the bond, in basis points.
    #[arg(long)]
    slash_reward_bps: Option<u16>,
    /// Demand over supply at which the price of traffic stays, in basis points.
    #[arg(long)]
    target_utilisation_bps: Option<u16>,
    /// The least that the price can be, in millionths of the token's smallest unit per MiB.
    #[arg(long)]
    min_price: Option<u64>,
    /// The most that it can be.
    #[arg(long)]
    max_price: Option<u64>,
}

impl ParameterArguments {
    fn over(&self, present: &Parameters) -> Parameters {
        Parameters {
            bond_amount: self.bond.unwrap_or(present.bond_amount),
            epoch_seconds: self.epoch_seconds.unwrap_or(present.epoch_seconds),
            claim_window_seconds: self
                .claim_window_seconds
                .unwrap_or(present.claim_window_seconds),
            cooldown_seconds: self.cooldown_seconds.unwrap_or(present.cooldown_seconds),
            challenge_seconds: self.challenge_seconds.unwrap_or(present.challenge_seconds),
            rate_cap: self.rate_cap.unwrap_or(present.rate_cap),
            outflow_bps: self.outflow_bps.unwrap_or(present.outflow_bps),
            hub_fee_cap_bps: self.hub_fee_cap_bps.unwrap_or(present.hub_fee_cap_bps),
            slash_reward_bps: self.slash_reward_bps.unwrap_or(present.slash_reward_bps),
            target_utilisation_bps: self
                .target_utilisation_bps
                .unwrap_or(present.target_utilisation_bps),
            min_price: self.min_price.unwrap_or(present.min_price),
            max_price: self.max_price.unwrap_or(present.max_price),
        }
    }
}

/// What was proposed.
#[derive(Serialize)]
struct Proposed {
    number: u32,
    ready_at: Option<i64>,
}

pub(super) async fn run(command: &Propose, output: Output) -> anyhow::Result<()> {
    let (Propose::Measurers { proposal, .. }
    | Propose::Classes { proposal, .. }
    | Propose::Parameters { proposal, .. }
    | Propose::Unfreeze { proposal }) = command;
    let (chain, address, wallet) = proposal.signed.open()?;
    let pool = chain.pool(&address).await?;
    let change = match command {
        Propose::Measurers { measurers, .. } => {
            let measurers = measurer_keys(measurers)?;
            let verifying_key = cluster::publish_key(&chain, &wallet, measurers.len()).await?;
            Change::Measurers {
                measurers,
                verifying_key,
            }
        }
        Propose::Classes { file, .. } => {
            let bytes =
                fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            let classes: Vec<Class> = serde_json::from_slice(&bytes)
                .with_context(|| format!("{} is not a list of classes", file.display()))?;
            ensure!(is_valid_table(&classes), "{}", PoolError::InvalidClassTable);
            Change::Classes(classes)
        }
        Propose::Parameters { parameters, .. } => {
            let parameters = parameters.over(&pool.rules.parameters);
            let valid = parameters.are_valid(pool.rules.timelock_seconds);
            ensure!(valid, "{}", PoolError::InvalidParameters);
            Change::Parameters(parameters)
        }
        Propose::Unfreeze { .. } => Change::Unfreeze,
    };
    let number = match proposal.number {
        Some(number) => number,
        None => {
            let waiting = chain.proposals(&address).await?;
            free_number(waiting.iter().map(|proposal| proposal.number))
        }
    };
    let lines = Describe::of(&change).lines(&pool).join("\n  ");
    let instruction = builder::propose(chain.program(), &address, &wallet.pubkey(), number, change);
    let what = "nothing was proposed";
    let receipt = cluster::send(&chain, &wallet, &[instruction], what).await?;
    let proposed = Proposed {
        number,
        ready_at: chain
            .proposal(&address, number)
            .await?
            .map(|proposal| proposal.ready_at),
    };
    let what = format!(
        "proposal {number}, to be executed by anybody after {} s:\n  {lines}",
        pool.rules.timelock_seconds
    );
    print(&address, &receipt, &what, proposed, output)
}

#[cfg(test)]
mod tests {
    use super::{super::describe::rows, *};
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        parameters: ParameterArguments,
    }

    const PRESENT: Parameters = Parameters {
        bond_amount: 1,
        epoch_seconds: 2,
        claim_window_seconds: 3,
        cooldown_seconds: 4,
        challenge_seconds: 5,
        rate_cap: 6,
        outflow_bps: 7,
        hub_fee_cap_bps: 8,
        slash_reward_bps: 9,
        target_utilisation_bps: 10,
        min_price: 11,
        max_price: 12,
    };

    #[test]
    fn each_option_changes_its_own_parameter_and_no_other() {
        let none = Line::parse_from(["propose"]).parameters.over(&PRESENT);
        assert_eq!(none, PRESENT);
        for (index, (name, value)) in rows(&PRESENT).into_iter().enumerate() {
            let option = format!("--{}", name.replace('_', "-"));
            let line = Line::parse_from(["propose", &option, "77"]);
            let mut expected = rows(&PRESENT);
            assert_eq!(value, index as u64 + 1);
            expected[index].1 = 77;
            assert_eq!(rows(&line.parameters.over(&PRESENT)), expected, "{name}");
        }
    }
}
