//! Bandwidth of one direction: random payload that only the two ends can make, checked byte by byte
//! as it arrives, counted in ten equal intervals from the first byte on.
//!
//! ```text
//! payload = keystream of ChaCha20 under a session's fresh key
//! rate    = min(median of the ten intervals, 4/3 of their mean)
//! ```
//! Comparing with the keystream is a MAC over every byte, known at once: a byte that is made up, replayed,
//! precomputed or replaced is not the keystream's (attack M3). The median forgives a hiccup; the mean bounds
//! what holding data back and letting it burst can gain (FlashFlow's factor of 1.33).

use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tokio::time::timeout_at;
use veilpool_tunnel::Flow;

use super::reflector::{Direction, Session};

/// Intervals of a measurement.
pub const INTERVALS: usize = 10;
/// Sent at a time.
pub(crate) const CHUNK: usize = 16 << 10;

/// Why a direction has no figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The reflector was never reached.
    #[error("no connection to the reflector came about through the node")]
    NoConnection,
    /// A byte that the other end had not sent.
    #[error("a byte arrived that the other end had not sent")]
    Forged,
    /// The end came too early.
    #[error("the flow was ended before its time")]
    Truncated,
}

/// The keystream, at the sending end as payload and at the receiving end as what must arrive.
pub struct Keystream {
    rng: ChaCha20Rng,
    scratch: Vec<u8>,
}

impl Keystream {
    /// From its beginning.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self {
            rng: ChaCha20Rng::from_seed(*key),
            scratch: Vec::new(),
        }
    }

    /// The next bytes.
    pub fn next(&mut self, len: usize) -> Bytes {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes);
        bytes.into()
    }

    /// Fills with the next bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        // The generator works in words: what is left of one is not lost, whatever the lengths asked for.
        let spare = self.scratch.len().min(bytes.len());
        for (slot, byte) in bytes.iter_mut().zip(self.scratch.drain(..spare)) {
            *slot = byte;
        }
        let rest = &mut bytes[spare..];
        let whole = rest.len() / 4 * 4;
        self.rng.fill_bytes(&mut rest[..whole]);
        let tail = &mut rest[whole..];
        if !tail.is_empty() {
            let word = self.rng.next_u32().to_le_bytes();
            let (used, left) = word.split_at(tail.len());
            tail.copy_from_slice(used);
            self.scratch.extend_from_slice(left);
        }
    }

    /// Whether these are the next bytes.
    pub fn check(&mut self, bytes: &[u8]) -> bool {
        let mut expected = vec![0; bytes.len()];
        self.fill(&mut expected);
        expected == bytes
    }
}

/// What arrived when.
#[derive(Clone, Debug)]
pub struct Tally {
    interval: Duration,
    first: Option<Instant>,
    bytes: [u64; INTERVALS],
}

impl Tally {
    /// For a measurement of a length.
    #[must_use]
    pub fn new(length: Duration) -> Self {
        Self {
            interval: (length / INTERVALS as u32).max(Duration::from_millis(1)),
            first: None,
            bytes: [0; INTERVALS],
        }
    }

    /// Whether anything has arrived.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.first.is_some()
    }

    /// When the measurement is over, if it has begun.
    #[must_use]
    pub fn ends_at(&self) -> Option<Instant> {
        self.first
            .map(|first| first + self.interval * INTERVALS as u32)
    }

    /// Counts bytes that have been checked. The very first start the clock and were under way before it, so they don't count.
    pub fn add(&mut self, len: usize, now: Instant) {
        let Some(first) = self.first else {
            self.first = Some(now);
            return;
        };
        let index = now.saturating_duration_since(first).as_nanos() / self.interval.as_nanos();
        let slot = usize::try_from(index)
            .ok()
            .and_then(|i| self.bytes.get_mut(i));
        if let Some(slot) = slot {
            *slot = slot.saturating_add(len as u64);
        }
    }

    /// Bits per second.
    #[must_use]
    pub fn rate(&self) -> u64 {
        let mut sorted = self.bytes;
        sorted.sort_unstable();
        let median = sorted[INTERVALS / 2 - 1].midpoint(sorted[INTERVALS / 2]);
        let total = sorted
            .iter()
            .fold(0u64, |sum, bytes| sum.saturating_add(*bytes));
        let bound = total.saturating_mul(4) / (3 * INTERVALS as u64);
        let per_interval = u128::from(median.min(bound));
        let bits = per_interval * 8 * 1_000_000_000 / self.interval.as_nanos();
        u64::try_from(bits).unwrap_or(u64::MAX)
    }
}

