//! TCP and UDP frames: what joining packets to a large one, and cutting a large one to packets, read and write.

use std::{
    net::{IpAddr, SocketAddr},
    ops::Range,
};

use crate::checksum::Sum;

const V4_LEN: usize = 20;
const V6_LEN: usize = 40;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;
const TCP_MIN: usize = 20;
pub(crate) const UDP_LEN: usize = 8;
const TCP_FLAGS: usize = 13;
pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;
const TCP_WINDOW: usize = 14;
const TCP_CHECKSUM: usize = 16;
const UDP_CHECKSUM: usize = 6;

/// A flow's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

/// Where a packet's parts are. IPv4 with options, fragments and IPv6 with extension headers have no layout: such packets
/// are neither joined nor cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) v6: bool,
    pub(crate) protocol: Protocol,
    /// Of the IP header, where the transport header begins.
    pub(crate) ip_len: usize,
    /// Of all headers.
    pub(crate) headers: usize,
}

impl Layout {
    pub(crate) fn of(packet: &[u8]) -> Option<Self> {
        let (v6, ip_len, protocol) = match packet.first()? {
            0x45 if packet.len() >= V4_LEN && fragment(packet) == 0 => (false, V4_LEN, packet[9]),
            byte if byte >> 4 == 6 && packet.len() >= V6_LEN => (true, V6_LEN, packet[6]),
            _ => return None,
        };
        let transport = packet.get(ip_len..)?;
        let (protocol, len) = match protocol {
            TCP if transport.len() >= TCP_MIN => {
                let len = usize::from(transport[12] >> 4) * 4;
                (Protocol::Tcp, len.max(TCP_MIN))
            }
            UDP if transport.len() >= UDP_LEN => (Protocol::Udp, UDP_LEN),
            _ => return None,
        };
        (transport.len() >= len).then_some(Self {
            v6,
            protocol,
            ip_len,
            headers: ip_len + len,
        })
    }

    /// Both addresses.
    pub(crate) const fn addresses(&self) -> Range<usize> {
        match self.v6 {
            true => 8..40,
            false => 12..20,
        }
    }

    /// Both ports.
    pub(crate) const fn ports(&self) -> Range<usize> {
        self.ip_len..self.ip_len + 4
    }

    /// Where the transport checksum is in its header.
    pub(crate) const fn checksum_offset(&self) -> usize {
        match self.protocol {
            Protocol::Tcp => TCP_CHECKSUM,
            Protocol::Udp => UDP_CHECKSUM,
        }
    }

    fn pseudo_header(&self, packet: &[u8], len: usize) -> Sum {
        let protocol = match self.protocol {
            Protocol::Tcp => TCP,
            Protocol::Udp => UDP,
        };
        Sum::default()
            .add(packet.get(self.addresses()).unwrap_or_default())
            .add_number(u16::from(protocol))
            .add_number(len as u16)
    }

    /// Whether the transport checksum is there and right.
    pub(crate) fn is_intact(&self, packet: &[u8]) -> bool {
        let transport = packet.get(self.ip_len..).unwrap_or_default();
        if self.protocol == Protocol::Udp && number16(packet, self.ip_len + UDP_CHECKSUM) == Some(0)
        {
            return false;
        }
        self.pseudo_header(packet, transport.len())
            .add(transport)
            .checksum()
            == 0
    }

    /// Whether it is UDP over IPv4 without a checksum, which is allowed.
    pub(crate) fn has_no_checksum(&self, packet: &[u8]) -> bool {
        self.protocol == Protocol::Udp
            && !self.v6
            && number16(packet, self.ip_len + UDP_CHECKSUM) == Some(0)
    }

    /// Writes the lengths and the header checksum of a packet of `len` bytes, of which this is the beginning.
    pub(crate) fn write_lengths(&self, packet: &mut [u8], len: usize) {
        self.write_ip_lengths(packet, len);
        if self.protocol == Protocol::Udp {
            write16(packet, self.ip_len + 4, (len - self.ip_len) as u16);
        }
    }

