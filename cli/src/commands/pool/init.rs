//! `veilpool pool init`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_interface::{Parameters, address, class::default_table, instruction::InitialisePool};
use veilpool_primitives::MeasurerSet;
use veilpool_protocol::MeasurerKeyBytes;

use super::{parse_key, print};
use crate::{
    cluster::{self, ChainArguments, LOCAL_MINT},
    keys::read_wallet,
    output::Output,
};

#[derive(Debug, Args)]
pub(crate) struct Init {
    #[command(flatten)]
    chain: ChainArguments,
    /// Wallet that pays rent. It is a part of the pool's address.
    #[arg(long, value_name = "FILE")]
    wallet: PathBuf,
    /// The pool's token; by default that of `veilpool localnet`.
    #[arg(long, default_value_t = LOCAL_MINT, value_name = "ADDRESS")]
    mint: Pubkey,
    /// Attestation key of a measurer, as `veilpool measurer show` prints it; 3, 5 or 7 times, in order.
    #[arg(long = "measurer", value_name = "U:U'", required = true)]
    measurers: Vec<String>,
    /// Who proposes changes and pauses claims, such as a multisig; by default the wallet.
    #[arg(long, value_name = "ADDRESS")]
    authority: Option<Pubkey>,
    /// How long a change waits, in seconds: at least two epochs and the cool-down. Never changes. By default an
    /// epoch longer than that.
    #[arg(long)]
    timelock_seconds: Option<u32>,
    #[command(flatten)]
    rules: RuleArguments,
}

/// What governance may change later.
#[derive(Debug, Args)]
struct RuleArguments {
    /// Length of an epoch in seconds.
    #[arg(long, default_value_t = 86_400)]
    epoch_seconds: u32,
    /// Length of a claim window in seconds.
    #[arg(long, default_value_t = 172_800)]
    claim_window_seconds: u32,
    /// How long a withdrawal waits, in seconds: longer than a claim window. By default an epoch longer.
    #[arg(long)]
    cooldown_seconds: Option<u32>,
    /// How long a hub has to settle once a consumer begins to close their channel, in seconds.
    #[arg(long, default_value_t = 86_400)]
    challenge_seconds: u32,
    /// An operator's bond, in the token's smallest unit.
    #[arg(long, default_value_t = 1_000_000_000)]
    bond: u64,
    /// The most that weight 1 earns in an epoch, in the token's smallest unit.
    #[arg(long, default_value_t = 1_000_000)]
    rate_cap: u64,
    /// The most that an epoch may pay of what is free, in basis points.
    #[arg(long, default_value_t = 100)]
    outflow_bps: u16,
    /// The most that a hub may keep of what it settles, in basis points.
    #[arg(long, default_value_t = 1_000)]
    hub_fee_cap_bps: u16,
    /// What whoever shows a revealed secret gets of the bond, in basis points.
    #[arg(long, default_value_t = 2_500)]
    slash_reward_bps: u16,
    /// Demand over supply at which the price of traffic stays, in basis points.
    #[arg(long, default_value_t = 5_000)]
    target_utilisation_bps: u16,
    /// First price of traffic, in millionths of the token's smallest unit per MiB.
    #[arg(long, default_value_t = 10_000_000)]
    price: u64,
    /// The least that it can be.
    #[arg(long, default_value_t = 100_000)]
    min_price: u64,
    /// The most that it can be.
    #[arg(long, default_value_t = 1_000_000_000)]
    max_price: u64,
}

impl RuleArguments {
    fn parameters(&self) -> Parameters {
        Parameters {
            bond_amount: self.bond,
            epoch_seconds: self.epoch_seconds,
            claim_window_seconds: self.claim_window_seconds,
            cooldown_seconds: self
                .cooldown_seconds
                .unwrap_or_else(|| self.claim_window_seconds.saturating_add(self.epoch_seconds)),
            challenge_seconds: self.challenge_seconds,
            rate_cap: self.rate_cap,
            outflow_bps: self.outflow_bps,
            hub_fee_cap_bps: self.hub_fee_cap_bps,
            slash_reward_bps: self.slash_reward_bps,
            target_utilisation_bps: self.target_utilisation_bps,
            min_price: self.min_price,
            max_price: self.max_price,
        }
    }
}

/// An epoch longer than the least that is allowed.
fn default_timelock(parameters: &Parameters) -> u32 {
    let least = u32::try_from(parameters.least_timelock()).unwrap_or(u32::MAX);
    least.saturating_add(parameters.epoch_seconds)
}

/// A measurer set from the command line. The program can't check that keys are in the prime-order subgroup: this is
/// where it is done.
pub(super) fn measurer_keys(texts: &[String]) -> anyhow::Result<Vec<MeasurerKeyBytes>> {
    let keys = texts
        .iter()
        .map(|text| parse_key(text))
        .collect::<anyhow::Result<Vec<_>>>()?;
    MeasurerSet::from_bytes(&keys).context("these keys can't be a measurer set")?;
    Ok(keys)
}

#[derive(Serialize)]
struct Made {
    share_mint: String,
    authority: String,
    timelock_seconds: u32,
}

pub(super) async fn run(arguments: Init, output: Output) -> anyhow::Result<()> {
    let measurers = measurer_keys(&arguments.measurers)?;
    let wallet = read_wallet(&arguments.wallet)?;
    let authority = arguments.authority.unwrap_or_else(|| wallet.pubkey());
    let parameters = arguments.rules.parameters();
    let timelock_seconds = arguments
        .timelock_seconds
        .unwrap_or_else(|| default_timelock(&parameters));
    let chain = arguments.chain.connect();
    let rules = InitialisePool {
        measurers,
        classes: default_table(),
        parameters,
        timelock_seconds,
        authority: address::bytes(&authority),
        price: arguments.rules.price,
        genesis_hash: chain.genesis_hash().await?,
    };
    let (pool, receipt) = cluster::initialise_pool(&chain, &wallet, &arguments.mint, rules).await?;
    let made = Made {
        share_mint: address::shares(chain.program(), &pool).0.to_string(),
        authority: authority.to_string(),
        timelock_seconds,
    };
    let what = format!("pool made by {}, governed by {authority}", wallet.pubkey());
    print(&pool, &receipt, &what, made, output)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        rules: RuleArguments,
    }

    #[test]
    fn defaults_are_valid_whatever_the_epochs_are() {
        for line in [
            &["pool"][..],
            &[
                "pool",
                "--epoch-seconds",
                "60",
                "--claim-window-seconds",
                "30",
            ],
            &[
                "pool",
                "--epoch-seconds",
                "60",
                "--claim-window-seconds",
                "600",
            ],
            &["pool", "--epoch-seconds", "4294967295"],
        ] {
            let rules = Line::parse_from(line).rules;
            let parameters = rules.parameters();
            let timelock = default_timelock(&parameters);
            // Two epochs of 136 years don't fit.
            assert_eq!(
                parameters.are_valid(timelock),
                rules.epoch_seconds < u32::MAX,
                "{line:?}"
            );
            assert!((rules.min_price..=rules.max_price).contains(&rules.price));
        }
        let rules = Line::parse_from(["pool"]).rules;
        let parameters = rules.parameters();
        assert_eq!(parameters.cooldown_seconds, 259_200);
        assert_eq!(default_timelock(&parameters), 367_200);
    }
}
