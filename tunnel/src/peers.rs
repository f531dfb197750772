//! All peers of one end, for several threads: whom a datagram is for, who may send what, who is forgotten.
//!
//! A datagram of a session is found by its random index; an initiation by the static key inside. An inner packet is let
//! through only if its source is an address of the sender's. Locks: a peer's own, then the table's; never the
//! other way round.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use boringtun::{
    noise::{Packet, Tunn, handshake::parse_handshake_anon},
    x25519::{PublicKey, StaticSecret},
};
use ipnet::IpNet;
use veilpool_protocol::api::WireGuardKeyBytes;

use crate::{
    Event, Indices, Link, Outbox, TokenBucket,
    address::{inner_address, inner_address_v6},
    doorkeeper::{Doorkeeper, Verdict},
    share::Node,
    wire::{self, Kind, MAX_DATAGRAM},
};

/// Who may connect.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Whoever completes a handshake, with the addresses derived from its key.
    Open,
    /// These keys, with the addresses derived from them.
    Listed(Vec<WireGuardKeyBytes>),
    /// Nobody but [`Peers::add`]ed ones.
    Configured,
}

/// Bounds of an end.
#[derive(Clone, Debug)]
pub struct PeersConfig {
    /// Who may connect.
    pub admission: Admission,
    /// Peers held at a time.
    pub max_peers: usize,
    /// Handshake messages a second, of everybody, beyond which senders must show a cookie.
    pub handshakes_per_second: u64,
    /// After so much silence a guest is forgotten.
    pub idle_timeout: Duration,
    /// A guest that completed no handshake may be evicted after this.
    pub unconfirmed_timeout: Duration,
    /// Megabits per second of a peer, each way; no limit without.
    pub rate_limit: Option<f64>,
    /// Megabits per second of all peers, each way, which those that are active share; no limit without.
    pub node_limit: Option<f64>,
}

impl Default for PeersConfig {
    fn default() -> Self {
        Self {
            admission: Admission::Open,
            max_peers: 1024,
            handshakes_per_second: 200,
            idle_timeout: Duration::from_secs(180),
            unconfirmed_timeout: Duration::from_secs(10),
            rate_limit: None,
            node_limit: None,
        }
    }
}

/// A peer that is known beforehand, as in a WireGuard configuration.
#[derive(Clone)]
pub struct PeerConfig {
    /// Its key.
    pub key: WireGuardKeyBytes,
    /// A secret that both have beside their keys.
    pub preshared: Option<[u8; 32]>,
    /// Where it is; without, it must come first.
    pub endpoint: Option<SocketAddr>,
    /// Inner addresses that are its.
    pub allowed: Vec<IpNet>,
    /// Seconds between keepalives.
    pub keepalive: Option<u16>,
}

/// Why a datagram or inner packet was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a WireGuard message, a wrong MAC, or a replay.
    Malformed,
    /// Too many handshakes from that address.
    TooMany,
    /// A key that may not connect.
    NotAdmitted,
    /// A key without an inner address, or with that of another peer.
    NoAddress,
    /// All places are taken by active peers.
    Full,
    /// No session has this index.
    UnknownIndex,
    /// The inner source isn't the sender's address.
    SpoofedSource,
}

/// A peer of this run. A guest that returns after it was forgotten is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(u64);

/// Inner bytes of a peer in this run.
#[derive(Debug, Default)]
pub struct PeerTraffic {
    /// From it.
    pub up: AtomicU64,
    /// To it.
    pub down: AtomicU64,
}

impl PeerTraffic {
    /// Counts what came from it and what went to it.
    pub fn add(&self, up: u64, down: u64) {
        self.up.fetch_add(up, Ordering::Relaxed);
        self.down.fetch_add(down, Ordering::Relaxed);
    }
}

/// A peer.
pub struct Peer {
    id: PeerId,
    key: WireGuardKeyBytes,
    allowed: Vec<IpNet>,
    configured: bool,
    held: AtomicBool,
    traffic: PeerTraffic,
    state: Mutex<PeerState>,
}

/// What changes of a peer.
pub struct PeerState {
    /// Its tunnel.
    pub link: Link,
    /// Where it was heard last, or is said to be.
    pub endpoint: Option<SocketAddr>,
    /// Limits what comes from it.
    pub up: TokenBucket,
    /// Limits what goes to it.
    pub down: TokenBucket,
    created: Instant,
    // Of the last authenticated data message.
    heard: Option<Instant>,
}

