//! The task that owns a node's tunnels and exits.
//!
//! A guest's SYN is held back until the far end has accepted this node's own connection; then a
//! listening socket is made for it, or it is answered with a reset. So a guest sees a refusal as a
//! refusal. UDP datagrams go out by one connected socket per (guest's port, destination), which takes
//! answers from that destination only. Every guest has a stack of its own: bounds are per guest.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::{SocketAddr, SocketAddrV4},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    sync::{Notify, mpsc, oneshot},
    task::{JoinHandle, JoinSet},
};
use veilpool_protocol::api::WireGuardKeyBytes;
use veilpool_tunnel::{
    Flow, NODE_ADDRESS, Outbox, PeerId, Responder, ResponderConfig, Stack, StackConfig,
    StaticSecret, TokenBucket,
    packet::{self, Content},
    socket,
};

use super::{Meter, Policy, Protocol, Traffic};

const TICK: Duration = Duration::from_millis(250);
/// Datagrams read before others get a turn.
const BATCH: usize = 64;
/// While a rate limit holds data back, the stacks are looked at this often.
const SHAPING: Duration = Duration::from_millis(2);
/// Answers and connections that wait for the task.
const EVENTS: usize = 1024;
const CHUNK: usize = 16 << 10;
/// A UDP payload or packet up to here doesn't wait for a rate limit: questions and answers of a few
/// bytes stay alive beside a bulk flow, which waits for them.
const SMALL: usize = 512;
const MAX_DATAGRAM: usize = veilpool_tunnel::MAX_DATAGRAM;

/// How an exit behaves.
#[derive(Clone, Debug)]
pub struct ExitConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who may connect, and how many.
    pub responder: ResponderConfig,
    /// Where guests may go.
    pub policy: Policy,
    /// Megabits per second of the whole node, each way.
    pub rate_limit: Option<f64>,
    /// TCP flows and windows of a guest.
    pub stack: StackConfig,
    /// UDP flows of a guest.
    pub max_udp_flows: usize,
    /// A UDP flow without traffic for so long is forgotten.
    pub udp_idle: Duration,
    /// How long a connection may take.
    pub connect_timeout: Duration,
}

impl ExitConfig {
    /// Defaults, for an address.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            responder: ResponderConfig::default(),
            policy: Policy::default(),
            rate_limit: None,
            stack: StackConfig::default(),
            max_udp_flows: 128,
            udp_idle: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// Why an exit doesn't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExitError {
    /// The port is taken, or may not be used.
    #[error(
        "cannot listen for WireGuard on {address}: {source}; choose another port with `listen`"
    )]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// The exit's task has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the exit has stopped; start the node again")]
pub struct Stopped;

/// A running exit. Dropping it ends all tunnels.
pub struct Exit {
    address: SocketAddr,
    key: WireGuardKeyBytes,
    meter: Arc<Meter>,
    keys: mpsc::Sender<Rekey>,
    task: JoinHandle<()>,
}

/// A new key, and where to say that it holds.
type Rekey = (StaticSecret, oneshot::Sender<WireGuardKeyBytes>);

impl Exit {
    /// Starts, with the epoch's WireGuard key.
    ///
    /// # Errors
    /// [`ExitError`].
    pub async fn start(
        secret: StaticSecret,
        config: ExitConfig,
        meter: Arc<Meter>,
    ) -> Result<Self, ExitError> {
        let failed = |source| ExitError::Bind {
            address: config.listen,
            source,
        };
        let socket = socket::bind(config.listen).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let responder = Responder::new(secret, config.responder.clone());
        let key = responder.public_key();
        let now = Instant::now();
        let (events, inbox) = mpsc::channel(EVENTS);
        let (keys, rekeys) = mpsc::channel(1);
        let engine = Engine {
            socket,
            responder,
            up: TokenBucket::new(config.rate_limit, now),
            down: TokenBucket::new(config.rate_limit, now),
            policy: Arc::new(config.policy.clone()),
            config,
            guests: HashMap::new(),
            notify: Arc::new(Notify::new()),
            events,
            inbox,
            rekeys,
            meter: Arc::clone(&meter),
            tasks: JoinSet::new(),
            out: Outbox::new(),
        };
        Ok(Self {
            address,
            key,
            meter,
            keys,
            task: tokio::spawn(engine.run()),
        })
    }

