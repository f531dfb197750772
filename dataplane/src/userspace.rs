//! The mode without privileges: guests' TCP, UDP and echoes end here, in user space, and go out by ordinary sockets of
//! this process.
//!
//! A guest's SYN is held back until the far end has taken this node's own connection; then it is answered, or reset.
//! What comes from a far end is read straight into the stack's send buffer, leaves it in frames of up to 62 kB, and
//! is cut, sealed and sent like what a TUN device gives.

mod datagrams;
mod device;
mod guest;
mod intake;

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd},
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream, unix::SourceFd};
use veilpool_tunnel::{MAX_DATAGRAM, PeerId, Peers, TokenBucket};

use self::{
    datagrams::{Key, Kind},
    guest::{Ends, Guest, Opening},
    intake::{Intake, Packet},
};
use crate::{
    Gate, Inbound, Outbound, StartError, Transport, Udp,
    control::{Control, TICK},
    counters::Counters,
    cut::Segments,
    frame,
    threads::Threads,
};

const TUNNEL: Token = Token(0);
/// Batches of datagrams before the guests are served.
const BATCHES: usize = 4;
/// While a limit holds data back, guests are served this often.
const SHAPING: Duration = Duration::from_millis(2);
/// Segments of a frame.
const SEGMENTS: usize = 128;
/// A UDP payload up to here doesn't wait for a rate limit: questions and answers of a few bytes stay alive beside a bulk
/// flow, which waits for them.
const SMALL: usize = 512;

/// Bounds of a guest, and of all.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// TCP flows of a guest.
    pub flows: usize,
    /// TCP flows of all guests: each takes two windows of memory at most.
    pub all_flows: usize,
    /// Bytes that a TCP flow may have under way, each way.
    pub window: usize,
    /// UDP flows and echoes of a guest.
    pub datagrams: usize,
    /// A UDP flow without traffic for so long is forgotten.
    pub udp_idle: Duration,
    /// A TCP flow whose guest doesn't answer for so long is ended.
    pub tcp_idle: Duration,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// Megabits per second of all guests together, each way.
    pub rate_limit: Option<f64>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            flows: 256,
            all_flows: 1024,
            window: 256 << 10,
            datagrams: 128,
            udp_idle: Duration::from_secs(60),
            tcp_idle: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            rate_limit: None,
        }
    }
}

/// How the mode without privileges is run.
#[derive(Clone, Debug)]
pub struct UserspaceConfig {
    /// Where WireGuard listens.
    pub listen: SocketAddr,
    /// Whether to use the system's segmentation offload, where it has it.
    pub offload: bool,
    /// Of guests.
    pub bounds: Bounds,
}

/// Running threads. Dropping it ends them and all connections.
pub struct Userspace {
    address: SocketAddr,
    counters: Arc<Counters>,
    _threads: Threads,
}

