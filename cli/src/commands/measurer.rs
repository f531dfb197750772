//! `veilpool measurer`.

use std::{
    net::{SocketAddr, SocketAddrV4},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use rand::rngs::OsRng;
use serde::Serialize;
use veilpool_coordinator::measurer::{Keys, Measurer, MeasurerConfig, ScheduleSecret};
use veilpool_keyfile::{self as keyfile, Kind};
use veilpool_protocol::{MeasurerKeyBytes, Zone};

use crate::{cluster::PoolArguments, keys::PassphraseArguments, output::Output, signals};

/// A measurer connects to nodes as an ordinary client, sends heartbeats and bandwidth turns through them to its own
/// reflector, and signs what it saw at each epoch's end.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes the measurer's keys and writes them to a new file with mode 0600.
    Keygen(Keygen),
    /// Makes the secret that the measurers of one pool share, so that they take turns and nodes don't know when.
    /// Copy it to each of them by a safe way.
    ScheduleKeygen(Keygen),
    /// Prints the public keys.
    Show(Show),
    /// Runs until it is told to end.
    Run(Box<Run>),
}

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// The new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The keys' file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pool: PoolArguments,
    /// The keys' file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The shared schedule's file.
    #[arg(long, value_name = "FILE")]
    schedule: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    /// Folder of the state.
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
    /// Where HTTP listens: plain HTTP, put it behind a TLS proxy.
    #[arg(long, default_value = "127.0.0.1:7300", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where the reflector listens, UDP and TCP.
    #[arg(long, default_value = "0.0.0.0:7301", value_name = "ADDRESS")]
    reflector: SocketAddr,
    /// The reflector's public address, to which nodes connect. Default: where it listens.
    #[arg(long, value_name = "ADDRESS")]
    reflector_public: Option<SocketAddrV4>,
    /// Zone that is attested; 0 when not known.
    #[arg(long, default_value_t = 0)]
    zone: u8,
    /// Takes nodes at private addresses. For local chains and tests only.
    #[arg(long)]
    allow_private_endpoints: bool,
}

#[derive(Serialize)]
struct Public {
    attestation_key: MeasurerKeyBytes,
    ed25519_key: veilpool_protocol::api::EdKeyBytes,
    measurer: String,
}

#[derive(Serialize)]
struct Running {
    url: String,
    reflector: String,
}

/// `U:U'`, u of K and of 2⁶⁴·K, as `veilpool pool init` takes it.
pub(crate) fn key_text(key: &MeasurerKeyBytes) -> String {
    format!(
        "{}:{}",
        hex::encode(key.u.as_bytes()),
        hex::encode(key.shifted_u.as_bytes())
    )
}

fn show(keys: &Keys, output: Output) -> anyhow::Result<()> {
    let public = Public {
        attestation_key: keys.attestation_key(),
        ed25519_key: keys.ed25519_key(),
        measurer: key_text(&keys.attestation_key()),
    };
    output.show(&public, || {
        format!(
            "attestation key (for `veilpool pool init --measurer`)\n{}\nEd25519 key\n{}",
            public.measurer,
            hex::encode(public.ed25519_key.as_bytes())
        )
    })
}

fn read_keys(path: &Path, passphrase: &PassphraseArguments) -> anyhow::Result<Keys> {
    let bytes = keyfile::read(path, Kind::Measurer, passphrase.read()?.as_ref())?;
    Ok(Keys::from_bytes(&bytes)?)
}

pub(crate) async fn run(command: Command, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Keygen(arguments) => {
            let keys = Keys::generate(&mut OsRng);
            let passphrase = arguments.passphrase.read()?;
            let bytes = keys.expose_bytes();
            keyfile::write(&arguments.out, Kind::Measurer, &bytes, passphrase.as_ref())?;
            show(&keys, output)
        }
        Command::ScheduleKeygen(arguments) => {
            let passphrase = arguments.passphrase.read()?;
            let secret = ScheduleSecret::generate(&mut OsRng);
            let bytes = secret.expose_bytes();
            keyfile::write(&arguments.out, Kind::Schedule, &bytes, passphrase.as_ref())?;
            output.show(&arguments.out, || arguments.out.display().to_string())
        }
        Command::Show(arguments) => {
            show(&read_keys(&arguments.key, &arguments.passphrase)?, output)
        }
        Command::Run(arguments) => daemon(*arguments, output).await,
    }
}

async fn daemon(arguments: Run, output: Output) -> anyhow::Result<()> {
    let keys = read_keys(&arguments.key, &arguments.passphrase)?;
    let passphrase = arguments.passphrase.read()?;
    let bytes = keyfile::read(&arguments.schedule, Kind::Schedule, passphrase.as_ref())?;
    let schedule = ScheduleSecret::from_bytes(&bytes)?;
    let chain = arguments.pool.chain;
    let config = MeasurerConfig {
        listen: arguments.listen,
        reflector_listen: arguments.reflector,
        reflector_public: arguments.reflector_public,
        zone: Zone::new(arguments.zone),
        allow_private_endpoints: arguments.allow_private_endpoints,
        ..MeasurerConfig::new(
            chain.rpc,
            chain.program,
            arguments.pool.pool,
            arguments.state,
        )
    };
    let measurer = Measurer::start(config, keys, schedule).await?;
    let running = Running {
        url: format!("http://{}", measurer.api_address()),
        reflector: measurer.reflector_address().to_string(),
    };
    output.show(&running, || {
        format!(
            "measurer at {}, reflector at {}; Ctrl-C ends it",
            running.url, running.reflector
        )
    })?;
    signals::ended().await?;
    measurer.shutdown().await;
    Ok(())
}