    /// Goes on with another key on the same port. All tunnels and connections of the old one end.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn rekey(&mut self, secret: StaticSecret) -> Result<WireGuardKeyBytes, Stopped> {
        let (done, answer) = oneshot::channel();
        self.keys.send((secret, done)).await.map_err(|_| Stopped)?;
        self.key = answer.await.map_err(|_| Stopped)?;
        Ok(self.key)
    }

    /// Ends all tunnels; when this returns, the port is free.
    pub async fn stop(mut self) {
        self.task.abort();
        // Cancelled, which is what was asked for.
        let _ = (&mut self.task).await;
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its public key.
    #[must_use]
    pub const fn public_key(&self) -> WireGuardKeyBytes {
        self.key
    }

    /// Its counters.
    #[must_use]
    pub const fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }
}

impl Drop for Exit {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Guest {
    key: WireGuardKeyBytes,
    stack: Stack,
    // (guest, destination) of connections that are being made.
    opening: HashSet<(SocketAddrV4, SocketAddrV4)>,
    datagrams: HashMap<(SocketAddrV4, SocketAddrV4), UdpFlow>,
}

struct UdpFlow {
    socket: Arc<UdpSocket>,
    used: Instant,
    reader: tokio::task::AbortHandle,
}

impl Drop for UdpFlow {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

enum Event {
    Connected {
        guest: PeerId,
        ends: (SocketAddrV4, SocketAddrV4),
        syn: Vec<u8>,
        stream: Option<TcpStream>,
    },
    Answer {
        guest: PeerId,
        ends: (SocketAddrV4, SocketAddrV4),
        packet: Vec<u8>,
    },
}

struct Engine {
    socket: UdpSocket,
    responder: Responder,
    config: ExitConfig,
    policy: Arc<Policy>,
    up: TokenBucket,
    down: TokenBucket,
    guests: HashMap<PeerId, Guest>,
    notify: Arc<Notify>,
    events: mpsc::Sender<Event>,
    inbox: mpsc::Receiver<Event>,
    rekeys: mpsc::Receiver<Rekey>,
    meter: Arc<Meter>,
    // Dropped with the engine, which ends them all.
    tasks: JoinSet<()>,
    out: Outbox,
}

impl Engine {
    async fn run(mut self) {
        let mut ticker = tokio::time::interval(TICK);
        let mut buffer = [0u8; MAX_DATAGRAM];
        loop {
            let delay = self.delay();
            let mut event = None;
            tokio::select! {
                _ = self.socket.readable() => {}
                () = self.notify.notified() => {}
                received = self.inbox.recv() => event = received,
                Some((secret, done)) = self.rekeys.recv() => {
                    // Nobody waits for the answer any more when the handle is gone.
                    let _ = done.send(self.rekey(secret));
                }
                () = tokio::time::sleep(delay) => {}
                _ = ticker.tick() => self.tick(Instant::now()),
            }
            let now = Instant::now();
            self.up.refill(now);
            self.down.refill(now);
            if let Some(event) = event {
                self.handle(event, now);
            }
            for _ in 0..BATCH {
                let Ok(event) = self.inbox.try_recv() else {
                    break;
                };
                self.handle(event, now);
            }
            for _ in 0..BATCH {
                match self.socket.try_recv_from(&mut buffer) {
                    Ok((len, from)) => self.receive(from, &buffer[..len], now),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // A guest's port is closed: others go on.
                    Err(_) => {}
                }
            }
            self.serve(now);
            for (to, datagram) in self.out.drain(..) {
                if to.is_some() {
                    socket::send(&self.socket, to, &datagram).await;
                }
            }
            while self.tasks.try_join_next().is_some() {}
            tokio::task::yield_now().await;
        }
    }

    fn rekey(&mut self, secret: StaticSecret) -> WireGuardKeyBytes {
        self.responder = Responder::new(secret, self.config.responder.clone());
        self.guests.clear();
        // Aborts what serves the old tunnels; what it has sent already goes to nobody.
        self.tasks = JoinSet::new();
        (self.events, self.inbox) = mpsc::channel(EVENTS);
        self.responder.public_key()
    }

    fn delay(&mut self) -> Duration {
        let now = Instant::now();
        let shaping = if self.up.is_limited() && !self.guests.is_empty() {
            SHAPING
        } else {
            TICK
        };
        self.guests
            .values_mut()
            .filter_map(|guest| guest.stack.delay(now))
            .fold(shaping, Duration::min)
    }

