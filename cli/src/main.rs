//! The `veilpool` command. Thin: it parses, calls the libraries, prints, and maps errors to exit codes.
//!
//! Exit codes: 0 done · 1 refused or failed, with the reason on stderr · 2 wrong arguments.

#![forbid(unsafe_code)]

mod cluster;
mod commands;
mod keys;
mod output;
mod signals;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::{commands as c, output::Output};

/// Anonymous, proof-paid nodes for a decentralised VPN.
///
/// A node forwards WireGuard traffic; independent measurers attest what it delivered; the node proves in
/// zero knowledge that a majority of them saw a class's bandwidth and uptime, and an on-chain program
/// verifies the proof and pays a fresh address. `veilpool demo` shows all of it on this machine.
///
/// Unaudited, and the parameters in this build come from a public development setup: don't use it with real money.
#[derive(Debug, Parser)]
#[command(name = "veilpool", version, max_term_width = 110)]
struct Arguments {
    /// Prints one JSON value instead of text, for scripts.
    #[arg(long, global = true)]
    json: bool,
    /// What is logged to stderr: error, warn, info, debug, or a filter such as veilpool_node=debug.
    #[arg(
        long,
        global = true,
        env = "VEILPOOL_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
// What each is for stands with its arguments.
enum Command {
    Demo(c::demo::Arguments),
    Localnet(c::localnet::Arguments),
    #[command(subcommand)]
    Node(c::node::Command),
    #[command(subcommand)]
    Measurer(c::measurer::Command),
    #[command(subcommand)]
    Relayer(c::relayer::Command),
    #[command(subcommand)]
    Keeper(c::keeper::Command),
    #[command(subcommand)]
    Pool(c::pool::Command),
    #[command(subcommand)]
    Identity(c::identity::Command),
    #[command(subcommand)]
    Wallet(c::wallet::Command),
    Prove(c::prove::Prove),
    Verify(c::prove::Verify),
    Export(c::prove::Export),
    #[command(subcommand)]
    Circuit(c::circuit::Command),
    Bench(c::bench::Arguments),
    #[command(subcommand)]
    Params(c::params::Command),
}

fn main() -> ExitCode {
    let node_run = c::node::Run::augment_args(clap::Command::new("run"));
    let line = match c::node::file::expand(std::env::args_os().collect(), &node_run) {
        Ok(line) => line,
        Err(error) => {
            eprintln!("veilpool: {error:#}");
            return ExitCode::from(2);
        }
    };
    let arguments = Arguments::parse_from(line);
    let output = Output {
        json: arguments.json,
    };
    match run(arguments, output) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("veilpool: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments, output: Output) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match &arguments.command {
        Command::Bench(arguments) => return c::bench::run(arguments, output).map(done),
        Command::Circuit(command) => return c::circuit::run(command, output).map(done),
        Command::Params(command) => return c::params::run(command, output).map(done),
        Command::Prove(arguments) => return c::prove::prove(arguments, output).map(done),
        Command::Verify(arguments) => return c::prove::check(arguments, output).map(done),
        Command::Export(arguments) => return c::prove::export(arguments, output).map(done),
        Command::Identity(command) => return c::identity::run(command, output).map(done),
        _ => {}
    }
    let runtime = tokio::runtime::Runtime::new()?;
    // The demo keeps its logs in a file beside its state.
    if let Command::Demo(demo) = &arguments.command {
        return runtime.block_on(c::demo::run(demo, &arguments.log, output));
    }
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&arguments.log)?)
        .with_writer(std::io::stderr)
        .init();
    runtime.block_on(async {
        match arguments.command {
            Command::Localnet(arguments) => c::localnet::run(arguments, output).await,
            Command::Node(command) => c::node::run(command, output).await,
            Command::Measurer(command) => c::measurer::run(command, output).await,
            Command::Relayer(command) => c::relayer::run(command, output).await,
            Command::Keeper(command) => c::keeper::run(command, output).await,
            Command::Pool(command) => c::pool::run(command, output).await,
            Command::Wallet(command) => c::wallet::run(command, output).await,
            _ => Ok(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
