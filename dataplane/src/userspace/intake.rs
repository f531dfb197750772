//! Inner packets of a batch, joined where they can be, for the stacks in user space.

use std::sync::Arc;

use veilpool_tunnel::{MAX_DATAGRAM, Peer};

use crate::{
    Deliver, Header, Transport,
    frame::Layout,
    join::{Group, Joiner},
};

/// A batch of packets, each in a run of datagrams of at most 64 KiB.
const ARENA: usize = (1 << 19) + MAX_DATAGRAM;

/// A packet of a peer; a TCP packet may be several that were joined.
pub(super) struct Packet {
    pub(super) peer: Arc<Peer>,
    pub(super) header: Header,
    pub(super) bytes: Vec<u8>,
    /// The policy doesn't let it go on.
    pub(super) refused: bool,
}

pub(super) struct Intake {
    joiner: Joiner,
    arena: Box<[u8]>,
    used: usize,
    peer: Option<Arc<Peer>>,
    pub(super) ready: Vec<Packet>,
}

impl Intake {
    pub(super) fn new() -> Self {
        Self {
            joiner: Joiner::new(false),
            arena: vec![0; ARENA].into_boxed_slice(),
            used: 0,
            peer: None,
            ready: Vec::new(),
        }
    }

    /// What has been gathered, of one peer, is ready.
    fn finish(&mut self) {
        let Some(peer) = self.peer.take() else {
            return;
        };
        let mut joiner = std::mem::take(&mut self.joiner);
        for group in joiner.finish(&mut self.arena) {
            let bytes = self.assemble(group);
            // Joined ones were checked one by one, and their checksum is no longer meant to be right.
            let whole = !group.pieces.is_empty() || is_intact(&bytes);
            if let Ok(header) = Header::parse(&bytes)
                && whole
            {
                let peer = Arc::clone(&peer);
                self.ready.push(Packet {
                    peer,
                    header,
                    bytes,
                    refused: false,
                });
            }
        }
        joiner.clear();
        self.joiner = joiner;
    }

    fn assemble(&self, group: &Group) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(group.len);
        for part in std::iter::once(&group.head).chain(&group.pieces) {
            bytes.extend_from_slice(self.arena.get(part.clone()).unwrap_or_default());
        }
        bytes
    }
}

/// Whether a TCP or UDP checksum is right, or left out where it may be.
fn is_intact(packet: &[u8]) -> bool {
    match Layout::of(packet) {
        Some(layout) => layout.is_intact(packet) || layout.has_no_checksum(packet),
        None => matches!(
            Header::parse(packet),
            Ok(Header {
                transport: Transport::Icmp(_),
                ..
            })
        ),
    }
}

impl Deliver for Intake {
    fn room(&mut self) -> &mut [u8] {
        if self.used + MAX_DATAGRAM > self.arena.len() {
            self.flush();
        }
        self.arena
            .get_mut(self.used..self.used + MAX_DATAGRAM)
            .unwrap_or_default()
    }

    fn deliver(&mut self, peer: &Arc<Peer>, _: &Header, len: usize) {
        if self
            .peer
            .as_ref()
            .is_none_or(|other| other.id() != peer.id())
        {
            self.finish();
            self.peer = Some(Arc::clone(peer));
        }
        let at = self.used..self.used + len;
        self.used = at.end;
        self.joiner.push(&self.arena, at);
    }

    /// TCP is answered with a reset.
    fn refuse(&mut self, peer: &Arc<Peer>, header: &Header, len: usize) {
        let bytes = self.arena.get(self.used..self.used + len);
        if let Some(bytes) = bytes
            && header.transport == Transport::Tcp
            && is_intact(bytes)
        {
            self.ready.push(Packet {
                peer: Arc::clone(peer),
                header: *header,
                bytes: bytes.to_vec(),
                refused: true,
            });
        }
    }

    fn flush(&mut self) {
        self.finish();
        self.used = 0;
    }
}
