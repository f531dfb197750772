//! From UDP: batches of datagrams become inner packets of known senders.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, mpsc::SyncSender},
    time::Instant,
};

use quinn_udp::RecvMeta;
use veilpool_tunnel::{
    Event, MAX_DATAGRAM, Peer, Peers,
    wire::{self, Kind},
};

use crate::{Gate, Header, Udp, counters::Counters};

/// Buffers of a batch; each holds one sender's run.
const BUFFERS: usize = 8;
/// The most that one run has.
const BUFFER_LEN: usize = 1 << 16;

/// A handshake message, for the thread that does them.
pub type Handshake = (SocketAddr, Vec<u8>);

/// Takes inner packets.
pub trait Deliver {
    /// Room for one, of [`MAX_DATAGRAM`] bytes.
    fn room(&mut self) -> &mut [u8];
    /// The first `len` bytes of the room are a peer's packet.
    fn deliver(&mut self, peer: &Arc<Peer>, header: &Header, len: usize);
    /// The batch is over.
    fn flush(&mut self);
}

/// The receiving end of the socket.
pub struct Inbound {
    udp: Arc<Udp>,
    peers: Arc<Peers>,
    gate: Arc<dyn Gate>,
    handshakes: SyncSender<Handshake>,
    counters: Arc<Counters>,
    buffers: Vec<Box<[u8]>>,
    metas: [RecvMeta; BUFFERS],
    last: Option<(u32, Arc<Peer>)>,
}

impl Inbound {
    /// Handshake messages go to `handshakes`; a full channel drops them.
    #[must_use]
    pub fn new(
        udp: Arc<Udp>,
        peers: Arc<Peers>,
        gate: Arc<dyn Gate>,
        handshakes: SyncSender<Handshake>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            udp,
            peers,
            gate,
            handshakes,
            counters,
            buffers: (0..BUFFERS)
                .map(|_| vec![0; BUFFER_LEN].into_boxed_slice())
                .collect(),
            metas: [RecvMeta::default(); BUFFERS],
            last: None,
        }
    }

    /// Takes one batch; `false` when there is none.
    pub fn receive(&mut self, to: &mut impl Deliver) -> bool {
        let received = match self.udp.receive(&mut self.buffers, &mut self.metas) {
            Ok(received) => received,
            // Others than "nothing there" tell of a datagram sent before, to a peer that is gone.
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        };
        let now = Instant::now();
        // Out of the way of `self`, for the time of the loop.
        let mut buffers = std::mem::take(&mut self.buffers);
        for (buffer, meta) in buffers.iter_mut().zip(self.metas).take(received) {
            let run = buffer.get_mut(..meta.len).unwrap_or_default();
            self.take(run, meta.stride.max(1), meta.addr, now, to);
        }
        self.buffers = buffers;
        to.flush();
        true
    }

    fn take(
        &mut self,
        run: &mut [u8],
        stride: usize,
        from: SocketAddr,
        now: Instant,
        to: &mut impl Deliver,
    ) {
        let mut rest = run.chunks_mut(stride).peekable();
        while let Some(datagram) = rest.next() {
            let Some(kind) = wire::kind(datagram) else {
                self.counters.malformed.add(1);
                continue;
            };
            let index = match wire::receiver(kind, datagram) {
                Some(index) if kind == Kind::Data => index,
                _ => {
                    if self.handshakes.try_send((from, datagram.to_vec())).is_err() {
                        self.counters.overrun.add(1);
                    }
                    continue;
                }
            };
            let Some(peer) = self.peer(index) else {
                self.counters.unknown.add(1);
                continue;
            };
            // A run of one session costs one lock.
            let same = |datagram: &&mut [u8]| {
                wire::kind(datagram) == Some(Kind::Data)
                    && wire::receiver(Kind::Data, datagram) == Some(index)
            };
            let mut datagrams =
                std::iter::once(datagram).chain(std::iter::from_fn(|| rest.next_if(same)));
            self.open(&peer, &mut datagrams, from, now, to);
        }
    }

    fn open(
        &self,
        peer: &Arc<Peer>,
        datagrams: &mut dyn Iterator<Item = &mut [u8]>,
        from: SocketAddr,
        now: Instant,
        to: &mut impl Deliver,
    ) {
        let mut state = peer.state();
        let mut indices = self.peers.indices(peer);
        state.up.refill(now);
        let mut up = 0_u64;
        for datagram in datagrams {
            let event = state
                .link
                .open(Kind::Data, datagram, to.room(), now, &mut indices);
            let packet = match event {
                Event::Inner(packet) => packet,
                Event::Keepalive => {
                    state.hear(from, now);
                    continue;
                }
                _ => {
                    self.counters.refused.add(1);
                    continue;
                }
            };
            let len = packet.len();
            let header = Header::parse(packet);
            state.hear(from, now);
            let header = match header {
                Ok(header) if peer.owns(header.source.ip()) => header,
                Ok(_) => {
                    self.counters.spoofed.add(1);
                    continue;
                }
                Err(_) => {
                    self.counters.malformed.add(1);
                    continue;
                }
            };
            up += len as u64;
            if !self.gate.permits(&header) {
                self.counters.denied.add(1);
                continue;
            }
            if !state.up.overdraw(len) {
                self.counters.limited.add(1);
                continue;
            }
            to.deliver(peer, &header, len);
        }
        peer.traffic().add(up, 0);
        self.peers.traffic().add(up, 0);
    }

    fn peer(&mut self, index: u32) -> Option<Arc<Peer>> {
        match &self.last {
            Some((last, peer)) if *last == index && peer.is_held() => Some(Arc::clone(peer)),
            _ => {
                let peer = self.peers.by_index(index)?;
                self.last = Some((index, Arc::clone(&peer)));
                Some(peer)
            }
        }
    }
}

// What the largest datagram of a run may be.
const _: () = assert!(BUFFER_LEN > MAX_DATAGRAM);
