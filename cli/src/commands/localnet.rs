//! `veilpool localnet`: a chain on this machine.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer;
use veilpool_localnet::{GenesisAirdrop, GenesisProgram, GenesisToken, Localnet, LocalnetConfig};

use crate::{
    cluster::{DEVELOPMENT_PROGRAM, LOCAL_DECIMALS, LOCAL_MINT, LOCAL_PROGRAM},
    keys::{read_wallet, write_wallet},
    output::Output,
    signals,
};

/// Lamports of the wallet: 1,000 SOL.
pub(crate) const WALLET_LAMPORTS: u64 = 1_000_000_000_000;
/// Tokens of the wallet: a thousand million.
pub(crate) const WALLET_TOKENS: u64 = 1_000_000_000_000_000;

/// Runs a local Solana chain: the runtime embedded behind genuine JSON-RPC, with the pool program (in the build that
/// accepts development keys), SPL Token, a token, and a wallet that has plenty of both.
///
/// What it is not: there is no consensus, no validators, no forks and no fee market; one process decides, and a
/// transaction is final when it is answered. There is no WebSocket. Anybody who reaches the port can use the
/// faucet. Daemons that work with it work unchanged against devnet.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where the RPC listens.
    #[arg(long, default_value = "127.0.0.1:8899", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Keeps the chain in this folder; without it everything is forgotten at the end.
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// The funded wallet, made if it doesn't exist.
    #[arg(long, default_value = "localnet-wallet.json", value_name = "FILE")]
    wallet: PathBuf,
}

#[derive(Serialize)]
struct Report {
    rpc: String,
    program: String,
    mint: String,
    wallet: String,
    wallet_file: PathBuf,
}

/// Genesis of a local chain with a wallet.
pub(crate) fn genesis(listen: SocketAddr, wallet: &Keypair) -> LocalnetConfig {
    LocalnetConfig {
        listen,
        programs: vec![GenesisProgram {
            address: LOCAL_PROGRAM,
            elf: DEVELOPMENT_PROGRAM.to_vec(),
        }],
        tokens: vec![GenesisToken {
            mint: LOCAL_MINT,
            decimals: LOCAL_DECIMALS,
            authority: wallet.pubkey(),
            holders: vec![(wallet.pubkey(), WALLET_TOKENS)],
        }],
        airdrops: vec![GenesisAirdrop {
            address: wallet.pubkey(),
            lamports: WALLET_LAMPORTS,
        }],
        ..LocalnetConfig::default()
    }
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> anyhow::Result<()> {
    if !arguments.wallet.exists() {
        write_wallet(&arguments.wallet, &Keypair::new())?;
    }
    let wallet = read_wallet(&arguments.wallet)?;
    let config = LocalnetConfig {
        state: arguments.state,
        ..genesis(arguments.listen, &wallet)
    };
    let chain = Localnet::start(config).await?;
    let report = Report {
        rpc: chain.rpc_url(),
        program: LOCAL_PROGRAM.to_string(),
        mint: LOCAL_MINT.to_string(),
        wallet: wallet.pubkey().to_string(),
        wallet_file: arguments.wallet,
    };
    output.show(&report, || {
        format!(
            "local chain at {}\n  program {} (accepts development keys: anybody can forge claims)\n  mint    {}\n  wallet  {} in {}\n\
             Ctrl-C ends it.",
            report.rpc,
            report.program,
            report.mint,
            report.wallet,
            report.wallet_file.display()
        )
    })?;
    signals::ended().await?;
    chain.shutdown().await;
    Ok(())
}
