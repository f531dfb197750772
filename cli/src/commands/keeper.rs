//! `veilpool keeper`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use veilpool_coordinator::keeper::{Keeper, KeeperConfig};

use crate::{cluster::PoolArguments, keys::read_wallet, output::Output, signals};

/// The keeper opens the next epoch when it is due and closes what is over; rent goes back to who paid it.
/// Anybody may run one, and several don't disturb each other.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs until it is told to end.
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pool: PoolArguments,
    /// Wallet that pays fees and rent.
    #[arg(long, value_name = "FILE")]
    wallet: PathBuf,
    /// Don't open epochs.
    #[arg(long)]
    no_open: bool,
    /// Don't close claims and epochs, and don't pay withdrawals and bonds.
    #[arg(long)]
    no_close: bool,
}

pub(crate) async fn run(command: Command, output: Output) -> anyhow::Result<()> {
    let Command::Run(arguments) = command;
    let config = KeeperConfig {
        rpc_url: arguments.pool.chain.rpc,
        program: arguments.pool.chain.program,
        pool: arguments.pool.pool,
        open: !arguments.no_open,
        close: !arguments.no_close,
    };
    let keeper = Keeper::start(config, read_wallet(&arguments.wallet)?).await?;
    output.show(&"running", || "keeper is running; Ctrl-C ends it".into())?;
    signals::ended().await?;
    keeper.shutdown().await;
    Ok(())
}
