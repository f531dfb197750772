//! `veilpool identity`: an operator's secret.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rand::rngs::OsRng;
use serde::Serialize;
use veilpool_node::identity;
use veilpool_protocol::CommitmentBytes;

use crate::{keys::PassphraseArguments, output::Output};

/// An operator's secret: made once, kept safe. Whoever has it can claim; whoever loses it can't.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a secret from 64 random bytes and writes it to a new file with mode 0600.
    New(New),
    /// Makes the secret from exactly 64 random bytes that were made elsewhere, read from stdin.
    Import(New),
    /// Prints the commitment, which is public: it goes with the bond.
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The secret's file.
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

#[derive(Serialize)]
struct Report {
    file: PathBuf,
    commitment: CommitmentBytes,
}

pub(crate) fn run(command: &Command, output: Output) -> anyhow::Result<()> {
    let (file, secret) = match command {
        Command::New(arguments) => (&arguments.out, {
            let secret = identity::generate(&mut OsRng);
            identity::write(
                &arguments.out,
                &secret,
                arguments.passphrase.read()?.as_ref(),
            )?;
            secret
        }),
        Command::Import(arguments) => (&arguments.out, {
            let secret = identity::import(&mut std::io::stdin().lock())?;
            identity::write(
                &arguments.out,
                &secret,
                arguments.passphrase.read()?.as_ref(),
            )?;
            secret
        }),
        Command::Show(arguments) => (
            &arguments.identity,
            identity::read(&arguments.identity, arguments.passphrase.read()?.as_ref())?,
        ),
    };
    let report = Report {
        file: file.clone(),
        commitment: secret.commitment().to_bytes(),
    };
    output.show(&report, || {
        format!(
            "{}\ncommitment {}",
            report.file.display(),
            hex::encode(report.commitment.as_bytes())
        )
    })
}
