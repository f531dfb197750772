//! One task for each subject and epoch: probes the node as an ordinary WireGuard client, and at the
//! epoch's end signs what it saw.

use std::{
    collections::{BTreeMap, VecDeque},
    future::pending,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rand::{Rng, rngs::OsRng};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, sleep_until},
};
use veilpool_protocol::{
    Bandwidth, DomainBytes, Metrics, Zone,
    api::{RoundOutcome, RoundResult, SlotOutcome, SlotResult},
};
use veilpool_tunnel::{Client, ClientConfig, StackConfig, client::Datagram};

use super::{
    attest,
    bandwidth::{self, Failure},
    heartbeat::{Action, Heartbeats},
    keys::{Keys, ScheduleSecret},
    reflector::{Direction, Reflector},
    schedule::{EpochTimes, Millis, Turn},
    store::{Entry, Listing, Outcome, Store, StoreError},
    writer::Writer,
};
use crate::outage::Outage;

/// A heartbeat that this measurer is later with than this is not the node's failure.
const LATE: Millis = 2_000;
/// The clock is looked at this often, since it may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(20);
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

struct Measured {
    round: u8,
    direction: Direction,
    result: Result<u64, Failure>,
}

/// A running probe's own state.
struct Run {
    probe: Probe,
    due: VecDeque<(Millis, Due)>,
    heartbeats: Heartbeats,
    client: Option<Client>,
    /// Port of this end for heartbeats: one, so that the node keeps one flow.
    port: u16,
    turns: JoinSet<Measured>,
    downloads: BTreeMap<u8, Result<u64, Failure>>,
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

impl Run {
    fn new(probe: Probe, due: VecDeque<(Millis, Due)>) -> Self {
        Self {
            due,
            heartbeats: Heartbeats::new(probe.context.reflector.key()),
            client: None,
            port: OsRng.gen_range(0xc000..=u16::MAX),
            turns: JoinSet::new(),
            downloads: BTreeMap::new(),
            probe,
        }
    }

    async fn probe_all(&mut self) {
        loop {
            self.begin_due().await;
            self.poll_heartbeats().await;
            let idle = self.heartbeats.is_idle() && self.turns.is_empty();
            let left = self.probe.times.ends() - now_millis();
            if idle && self.due.is_empty() && left <= 0 {
                return;
            }
            let mut wait = LONGEST_SLEEP;
            if let Some((at, _)) = self.due.front() {
                wait = wait.min(millis(at - now_millis()));
            } else if idle {
                wait = wait.min(millis(left));
            }
            let mut wake = Instant::now() + wait;
            if let Some(at) = self.heartbeats.next_at() {
                wake = wake.min(at);
            }
            tokio::select! {
                () = sleep_until(wake.into()) => {}
                datagram = receive(&mut self.client) => self.take(datagram).await,
                Some(measured) = self.turns.join_next() => {
                    if let Ok(measured) = measured {
                        self.measured(measured).await;
                    }
                }
                changed = self.probe.endpoint.changed() => match changed {
                    Ok(()) => self.client = None,
                    // The measurer is ending.
                    Err(_) => pending().await,
                },
            }
        }
    }

    async fn begin_due(&mut self) {
        while let Some((at, due)) = self.due.front().copied() {
            let late = now_millis() - at;
            if late < 0 {
                return;
            }
            self.due.pop_front();
            match due {
                Due::Heartbeat(slot) if late > LATE => {
                    let outcome = SlotOutcome::MeasurerDown;
                    self.probe.keep_slot(SlotResult { slot, outcome }).await;
                }
                Due::Heartbeat(slot) => self.begin_heartbeat(slot).await,
                Due::Prepare => {
                    if let Some(client) = self.client().await {
                        let _ = client.start_handshake().await;
                    }
                }
                Due::Download(turn) if late > turn.pause => {
                    let outcome = RoundOutcome::MeasurerDown;
                    let round = turn.round;
                    self.probe.keep_round(RoundResult { round, outcome }).await;
                    // Without a download there is no upload.
                    self.due.retain(
                        |(_, due)| !matches!(due, Due::Upload(other) if other.round == round),
                    );
                }
                Due::Download(turn) => self.begin_turn(turn, Direction::Download).await,
                Due::Upload(turn) => {
                    // A download that failed has decided the round.
                    let failed = self.downloads.get(&turn.round).is_some_and(Result::is_err);
                    if !failed {
                        self.begin_turn(turn, Direction::Upload).await;
                    }
                }
            }
        }
    }

    /// The tunnel; `None` when there is no route to the endpoint.
    async fn client(&mut self) -> Option<&Client> {
        if self.client.is_none() {
            let config = ClientConfig {
                node_key: self.probe.listing.wireguard_key,
                endpoint: *self.probe.endpoint.borrow_and_update(),
                stack: StackConfig::default(),
            };
            self.client = Client::open(config).await.ok();
        }
        self.client.as_ref()
    }