impl Userspace {
    /// Starts.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(
        config: UserspaceConfig,
        peers: Arc<Peers>,
        gate: Arc<dyn Gate>,
    ) -> Result<Self, StartError> {
        let udp = Arc::new(Udp::bind(config.listen, config.offload)?);
        let address = udp.local_address();
        let counters = Arc::<Counters>::default();
        let (mut control, handshakes) =
            Control::new(Arc::clone(&udp), Arc::clone(&peers), Arc::clone(&counters));
        let inbound = Inbound::new(
            Arc::clone(&udp),
            Arc::clone(&peers),
            Arc::clone(&gate),
            handshakes,
            Arc::clone(&counters),
        );
        let outbound = Outbound::new(Arc::clone(&udp), peers, Arc::clone(&counters));
        let poll = Poll::new().map_err(StartError::Thread)?;
        poll.registry()
            .register(
                &mut SourceFd(&udp.as_fd().as_raw_fd()),
                TUNNEL,
                Interest::READABLE,
            )
            .map_err(StartError::Thread)?;
        let now = Instant::now();
        let mut exit = Exit {
            up: TokenBucket::new(config.bounds.rate_limit, now),
            down: TokenBucket::new(config.bounds.rate_limit, now),
            bounds: config.bounds,
            poll,
            events: Events::with_capacity(256),
            inbound,
            outbound,
            gate,
            counters: Arc::clone(&counters),
            intake: Intake::new(),
            segments: Segments::new(SEGMENTS, MAX_DATAGRAM),
            guests: HashMap::new(),
            sources: HashMap::new(),
            next_token: 1,
            ticked: now,
            busy: false,
            _udp: udp,
        };
        let mut threads = Threads::default();
        threads
            .start("veilpool-data", move || exit.step())
            .and_then(|()| threads.start("veilpool-control", move || control.step()))
            .map_err(StartError::Thread)?;
        Ok(Self {
            address,
            counters,
            _threads: threads,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was dropped.
    #[must_use]
    pub const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }
}

/// Whose socket a token is.
#[derive(Clone, Copy)]
enum Source {
    Opening(Ends),
    Flow(Ends),
    Datagrams(Key),
}

struct Exit {
    bounds: Bounds,
    poll: Poll,
    events: Events,
    inbound: Inbound,
    outbound: Outbound,
    gate: Arc<dyn Gate>,
    counters: Arc<Counters>,
    intake: Intake,
    segments: Segments,
    guests: HashMap<PeerId, Guest>,
    sources: HashMap<Token, (PeerId, Source)>,
    next_token: usize,
    up: TokenBucket,
    down: TokenBucket,
    ticked: Instant,
    // There is more to do at once.
    busy: bool,
    // Registered with `poll`, so it has to live as long.
    _udp: Arc<Udp>,
}

impl Exit {
    fn step(&mut self) -> bool {
        let patience = self.patience(Instant::now());
        if let Err(error) = self.poll.poll(&mut self.events, Some(patience))
            && error.kind() != io::ErrorKind::Interrupted
        {
            tracing::error!("cannot wait for the guests' sockets: {error}");
            return false;
        }
        let now = Instant::now();
        self.up.refill(now);
        self.down.refill(now);
        self.wake(now);
        self.busy = false;
        for batch in 0..BATCHES {
            if !self.inbound.receive(&mut self.intake) {
                break;
            }
            self.busy = batch + 1 == BATCHES;
            for packet in std::mem::take(&mut self.intake.ready) {
                self.take(packet, now);
            }
        }
        self.serve(now);
        self.outbound.flush();
        if now.saturating_duration_since(self.ticked) >= TICK {
            self.ticked = now;
            self.tick(now);
        }
        true
    }

    fn patience(&mut self, now: Instant) -> Duration {
        if self.busy {
            return Duration::ZERO;
        }
        let limited = self.up.is_limited() && !self.guests.is_empty();
        let longest = if limited { SHAPING } else { TICK };
        self.guests
            .values_mut()
            .filter_map(|guest| guest.delay(now))
            .fold(longest, Duration::min)
    }

    /// Notes which sockets are ready.
    fn wake(&mut self, now: Instant) {
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let Some((id, source)) = self.sources.get(&event.token()).copied() else {
                continue;
            };
            let Some(guest) = self.guests.get_mut(&id) else {
                continue;
            };
            match source {
                Source::Flow(ends) => guest.ready(
                    &ends,
                    event.is_readable() || event.is_read_closed() || event.is_error(),
                    event.is_writable() || event.is_write_closed() || event.is_error(),
                ),
                Source::Opening(ends) => self.connected(id, ends, event.token(), now),
                Source::Datagrams(key) => self.answers(id, &key, now),
            }
        }
        self.events = events;
    }

    fn take(&mut self, packet: Packet, now: Instant) {
        let ends = (packet.header.source, packet.header.destination);
        let id = packet.peer.id();
        let guest = self
            .guests
            .entry(id)
            .or_insert_with(|| Guest::new(Arc::clone(&packet.peer), now));
        match packet.header.transport {
            Transport::Tcp => {
                if frame::opens(&packet.bytes) && !guest.has_flow(&ends) {
                    self.open(id, ends, packet, now);
                } else {
                    // A stray segment gets its reset from the stack.
                    guest.queues.incoming.push_back(packet.bytes);
                }
            }
            Transport::Udp => {
                let start = frame::datagram_headers(ends.1.is_ipv6());
                let payload = packet.bytes.get(start..).unwrap_or_default();
                self.forward(id, (Kind::Datagrams, ends), &packet, payload, now);
            }
            Transport::Icmp(_) => {
                if let Some((identifier, request)) = frame::echo_request(&packet.bytes) {
                    self.forward(id, (Kind::Echo(identifier), ends), &packet, request, now);
                }
            }
            Transport::Other(_) => self.counters.denied.add(1),
        }
    }

    /// A SYN: refuse it now, or connect first.
    fn open(&mut self, id: PeerId, ends: Ends, packet: Packet, now: Instant) {
        let all: usize = self.guests.values().map(Guest::flow_count).sum();
        let Some(guest) = self.guests.get_mut(&id) else {
            return;
        };
        if guest.opening.contains_key(&ends) {
            return;
        }
        if guest.flow_count() >= self.bounds.flows || all >= self.bounds.all_flows {
            self.counters.too_many_flows.add(1);
            // No socket listens, so the stack answers with a reset.
            guest.queues.incoming.push_back(packet.bytes);
            return;
        }
        // The very address that is connected to.
        let stream = match self.gate.connects(&packet.header) {
            true => TcpStream::connect(ends.1),
            false => Err(io::ErrorKind::PermissionDenied.into()),
        };
        let token = Token(self.next_token);
        let registered = stream.and_then(|mut stream| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll
                .registry()
                .register(&mut stream, token, interest)?;
            Ok(stream)
        });
        match registered {
            Ok(stream) => {
                self.next_token = self.next_token.wrapping_add(1).max(1);
                self.sources.insert(token, (id, Source::Opening(ends)));
                let opening = Opening {
                    stream,
                    syn: packet.bytes,
                    since: now,
                };
                guest.opening.insert(ends, opening);
            }
            Err(error) => {
                match error.kind() {
                    io::ErrorKind::PermissionDenied => self.counters.denied.add(1),
                    _ => self.counters.unreachable.add(1),
                }
                guest.queues.incoming.push_back(packet.bytes);
            }
        }
    }

    /// A connection was made, or wasn't.
    fn connected(&mut self, id: PeerId, ends: Ends, token: Token, now: Instant) {
        let Some(guest) = self.guests.get_mut(&id) else {
            return;
        };
        let Some(opening) = guest.opening.get(&ends) else {
            return;
        };
        match (opening.stream.take_error(), opening.stream.peer_addr()) {
            (Ok(None), Ok(_)) => {}
            (Ok(None), Err(error)) if error.kind() == io::ErrorKind::NotConnected => return,
            _ => return self.refuse(id, ends, token),
        }
        if let Some(opening) = guest.opening.remove(&ends) {
            let _ = opening.stream.set_nodelay(true);
            self.sources.insert(token, (id, Source::Flow(ends)));
            guest.accept(ends, opening.stream, opening.syn, &self.bounds, now);
        }
    }

    fn refuse(&mut self, id: PeerId, ends: Ends, token: Token) {
        self.sources.remove(&token);
        self.counters.unreachable.add(1);
        if let Some(guest) = self.guests.get_mut(&id)
            && let Some(mut opening) = guest.opening.remove(&ends)
        {
            let _ = self.poll.registry().deregister(&mut opening.stream);
            guest.queues.incoming.push_back(opening.syn);
        }
    }

    /// A guest's datagram or echo request.
    fn forward(&mut self, id: PeerId, key: Key, packet: &Packet, payload: &[u8], now: Instant) {
        let Some(guest) = self.guests.get_mut(&id) else {
            return;
        };
        if !guest.datagrams.contains(&key) {
            if guest.datagrams.len() >= self.bounds.datagrams {
                self.counters.too_many_flows.add(1);
                return;
            }
            if !self.gate.connects(&packet.header) {
                self.counters.denied.add(1);
                return;
            }
            let token = Token(self.next_token);
            let opened = guest.datagrams.open(key, token, self.poll.registry(), now);
            if opened.is_err() {
                self.counters.unreachable.add(1);
                return;
            }
            self.next_token = self.next_token.wrapping_add(1).max(1);
            self.sources.insert(token, (id, Source::Datagrams(key)));
        }
        // UDP doesn't wait: what is over the limit is dropped.
        if grant(&mut self.up, payload.len()) {
            guest.datagrams.send(&key, payload, now);
        } else {
            self.counters.limited.add(1);
        }
    }

    fn answers(&mut self, id: PeerId, key: &Key, now: Instant) {
        let Some(guest) = self.guests.get_mut(&id) else {
            return;
        };
        let (peer, outbound) = (&guest.peer, &mut self.outbound);
        let (down, counters) = (&mut self.down, &self.counters);
        loop {
            let more = guest.datagrams.receive(key, now, |packet, len| {
                if grant(down, len) {
                    outbound.seal(peer, [(packet, len)], now);
                } else {
                    counters.limited.add(1);
                }
            });
            if !more {
                break;
            }
        }
    }

    fn serve(&mut self, now: Instant) {
        let mut ended = Vec::new();
        for guest in self.guests.values_mut() {
            let mut served = guest.serve(now, &mut self.up, &mut self.down);
            self.busy |= served.more;
            ended.append(&mut served.ended);
            while let Some(frame) = guest.queues.outgoing.pop_front() {
                let size = frame
                    .segment
                    .map_or(usize::MAX, |size| usize::from(size.get()));
                let segments = self.segments.cut(&frame.bytes, size);
                self.outbound.seal(&guest.peer, segments, now);
            }
        }
        for (ends, mut stream) in ended {
            let _ = self.poll.registry().deregister(&mut stream);
            self.sources
                .retain(|_, (_, source)| !matches!(source, Source::Flow(other) if *other == ends));
        }
    }

    fn tick(&mut self, now: Instant) {
        let mut late = Vec::new();
        for (token, (id, source)) in &self.sources {
            if let Source::Opening(ends) = source
                && let Some(opening) = self
                    .guests
                    .get(id)
                    .and_then(|guest| guest.opening.get(ends))
                && now.saturating_duration_since(opening.since) >= self.bounds.connect_timeout
            {
                late.push((*id, *ends, *token));
            }
        }
        for (id, ends, token) in late {
            self.refuse(id, ends, token);
        }
        let registry = self.poll.registry();
        for guest in self.guests.values_mut() {
            let gone = guest.datagrams.sweep(now, self.bounds.udp_idle, registry);
            if !gone.is_empty() {
                let id = guest.peer.id();
                self.sources.retain(|_, (owner, source)| {
                    !matches!(source, Source::Datagrams(key) if *owner == id && gone.contains(key))
                });
            }
        }
        let forgotten: Vec<PeerId> = self
            .guests
            .iter()
            .filter(|(_, guest)| !guest.peer.is_held())
            .map(|(id, _)| *id)
            .collect();
        for id in forgotten {
            self.sources.retain(|_, (owner, _)| *owner != id);
            // Closing a socket takes it out of `poll`.
            drop(self.guests.remove(&id).map(Guest::into_streams));
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