    fn tick(&mut self, now: Instant) {
        for gone in self.responder.tick(now, &mut self.out) {
            self.guests.remove(&gone);
        }
        let responder = &self.responder;
        self.guests.retain(|peer, _| responder.contains(*peer));
        let idle = self.config.udp_idle;
        for guest in self.guests.values_mut() {
            guest
                .datagrams
                .retain(|_, flow| now.saturating_duration_since(flow.used) < idle);
        }
    }

    fn receive(&mut self, from: SocketAddr, datagram: &[u8], now: Instant) {
        let received = self.responder.receive(from, datagram, now, &mut self.out);
        let Ok(Some((peer, inner))) = received else {
            return;
        };
        let Some(guest) = self.guest(peer, now) else {
            return;
        };
        let key = guest.key;
        let up = inner.len() as u64;
        self.meter.add(key, Traffic { up, down: 0 });
        let Ok(parsed) = packet::parse(&inner) else {
            return;
        };
        let ends = (parsed.source, parsed.destination);
        match parsed.content {
            Content::Udp(payload) => self.forward(peer, ends, payload, now),
            Content::Tcp { opens: true } => self.open(peer, ends, inner),
            // In the packet path the policy is asked again: a flow to a refused address does not
            // exist, and a stray segment gets its reset from the stack.
            Content::Tcp { opens: false } => {
                if let Some(guest) = self.guests.get_mut(&peer) {
                    guest.stack.ingest(inner);
                }
            }
        }
    }

    fn guest(&mut self, peer: PeerId, now: Instant) -> Option<&mut Guest> {
        let key = self.responder.key(peer)?;
        Some(self.guests.entry(peer).or_insert_with(|| Guest {
            key,
            stack: Stack::new(
                NODE_ADDRESS,
                true,
                self.config.stack.clone(),
                Arc::clone(&self.notify),
                now,
            ),
            opening: HashSet::new(),
            datagrams: HashMap::new(),
        }))
    }

    /// A SYN: refuse it now, or connect first.
    fn open(&mut self, peer: PeerId, ends: (SocketAddrV4, SocketAddrV4), syn: Vec<u8>) {
        let Some(guest) = self.guests.get_mut(&peer) else {
            return;
        };
        let full = guest.stack.flow_count() + guest.opening.len() >= self.config.stack.max_flows;
        if full || self.policy.check(Protocol::Tcp, ends.1.into()).is_err() {
            // No socket listens, so the stack answers with a reset.
            guest.stack.ingest(syn);
            return;
        }
        if !guest.opening.insert(ends) {
            return;
        }
        let (policy, events) = (Arc::clone(&self.policy), self.events.clone());
        let timeout = self.config.connect_timeout;
        self.tasks.spawn(async move {
            let stream = connect(&policy, ends.1.into(), timeout).await;
            let connected = Event::Connected {
                guest: peer,
                ends,
                syn,
                stream,
            };
            let _ = events.send(connected).await;
        });
    }

    fn handle(&mut self, event: Event, now: Instant) {
        match event {
            Event::Connected {
                guest: peer,
                ends,
                syn,
                stream,
            } => {
                let Some(guest) = self.guests.get_mut(&peer) else {
                    return;
                };
                guest.opening.remove(&ends);
                let Some(stream) = stream else {
                    guest.stack.ingest(syn);
                    return;
                };
                if let Some(flow) = guest.stack.accept(ends.1, syn, now) {
                    self.tasks.spawn(relay(flow, stream));
                }
            }
            Event::Answer {
                guest: peer,
                ends,
                packet,
            } => {
                let Some(guest) = self.guests.get_mut(&peer) else {
                    return;
                };
                if let Some(flow) = guest.datagrams.get_mut(&ends) {
                    flow.used = now;
                }
                // UDP doesn't wait: what is over the limit is dropped.
                if !grant(&mut self.down, packet.len()) {
                    return;
                }
                let down = packet.len() as u64;
                self.meter.add(guest.key, Traffic { up: 0, down });
                self.responder.send(peer, packet, &mut self.out);
            }
        }
    }

