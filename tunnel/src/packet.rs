//! Inner IPv4 packets (RFC 791) with TCP (RFC 9293) or UDP (RFC 768): parsed and made, nothing more.

use std::net::{IpAddr, SocketAddrV4};

use smoltcp::{
    phy::ChecksumCapabilities,
    wire::{
        IPV4_HEADER_LEN, IpAddress, IpProtocol, Ipv4Packet, Ipv4Repr, Ipv6Packet, TcpPacket,
        UDP_HEADER_LEN, UdpPacket, UdpRepr,
    },
};

use crate::INNER_MTU;

/// Largest UDP payload in one inner packet.
pub const MAX_UDP_PAYLOAD: usize = INNER_MTU - IPV4_HEADER_LEN - UDP_HEADER_LEN;

/// An inner packet that is well-formed and whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner<'a> {
    /// Sender.
    pub source: SocketAddrV4,
    /// Receiver.
    pub destination: SocketAddrV4,
    /// What it carries.
    pub content: Content<'a>,
}

/// What an inner packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A TCP segment.
    Tcp {
        /// It opens a connection: SYN without ACK and RST.
        opens: bool,
    },
    /// A UDP datagram.
    Udp(&'a [u8]),
}

/// Why an inner packet is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Not IPv4, truncated, or a wrong checksum of its header.
    #[error("not a whole IPv4 packet")]
    Ip,
    /// One of several fragments.
    #[error("fragmented packets are not carried")]
    Fragment,
    /// Neither TCP nor UDP.
    #[error("IP protocol {0} is not carried")]
    Protocol(u8),
    /// Truncated TCP or UDP header, or a wrong checksum.
    #[error("malformed TCP or UDP header")]
    Transport,
}

/// Destination address of any inner packet.
#[must_use]
pub fn destination_of(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => Some(Ipv4Packet::new_checked(packet).ok()?.dst_addr().into()),
        6 => Some(Ipv6Packet::new_checked(packet).ok()?.dst_addr().into()),
        _ => None,
    }
}

/// Parses an inner packet.
///
/// # Errors
/// [`Malformed`].
pub fn parse(packet: &[u8]) -> Result<Inner<'_>, Malformed> {
    let ip = Ipv4Packet::new_checked(packet).map_err(|_| Malformed::Ip)?;
    if ip.version() != 4 || !ip.verify_checksum() {
        return Err(Malformed::Ip);
    }
    if ip.more_frags() || ip.frag_offset() != 0 {
        return Err(Malformed::Fragment);
    }
    let (source, destination) = (ip.src_addr(), ip.dst_addr());
    let start = usize::from(ip.header_len());
    let payload = packet
        .get(start..usize::from(ip.total_len()))
        .ok_or(Malformed::Ip)?;
    let (ports, content) = match ip.next_header() {
        IpProtocol::Tcp => {
            let tcp = TcpPacket::new_checked(payload).map_err(|_| Malformed::Transport)?;
            let opens = tcp.syn() && !tcp.ack() && !tcp.rst() && !tcp.fin();
            ((tcp.src_port(), tcp.dst_port()), Content::Tcp { opens })
        }
        IpProtocol::Udp => {
            let udp = UdpPacket::new_checked(payload).map_err(|_| Malformed::Transport)?;
            let (from, to) = (IpAddress::Ipv4(source), IpAddress::Ipv4(destination));
            if !udp.verify_checksum(&from, &to) {
                return Err(Malformed::Transport);
            }
            let data = payload
                .get(UDP_HEADER_LEN..usize::from(udp.len()))
                .ok_or(Malformed::Transport)?;
            ((udp.src_port(), udp.dst_port()), Content::Udp(data))
        }
        other => return Err(Malformed::Protocol(other.into())),
    };
    if ports.0 == 0 || ports.1 == 0 {
        return Err(Malformed::Transport);
    }
    Ok(Inner {
        source: SocketAddrV4::new(source, ports.0),
        destination: SocketAddrV4::new(destination, ports.1),
        content,
    })
}

/// Makes an inner packet with a UDP datagram; `None` when the payload is longer than
/// [`MAX_UDP_PAYLOAD`].
#[must_use]
pub fn udp(source: SocketAddrV4, destination: SocketAddrV4, payload: &[u8]) -> Option<Vec<u8>> {
    if payload.len() > MAX_UDP_PAYLOAD {
        return None;
    }
    let ip = Ipv4Repr {
        src_addr: *source.ip(),
        dst_addr: *destination.ip(),
        next_header: IpProtocol::Udp,
        payload_len: UDP_HEADER_LEN + payload.len(),
        hop_limit: 64,
    };
    let udp = UdpRepr {
        src_port: source.port(),
        dst_port: destination.port(),
    };
    let checksums = ChecksumCapabilities::default();
    let mut bytes = vec![0u8; IPV4_HEADER_LEN + UDP_HEADER_LEN + payload.len()];
    ip.emit(&mut Ipv4Packet::new_unchecked(&mut bytes), &checksums);
    udp.emit(
        &mut UdpPacket::new_unchecked(&mut bytes[IPV4_HEADER_LEN..]),
        &IpAddress::Ipv4(*source.ip()),
        &IpAddress::Ipv4(*destination.ip()),
        payload.len(),
        |data| data.copy_from_slice(payload),
        &checksums,
    );
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    const A: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 64, 1, 2), 1000);
    const B: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 7), 2000);

    #[test]
    fn a_made_datagram_parses_to_what_it_was_made_from() {
        let packet = udp(A, B, b"hello").unwrap();
        let inner = parse(&packet).unwrap();
        assert_eq!((inner.source, inner.destination), (A, B));
        assert_eq!(inner.content, Content::Udp(b"hello"));
        assert_eq!(destination_of(&packet), Some((*B.ip()).into()));
        assert_eq!(udp(A, B, &[0; MAX_UDP_PAYLOAD + 1]), None);
    }

    #[test]
    fn fragments_other_protocols_and_wrong_checksums_are_named() {
        let mut packet = udp(A, B, b"hello").unwrap();
        *packet.last_mut().unwrap() ^= 1;
        assert_eq!(parse(&packet), Err(Malformed::Transport));
        let mut packet = udp(A, B, b"hello").unwrap();
        packet[9] = 1;
        Ipv4Packet::new_unchecked(&mut packet).fill_checksum();
        assert_eq!(parse(&packet), Err(Malformed::Protocol(1)));
        let mut packet = udp(A, B, b"hello").unwrap();
        packet[6] = 0x20;
        Ipv4Packet::new_unchecked(&mut packet).fill_checksum();
        assert_eq!(parse(&packet), Err(Malformed::Fragment));
        assert_eq!(parse(&[0x60; 60]), Err(Malformed::Ip));
    }

    proptest! {
        #[test]
        fn n4_no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = destination_of(&bytes);
        }

        #[test]
        fn n4_no_truncation_or_edit_makes_the_parser_panic(at in 0usize..60, to: u8, len in 0usize..60) {
            let mut packet = udp(A, B, &[7; 32]).unwrap();
            packet[at] = to;
            let _ = parse(&packet);
            let _ = parse(&packet[..len]);
        }
    }
}