    fn write_ip_lengths(&self, packet: &mut [u8], len: usize) {
        if self.v6 {
            write16(packet, 4, (len - V6_LEN) as u16);
        } else {
            write16(packet, 2, len as u16);
            write16(packet, 10, 0);
            let sum = Sum::default().add(packet.get(..V4_LEN).unwrap_or_default());
            write16(packet, 10, sum.checksum());
        }
    }

    /// Writes the transport checksum of a whole packet.
    pub(crate) fn write_checksum(&self, packet: &mut [u8]) {
        let at = self.ip_len + self.checksum_offset();
        write16(packet, at, 0);
        let transport = packet.get(self.ip_len..).unwrap_or_default();
        let sum = self
            .pseudo_header(packet, transport.len())
            .add(transport)
            .checksum();
        // In UDP zero means that there is none.
        write16(packet, at, if sum == 0 { 0xffff } else { sum });
    }

    /// Writes what the kernel wants where it is going to complete the checksum of `len` bytes itself.
    pub(crate) fn write_partial_checksum(&self, packet: &mut [u8], len: usize) {
        let sum = self.pseudo_header(packet, len - self.ip_len).partial();
        write16(packet, self.ip_len + self.checksum_offset(), sum);
    }

    pub(crate) fn sequence(&self, packet: &[u8]) -> u32 {
        number32(packet, self.ip_len + 4).unwrap_or_default()
    }

    pub(crate) fn write_sequence(&self, packet: &mut [u8], sequence: u32) {
        if let Some(place) = packet.get_mut(self.ip_len + 4..self.ip_len + 8) {
            place.copy_from_slice(&sequence.to_be_bytes());
        }
    }

    pub(crate) fn acknowledgement(&self, packet: &[u8]) -> u32 {
        number32(packet, self.ip_len + 8).unwrap_or_default()
    }

    pub(crate) fn flags(&self, packet: &[u8]) -> u8 {
        packet
            .get(self.ip_len + TCP_FLAGS)
            .copied()
            .unwrap_or_default()
    }

    /// Takes a unit off a segment's window. smoltcp refuses what lies beyond the window that it advertised last, and rounds
    /// windows down to units of a few bytes: the edge that a peer was told before may lie a unit further, and what it
    /// has sent up to there would be lost. A unit less than it believes never lies beyond.
    pub(crate) fn narrow_window(&self, packet: &mut [u8]) {
        let at = self.ip_len + TCP_WINDOW;
        // The window of a SYN is in bytes.
        if self.flags(packet) & SYN == 0
            && let Some(units) = number16(packet, at)
        {
            write16(packet, at, units.saturating_sub(1));
        }
    }

    pub(crate) fn write_flags(&self, packet: &mut [u8], flags: u8) {
        if let Some(place) = packet.get_mut(self.ip_len + TCP_FLAGS) {
            *place = flags;
        }
    }

    /// TCP's options.
    pub(crate) fn options(&self) -> Range<usize> {
        self.ip_len + TCP_MIN..self.headers
    }
}

fn fragment(packet: &[u8]) -> u16 {
    // More fragments, or an offset; "don't fragment" is neither.
    number16(packet, 6).unwrap_or_default() & 0x3fff
}