/// Receives from the reflector through the node. Bits per second.
///
/// # Errors
/// [`Failure`].
pub async fn download(flow: Flow, session: &Session, deadline: Instant) -> Result<u64, Failure> {
    debug_assert_eq!(session.direction(), Direction::Download);
    let (sender, mut receiver) = flow.split();
    if sender.send(session.hello().to_vec().into()).await.is_err() {
        return Err(Failure::NoConnection);
    }
    let mut keystream = session.keystream();
    let mut tally = Tally::new(session.length());
    loop {
        let end = tally.ends_at().unwrap_or(deadline).min(deadline);
        let Ok(received) = timeout_at(end.into(), receiver.receive()).await else {
            break;
        };
        let Some(data) = received else {
            return Err(if tally.has_begun() {
                Failure::Truncated
            } else {
                Failure::NoConnection
            });
        };
        if !keystream.check(&data) {
            return Err(Failure::Forged);
        }
        tally.add(data.len(), Instant::now());
    }
    if tally.has_begun() {
        Ok(tally.rate())
    } else {
        Err(Failure::NoConnection)
    }
}

/// Sends to the reflector through the node, which counts. Bits per second.
///
/// # Errors
/// [`Failure`].
pub async fn upload(flow: Flow, session: &mut Session, deadline: Instant) -> Result<u64, Failure> {
    debug_assert_eq!(session.direction(), Direction::Upload);
    // The receiver is kept, or the flow would be reset.
    let (sender, _receiver) = flow.split();
    if sender.send(session.hello().to_vec().into()).await.is_err() {
        return Err(Failure::NoConnection);
    }
    let mut keystream = session.keystream();
    let send = async {
        while sender.send(keystream.next(CHUNK)).await.is_ok() {}
        // Ended by the node; what the reflector saw of it decides.
        std::future::pending().await
    };
    tokio::select! {
        verdict = session.verdict(deadline) => verdict,
        () = send => Err(Failure::Truncated),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rate_is_the_median_interval() {
        let start = Instant::now();
        let mut tally = Tally::new(Duration::from_secs(1));
        tally.add(1 << 20, start);
        for (i, bytes) in [0, 90, 100, 110, 100, 100, 100, 100, 100, 5000]
            .into_iter()
            .enumerate()
        {
            tally.add(bytes, start + Duration::from_millis(100 * i as u64 + 50));
        }
        // Late bytes don't count.
        tally.add(1 << 20, start + Duration::from_millis(1001));
        assert_eq!(tally.rate(), 100 * 8 * 10);
    }

    #[test]
    fn m3_holding_data_back_gains_at_most_a_third() {
        let start = Instant::now();
        let mut tally = Tally::new(Duration::from_secs(1));
        tally.add(1, start);
        for i in 0..6 {
            tally.add(1000, start + Duration::from_millis(100 * i + 50));
        }
        // The median alone would say 1,000; a mean of 600 bounds it at 800.
        assert_eq!(tally.rate(), 800 * 8 * 10);
        assert_eq!(Tally::new(Duration::ZERO).rate(), 0);
    }

    proptest! {
        #[test]
        fn the_keystream_does_not_depend_on_how_it_is_cut(lengths in proptest::collection::vec(0usize..70, 1..30)) {
            let mut whole = vec![0; lengths.iter().sum()];
            Keystream::new(&[7; 32]).fill(&mut whole);
            let mut cut = Keystream::new(&[7; 32]);
            let pieces: Vec<u8> = lengths.iter().flat_map(|len| cut.next(*len).to_vec()).collect();
            prop_assert_eq!(&pieces, &whole);
        }

        #[test]
        fn m3_one_altered_byte_is_found(at in 0usize..1000, change in 1u8..) {
            let mut bytes = Keystream::new(&[7; 32]).next(1000).to_vec();
            prop_assert!(Keystream::new(&[7; 32]).check(&bytes));
            bytes[at] ^= change;
            prop_assert!(!Keystream::new(&[7; 32]).check(&bytes));
            prop_assert!(!Keystream::new(&[8; 32]).check(&bytes));
        }
    }
}
