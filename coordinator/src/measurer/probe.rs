//! One task for each subject and epoch: probes the node as an ordinary WireGuard client, and at the
//! epoch's end signs what it saw.

mod run;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rand::rngs::OsRng;
use tokio::{sync::watch, time::sleep};
use veilpool_protocol::{
    DomainBytes, Metrics, Zone,
    api::{RoundOutcome, RoundResult, SlotOutcome, SlotResult},
};

use super::{
    attest,
    keys::{Keys, ScheduleSecret},
    reflector::Reflector,
    schedule::{EpochTimes, Millis, Turn},
    store::{Entry, Listing, Outcome, Store, StoreError},
    writer::Writer,
};
use crate::outage::Outage;
use run::Run;

/// A handshake is asked for so long before a turn.
const PREPARE: Millis = 400;

/// The system's clock.
pub(crate) fn now_millis() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// What all probes share.
pub(crate) struct Context {
    pub(crate) keys: Keys,
    pub(crate) schedule: ScheduleSecret,
    pub(crate) store: Store,
    pub(crate) reflector: Reflector,
    pub(crate) zone: Zone,
}

/// For the status, and for nothing else.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) answered: u16,
    pub(crate) failed: BTreeMap<&'static str, u16>,
    pub(crate) rounds: Vec<RoundResult>,
    pub(crate) attested: Option<Metrics>,
}

/// One subject in one epoch.
pub(crate) struct Probe {
    pub(crate) context: Arc<Context>,
    pub(crate) writer: Writer,
    pub(crate) domain: DomainBytes,
    pub(crate) times: EpochTimes,
    pub(crate) listing: Listing,
    /// Number of measurers and this one's place.
    pub(crate) place: (usize, usize),
    pub(crate) endpoint: watch::Receiver<SocketAddr>,
    pub(crate) progress: Arc<Mutex<Progress>>,
    pub(crate) stop: watch::Receiver<bool>,
}

#[derive(Clone, Copy, Debug)]
enum Due {
    Heartbeat(u16),
    Prepare,
    Download(Turn),
    Upload(Turn),
}

impl Probe {
    /// Until the attestation is signed, or the measurer stops.
    pub(crate) async fn run(self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            _ = stop.changed() => {}
            () = self.measure() => {}
        }
    }

    async fn measure(self) {
        let mut outage = Outage::new(
            "the measurer's state",
            "the subject is measured as soon as it works",
            Duration::from_secs(10),
        );
        let mut run = loop {
            match self.plan().await {
                Ok(due) => break Run::new(self, due),
                Err(error) => sleep(outage.failed(&error)).await,
            }
        };
        run.probe_all().await;
        run.probe.finish().await;
    }

    /// What is still to be done; what can't be any more is written down with its reason.
    async fn plan(&self) -> Result<VecDeque<(Millis, Due)>, StoreError> {
        let (epoch, subject) = (self.times.number, &self.listing.subject);
        let slots = self.context.store.slots(epoch, subject).await?;
        let rounds = self.context.store.rounds(epoch, subject).await?;
        let now = now_millis();
        let beats = self
            .times
            .heartbeats(&self.context.keys.heartbeat_secret(), subject);
        let (n, place) = self.place;
        let turns = self
            .times
            .turns(self.context.schedule.key(), subject, n, place);
        let mut due = Vec::new();
        let mut lost = 0;
        for (slot, at) in (0u16..).zip(beats) {
            match slots.iter().find(|result| result.slot == slot) {
                Some(result) => self.note_slot(result),
                None if at > now => due.push((at, Due::Heartbeat(slot))),
                None => {
                    lost += u16::from(at > self.listing.listed_at);
                    let outcome = if at > self.listing.listed_at {
                        SlotOutcome::MeasurerDown
                    } else {
                        SlotOutcome::NotListed
                    };
                    self.keep_slot(SlotResult { slot, outcome }).await;
                }
            }
        }
        for turn in turns {
            let round = turn.round;
            match rounds.iter().find(|result| result.round == round) {
                Some(result) => self.note_round(result),
                None if turn.download_at > now => {
                    due.push((turn.download_at - PREPARE.min(turn.pause), Due::Prepare));
                    due.push((turn.download_at, Due::Download(turn)));
                    due.push((turn.upload_at, Due::Upload(turn)));
                }
                None => {
                    let outcome = if turn.download_at > self.listing.listed_at {
                        RoundOutcome::MeasurerDown
                    } else {
                        RoundOutcome::NotListed
                    };
                    self.keep_round(RoundResult { round, outcome }).await;
                }
            }
        }
        if lost > 0 {
            tracing::warn!(
                "this measurer did not run in {lost} heartbeat slots of epoch {epoch}; for a subject they are not attested"
            );
        }
        due.sort_by_key(|(at, _)| *at);
        Ok(due.into())
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_slot(&self, result: &SlotResult) {
        let mut progress = self.progress();
        if result.outcome.round_trip().is_some() {
            progress.answered += 1;
        } else {
            *progress.failed.entry(reason(&result.outcome)).or_default() += 1;
        }
    }

    fn note_round(&self, result: &RoundResult) {
        self.progress().rounds.push(*result);
    }

    async fn keep_slot(&self, result: SlotResult) {
        self.note_slot(&result);
        self.keep(Outcome::Slot(result)).await;
    }

    async fn keep_round(&self, result: RoundResult) {
        self.note_round(&result);
        self.keep(Outcome::Round(result)).await;
    }

    async fn keep(&self, result: Outcome) {
        let entry = Entry {
            epoch: self.times.number,
            subject: self.listing.subject,
            result,
        };
        self.writer.keep(entry).await;
    }

    /// Signs what is in the store, once.
    async fn finish(&self) {
        let mut outage = Outage::new(
            "the measurer's state",
            "the attestation is signed as soon as it works",
            Duration::from_secs(10),
        );
        loop {
            self.writer.flush().await;
            match self.sign().await {
                Ok(metrics) => {
                    self.progress().attested = Some(metrics);
                    return;
                }
                Err(error) => sleep(outage.failed(&error)).await,
            }
        }
    }

    async fn sign(&self) -> Result<Metrics, StoreError> {
        let (epoch, subject) = (self.times.number, &self.listing.subject);
        let store = &self.context.store;
        if let Some(signed) = store.attestation(epoch, subject).await? {
            return Ok(signed.metrics);
        }
        let slots = store.slots(epoch, subject).await?;
        let rounds = store.rounds(epoch, subject).await?;
        let metrics = attest::metrics(&slots, &rounds, self.context.zone);
        let signer = self.context.keys.signer();
        let attestation = signer.sign(&self.domain, subject, epoch, metrics, &mut OsRng);
        let kept = store.sign_once(epoch, subject, &attestation).await?;
        Ok(kept.metrics)
    }
}

/// A failure's name, for the status.
pub(crate) const fn reason(outcome: &SlotOutcome) -> &'static str {
    match outcome {
        SlotOutcome::Answered { .. } => "answered",
        SlotOutcome::Lossy { .. } => "lossy",
        SlotOutcome::NoRoute => "no_route",
        SlotOutcome::NoHandshake => "no_handshake",
        SlotOutcome::Asymmetric => "asymmetric",
        SlotOutcome::Forged => "forged",
        SlotOutcome::MeasurerDown => "measurer_down",
        SlotOutcome::NotListed => "not_listed",
        _ => "other",
    }
}
