//! WireGuard's noise protocol as the rest of this crate sees it, and boringtun's implementation of it.
//!
//! What an implementation needn't do, because [`crate::Link`] does it: random session indices, cookies, padding, and
//! stopping before the nonces run out.

use std::{sync::Arc, time::Duration};

use boringtun::{
    noise::{Tunn, TunnResult, rate_limiter::RateLimiter},
    x25519::{PublicKey, StaticSecret},
};

use crate::wire::{DATA_OVERHEAD, INITIATION_LEN};

/// What comes of a step.
#[derive(Debug)]
pub enum Output<'a> {
    /// Nothing to do.
    Nothing,
    /// A datagram for the peer.
    Network(&'a mut [u8]),
    /// An inner packet, cut to the length that its header says.
    Inner(&'a mut [u8]),
    /// The datagram isn't authentic, is a replay, or carries no whole packet.
    Refused,
    /// No answer for so long that all keys are gone.
    Expired,
}

/// One peer's handshakes and sessions. Session indices are `low byte of a counter` in bits 0..8, and nothing above.
pub trait Noise: Send {
    /// Seals a packet; without a session it is queued and a handshake starts. `out` has 32 bytes more, 148 at least.
    fn seal<'a>(&mut self, packet: &[u8], out: &'a mut [u8]) -> Output<'a>;
    /// Takes a datagram with a valid first MAC. `out` is as long as it, 148 bytes at least.
    fn open<'a>(&mut self, datagram: &[u8], out: &'a mut [u8]) -> Output<'a>;
    /// The next packet that waited for a session, sealed.
    fn queued<'a>(&mut self, out: &'a mut [u8]) -> Output<'a>;
    /// Timers; four times a second.
    fn tick<'a>(&mut self, out: &'a mut [u8]) -> Output<'a>;
    /// A handshake now, whatever the state.
    fn initiate<'a>(&mut self, out: &'a mut [u8]) -> Output<'a>;
    /// Since the last completed handshake; `None` without a session.
    fn since_handshake(&self) -> Option<Duration>;
}

/// boringtun's.
pub struct Boringtun(Tunn);

impl Boringtun {
    /// `keepalive` in seconds.
    #[must_use]
    pub fn new(
        secret: StaticSecret,
        peer: PublicKey,
        preshared: Option<[u8; 32]>,
        keepalive: Option<u16>,
    ) -> Self {
        // Its own limiter is one for all senders, and asks for cookies over indices that are not on the wire.
        let unlimited = RateLimiter::new(&PublicKey::from(&secret), u64::MAX);
        let tunnel = Tunn::new(
            secret,
            peer,
            preshared,
            keepalive,
            0,
            Some(Arc::new(unlimited)),
        );
        Self(tunnel)
    }
}

impl Noise for Boringtun {
    fn seal<'a>(&mut self, packet: &[u8], out: &'a mut [u8]) -> Output<'a> {
        // boringtun panics instead.
        if out.len() < INITIATION_LEN.max(packet.len().saturating_add(DATA_OVERHEAD)) {
            return Output::Refused;
        }
        self.0.encapsulate(packet, out).into()
    }

    fn open<'a>(&mut self, datagram: &[u8], out: &'a mut [u8]) -> Output<'a> {
        // To boringtun an empty datagram means "what is queued"; for a short buffer it panics.
        if datagram.is_empty() || out.len() < INITIATION_LEN.max(datagram.len()) {
            return Output::Refused;
        }
        self.0.decapsulate(None, datagram, out).into()
    }

    fn queued<'a>(&mut self, out: &'a mut [u8]) -> Output<'a> {
        self.0.decapsulate(None, &[], out).into()
    }

    fn tick<'a>(&mut self, out: &'a mut [u8]) -> Output<'a> {
        self.0.update_timers(out).into()
    }

    fn initiate<'a>(&mut self, out: &'a mut [u8]) -> Output<'a> {
        self.0.format_handshake_initiation(out, true).into()
    }

    fn since_handshake(&self) -> Option<Duration> {
        self.0.time_since_last_handshake()
    }
}

impl<'a> From<TunnResult<'a>> for Output<'a> {
    fn from(result: TunnResult<'a>) -> Self {
        use boringtun::noise::errors::WireGuardError::ConnectionExpired;
        match result {
            TunnResult::Done => Self::Nothing,
            TunnResult::WriteToNetwork(datagram) => Self::Network(datagram),
            TunnResult::WriteToTunnelV4(packet, _) | TunnResult::WriteToTunnelV6(packet, _) => {
                Self::Inner(packet)
            }
            TunnResult::Err(ConnectionExpired) => Self::Expired,
            TunnResult::Err(_) => Self::Refused,
        }
    }
}
