//! `veilpool relayer`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use veilpool_coordinator::relayer::{Relayer, RelayerConfig};

use crate::{cluster::PoolArguments, keys::read_wallet, output::Output, signals};

/// The relayer submits claims for a fee, so that no wallet of an operator is seen beside one. It is trusted with nothing:
/// the proof binds payee, relayer and fee. Whoever runs one must not also run a measurer.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs until it is told to end.
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pool: PoolArguments,
    /// Wallet that pays fees and rent and receives the relayer's fee.
    #[arg(long, value_name = "FILE")]
    wallet: PathBuf,
    /// Where HTTP listens: plain HTTP, put it behind a TLS proxy.
    #[arg(long, default_value = "127.0.0.1:7400", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What is asked of each claim, in the token's smallest unit.
    #[arg(long, default_value_t = 10_000)]
    fee: u64,
}

#[derive(Serialize)]
struct Running {
    url: String,
}

pub(crate) async fn run(command: Command, output: Output) -> anyhow::Result<()> {
    let Command::Run(arguments) = command;
    let config = RelayerConfig {
        rpc_url: arguments.pool.chain.rpc,
        program: arguments.pool.chain.program,
        pool: arguments.pool.pool,
        listen: arguments.listen,
        fee: arguments.fee,
    };
    let relayer = Relayer::start(config, read_wallet(&arguments.wallet)?).await?;
    let running = Running {
        url: format!("http://{}", relayer.address()),
    };
    output.show(&running, || {
        format!("relayer at {}; Ctrl-C ends it", running.url)
    })?;
    signals::ended().await?;
    relayer.shutdown().await;
    Ok(())
}
