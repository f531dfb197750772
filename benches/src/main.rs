//! The benchmarks' own command, the same as `veilpool bench`: see [`veilpool_benches::command`].

#![forbid(unsafe_code)]

use clap::Parser;
use veilpool_benches::{child::Host, command, progress::Lines, task};

/// Measures circuits, proving, memory, and other provers beside ours.
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 110)]
struct Arguments {
    #[command(flatten)]
    bench: command::Arguments,
    /// Prints figures as JSON instead of tables.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(task) = &arguments.bench.task {
        return task::run(task);
    }
    let host = Host::this(&["--task"])?;
    let (report, tables) = command::run(&arguments.bench, &host, &mut Lines::default())?;
    if arguments.json {
        print!("{}", report.to_json()?);
    } else {
        print!("{tables}");
    }
    Ok(())
}
