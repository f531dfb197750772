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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::*;
    use crate::{cut::Segments, frame};

    const HEADERS: [usize; 2] = [40, 60];

    /// A TCP packet without options, of any size.
    fn tcp(v6: bool, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
        let (from, to): (SocketAddr, SocketAddr) = match v6 {
            false => (
                ([192, 0, 2, 1], 1000).into(),
                ([198, 51, 100, 7], 443).into(),
            ),
            true => (
                "[2001:db8::1]:1000"
                    .parse()
                    .unwrap_or_else(|_| unreachable!()),
                "[2001:db8::2]:443"
                    .parse()
                    .unwrap_or_else(|_| unreachable!()),
            ),
        };
        let headers = HEADERS[usize::from(v6)];
        let mut packet = vec![0; headers + payload.len()];
        // A UDP header, of which a TCP header is made.
        frame::complete_datagram(
            &mut packet,
            from,
            to,
            headers - frame::datagram_headers(v6) + payload.len(),
        );
        let ip_len = headers - 20;
        packet[if v6 { 6 } else { 9 }] = 6;
        packet[ip_len + 4..headers].fill(0);
        packet[ip_len + 4..ip_len + 8].copy_from_slice(&sequence.to_be_bytes());
        packet[ip_len + 12] = 5 << 4;
        packet[ip_len + 13] = flags;
        packet[headers..].copy_from_slice(payload);
        let layout = Layout::of(&packet).unwrap_or_else(|| unreachable!());
        let len = packet.len();
        layout.write_lengths(&mut packet, len);
        layout.write_checksum(&mut packet);
        packet
    }

    /// What comes of packets, each complete: joined ones with the checksum that the kernel would write.
    fn join(packets: &[Vec<u8>], udp: bool) -> Vec<Vec<u8>> {
        let mut arena = Vec::new();
        let mut places = Vec::new();
        for packet in packets {
            places.push(arena.len()..arena.len() + packet.len());
            arena.extend_from_slice(packet);
        }
        let mut joiner = Joiner::new(udp);
        for place in places {
            joiner.push(&arena, place);
        }
        let groups: Vec<_> = joiner
            .finish(&mut arena)
            .iter()
            .map(|group| {
                let parts = std::iter::once(&group.head).chain(&group.pieces);
                (parts.cloned().collect::<Vec<_>>(), group.layout)
            })
            .collect();
        groups
            .into_iter()
            .map(|(parts, layout)| {
                let joined = parts.len() > 1;
                let mut packet: Vec<u8> = parts
                    .into_iter()
                    .flat_map(|part| arena[part].to_vec())
                    .collect();
                if let Some(layout) = layout.filter(|_| joined) {
                    layout.write_checksum(&mut packet);
                }
                packet
            })
            .collect()
    }

    fn cut(packet: &[u8], size: usize) -> Vec<Vec<u8>> {
        let mut segments = Segments::new(64, 2000);
        segments
            .cut(packet, size)
            .map(|(segment, len)| segment[..len].to_vec())
            .collect()
    }

    proptest! {
        #[test]
        fn what_is_cut_is_joined_again(
            v6: bool,
            payload in prop::collection::vec(any::<u8>(), 1..60_000),
            sequence: u32,
            size in 1000_usize..1400,
        ) {
            let packet = tcp(v6, sequence, ACK | PSH, &payload);
            let segments = cut(&packet, size);
            prop_assert_eq!(segments.len(), payload.len().div_ceil(size));
            for segment in &segments {
                let layout = Layout::of(segment).unwrap();
                prop_assert!(layout.is_intact(segment));
                prop_assert!(segment.len() <= layout.headers + size);
                prop_assert!(crate::Header::parse(segment).is_ok());
            }
            prop_assert_eq!(join(&segments, false), vec![packet]);
        }

        #[test]
        fn no_bytes_are_lost_or_reordered_within_a_flow(
            sizes in prop::collection::vec((1_usize..1380, 0_u32..3, any::<bool>()), 1..80),
        ) {
            // Gaps, and pushes in the middle.
            let (mut sequence, mut packets, mut sent) = (7_u32, Vec::new(), Vec::new());
            for (len, gap, push) in sizes {
                sequence = sequence.wrapping_add(gap);
                let payload: Vec<u8> = (0..len).map(|at| (sequence as usize + at) as u8).collect();
                packets.push(tcp(false, sequence, if push { ACK | PSH } else { ACK }, &payload));
                sent.push((sequence, payload.clone()));
                sequence = sequence.wrapping_add(len as u32);
            }
            let joined = join(&packets, false);
            let mut rest = sent.into_iter();
            for packet in joined {
                let layout = Layout::of(&packet).unwrap();
                prop_assert!(layout.is_intact(&packet));
                let (mut at, mut payload) = (layout.sequence(&packet), &packet[layout.headers..]);
                while !payload.is_empty() {
                    let (sequence, bytes) = rest.next().unwrap();
                    prop_assert_eq!(sequence, at);
                    prop_assert_eq!(&payload[..bytes.len()], &bytes[..]);
                    at = at.wrapping_add(bytes.len() as u32);
                    payload = &payload[bytes.len()..];
                }
            }
            prop_assert!(rest.next().is_none());
        }

        #[test]
        fn n4_no_packets_make_the_joiner_or_the_cutter_panic(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..10),
            first in prop::sample::select(vec![0x45_u8, 0x46, 0x60, 0x00]),
            protocol in prop::sample::select(vec![6_u8, 17, 1]),
            size in 0_usize..50,
        ) {
            let packets: Vec<_> = packets.into_iter().map(|mut packet| {
                if let Some(byte) = packet.first_mut() {
                    *byte = first;
                }
                for at in [6, 9] {
                    if let Some(byte) = packet.get_mut(at) {
                        *byte = protocol;
                    }
                }
                packet
            }).collect();
            for packet in &packets {
                cut(packet, size);
                let _ = frame::opens(packet);
                let _ = frame::echo_request(packet);
                let _ = crate::Header::parse(packet);
            }
            join(&packets, true);
        }
    }

    #[test]
    fn a_damaged_packet_stays_as_it_is_and_nothing_is_joined_to_it() {
        let mut packets = vec![
            tcp(false, 0, ACK, &[1; 100]),
            tcp(false, 100, ACK, &[2; 100]),
            tcp(false, 200, ACK, &[3; 100]),
        ];
        packets[1][60] ^= 1;
        assert_eq!(join(&packets, false), packets);
    }

    #[test]
    fn flows_are_kept_apart() {
        let mut other = tcp(false, 100, ACK, &[2; 100]);
        let layout = Layout::of(&other).unwrap_or_else(|| unreachable!());
        other[layout.ports().start] ^= 1;
        layout.write_checksum(&mut other);
        let packets = vec![
            tcp(false, 0, ACK, &[1; 100]),
            other,
            tcp(false, 100, ACK, &[3; 100]),
        ];
        let joined = join(&packets, false);
        assert_eq!(joined.len(), 2);
        assert_eq!(joined[1], packets[1]);
    }
}
