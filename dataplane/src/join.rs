//! Joins packets of a flow that follow one another to one large packet, as a network card's receive offload does: TCP
//! segments without gaps, UDP datagrams of one length.
//!
//! Only packets whose checksum is right are joined, since the large packet's is made anew: what was damaged before it
//! was sealed stays damaged.

use std::ops::Range;

use crate::frame::{ACK, Layout, PSH, Protocol, number16};

/// The largest IP packet.
const MAX_LEN: usize = 65_535;
/// The most packets that are joined.
pub(crate) const MAX_PIECES: usize = 60;
/// Flows that are looked at for a packet, latest first.
const LOOK_BACK: usize = 16;

/// A packet, or several that were joined.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// The first packet.
    pub(crate) head: Range<usize>,
    /// Payloads of the others.
    pub(crate) pieces: Vec<Range<usize>>,
    /// Of the first packet; `None` when it is of no flow that can be joined.
    pub(crate) layout: Option<Layout>,
    /// Payload of each packet but the last.
    pub(crate) segment: usize,
    /// All bytes.
    pub(crate) len: usize,
    next_sequence: u32,
    flags: u8,
    closed: bool,
}

/// Groups of a batch.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    groups: Vec<Group>,
    used: usize,
    udp: bool,
}

impl Joiner {
    /// `udp`: whether UDP datagrams are joined too.
    pub(crate) fn new(udp: bool) -> Self {
        Self {
            udp,
            ..Self::default()
        }
    }

    /// Forgets the batch.
    pub(crate) fn clear(&mut self) {
        self.used = 0;
    }

    /// Takes the packet that lies in this part of the arena.
    pub(crate) fn push(&mut self, arena: &[u8], at: Range<usize>) {
        let packet = arena.get(at.clone()).unwrap_or_default();
        let layout = Layout::of(packet).filter(|layout| self.wants(layout, packet));
        if let Some(layout) = layout {
            let from = self.used.saturating_sub(LOOK_BACK);
            let groups = self.groups.get_mut(from..self.used).unwrap_or_default();
            let flow = groups
                .iter_mut()
                .rfind(|group| same_flow(group, &layout, arena, packet));
            if let Some(group) = flow
                && group.takes(&layout, arena, packet)
                && layout.is_intact(packet)
            {
                group.append(&layout, packet, at);
                return;
            }
        }
        self.begin(layout, packet, at);
    }

    /// The batch, in the order in which their first packets came; the heads' headers say what they have become.
    pub(crate) fn finish(&mut self, arena: &mut [u8]) -> &[Group] {
        let groups = self.groups.get_mut(..self.used).unwrap_or_default();
        for group in groups.iter().filter(|group| !group.pieces.is_empty()) {
            if let (Some(layout), Some(head)) = (group.layout, arena.get_mut(group.head.clone())) {
                layout.write_lengths(head, group.len);
                if layout.protocol == Protocol::Tcp {
                    layout.write_flags(head, group.flags);
                }
                layout.write_partial_checksum(head, group.len);
            }
        }
        groups
    }

    fn wants(&self, layout: &Layout, packet: &[u8]) -> bool {
        match layout.protocol {
            Protocol::Tcp => layout.flags(packet) & !PSH == ACK && packet.len() > layout.headers,
            Protocol::Udp => {
                let said = number16(packet, layout.ip_len + 4).map(usize::from);
                self.udp
                    && packet.len() > layout.headers
                    && said == Some(packet.len() - layout.ip_len)
            }
        }
    }

    fn begin(&mut self, layout: Option<Layout>, packet: &[u8], at: Range<usize>) {
        if self.used >= self.groups.len() {
            self.groups.push(Group::default());
        }
        let Some(group) = self.groups.get_mut(self.used) else {
            return;
        };
        self.used += 1;
        // A damaged packet is let through as it is, and nothing is joined to it.
        let layout = layout.filter(|layout| layout.is_intact(packet));
        let payload = layout.map_or(0, |layout| packet.len() - layout.headers);
        let flags = layout.map_or(0, |layout| match layout.protocol {
            Protocol::Tcp => layout.flags(packet),
            Protocol::Udp => 0,
        });
        let sequence = layout.map_or(0, |layout| layout.sequence(packet));
        group.pieces.clear();
        group.head = at;
        group.layout = layout;
        group.segment = payload;
        group.len = packet.len();
        group.next_sequence = sequence.wrapping_add(payload as u32);
        group.flags = flags;
        group.closed = layout.is_none() || flags & PSH != 0;
    }
}

fn same_flow(group: &Group, layout: &Layout, arena: &[u8], packet: &[u8]) -> bool {
    let Some(own) = group.layout else {
        return false;
    };
    let head = arena.get(group.head.clone()).unwrap_or_default();
    own.protocol == layout.protocol
        && own.v6 == layout.v6
        && head.get(own.ports()) == packet.get(layout.ports())
        && head.get(own.addresses()) == packet.get(layout.addresses())
}

impl Group {
    /// Whether a packet of the same flow comes next.
    fn takes(&self, layout: &Layout, arena: &[u8], packet: &[u8]) -> bool {
        let head = arena.get(self.head.clone()).unwrap_or_default();
        let payload = packet.len() - layout.headers;
        // Traffic class, flow label and hop limit; TOS, flags and TTL.
        let alike = match layout.v6 {
            true => head.get(..4) == packet.get(..4) && head.get(7) == packet.get(7),
            false => head.get(1) == packet.get(1) && head.get(6..9) == packet.get(6..9),
        };
        !self.closed
            && alike
            && Some(layout.headers) == self.layout.map(|own| own.headers)
            && payload <= self.segment
            && self.len + payload <= MAX_LEN
            && self.pieces.len() < MAX_PIECES
            && (layout.protocol == Protocol::Udp
                || layout.sequence(packet) == self.next_sequence
                    && layout.acknowledgement(packet) == layout.acknowledgement(head)
                    && packet.get(layout.options()) == head.get(layout.options()))
    }

    fn append(&mut self, layout: &Layout, packet: &[u8], at: Range<usize>) {
        let payload = packet.len() - layout.headers;
        if layout.protocol == Protocol::Tcp {
            self.flags |= layout.flags(packet);
        }
        self.pieces.push(at.start + layout.headers..at.end);
        self.len += payload;
        self.next_sequence = self.next_sequence.wrapping_add(payload as u32);
        self.closed = self.flags & PSH != 0 || payload < self.segment;
    }
}