impl PeerState {
    /// Notes an authentic datagram from there. WireGuard's roaming: answers go where the peer was heard last.
    pub fn hear(&mut self, from: SocketAddr, now: Instant) {
        self.endpoint = Some(from);
        self.heard = Some(now);
    }
}

impl Peer {
    /// Which one.
    #[must_use]
    pub const fn id(&self) -> PeerId {
        self.id
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> WireGuardKeyBytes {
        self.key
    }

    /// Inner addresses that are its.
    #[must_use]
    pub fn allowed(&self) -> &[IpNet] {
        &self.allowed
    }

    /// Whether an inner address is its.
    #[must_use]
    pub fn owns(&self, address: IpAddr) -> bool {
        self.allowed
            .iter()
            .any(|network| network.contains(&address))
    }

    /// Whether it hasn't been forgotten.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Its counters.
    #[must_use]
    pub const fn traffic(&self) -> &PeerTraffic {
        &self.traffic
    }

    /// What changes of it; others wait meanwhile.
    pub fn state(&self) -> MutexGuard<'_, PeerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Identity {
    secret: StaticSecret,
    public: PublicKey,
    door: Doorkeeper,
}

#[derive(Default)]
struct Table {
    by_index: HashMap<u32, Arc<Peer>>,
    by_key: HashMap<WireGuardKeyBytes, Arc<Peer>>,
    by_address: HashMap<IpAddr, Arc<Peer>>,
    // Of configured peers, longest prefix first.
    routes: Vec<(IpNet, Arc<Peer>)>,
    next_id: u64,
}

/// All peers of an end.
pub struct Peers {
    config: PeersConfig,
    traffic: Arc<PeerTraffic>,
    identity: Mutex<Identity>,
    table: RwLock<Table>,
    node: Option<Mutex<Node>>,
}

/// Draws indices that lead to a peer.
pub struct IndicesOf<'a> {
    table: &'a RwLock<Table>,
    peer: &'a Arc<Peer>,
}

impl Indices for IndicesOf<'_> {
    fn draw(&mut self) -> u32 {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        loop {
            let index = rand::random();
            if let std::collections::hash_map::Entry::Vacant(place) = table.by_index.entry(index) {
                // A peer that was forgotten meanwhile leaves nothing behind.
                if self.peer.is_held() {
                    place.insert(Arc::clone(self.peer));
                }
                return index;
            }
        }
    }

    fn retire(&mut self, index: u32) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.by_index.remove(&index);
    }
}

impl Peers {
    /// With the end's key.
    #[must_use]
    pub fn new(secret: StaticSecret, config: PeersConfig) -> Self {
        Self {
            identity: Mutex::new(Identity::new(secret, config.handshakes_per_second)),
            node: config
                .node_limit
                .map(|limit| Mutex::new(Node::new(limit, Instant::now()))),
            config,
            traffic: Arc::default(),
            table: RwLock::default(),
        }
    }

    /// The end's public key.
    #[must_use]
    pub fn public_key(&self) -> WireGuardKeyBytes {
        WireGuardKeyBytes::new(self.identity().public.to_bytes())
    }

    /// Goes on with another key. All peers are forgotten.
    pub fn rekey(&self, secret: StaticSecret) -> WireGuardKeyBytes {
        let mut identity = self.identity();
        *identity = Identity::new(secret, self.config.handshakes_per_second);
        let mut table = self.write();
        for peer in table.by_key.values() {
            peer.held.store(false, Ordering::Release);
        }
        *table = Table {
            next_id: table.next_id,
            ..Table::default()
        };
        WireGuardKeyBytes::new(identity.public.to_bytes())
    }

    /// Adds a peer that is known beforehand.
    ///
    /// # Errors
    /// [`Refusal::NoAddress`] when the key is there already.
    pub fn add(&self, config: PeerConfig, now: Instant) -> Result<Arc<Peer>, Refusal> {
        let secret = self.identity().secret.clone();
        let mut table = self.write();
        if table.by_key.contains_key(&config.key) {
            return Err(Refusal::NoAddress);
        }
        let peer = self.hold(&mut table, secret, config, true, now);
        for network in peer.allowed() {
            table.routes.push((*network, Arc::clone(&peer)));
        }
        table
            .routes
            .sort_by_key(|(network, _)| std::cmp::Reverse(network.prefix_len()));
        Ok(peer)
    }

    /// Of everybody in this run, those that were forgotten too.
    #[must_use]
    pub const fn traffic(&self) -> &Arc<PeerTraffic> {
        &self.traffic
    }

