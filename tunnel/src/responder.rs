//! The node's end: many peers on one socket.
//!
//! A datagram is dispatched by its type: initiations by the static key inside (`parse_handshake_anon`),
//! everything else by `receiver index >> 8`, where each peer has a random index of 24 bits. MACs and
//! load are checked first, by one limiter for all peers. An inner packet is let through only if its
//! source is the address derived from the sender's key.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use boringtun::{
    noise::{Packet, Tunn, TunnResult, handshake::parse_handshake_anon, rate_limiter::RateLimiter},
    x25519::{PublicKey, StaticSecret},
};
use rand::Rng;
use veilpool_protocol::api::WireGuardKeyBytes;

use crate::{INNER_MTU, MAX_DATAGRAM, Outbox, address::inner_address, packet};

/// A peer of this run: its random index. A peer that returns after eviction gets another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(u32);

/// Who may connect.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Whoever completes a handshake.
    Open,
    /// These keys.
    Listed(Vec<WireGuardKeyBytes>),
}

/// Bounds of a responder.
#[derive(Clone, Debug)]
pub struct ResponderConfig {
    /// Who may connect.
    pub admission: Admission,
    /// Peers held at a time.
    pub max_peers: usize,
    /// Handshake messages a second beyond which senders must show a cookie.
    pub handshakes_per_second: u64,
    /// After so much silence a peer is forgotten.
    pub idle_timeout: Duration,
    /// A peer that completed no handshake may be evicted after this.
    pub unconfirmed_timeout: Duration,
}

impl Default for ResponderConfig {
    fn default() -> Self {
        Self {
            admission: Admission::Open,
            max_peers: 256,
            handshakes_per_second: 200,
            idle_timeout: Duration::from_secs(180),
            unconfirmed_timeout: Duration::from_secs(10),
        }
    }
}

/// Why a datagram or inner packet was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a WireGuard message, a wrong MAC, or a replay.
    Malformed,
    /// A key that may not connect.
    NotAdmitted,
    /// A key without an inner address, or with that of another peer.
    NoAddress,
    /// All places are taken by active peers.
    Full,
    /// No peer has this receiver index.
    UnknownIndex,
    /// The inner source isn't the sender's address.
    SpoofedSource,
}

struct Peer {
    tunnel: Tunn,
    key: WireGuardKeyBytes,
    address: Ipv4Addr,
    endpoint: Option<SocketAddr>,
    created: Instant,
    // Of the last authenticated data message.
    heard: Option<Instant>,
}

/// The node's end of all tunnels.
pub struct Responder {
    secret: StaticSecret,
    public: PublicKey,
    config: ResponderConfig,
    limiter: Arc<RateLimiter>,
    peers: HashMap<u32, Peer>,
    by_key: HashMap<WireGuardKeyBytes, u32>,
    by_address: HashMap<Ipv4Addr, u32>,
    scratch: Box<[u8; MAX_DATAGRAM]>,
}

impl Responder {
    /// With the node's key.
    #[must_use]
    pub fn new(secret: StaticSecret, config: ResponderConfig) -> Self {
        let public = PublicKey::from(&secret);
        Self {
            // Twice: boringtun's own check counts each message again.
            limiter: Arc::new(RateLimiter::new(
                &public,
                config.handshakes_per_second.saturating_mul(2),
            )),
            secret,
            public,
            config,
            peers: HashMap::new(),
            by_key: HashMap::new(),
            by_address: HashMap::new(),
            scratch: Box::new([0; MAX_DATAGRAM]),
        }
    }

    /// The node's public key.
    #[must_use]
    pub fn public_key(&self) -> WireGuardKeyBytes {
        WireGuardKeyBytes::new(self.public.to_bytes())
    }

    /// How many peers are held.
    #[must_use]
    pub fn peer_count(&self) -> usize {
        self.peers.len()
    }

    /// Whether a peer is still held.
    #[must_use]
    pub fn contains(&self, peer: PeerId) -> bool {
        self.peers.contains_key(&peer.0)
    }

    /// A peer's inner address.
    #[must_use]
    pub fn address(&self, peer: PeerId) -> Option<Ipv4Addr> {
        self.peers.get(&peer.0).map(|peer| peer.address)
    }

    /// A peer's key.
    #[must_use]
    pub fn key(&self, peer: PeerId) -> Option<WireGuardKeyBytes> {
        self.peers.get(&peer.0).map(|peer| peer.key)
    }

