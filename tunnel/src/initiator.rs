//! The client's end: one peer, handshakes started from this side.

use std::{net::Ipv4Addr, time::Duration};

use boringtun::{
    noise::{Tunn, TunnResult},
    x25519::{PublicKey, StaticSecret},
};
use rand::{CryptoRng, Rng, RngCore};
use veilpool_protocol::api::WireGuardKeyBytes;

use crate::{MAX_DATAGRAM, Outbox, address::inner_address, packet};

/// The client's end of a tunnel. Keys are zeroized on drop by `StaticSecret`.
pub struct Initiator {
    tunnel: Tunn,
    address: Ipv4Addr,
    scratch: Box<[u8; MAX_DATAGRAM]>,
    rejected: u64,
}

impl Initiator {
    /// With a fresh key, drawn until it has an inner address.
    pub fn new<R: RngCore + CryptoRng>(node: &WireGuardKeyBytes, rng: &mut R) -> Self {
        loop {
            let secret = StaticSecret::random_from_rng(&mut *rng);
            if let Some(end) = Self::with_key(secret, node, rng) {
                return end;
            }
        }
    }

    /// With a given key; `None` when the key has no inner address.
    pub fn with_key<R: RngCore>(
        secret: StaticSecret,
        node: &WireGuardKeyBytes,
        rng: &mut R,
    ) -> Option<Self> {
        let public = WireGuardKeyBytes::new(PublicKey::from(&secret).to_bytes());
        let index = rng.gen_range(0..1u32 << 24);
        Some(Self {
            address: inner_address(&public)?,
            tunnel: Tunn::new(
                secret,
                PublicKey::from(*node.as_bytes()),
                None,
                None,
                index,
                None,
            ),
            scratch: Box::new([0; MAX_DATAGRAM]),
            rejected: 0,
        })
    }

    /// The inner address.
    #[must_use]
    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Datagrams that were refused, for whatever reason.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Since the last completed handshake; `None` before the first.
    #[must_use]
    pub fn since_handshake(&self) -> Option<Duration> {
        self.tunnel.time_since_last_handshake()
    }

    /// Starts a handshake now, even if a session exists: the far end may have forgotten it.
    pub fn start_handshake(&mut self, out: &mut Outbox) {
        if let TunnResult::WriteToNetwork(datagram) = self
            .tunnel
            .format_handshake_initiation(self.scratch.as_mut_slice(), true)
        {
            out.push((None, datagram.to_vec()));
        }
    }

    /// Sends an inner packet. Without a session it is queued (boringtun's bound: 256) and a
    /// handshake starts.
    pub fn send(&mut self, mut inner: Vec<u8>, out: &mut Outbox) {
        if inner.len() > crate::INNER_MTU {
            return;
        }
        packet::pad(&mut inner);
        match self.tunnel.encapsulate(&inner, self.scratch.as_mut_slice()) {
            TunnResult::WriteToNetwork(datagram) => out.push((None, datagram.to_vec())),
            TunnResult::Err(_) => self.rejected = self.rejected.saturating_add(1),
            _ => {}
        }
    }

    /// Takes a datagram from the network; gives the inner packet if it carries one for this end.
    pub fn receive(&mut self, datagram: &[u8], out: &mut Outbox) -> Option<Vec<u8>> {
        if datagram.is_empty() || datagram.len() > MAX_DATAGRAM {
            self.rejected = self.rejected.saturating_add(1);
            return None;
        }
        let scratch = self.scratch.as_mut_slice();
        match self.tunnel.decapsulate(None, datagram, scratch) {
            TunnResult::WriteToTunnelV4(inner, _) => {
                (packet::destination_of(inner) == Some(self.address)).then(|| inner.to_vec())
            }
            TunnResult::WriteToNetwork(reply) => {
                out.push((None, reply.to_vec()));
                while let TunnResult::WriteToNetwork(queued) =
                    self.tunnel
                        .decapsulate(None, &[], self.scratch.as_mut_slice())
                {
                    out.push((None, queued.to_vec()));
                }
                None
            }
            TunnResult::Err(_) | TunnResult::WriteToTunnelV6(..) => {
                self.rejected = self.rejected.saturating_add(1);
                None
            }
            TunnResult::Done => None,
        }
    }

    /// Keepalives, retries and new handshakes; call about every 250 ms.
    pub fn tick(&mut self, out: &mut Outbox) {
        if let TunnResult::WriteToNetwork(datagram) =
            self.tunnel.update_timers(self.scratch.as_mut_slice())
        {
            out.push((None, datagram.to_vec()));
        }
    }
}
