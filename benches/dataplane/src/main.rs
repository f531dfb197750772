//! `dataplane-bench`: the data plane beside other WireGuard programs.
//!
//! ```text
//! namespace        client            node                      server
//!                  program A ═tunnel═ program B ─ masquerade ─ iperf3
//!                  192.0.2.1          192.0.2.2, 11.7.0.1      11.7.0.2
//! ```
//!
//! Each measurement has three network namespaces of its own. What is measured runs in processes of its own, ours too
//! (`dataplane-bench tunnel`), so that the system says how much processor time each end took.

#![forbid(unsafe_code)]

mod command;
mod ends;
mod entrant;
mod flood;
mod iperf;
mod lab;
mod load;
mod machine;
mod measure;
mod needs;
mod ping;
mod process;
mod report;
mod stats;
mod table;
mod tunnel;

use clap::{Parser, Subcommand};

/// Measures the data plane beside other WireGuard programs, and writes docs/dataplane.md and docs/dataplane.json.
///
/// Wants root: it makes network namespaces, in which everything happens, and removes them.
#[derive(Debug, Parser)]
#[command(name = "dataplane-bench", max_term_width = 110)]
struct Arguments {
    #[command(flatten)]
    bench: command::Arguments,
    #[command(subcommand)]
    task: Option<Task>,
}

/// What the program runs itself as.
#[derive(Debug, Subcommand)]
enum Task {
    /// One end of a tunnel; reads what it is from stdin.
    #[command(hide = true)]
    Tunnel,
    /// Sends handshake initiations.
    #[command(hide = true)]
    Flood(flood::Arguments),
    /// Sends packets of many peers.
    #[command(hide = true)]
    Load(load::Arguments),
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.task {
        Some(Task::Tunnel) => tunnel::run(),
        Some(Task::Flood(arguments)) => flood::run(&arguments),
        Some(Task::Load(arguments)) => load::run(&arguments),
        None => command::run(&arguments.bench),
    }
}
