//! `veilpool demo`: the whole path in one run, nothing in it simulated. A local chain with the real program, five
//! measurers, a relayer and a keeper, and four nodes: a fast steady one, a slow steady one, a fast one that drops
//! out, and a cheat. All of it is what the separate commands run, in one process, over loopback.

mod cast;
mod cheat;
mod leaving;
mod report;
mod stage;
mod watch;

use std::{fs, path::PathBuf, process::ExitCode, sync::Mutex};

use anyhow::Context;
use clap::Args;
use rand::{Rng, SeedableRng, rngs::OsRng};
use rand_chacha::ChaCha20Rng;
use tracing_subscriber::EnvFilter;
use veilpool_params::default_cache_dir;

use crate::output::Output;

/// Measurers of the demo's pool.
const MEASURERS: usize = 5;

/// Shows the whole path on this machine: tunnel, measurements, proofs, payments. No root, no configuration, only
/// loopback; about two minutes. Ends with a table of what each node earned and who saw what. The exit code is 0
/// only if everything came out as it must: three nodes paid by class, the cheat refused with the exact reasons.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Makes the same keys, addresses and times of measuring for the same number.
    #[arg(long)]
    seed: Option<u64>,
    /// Length of the epoch in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(45..=3_600))]
    epoch_seconds: u32,
    /// Keeps state and logs in this folder, which must not exist yet; by default they are removed at the end.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Folder of the proving keys.
    #[arg(long, env = "VEILPOOL_PARAMS", value_name = "FOLDER")]
    cache: Option<PathBuf>,
}

pub(crate) async fn run(
    arguments: &Arguments,
    log: &str,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let temporary = tempfile::Builder::new()
        .prefix("veilpool-demo-")
        .tempdir()?;
    let folder = match &arguments.dir {
        Some(folder) => {
            fs::create_dir(folder)
                .with_context(|| format!("cannot make the new folder {}", folder.display()))?;
            folder.clone()
        }
        None => temporary.path().to_owned(),
    };
    let log_file = fs::File::create(folder.join("demo.log"))?;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(log)?)
        .with_ansi(false)
        .with_writer(Mutex::new(log_file))
        .init();
    let seed = arguments.seed.unwrap_or_else(|| OsRng.r#gen());
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    eprintln!(
        "Veilpool demo, seed {seed}. Unaudited; development parameters: anybody can forge claims for them."
    );

    let cache = arguments.cache.clone().unwrap_or_else(default_cache_dir);
    let stage =
        stage::Stage::set(&folder, &cache, arguments.epoch_seconds, &mut rng, output).await?;
    let cast = cast::Cast::enter(&stage, &mut rng).await?;
    let outcome = play(&stage, cast).await;
    if outcome.is_err() && arguments.dir.is_none() {
        eprintln!(
            "The logs of the failed run are in {}.",
            temporary.keep().display()
        );
    }
    let report = outcome?;
    report.print(output)?;
    Ok(if report.as_expected() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn play(stage: &stage::Stage, mut cast: cast::Cast) -> anyhow::Result<report::Report> {
    let epoch = cast.open_epoch(stage).await?;
    watch::measuring(stage, &mut cast, &epoch).await?;
    let claims = watch::claiming(stage, &cast, &epoch).await?;
    let attempts = cheat::try_everything(stage, &cast, &epoch, &claims).await?;
    let report = report::Report::make(stage, &cast, &epoch, claims, attempts).await?;
    cast.leave().await;
    Ok(report)
}
