//! Heartbeats as a state machine: what to send when, what counts as an answer, and why not.
//!
//! ```text
//! request  nonce (16) ‖ attempt (1) ‖ first 16 bytes of HMAC(key, "request" ‖ nonce ‖ attempt)
//! reply    nonce (16) ‖ attempt (1) ‖ first 16 bytes of HMAC(key, "reply" ‖ nonce ‖ attempt)
//! ```
//! The key is known to measurer and reflector only, and drawn anew by each run of the measurer. Both have one length, so
//! that the reflector amplifies nothing. A node that answers by itself, echoes, or replays an earlier
//! reply doesn't have the reply's tag for this nonce (attack M3).

use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;
use veilpool_protocol::api::SlotOutcome;

use super::keys::prf;

/// Length of request and reply.
pub const LEN: usize = 33;
/// After the first attempt, when the others follow.
pub const ATTEMPTS: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_millis(1000),
];
/// An answer later than this doesn't count.
pub const TIMEOUT: Duration = Duration::from_secs(2);
/// From this attempt on a slot is noted as lossy.
const LOSSY_FROM: u8 = 2;
/// Between handshakes that are asked for, whatever the number of heartbeats under way.
const HANDSHAKE_PAUSE: Duration = Duration::from_millis(500);

/// Names a heartbeat. Random.
pub type Nonce = [u8; 16];
/// Key of a measurer and its reflector.
pub type Key = [u8; 32];

fn message(key: &Key, direction: &[u8], nonce: &Nonce, attempt: u8) -> [u8; LEN] {
    let tag = prf(key, &[direction, nonce, &[attempt]]);
    let mut out = [0u8; LEN];
    out[..16].copy_from_slice(nonce);
    out[16] = attempt;
    out[17..].copy_from_slice(&tag[..16]);
    out
}

fn parse(key: &Key, direction: &[u8], bytes: &[u8]) -> Result<(Nonce, u8), NotAReply> {
    let bytes: &[u8; LEN] = bytes.try_into().map_err(|_| NotAReply::Length)?;
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&bytes[..16]);
    let expected = message(key, direction, &nonce, bytes[16]);
    if bool::from(expected.ct_eq(bytes)) {
        Ok((nonce, bytes[16]))
    } else {
        Err(NotAReply::Tag)
    }
}

/// What a measurer sends.
#[must_use]
pub fn request(key: &Key, nonce: &Nonce, attempt: u8) -> [u8; LEN] {
    message(key, b"request", nonce, attempt)
}

/// The reflector's reply to a request, with the nonce that it is about; `None` when the measurer has not sent it.
#[must_use]
pub fn reply(key: &Key, request: &[u8]) -> Option<(Nonce, [u8; LEN])> {
    let (nonce, attempt) = parse(key, b"request", request).ok()?;
    Some((nonce, message(key, b"reply", &nonce, attempt)))
}

/// Why a datagram from the tunnel is not an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAReply {
    /// Another length.
    #[error("it doesn't have a reply's length")]
    Length,
    /// Not made by the reflector: made up, echoed, or altered.
    #[error("its tag is not the reflector's")]
    Tag,
    /// Made by the reflector, but nothing waits for it: an earlier reply, or a late one.
    #[error("no heartbeat waits for it")]
    NotAwaited,
}

struct Waiting {
    slot: u16,
    nonce: Nonce,
    started: Instant,
    sent: Vec<Instant>,
    forged: bool,
}