    /// Takes a datagram; gives the sender and its inner packet if there is one.
    ///
    /// # Errors
    /// [`Refusal`]: the datagram is dropped, nothing else happens.
    pub fn receive(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Option<(PeerId, Vec<u8>)>, Refusal> {
        if datagram.is_empty() || datagram.len() > MAX_DATAGRAM {
            return Err(Refusal::Malformed);
        }
        let mut cookie = [0u8; MAX_DATAGRAM];
        let index = match self
            .limiter
            .verify_packet(Some(from.ip()), datagram, &mut cookie)
        {
            Ok(Packet::HandshakeInit(message)) => {
                let half = parse_handshake_anon(&self.secret, &self.public, &message)
                    .map_err(|_| Refusal::Malformed)?;
                self.admit(WireGuardKeyBytes::new(half.peer_static_public), now)?
            }
            Ok(Packet::HandshakeResponse(message)) => message.receiver_idx >> 8,
            Ok(Packet::PacketCookieReply(message)) => message.receiver_idx >> 8,
            Ok(Packet::PacketData(message)) => message.receiver_idx >> 8,
            Err(TunnResult::WriteToNetwork(reply)) => {
                out.push((Some(from), reply.to_vec()));
                return Ok(None);
            }
            Err(_) => return Err(Refusal::Malformed),
        };
        let peer = self.peers.get_mut(&index).ok_or(Refusal::UnknownIndex)?;
        let scratch = self.scratch.as_mut_slice();
        match peer.tunnel.decapsulate(Some(from.ip()), datagram, scratch) {
            TunnResult::WriteToTunnelV4(inner, _) => {
                peer.endpoint = Some(from);
                peer.heard = Some(now);
                if packet::source_of(inner) != Some(peer.address) {
                    return Err(Refusal::SpoofedSource);
                }
                Ok(Some((PeerId(index), inner.to_vec())))
            }
            // No IPv6 address is derived for anyone.
            TunnResult::WriteToTunnelV6(..) => Err(Refusal::SpoofedSource),
            TunnResult::WriteToNetwork(reply) => {
                // Authenticated: a response to a handshake, or a queued packet.
                peer.endpoint = Some(from);
                out.push((Some(from), reply.to_vec()));
                while let TunnResult::WriteToNetwork(queued) =
                    peer.tunnel
                        .decapsulate(None, &[], self.scratch.as_mut_slice())
                {
                    out.push((Some(from), queued.to_vec()));
                }
                Ok(None)
            }
            // A keepalive, which is data and authenticated.
            TunnResult::Done => {
                peer.endpoint = Some(from);
                peer.heard = Some(now);
                Ok(None)
            }
            TunnResult::Err(_) => Err(Refusal::Malformed),
        }
    }

    /// Sends an inner packet to a peer, if its destination is that peer's address.
    pub fn send(&mut self, peer: PeerId, mut inner: Vec<u8>, out: &mut Outbox) {
        let Some(peer) = self.peers.get_mut(&peer.0) else {
            return;
        };
        if inner.len() > INNER_MTU || packet::destination_of(&inner) != Some(peer.address) {
            return;
        }
        packet::pad(&mut inner);
        if let TunnResult::WriteToNetwork(datagram) =
            peer.tunnel.encapsulate(&inner, self.scratch.as_mut_slice())
            && peer.endpoint.is_some()
        {
            out.push((peer.endpoint, datagram.to_vec()));
        }
    }

    /// Timers of all peers; call about every 250 ms. Gives the peers that were forgotten.
    pub fn tick(&mut self, now: Instant, out: &mut Outbox) -> Vec<PeerId> {
        self.limiter.reset_count();
        let scratch = self.scratch.as_mut_slice();
        for peer in self.peers.values_mut() {
            if let TunnResult::WriteToNetwork(datagram) = peer.tunnel.update_timers(scratch)
                && peer.endpoint.is_some()
            {
                out.push((peer.endpoint, datagram.to_vec()));
            }
        }
        let idle: Vec<u32> = self
            .peers
            .iter()
            .filter(|(_, peer)| {
                now.saturating_duration_since(peer.heard.unwrap_or(peer.created))
                    > self.config.idle_timeout
            })
            .map(|(index, _)| *index)
            .collect();
        for index in &idle {
            self.forget(*index);
        }
        idle.into_iter().map(PeerId).collect()
    }

    fn admit(&mut self, key: WireGuardKeyBytes, now: Instant) -> Result<u32, Refusal> {
        if let Some(index) = self.by_key.get(&key) {
            return Ok(*index);
        }
        if let Admission::Listed(keys) = &self.config.admission
            && !keys.contains(&key)
        {
            return Err(Refusal::NotAdmitted);
        }
        let address = inner_address(&key).ok_or(Refusal::NoAddress)?;
        if self.by_address.contains_key(&address) {
            return Err(Refusal::NoAddress);
        }
        if self.peers.len() >= self.config.max_peers {
            self.evict(now)?;
        }
        let mut rng = rand::thread_rng();
        let index = loop {
            let index = rng.gen_range(0..1u32 << 24);
            if !self.peers.contains_key(&index) {
                break index;
            }
        };
        let tunnel = Tunn::new(
            self.secret.clone(),
            PublicKey::from(*key.as_bytes()),
            None,
            None,
            index,
            Some(Arc::clone(&self.limiter)),
        );
        self.by_key.insert(key, index);
        self.by_address.insert(address, index);
        self.peers.insert(
            index,
            Peer {
                tunnel,
                key,
                address,
                endpoint: None,
                created: now,
                heard: None,
            },
        );
        Ok(index)
    }

    fn evict(&mut self, now: Instant) -> Result<(), Refusal> {
        let victim = self
            .peers
            .iter()
            .filter(|(_, peer)| match peer.heard {
                Some(heard) => now.saturating_duration_since(heard) > self.config.idle_timeout / 2,
                None => {
                    now.saturating_duration_since(peer.created) > self.config.unconfirmed_timeout
                }
            })
            .min_by_key(|(_, peer)| peer.heard.unwrap_or(peer.created))
            .map(|(index, _)| *index)
            .ok_or(Refusal::Full)?;
        self.forget(victim);
        Ok(())
    }

    fn forget(&mut self, index: u32) {
        if let Some(peer) = self.peers.remove(&index) {
            self.by_key.remove(&peer.key);
            self.by_address.remove(&peer.address);
        }
    }
}
