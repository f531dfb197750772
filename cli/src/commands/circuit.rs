//! `veilpool circuit`: what a circuit is made of.

use clap::{Args, Subcommand};
use serde::Serialize;
use veilpool_circuits::claim;

use crate::output::Output;

/// Counts and fingerprint of the claim circuit.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prints constraints, witness and public columns, non-zero coefficients, and the SHA-256 of the matrices.
    Info(Info),
}

#[derive(Debug, Args)]
pub(crate) struct Info {
    /// Number of measurers: 3, 5 or 7.
    #[arg(long, default_value_t = 5)]
    n: usize,
}

#[derive(Serialize)]
struct Report {
    circuit: &'static str,
    version: u32,
    n: usize,
    constraints: usize,
    witnesses: usize,
    public_inputs: usize,
    non_zeros: [usize; 3],
    b_columns: usize,
    fingerprint: String,
}

pub(crate) fn run(command: &Command, output: Output) -> anyhow::Result<()> {
    let Command::Info(arguments) = command;
    let info = claim::info(arguments.n)?;
    let report = Report {
        circuit: "claim",
        version: info.version,
        n: info.n,
        constraints: info.constraints,
        witnesses: info.witnesses,
        public_inputs: info.public_inputs,
        non_zeros: info.non_zeros,
        b_columns: info.b_columns,
        fingerprint: hex::encode(info.fingerprint),
    };
    output.show(&report, || {
        format!(
            "claim circuit, version {}, {} measurers\n  constraints   {}\n  witnesses     {}\n  public inputs {}\n  \
             non-zeros     A {}, B {}, C {}\n  B columns     {}\n  fingerprint   {}",
            report.version,
            report.n,
            report.constraints,
            report.witnesses,
            report.public_inputs,
            report.non_zeros[0],
            report.non_zeros[1],
            report.non_zeros[2],
            report.b_columns,
            report.fingerprint
        )
    })
}
