//! What was dropped, and why. Counts only: never of whom.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts.
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// So far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Datagrams and packets that were dropped.
#[derive(Debug, Default)]
pub struct Counters {
    /// Not a WireGuard message, or not a whole inner packet.
    pub malformed: Counter,
    /// A session that nobody has.
    pub unknown: Counter,
    /// Not authentic, or a replay.
    pub refused: Counter,
    /// From an inner address that isn't the sender's.
    pub spoofed: Counter,
    /// To where guests may not go.
    pub denied: Counter,
    /// Beyond a rate limit.
    pub limited: Counter,
    /// Handshake messages beyond what the queue holds.
    pub overrun: Counter,
    /// Handshake messages that were forged, too many, or of somebody who may not connect.
    pub handshakes_refused: Counter,
    /// Flows beyond what a guest, or all together, may have.
    pub too_many_flows: Counter,
    /// Connections that the far end didn't take.
    pub unreachable: Counter,
    /// To an inner address that nobody has.
    pub unroutable: Counter,
}
