//! Towards UDP: inner packets are sealed one after another into one buffer, and equal datagrams to one peer leave in one
//! call.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use veilpool_tunnel::{Event, MAX_DATAGRAM, Peer, Peers, link::padded};

use crate::{Udp, counters::Counters, header};

/// The most that a call sends (a UDP length has 16 bits), less IPv6 and UDP headers.
const MAX_RUN: usize = 65_000;

/// The sending end of the socket.
pub struct Outbound {
    udp: Arc<Udp>,
    peers: Arc<Peers>,
    counters: Arc<Counters>,
    buffer: Box<[u8]>,
    run: Run,
    last: Option<(IpAddr, Arc<Peer>)>,
}

/// Datagrams of one length to one address, of which the last may be shorter.
#[derive(Clone, Copy, Default)]
struct Run {
    to: Option<SocketAddr>,
    segment: usize,
    count: usize,
    len: usize,
}

impl Outbound {
    /// Sends through `udp` to `peers`.
    #[must_use]
    pub fn new(udp: Arc<Udp>, peers: Arc<Peers>, counters: Arc<Counters>) -> Self {
        Self {
            udp,
            peers,
            counters,
            buffer: vec![0; MAX_RUN + 2 * MAX_DATAGRAM].into_boxed_slice(),
            run: Run::default(),
            last: None,
        }
    }

    /// Seals packets that all go where the first goes: the segments of one read. Each is a buffer with room for
    /// padding, and the packet's length in it.
    pub fn push<'a>(
        &mut self,
        packets: impl IntoIterator<Item = (&'a mut [u8], usize)>,
        now: Instant,
    ) {
        let mut packets = packets.into_iter().peekable();
        let first = packets.peek().and_then(|(buffer, len)| {
            let packet = buffer.get(..*len)?;
            Some((header::source(packet)?, header::destination(packet)?))
        });
        let Some((source, destination)) = first else {
            self.counters.malformed.add(1);
            return;
        };
        // Guests don't reach one another.
        let between_guests = self.peers.is_guest(source);
        let Some(peer) = self.peer(destination).filter(|_| !between_guests) else {
            self.counters.unroutable.add(1);
            return;
        };
        self.seal(&peer, packets, now);
    }

    /// Seals packets for a peer.
    pub fn seal<'a>(
        &mut self,
        peer: &Arc<Peer>,
        packets: impl IntoIterator<Item = (&'a mut [u8], usize)>,
        now: Instant,
    ) {
        let peers = Arc::clone(&self.peers);
        let mut indices = peers.indices(peer);
        let mut state = peer.state();
        state.down.refill(now);
        let mut down = 0_u64;
        for (buffer, len) in packets {
            if !state.down.overdraw(len) {
                self.counters.limited.add(1);
                continue;
            }
            if self.run.to != state.endpoint || self.run.len + padded(len) > MAX_RUN {
                self.flush();
                self.run.to = state.endpoint;
            }
            let room = self.buffer.get_mut(self.run.len..).unwrap_or_default();
            match state.link.seal(buffer, len, room, now, &mut indices) {
                Event::Network(datagram) => {
                    let len = datagram.len();
                    self.append(len);
                }
                Event::Nothing => {}
                _ => {
                    self.counters.refused.add(1);
                    continue;
                }
            }
            down += len as u64;
        }
        drop(state);
        peer.traffic().add(0, down);
        self.peers.traffic().add(0, down);
    }

    /// Sends what has been gathered.
    pub fn flush(&mut self) {
        let run = std::mem::take(&mut self.run);
        if let (Some(to), Some(datagrams)) = (run.to, self.buffer.get(..run.len))
            && !datagrams.is_empty()
        {
            self.udp.send(to, datagrams, run.segment);
        }
    }

    /// A datagram of `len` bytes has been written behind the run.
    fn append(&mut self, len: usize) {
        let run = &mut self.run;
        if run.count > 0 && len > run.segment {
            // It begins the next run.
            let (to, start) = (run.to, run.len);
            self.flush();
            self.buffer.copy_within(start..start + len, 0);
            self.run.to = to;
        }
        let run = &mut self.run;
        if run.count == 0 {
            run.segment = len;
        }
        run.count += 1;
        run.len += len;
        let to = run.to;
        if len < run.segment || run.count >= self.udp.max_segments() {
            self.flush();
            self.run.to = to;
        }
    }

    fn peer(&mut self, address: IpAddr) -> Option<Arc<Peer>> {
        match &self.last {
            Some((last, peer)) if *last == address && peer.is_held() => Some(Arc::clone(peer)),
            _ => {
                let peer = self.peers.by_address(address)?;
                self.last = Some((address, Arc::clone(&peer)));
                Some(peer)
            }
        }
    }
}
