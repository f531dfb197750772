//! A probe at work: one tunnel, heartbeats under way, turns under way.

use std::{
    collections::{BTreeMap, VecDeque},
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{Rng, rngs::OsRng};
use tokio::{task::JoinSet, time::sleep_until};
use veilpool_protocol::{
    Bandwidth,
    api::{RoundOutcome, RoundResult, SlotOutcome, SlotResult},
};
use veilpool_tunnel::{Client, ClientConfig, StackConfig, client::Datagram};

use super::{Due, Probe, now_millis};
use crate::measurer::{
    bandwidth::{self, Failure},
    heartbeat::{Action, Heartbeats},
    reflector::Direction,
    schedule::{Millis, Turn},
};

/// A heartbeat that this measurer is later with than this is not the node's failure.
const LATE: Millis = 2_000;
/// The clock is looked at this often, since it may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(20);

struct Measured {
    round: u8,
    direction: Direction,
    result: Result<u64, Failure>,
}

/// A running probe's own state.
pub(super) struct Run {
    pub(super) probe: Probe,
    due: VecDeque<(Millis, Due)>,
    heartbeats: Heartbeats,
    client: Option<Client>,
    /// Port of this end for heartbeats: one, so that the node keeps one flow.
    port: u16,
    turns: JoinSet<Measured>,
    rounds: BTreeMap<u8, Round>,
}

/// What is known of a round.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    download: Option<u64>,
    upload: Option<u64>,
    decided: bool,
}

impl Run {
    pub(super) fn new(probe: Probe, due: VecDeque<(Millis, Due)>) -> Self {
        Self {
            due,
            heartbeats: Heartbeats::new(probe.context.reflector.key()),
            client: None,
            port: OsRng.gen_range(0xc000..=u16::MAX),
            turns: JoinSet::new(),
            rounds: BTreeMap::new(),
            probe,
        }
    }

    pub(super) async fn probe_all(&mut self) {
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
                    let failed = self.rounds.entry(turn.round).or_default().decided;
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
        let known = self.rounds.entry(round).or_default();
        if known.decided {
            return;
        }
        let outcome = match (measured.direction, measured.result) {
            (_, Err(failure)) => round_failure(failure),
            (direction, Ok(rate)) => {
                match direction {
                    Direction::Download => known.download = Some(rate),
                    Direction::Upload => known.upload = Some(rate),
                }
                let (Some(download), Some(upload)) = (known.download, known.upload) else {
                    return;
                };
                RoundOutcome::Done {
                    download: Bandwidth::from_bits_per_second(download),
                    upload: Bandwidth::from_bits_per_second(upload),
                }
            }
        };
        known.decided = true;
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
