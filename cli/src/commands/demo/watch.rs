//! Live progress, and the flaky node's fall.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use veilpool_coordinator::measurer::SubjectStatus;
use veilpool_interface::Epoch;
use veilpool_node::claim::Phase;
use veilpool_protocol::{SubjectBytes, units::SLOTS_PER_EPOCH};

use super::{cast::Cast, report::Claim, stage::Stage};

const REFRESH: Duration = Duration::from_millis(500);
/// Part of the epoch after which the flaky node falls: between two bandwidth rounds or in one, as it happens.
const FALL: f64 = 0.45;
/// How long it is away, in heartbeat slots: more than the 143-slot and 140-slot classes forgive, fewer than the
/// 130-slot class does.
const AWAY: f64 = 10.0;
/// Where stderr isn't a terminal, a line so often.
const LINE: Duration = Duration::from_secs(10);

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// What each measurer has on a subject.
pub(super) fn seen(stage: &Stage, epoch: &Epoch, subject: &SubjectBytes) -> Vec<SubjectStatus> {
    stage
        .measurers
        .iter()
        .flat_map(|measurer| measurer.status().epochs)
        .filter(|status| status.epoch == epoch.number)
        .flat_map(|status| status.subjects)
        .filter(|status| status.subject == *subject)
        .collect()
}

fn line(seen: &[SubjectStatus]) -> String {
    let answered = median(
        seen.iter()
            .map(|status| f64::from(status.answered))
            .collect(),
    );
    let failed = median(seen.iter().map(|status| f64::from(status.failed)).collect());
    let rounds: Vec<f64> = seen
        .iter()
        .flat_map(|status| &status.rounds)
        .map(|round| f64::from(round.mbit_per_second))
        .collect();
    let speed = if rounds.is_empty() {
        "no round yet".to_owned()
    } else {
        format!(
            "{} turns, median {:.0} Mbit/s",
            rounds.len(),
            median(rounds)
        )
    };
    format!("{answered:>3} slots answered, {failed:>2} failed; {speed}")
}

/// Watches the epoch to its end.
pub(super) async fn measuring(stage: &Stage, cast: &mut Cast, epoch: &Epoch) -> anyhow::Result<()> {
    let slot = f64::from(stage.epoch_seconds) / f64::from(SLOTS_PER_EPOCH);
    let (starts, ends) = (epoch.starts_at as f64, epoch.ends_at as f64);
    let falls = starts + FALL * (ends - starts);
    let returns = falls + AWAY * slot;
    eprintln!(
        "· measuring: heartbeats in {SLOTS_PER_EPOCH} slots and bandwidth turns, through WireGuard, unseen among other traffic"
    );
    let (bars, plain) = progress(cast);
    let mut said = now();
    loop {
        let at = now();
        for actor in cast.actors.iter_mut().filter(|actor| actor.part.drops_out) {
            if at >= falls && at < returns && actor.node.is_some() {
                actor.drop_out();
                bars.println("· the flaky node's power fails").ok();
            } else if at >= returns && actor.node.is_none() {
                actor.start(stage).await?;
                bars.println("· the flaky node is back, with its state")
                    .ok();
            }
        }
        let speak = at - said >= LINE.as_secs_f64();
        for (actor, bar) in cast.actors.iter().zip(&plain) {
            let subject = actor.secret.subject(epoch.number).to_bytes();
            let text = line(&seen(stage, epoch, &subject));
            if bar.is_hidden() && speak {
                eprintln!("  {:<6} {text}", actor.part.name);
            }
            let done = ((at - starts) / (ends - starts)).clamp(0.0, 1.0);
            bar.set_position((done * 100.0) as u64);
            bar.set_message(text);
        }
        if speak {
            said = at;
        }
        if at >= ends {
            break;
        }
        tokio::time::sleep(REFRESH).await;
    }
    for bar in plain {
        bar.finish();
    }
    Ok(())
}

fn progress(cast: &Cast) -> (MultiProgress, Vec<ProgressBar>) {
    let bars = MultiProgress::new();
    let style = ProgressStyle::with_template("  {prefix:<6} [{bar:24}] {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let each = cast
        .actors
        .iter()
        .map(|actor| {
            let bar = bars.add(ProgressBar::new(100));
            bar.set_style(style.clone());
            bar.set_prefix(actor.part.name);
            bar
        })
        .collect();
    (bars, each)
}

/// Waits until every honest node is paid.
pub(super) async fn claiming(
    stage: &Stage,
    cast: &Cast,
    epoch: &Epoch,
) -> anyhow::Result<Vec<Option<Claim>>> {
    eprintln!(
        "· the epoch is over: measurers sign, nodes collect, prove, wait a random time, and claim through the relayer"
    );
    let mut phases = vec![String::new(); cast.actors.len()];
    loop {
        let mut claims = Vec::new();
        let mut open = false;
        for (actor, said) in cast.actors.iter().zip(&mut phases) {
            let claim = match &actor.node {
                Some(node) => Claim::of(&node.status(), epoch.number),
                None => None,
            };
            let phase = claim.as_ref().map(|claim| claim.phase);
            let word = phase.map_or("no claim yet", Phase::name);
            if *said != word {
                word.clone_into(said);
                eprintln!("  {:<6} {word}", actor.part.name);
            }
            open |= !actor.part.cheats && !phase.is_some_and(Phase::is_final);
            claims.push(claim);
        }
        if !open {
            return Ok(claims);
        }
        if stage.chain.now().await? >= epoch.claim_until {
            bail!("the claim window shut before every honest node was paid");
        }
        tokio::time::sleep(REFRESH).await;
    }
}
