//! The client's end: one peer, handshakes started from this side.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, Instant},
};

use boringtun::x25519::{PublicKey, StaticSecret};
use rand::{CryptoRng, RngCore};
use veilpool_protocol::api::WireGuardKeyBytes;

use crate::{
    Event, INNER_MTU, Link, MAX_DATAGRAM, Outbox,
    address::{inner_address, inner_address_v6},
    link::Alone,
    packet, wire,
};

/// The client's end of a tunnel. Keys are zeroized on drop by `StaticSecret`.
pub struct Initiator {
    link: Link,
    address: Ipv4Addr,
    address_v6: Ipv6Addr,
    scratch: Box<[u8; MAX_DATAGRAM]>,
    rejected: u64,
}

impl Initiator {
    /// With a fresh key, drawn until it has an inner address.
    pub fn new<R: RngCore + CryptoRng>(node: &WireGuardKeyBytes, rng: &mut R) -> Self {
        loop {
            let secret = StaticSecret::random_from_rng(&mut *rng);
            if let Some(end) = Self::with_key(secret, node) {
                return end;
            }
        }
    }

    /// With a given key; `None` when the key has no inner address.
    #[must_use]
    pub fn with_key(secret: StaticSecret, node: &WireGuardKeyBytes) -> Option<Self> {
        let public = WireGuardKeyBytes::new(PublicKey::from(&secret).to_bytes());
        let node = PublicKey::from(*node.as_bytes());
        Some(Self {
            address: inner_address(&public)?,
            address_v6: inner_address_v6(&public),
            link: Link::new(secret, node, None, None),
            scratch: Box::new([0; MAX_DATAGRAM]),
            rejected: 0,
        })
    }

    /// The inner address.
    #[must_use]
    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The inner IPv6 address.
    #[must_use]
    pub const fn address_v6(&self) -> Ipv6Addr {
        self.address_v6
    }

    /// Datagrams that were refused, for whatever reason.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Since the last completed handshake; `None` before the first.
    #[must_use]
    pub fn since_handshake(&self) -> Option<Duration> {
        self.link.since_handshake()
    }

    /// Starts a handshake now, even if a session exists: the far end may have forgotten it.
    pub fn start_handshake(&mut self, out: &mut Outbox) {
        let scratch = self.scratch.as_mut_slice();
        let event = self.link.initiate(scratch, Instant::now(), &mut Alone);
        if let Event::Network(datagram) = event {
            out.push((None, datagram.to_vec()));
        }
    }

    /// Sends an inner packet. Without a session it is queued (boringtun's bound: 256) and a
    /// handshake starts.
    pub fn send(&mut self, mut inner: Vec<u8>, out: &mut Outbox) {
        let len = inner.len();
        if len > INNER_MTU {
            return;
        }
        inner.resize(len + wire::PADDING, 0);
        let scratch = self.scratch.as_mut_slice();
        match self
            .link
            .seal(&mut inner, len, scratch, Instant::now(), &mut Alone)
        {
            Event::Network(datagram) => out.push((None, datagram.to_vec())),
            Event::Refused => self.rejected = self.rejected.saturating_add(1),
            _ => {}
        }
    }

    /// Takes a datagram from the network; gives the inner packet if it carries one for this end.
    pub fn receive(&mut self, datagram: &[u8], out: &mut Outbox) -> Option<Vec<u8>> {
        let Some(kind) = wire::kind(datagram) else {
            self.rejected = self.rejected.saturating_add(1);
            return None;
        };
        let (now, mut datagram) = (Instant::now(), datagram.to_vec());
        let scratch = self.scratch.as_mut_slice();
        match self
            .link
            .open(kind, &mut datagram, scratch, now, &mut Alone)
        {
            Event::Inner(inner) => {
                let own = [IpAddr::V4(self.address), IpAddr::V6(self.address_v6)];
                let to = packet::destination_of(inner)?;
                own.contains(&to).then(|| inner.to_vec())
            }
            Event::Network(reply) => {
                out.push((None, reply.to_vec()));
                while let Event::Network(queued) =
                    self.link
                        .queued(self.scratch.as_mut_slice(), now, &mut Alone)
                {
                    out.push((None, queued.to_vec()));
                }
                None
            }
            Event::Refused => {
                self.rejected = self.rejected.saturating_add(1);
                None
            }
            _ => None,
        }
    }

    /// Keepalives, retries and new handshakes; call about every 250 ms.
    pub fn tick(&mut self, out: &mut Outbox) {
        let scratch = self.scratch.as_mut_slice();
        if let Event::Network(datagram) = self.link.tick(scratch, Instant::now(), &mut Alone) {
            out.push((None, datagram.to_vec()));
        }
    }
}
