//! `veilpool wallet`: key pairs that pay fees, bonds and deposits, in the form of Solana's tools.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_associated_token_account_interface::address::get_associated_token_address;

use crate::{
    cluster::{self, ChainArguments, LOCAL_MINT},
    keys::{read_wallet, write_wallet},
    output::Output,
};

/// Wallets. An operator's bonding wallet is public; payouts go to addresses that are derived anew each epoch.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a key pair and writes it to a new file with mode 0600.
    New(New),
    /// Prints address and balances.
    Show(Show),
    /// Sends lamports and tokens from a wallet to an address.
    Fund(Fund),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    chain: ChainArguments,
    /// The wallet's file.
    #[arg(long, value_name = "FILE")]
    wallet: PathBuf,
    /// Token whose balance is shown; by default that of `veilpool localnet`.
    #[arg(long, default_value_t = LOCAL_MINT, value_name = "ADDRESS")]
    mint: Pubkey,
}

#[derive(Debug, Args)]
pub(crate) struct Fund {
    #[command(flatten)]
    chain: ChainArguments,
    /// The wallet that pays.
    #[arg(long, value_name = "FILE")]
    wallet: PathBuf,
    /// Who receives.
    #[arg(long, value_name = "ADDRESS")]
    to: Pubkey,
    /// How many lamports.
    #[arg(long, default_value_t = 0)]
    lamports: u64,
    /// How much of the token, in its smallest unit.
    #[arg(long, default_value_t = 0)]
    tokens: u64,
    /// The token; by default that of `veilpool localnet`.
    #[arg(long, default_value_t = LOCAL_MINT, value_name = "ADDRESS")]
    mint: Pubkey,
}

#[derive(Serialize)]
struct Report {
    address: String,
    lamports: Option<u64>,
    tokens: Option<u64>,
}

pub(crate) async fn run(command: Command, output: Output) -> anyhow::Result<()> {
    let report = match command {
        Command::New(arguments) => {
            let wallet = Keypair::new();
            write_wallet(&arguments.out, &wallet)?;
            Report {
                address: wallet.pubkey().to_string(),
                lamports: None,
                tokens: None,
            }
        }
        Command::Show(arguments) => {
            let owner = read_wallet(&arguments.wallet)?.pubkey();
            let chain = arguments.chain.connect();
            let tokens = get_associated_token_address(&owner, &arguments.mint);
            Report {
                address: owner.to_string(),
                lamports: Some(chain.rpc().get_balance(&owner).await?),
                tokens: chain
                    .token_account(&tokens)
                    .await?
                    .map(|account| account.amount),
            }
        }
        Command::Fund(arguments) => {
            let wallet = read_wallet(&arguments.wallet)?;
            let tokens = (arguments.tokens > 0).then_some((arguments.mint, arguments.tokens));
            let chain = arguments.chain.connect();
            cluster::fund(&chain, &wallet, &arguments.to, arguments.lamports, tokens).await?;
            Report {
                address: arguments.to.to_string(),
                lamports: Some(arguments.lamports),
                tokens: Some(arguments.tokens),
            }
        }
    };
    output.show(&report, || {
        let mut line = report.address.clone();
        for (amount, unit) in [
            (report.lamports, "lamports"),
            (report.tokens, "tokens (smallest unit)"),
        ] {
            if let Some(amount) = amount {
                line.push_str(&format!("\n  {amount} {unit}"));
            }
        }
        line
    })
}