pub(crate) fn number16(packet: &[u8], at: usize) -> Option<u16> {
    let bytes = packet.get(at..at + 2)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

fn number32(packet: &[u8], at: usize) -> Option<u32> {
    let bytes = packet.get(at..at + 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

pub(crate) fn write16(packet: &mut [u8], at: usize, number: u16) {
    if let Some(place) = packet.get_mut(at..at + 2) {
        place.copy_from_slice(&number.to_be_bytes());
    }
}

/// Whether a TCP packet opens a connection: SYN without ACK.
pub(crate) fn opens(packet: &[u8]) -> bool {
    Layout::of(packet).is_some_and(|layout| {
        layout.protocol == Protocol::Tcp && layout.flags(packet) & (SYN | ACK | RST | FIN) == SYN
    })
}

/// [`Layout::narrow_window`] of a frame that smoltcp made.
pub(crate) fn narrow_window(frame: &mut [u8]) {
    if let Some(layout) = Layout::of(frame).filter(|it| it.protocol == Protocol::Tcp) {
        layout.narrow_window(frame);
    }
}

/// Length of the headers of a UDP datagram or an echo.
pub(crate) const fn datagram_headers(v6: bool) -> usize {
    UDP_LEN + if v6 { V6_LEN } else { V4_LEN }
}

/// Writes the headers of a UDP datagram whose `payload` bytes are there already; gives its length.
pub(crate) fn complete_datagram(
    packet: &mut [u8],
    from: SocketAddr,
    to: SocketAddr,
    payload: usize,
) -> Option<usize> {
    let (layout, len) = begin_datagram(packet, UDP, from, to, payload)?;
    let packet = packet.get_mut(..len)?;
    write16(packet, layout.ip_len, from.port());
    write16(packet, layout.ip_len + 2, to.port());
    layout.write_lengths(packet, len);
    layout.write_checksum(packet);
    Some(len)
}

/// The identifier of an echo request, and the message that a socket for echoes takes.
pub(crate) fn echo_request(packet: &[u8]) -> Option<(u16, &[u8])> {
    let (start, kind) = match packet.first()? >> 4 {
        4 => (usize::from(packet.first()? & 0xf) * 4, 8),
        _ => (V6_LEN, 128),
    };
    let message = packet.get(start..)?;
    (message.len() >= UDP_LEN && message.first_chunk::<2>() == Some(&[kind, 0]))
        .then(|| Some((number16(message, 4)?, message)))
        .flatten()
}

/// Makes an inner packet of an answer that a socket for echoes gave: `len` bytes that lie where a UDP payload would.
pub(crate) fn complete_echo_reply(
    packet: &mut [u8],
    from: SocketAddr,
    to: SocketAddr,
    identifier: u16,
    len: usize,
) -> Option<usize> {
    let (v6, protocol, kind) = match from {
        SocketAddr::V4(_) => (false, ICMP, 0),
        SocketAddr::V6(_) => (true, ICMP_V6, 129),
    };
    let start = datagram_headers(v6);
    let ip_len = start - UDP_LEN;
    if packet.get(start) != Some(&kind) || len < UDP_LEN {
        return None;
    }
    packet.copy_within(start..start + len, ip_len);
    let (layout, total) = begin_datagram(packet, protocol, from, to, len - UDP_LEN)?;
    let packet = packet.get_mut(..total)?;
    layout.write_ip_lengths(packet, total);
    write16(packet, ip_len + 4, identifier);
    write16(packet, ip_len + 2, 0);
    let message = Sum::default().add(packet.get(ip_len..)?);
    let sum = match v6 {
        false => message,
        true => message
            .add(packet.get(layout.addresses())?)
            .add_number(len as u16)
            .add_number(u16::from(ICMP_V6)),
    };
    write16(packet, ip_len + 2, sum.checksum());
    Some(total)
}

/// Writes an IP header without its lengths.
fn begin_datagram(
    packet: &mut [u8],
    protocol: u8,
    from: SocketAddr,
    to: SocketAddr,
    payload: usize,
) -> Option<(Layout, usize)> {
    let v6 = from.is_ipv6();
    let headers = datagram_headers(v6);
    let ip_len = headers - UDP_LEN;
    let header = packet.get_mut(..ip_len)?;
    header.fill(0);
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            // Don't fragment, 64 hops.
            header[..10].copy_from_slice(&[0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol]);
            header[12..16].copy_from_slice(&from.octets());
            header[16..20].copy_from_slice(&to.octets());
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            header[..8].copy_from_slice(&[0x60, 0, 0, 0, 0, 0, protocol, 64]);
            header[8..24].copy_from_slice(&from.octets());
            header[24..40].copy_from_slice(&to.octets());
        }
        _ => return None,
    }
    let layout = Layout {
        v6,
        protocol: Protocol::Udp,
        ip_len,
        headers,
    };
    Some((layout, headers + payload))
}