    /// Everybody, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Peer>> {
        self.read().by_key.values().cloned().collect()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.read().by_key.len()
    }

    /// Whose session this is.
    #[must_use]
    pub fn by_index(&self, index: u32) -> Option<Arc<Peer>> {
        self.read().by_index.get(&index).cloned()
    }

    /// Whose inner address this is.
    #[must_use]
    pub fn by_address(&self, address: IpAddr) -> Option<Arc<Peer>> {
        let table = self.read();
        if let Some(peer) = table.by_address.get(&address) {
            return Some(Arc::clone(peer));
        }
        let route = table
            .routes
            .iter()
            .find(|(network, _)| network.contains(&address))?;
        Some(Arc::clone(&route.1))
    }

    /// Whether this is the inner address of a guest: of a peer that wasn't known beforehand.
    #[must_use]
    pub fn is_guest(&self, address: IpAddr) -> bool {
        self.read().by_address.contains_key(&address)
    }

    /// What a peer's link draws its indices from.
    #[must_use]
    pub const fn indices<'a>(&'a self, peer: &'a Arc<Peer>) -> IndicesOf<'a> {
        IndicesOf {
            table: &self.table,
            peer,
        }
    }

    /// Takes a handshake message: initiation, response or cookie reply.
    ///
    /// # Errors
    /// [`Refusal`]: the message is dropped, nothing else happens.
    pub fn handshake(
        &self,
        from: SocketAddr,
        message: &mut [u8],
        now: Instant,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let kind = wire::kind(message).ok_or(Refusal::Malformed)?;
        let peer = match kind {
            Kind::Data => return Err(Refusal::Malformed),
            Kind::CookieReply => self.receiver(kind, message)?,
            Kind::Response => {
                let peer = self.receiver(kind, message)?;
                self.check(from, message, now, out)?;
                peer
            }
            Kind::Initiation => {
                let Some(key) = self.initiator(from, message, now, out)? else {
                    return Ok(());
                };
                self.admit(key, now)?
            }
        };
        let mut buffer = [0; MAX_DATAGRAM];
        let mut state = peer.state();
        let mut indices = self.indices(&peer);
        match state
            .link
            .open(kind, message, &mut buffer, now, &mut indices)
        {
            Event::Network(datagram) => {
                out.push((Some(from), datagram.to_vec()));
                // Authentic: an answer to a handshake, or the one that it asks for.
                state.endpoint = Some(from);
                while let Event::Network(queued) = state.link.queued(&mut buffer, now, &mut indices)
                {
                    out.push((Some(from), queued.to_vec()));
                }
                Ok(())
            }
            Event::Refused | Event::Expired => Err(Refusal::Malformed),
            _ => Ok(()),
        }
    }

    /// Timers of all peers; call four times a second. Gives the peers that were forgotten.
    pub fn tick(&self, now: Instant, out: &mut Outbox) -> Vec<Arc<Peer>> {
        self.identity().door.tick(now);
        let mut buffer = [0; MAX_DATAGRAM];
        let mut idle = Vec::new();
        for peer in self.all() {
            let mut state = peer.state();
            let mut indices = self.indices(&peer);
            if let Event::Network(datagram) = state.link.tick(&mut buffer, now, &mut indices)
                && state.endpoint.is_some()
            {
                out.push((state.endpoint, datagram.to_vec()));
            }
            let silent = now.saturating_duration_since(state.heard.unwrap_or(state.created));
            if !peer.configured && silent > self.config.idle_timeout {
                drop(state);
                idle.push(peer);
            }
        }
        for peer in &idle {
            self.forget(peer);
        }
        idle
    }

    /// Shares the limit of all, by what each asked for since the last time; call ten times a second. Without such a limit
    /// it does nothing.
    pub fn share(&self, now: Instant) {
        if let Some(node) = &self.node {
            let mut node = node.lock().unwrap_or_else(PoisonError::into_inner);
            node.share(&self.all(), self.config.rate_limit, now);
        }
    }

    /// Whether all peers have a limit together.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.node.is_some()
    }

    /// Forgets a peer and all its sessions.
    pub fn forget(&self, peer: &Arc<Peer>) {
        peer.held.store(false, Ordering::Release);
        let mut table = self.write();
        table.by_key.remove(&peer.key);
        table.by_index.retain(|_, other| other.id != peer.id);
        table.by_address.retain(|_, other| other.id != peer.id);
        table.routes.retain(|(_, other)| other.id != peer.id);
    }

    fn receiver(&self, kind: Kind, message: &[u8]) -> Result<Arc<Peer>, Refusal> {
        wire::receiver(kind, message)
            .and_then(|index| self.by_index(index))
            .ok_or(Refusal::UnknownIndex)
    }

    fn check(
        &self,
        from: SocketAddr,
        message: &[u8],
        now: Instant,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        match self.identity().door.admit(from, message, now) {
            Verdict::Pass => Ok(()),
            Verdict::Forged => Err(Refusal::Malformed),
            Verdict::TooMany => Err(Refusal::TooMany),
            Verdict::Cookie(reply) => {
                out.push((Some(from), reply));
                Err(Refusal::TooMany)
            }
        }
    }

    /// The key in an initiation; `None` when a cookie was sent instead.
    fn initiator(
        &self,
        from: SocketAddr,
        message: &[u8],
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Option<WireGuardKeyBytes>, Refusal> {
        self.check(from, message, now, out)?;
        let identity = self.identity();
        let Ok(Packet::HandshakeInit(initiation)) = Tunn::parse_incoming_packet(message) else {
            return Err(Refusal::Malformed);
        };
        let half = parse_handshake_anon(&identity.secret, &identity.public, &initiation)
            .map_err(|_| Refusal::Malformed)?;
        Ok(Some(WireGuardKeyBytes::new(half.peer_static_public)))
    }

    fn admit(&self, key: WireGuardKeyBytes, now: Instant) -> Result<Arc<Peer>, Refusal> {
        if let Some(peer) = self.read().by_key.get(&key) {
            return Ok(Arc::clone(peer));
        }
        match &self.config.admission {
            Admission::Open => {}
            Admission::Listed(keys) if keys.contains(&key) => {}
            Admission::Listed(_) | Admission::Configured => return Err(Refusal::NotAdmitted),
        }
        let address = inner_address(&key).ok_or(Refusal::NoAddress)?;
        let addresses = [IpAddr::V4(address), IpAddr::V6(inner_address_v6(&key))];
        let secret = self.identity().secret.clone();
        if self.count() >= self.config.max_peers {
            self.evict(now)?;
        }
        let mut table = self.write();
        if addresses
            .iter()
            .any(|address| table.by_address.contains_key(address))
        {
            return Err(Refusal::NoAddress);
        }
        let config = PeerConfig {
            key,
            preshared: None,
            endpoint: None,
            allowed: addresses.map(IpNet::from).to_vec(),
            keepalive: None,
        };
        let peer = self.hold(&mut table, secret, config, false, now);
        for address in addresses {
            table.by_address.insert(address, Arc::clone(&peer));
        }
        Ok(peer)
    }

    fn hold(
        &self,
        table: &mut Table,
        secret: StaticSecret,
        config: PeerConfig,
        configured: bool,
        now: Instant,
    ) -> Arc<Peer> {
        let limits = [self.config.rate_limit, self.config.node_limit];
        let limit = limits.into_iter().flatten().reduce(f64::min);
        let link = Link::new(
            secret,
            PublicKey::from(*config.key.as_bytes()),
            config.preshared,
            config.keepalive,
        );
        table.next_id = table.next_id.wrapping_add(1);
        let peer = Arc::new(Peer {
            id: PeerId(table.next_id),
            key: config.key,
            allowed: config.allowed,
            configured,
            held: AtomicBool::new(true),
            traffic: PeerTraffic::default(),
            state: Mutex::new(PeerState {
                link,
                endpoint: config.endpoint,
                up: TokenBucket::new(limit, now),
                down: TokenBucket::new(limit, now),
                created: now,
                heard: None,
            }),
        });
        table.by_key.insert(peer.key, Arc::clone(&peer));
        peer
    }

    fn evict(&self, now: Instant) -> Result<(), Refusal> {
        let mut victim: Option<(Instant, Arc<Peer>)> = None;
        for peer in self.all() {
            if peer.configured {
                continue;
            }
            let (created, heard) = {
                let state = peer.state();
                (state.created, state.heard)
            };
            let last = heard.unwrap_or(created);
            let patience = match heard {
                Some(_) => self.config.idle_timeout / 2,
                None => self.config.unconfirmed_timeout,
            };
            let evictable = now.saturating_duration_since(last) > patience;
            if evictable && victim.as_ref().is_none_or(|(oldest, _)| last < *oldest) {
                victim = Some((last, peer));
            }
        }
        let (_, victim) = victim.ok_or(Refusal::Full)?;
        self.forget(&victim);
        Ok(())
    }

    fn identity(&self) -> MutexGuard<'_, Identity> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Identity {
    fn new(secret: StaticSecret, load: u64) -> Self {
        let public = PublicKey::from(&secret);
        Self {
            door: Doorkeeper::new(&public, load),
            secret,
            public,
        }
    }
}