    async fn begin_heartbeat(&mut self, slot: u16) {
        if self.client().await.is_none() {
            let outcome = SlotOutcome::NoRoute;
            self.probe.keep_slot(SlotResult { slot, outcome }).await;
            return;
        }
        let nonce = self.probe.context.reflector.expect_heartbeat();
        self.heartbeats.start(slot, nonce, Instant::now());
    }

    async fn poll_heartbeats(&mut self) {
        let reflector = self.probe.context.reflector.public();
        for action in self.heartbeats.poll(Instant::now()) {
            match action {
                Action::Send(request) => {
                    let port = self.port;
                    if let Some(client) = self.client().await {
                        let _ = client.send_udp(port, reflector, request.to_vec()).await;
                    }
                }
                Action::Handshake => {
                    if let Some(client) = self.client().await {
                        let _ = client.start_handshake().await;
                    }
                }
                Action::Failed {
                    slot,
                    since,
                    nonce,
                    forged,
                } => {
                    self.probe.context.reflector.forget_heartbeat(&nonce);
                    let outcome = self.diagnose(since, forged);
                    self.probe.keep_slot(SlotResult { slot, outcome }).await;
                    let node_is_gone = outcome != SlotOutcome::Asymmetric;
                    if node_is_gone && self.heartbeats.is_idle() && self.turns.is_empty() {
                        // It would go on asking for handshakes.
                        self.client = None;
                    }
                }
            }
        }
    }

    fn diagnose(&self, since: Instant, forged: bool) -> SlotOutcome {
        match &self.client {
            _ if forged => SlotOutcome::Forged,
            Some(client) if client.handshake_since(since) => SlotOutcome::Asymmetric,
            Some(client) if client.unreachable_since(since) => SlotOutcome::NoRoute,
            Some(_) => SlotOutcome::NoHandshake,
            None => SlotOutcome::NoRoute,
        }
    }

    async fn take(&mut self, datagram: Option<Datagram>) {
        let Some(datagram) = datagram else {
            self.client = None;
            return;
        };
        let reflector = self.probe.context.reflector.public();
        if datagram.source != reflector || datagram.port != self.port {
            return;
        }
        if let Ok((slot, nonce, outcome)) =
            self.heartbeats.receive(&datagram.payload, Instant::now())
        {
            self.probe.context.reflector.forget_heartbeat(&nonce);
            self.probe.keep_slot(SlotResult { slot, outcome }).await;
        }
    }

    async fn begin_turn(&mut self, turn: Turn, direction: Direction) {
        let context = Arc::clone(&self.probe.context);
        let reflector = context.reflector.public();
        let round = turn.round;
        let flow = match self.client().await {
            Some(client) => client.connect_tcp(reflector).await.ok(),
            None => None,
        };
        let (length, pause) = (millis(turn.length), millis(turn.pause));
        let deadline = Instant::now() + length + pause;
        let mut session = context.reflector.offer(direction, length, pause);
        self.turns.spawn(async move {
            let result = match (flow, direction) {
                (None, _) => Err(Failure::NoConnection),
                (Some(flow), Direction::Download) => {
                    bandwidth::download(flow, &session, deadline).await
                }
                (Some(flow), Direction::Upload) => {
                    bandwidth::upload(flow, &mut session, deadline).await
                }
            };
            Measured {
                round,
                direction,
                result,
            }
        });
    }

    async fn measured(&mut self, measured: Measured) {
        let round = measured.round;
        let outcome = match (measured.direction, measured.result) {
            (_, Err(failure)) => {
                self.downloads.insert(round, Err(failure));
                round_failure(failure)
            }
            (Direction::Download, Ok(rate)) => {
                self.downloads.insert(round, Ok(rate));
                return;
            }
            (Direction::Upload, Ok(upload)) => {
                let Some(Ok(download)) = self.downloads.get(&round).copied() else {
                    return;
                };
                RoundOutcome::Done {
                    download: Bandwidth::from_bits_per_second(download),
                    upload: Bandwidth::from_bits_per_second(upload),
                }
            }
        };
        self.probe.keep_round(RoundResult { round, outcome }).await;
    }
}

const fn round_failure(failure: Failure) -> RoundOutcome {
    match failure {
        Failure::NoConnection => RoundOutcome::NoConnection,
        Failure::Forged => RoundOutcome::Forged,
        Failure::Truncated => RoundOutcome::Truncated,
    }
}

fn millis(time: Millis) -> Duration {
    Duration::from_millis(u64::try_from(time).unwrap_or(0))
}

async fn receive(client: &mut Option<Client>) -> Option<Datagram> {
    match client {
        Some(client) => client.receive_udp().await,
        None => pending().await,
    }
}