    /// A guest's UDP datagram.
    fn forward(
        &mut self,
        peer: PeerId,
        ends: (SocketAddrV4, SocketAddrV4),
        payload: &[u8],
        now: Instant,
    ) {
        if self.policy.check(Protocol::Udp, ends.1.into()).is_err() {
            return;
        }
        let Some(guest) = self.guests.get_mut(&peer) else {
            return;
        };
        if !guest.datagrams.contains_key(&ends) {
            if guest.datagrams.len() >= self.config.max_udp_flows
                || self
                    .policy
                    .check_connect(Protocol::Udp, ends.1.into())
                    .is_err()
            {
                return;
            }
            if !grant(&mut self.up, payload.len()) {
                return;
            }
            // The first datagram goes out before the runtime knows whether the socket is writable.
            let Ok(socket) = udp_socket(ends.1, payload) else {
                return;
            };
            let socket = Arc::new(socket);
            let reader = self.tasks.spawn(answers(
                Arc::clone(&socket),
                peer,
                ends,
                self.events.clone(),
            ));
            let flow = UdpFlow {
                socket,
                used: now,
                reader,
            };
            guest.datagrams.insert(ends, flow);
        } else if let Some(flow) = guest.datagrams.get_mut(&ends) {
            flow.used = now;
            if grant(&mut self.up, payload.len()) {
                let _ = flow.socket.try_send(payload);
            }
        }
    }

    fn serve(&mut self, now: Instant) {
        for (peer, guest) in &mut self.guests {
            let _ = guest.stack.take_dirty();
            guest.stack.drive(now, &mut self.up, &mut self.down);
            let mut down = 0u64;
            while let Some(packet) = guest.stack.next_packet() {
                down = down.saturating_add(packet.len() as u64);
                self.responder.send(*peer, packet, &mut self.out);
            }
            if down > 0 {
                self.meter.add(guest.key, Traffic { up: 0, down });
            }
        }
    }
}

/// Whether a datagram may go now; it is paid for.
fn grant(bucket: &mut TokenBucket, bytes: usize) -> bool {
    if bytes <= SMALL {
        return bucket.overdraw(bytes);
    }
    let granted = bucket.available() >= bytes;
    if granted {
        bucket.take(bytes);
    }
    granted
}

/// The connect path: the policy is asked of the very address that is connected to.
async fn connect(policy: &Policy, destination: SocketAddr, timeout: Duration) -> Option<TcpStream> {
    policy.check_connect(Protocol::Tcp, destination).ok()?;
    let stream = tokio::time::timeout(timeout, TcpStream::connect(destination))
        .await
        .ok()?
        .ok()?;
    let _ = stream.set_nodelay(true);
    Some(stream)
}

fn udp_socket(destination: SocketAddrV4, first: &[u8]) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(destination)?;
    socket.set_nonblocking(true)?;
    let _ = socket.send(first);
    UdpSocket::from_std(socket)
}

async fn answers(
    socket: Arc<UdpSocket>,
    guest: PeerId,
    ends: (SocketAddrV4, SocketAddrV4),
    events: mpsc::Sender<Event>,
) {
    let mut buffer = [0u8; packet::MAX_UDP_PAYLOAD + 1];
    loop {
        let len = match socket.recv(&mut buffer).await {
            Ok(len) => len,
            // The far port is closed at the moment. The flow ends when it is idle.
            Err(_) => {
                tokio::time::sleep(TICK).await;
                continue;
            }
        };
        // Longer answers don't fit a packet and fragments aren't carried.
        let Some(packet) = packet::udp(ends.1, ends.0, &buffer[..len]) else {
            continue;
        };
        let answer = Event::Answer {
            guest,
            ends,
            packet,
        };
        if events.send(answer).await.is_err() {
            return;
        }
    }
}

/// Copies both ways until both have ended.
async fn relay(flow: Flow, stream: TcpStream) {
    let (sender, mut receiver) = flow.split();
    let (mut from_far, mut to_far) = stream.into_split();
    let up = async move {
        while let Some(data) = receiver.receive().await {
            if to_far.write_all(&data).await.is_err() {
                return;
            }
        }
        let _ = to_far.shutdown().await;
    };
    let down = async move {
        loop {
            let mut buffer = bytes::BytesMut::with_capacity(CHUNK);
            match from_far.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {
                    if sender.send(buffer.freeze()).await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    tokio::join!(up, down);
}