impl Waiting {
    fn next_at(&self) -> Instant {
        let after = ATTEMPTS.get(self.sent.len()).copied().unwrap_or(TIMEOUT);
        self.started + after
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this to the reflector through the tunnel.
    Send([u8; LEN]),
    /// Ask for a handshake: the node may have restarted.
    Handshake,
    /// The slot failed; `forged` when something came back that the reflector didn't say.
    Failed {
        /// Which.
        slot: u16,
        /// When its first attempt was sent: a handshake since then tells the reasons apart.
        since: Instant,
        /// Whose nonce no longer waits.
        nonce: Nonce,
        /// See above.
        forged: bool,
    },
}

/// All heartbeats of a subject that are under way. Several at a time, when slots are shorter than the time-out.
pub struct Heartbeats {
    key: Key,
    waiting: Vec<Waiting>,
    handshake_at: Option<Instant>,
}

impl Heartbeats {
    /// None under way.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        Self {
            key,
            waiting: Vec::new(),
            handshake_at: None,
        }
    }

    /// Begins a slot's heartbeat; [`Self::poll`] then says to send it.
    pub fn start(&mut self, slot: u16, nonce: Nonce, now: Instant) {
        self.waiting.push(Waiting {
            slot,
            nonce,
            started: now,
            sent: Vec::new(),
            forged: false,
        });
    }

    /// When [`Self::poll`] wants to be called.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.waiting.iter().map(Waiting::next_at).min()
    }

    /// Whether none is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What is due.
    pub fn poll(&mut self, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        let (key, handshake_at) = (&self.key, &mut self.handshake_at);
        self.waiting.retain_mut(|waiting| {
            if now >= waiting.started + TIMEOUT {
                actions.push(Action::Failed {
                    slot: waiting.slot,
                    since: waiting.started,
                    nonce: waiting.nonce,
                    forged: waiting.forged,
                });
                return false;
            }
            if waiting.sent.len() < ATTEMPTS.len() && now >= waiting.next_at() {
                let attempt = waiting.sent.len() as u8;
                // Once for each heartbeat tells its failures apart; one serves all that are under way.
                let due = handshake_at
                    .is_none_or(|at| at < waiting.started && now >= at + HANDSHAKE_PAUSE);
                if attempt > 0 && due {
                    *handshake_at = Some(now);
                    actions.push(Action::Handshake);
                }
                actions.push(Action::Send(request(key, &waiting.nonce, attempt)));
                waiting.sent.push(now);
            }
            true
        });
        actions
    }

    /// Takes a datagram that came through the tunnel from the reflector's address.
    ///
    /// # Errors
    /// [`NotAReply`].
    pub fn receive(
        &mut self,
        payload: &[u8],
        now: Instant,
    ) -> Result<(u16, Nonce, SlotOutcome), NotAReply> {
        let parsed = parse(&self.key, b"reply", payload);
        if parsed == Err(NotAReply::Tag) || parsed == Err(NotAReply::Length) {
            // Which heartbeat it pretends to answer is not known: all that wait are warned.
            for waiting in &mut self.waiting {
                waiting.forged = true;
            }
        }
        let (nonce, attempt) = parsed?;
        let at = self
            .waiting
            .iter()
            .position(|waiting| waiting.nonce == nonce && now < waiting.started + TIMEOUT)
            .ok_or(NotAReply::NotAwaited)?;
        // The tag covers the attempt, so it was sent.
        let sent = *self.waiting[at]
            .sent
            .get(usize::from(attempt))
            .ok_or(NotAReply::NotAwaited)?;
        let waiting = self.waiting.swap_remove(at);
        let micros = now.saturating_duration_since(sent).as_micros();
        let rtt_us = u32::try_from(micros).unwrap_or(u32::MAX);
        let outcome = if attempt < LOSSY_FROM {
            SlotOutcome::Answered { rtt_us }
        } else {
            SlotOutcome::Lossy { rtt_us }
        };
        Ok((waiting.slot, nonce, outcome))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: Key = [3; 32];
    const NONCE: Nonce = [5; 16];

    fn started() -> (Heartbeats, Instant) {
        let now = Instant::now();
        let mut heartbeats = Heartbeats::new(KEY);
        heartbeats.start(7, NONCE, now);
        assert_eq!(
            heartbeats.poll(now),
            [Action::Send(request(&KEY, &NONCE, 0))]
        );
        (heartbeats, now)
    }

    #[test]
    fn a_reply_within_the_time_counts_with_the_round_trip_of_its_attempt() {
        let (mut heartbeats, start) = started();
        let at = start + Duration::from_millis(200);
        let sent = heartbeats.poll(at);
        assert_eq!(
            sent,
            [Action::Handshake, Action::Send(request(&KEY, &NONCE, 1))]
        );
        let (nonce, answer) = reply(&KEY, &request(&KEY, &NONCE, 1)).unwrap();
        assert_eq!(nonce, NONCE);
        let got = heartbeats.receive(&answer, at + Duration::from_millis(30));
        let outcome = SlotOutcome::Answered { rtt_us: 30_000 };
        assert_eq!(got, Ok((7, NONCE, outcome)));
        assert!(heartbeats.is_idle());
    }

    #[test]
    fn an_answer_to_a_late_attempt_is_noted_as_lossy() {
        let (mut heartbeats, start) = started();
        for after in [200, 500] {
            heartbeats.poll(start + Duration::from_millis(after));
        }
        let (_, answer) = reply(&KEY, &request(&KEY, &NONCE, 2)).unwrap();
        let got = heartbeats.receive(&answer, start + Duration::from_millis(510));
        let outcome = SlotOutcome::Lossy { rtt_us: 10_000 };
        assert_eq!(got, Ok((7, NONCE, outcome)));
    }

    #[test]
    fn a_slot_fails_after_four_attempts_and_two_seconds() {
        let (mut heartbeats, start) = started();
        let mut sends = 1;
        let mut failed = None;
        for ms in 1..=2500 {
            for action in heartbeats.poll(start + Duration::from_millis(ms)) {
                match action {
                    Action::Send(_) => sends += 1,
                    Action::Failed {
                        slot,
                        since,
                        forged,
                        ..
                    } => failed = Some((slot, since, forged, ms)),
                    Action::Handshake => {}
                }
            }
        }
        assert_eq!(sends, ATTEMPTS.len());
        assert_eq!(failed, Some((7, start, false, 2000)));
        let (_, late) = reply(&KEY, &request(&KEY, &NONCE, 0)).unwrap();
        assert_eq!(
            heartbeats.receive(&late, start + TIMEOUT),
            Err(NotAReply::NotAwaited)
        );
    }

    #[test]
    fn m3_a_node_that_answers_echoes_or_replays_has_no_reply() {
        let (mut heartbeats, start) = started();
        // Echoed.
        let echo = request(&KEY, &NONCE, 0);
        assert_eq!(heartbeats.receive(&echo, start), Err(NotAReply::Tag));
        // Made up with a key of the node's own.
        let (_, own) = reply(&[9; 32], &request(&[9; 32], &NONCE, 0)).unwrap();
        assert_eq!(heartbeats.receive(&own, start), Err(NotAReply::Tag));
        // Another length.
        assert_eq!(
            heartbeats.receive(&[0; LEN - 1], start),
            Err(NotAReply::Length)
        );
        // The reply of an earlier heartbeat.
        let (_, earlier) = reply(&KEY, &request(&KEY, &[4; 16], 0)).unwrap();
        assert_eq!(
            heartbeats.receive(&earlier, start),
            Err(NotAReply::NotAwaited)
        );
        // The reply to an attempt that has not been sent: not even the reflector's counts.
        let (_, early) = reply(&KEY, &request(&KEY, &NONCE, 3)).unwrap();
        assert_eq!(
            heartbeats.receive(&early, start),
            Err(NotAReply::NotAwaited)
        );
        let failed = heartbeats.poll(start + TIMEOUT);
        assert_eq!(
            failed,
            [Action::Failed {
                slot: 7,
                since: start,
                nonce: NONCE,
                forged: true
            }]
        );
    }

    #[test]
    fn short_slots_overlap_and_each_answer_finds_its_slot() {
        let now = Instant::now();
        let mut heartbeats = Heartbeats::new(KEY);
        for slot in 0..5u16 {
            heartbeats.start(slot, [slot as u8; 16], now);
        }
        assert_eq!(heartbeats.poll(now).len(), 5);
        for slot in [3u16, 0, 4, 1, 2] {
            let (_, answer) = reply(&KEY, &request(&KEY, &[slot as u8; 16], 0)).unwrap();
            let (found, ..) = heartbeats.receive(&answer, now).unwrap();
            assert_eq!(found, slot);
        }
        // One handshake for all, not one for each.
        for slot in 0..5u16 {
            heartbeats.start(slot, [slot as u8; 16], now);
        }
        heartbeats.poll(now);
        let retries = heartbeats.poll(now + Duration::from_millis(200));
        let handshakes = retries
            .iter()
            .filter(|action| **action == Action::Handshake);
        assert_eq!(handshakes.count(), 1);
    }

    proptest! {
        #[test]
        fn m3_no_bytes_are_a_reply_or_a_request(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let (mut heartbeats, start) = started();
            prop_assert!(matches!(
                heartbeats.receive(&bytes, start),
                Err(NotAReply::Length | NotAReply::Tag)
            ));
            prop_assert_eq!(reply(&KEY, &bytes), None);
        }
    }
}
