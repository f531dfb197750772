//! What the data plane reads of an inner packet: addresses, protocol, ports (RFC 791, 8200, 9293, 768, 792, 4443).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const V4_MIN: usize = 20;
const V6_LEN: usize = 40;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP or ICMPv6, of this type.
    Icmp(u8),
    /// Something else.
    Other(u8),
}

/// The ends of a packet. Ports are 0 where there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// What it carries.
    pub transport: Transport,
}

/// Why a packet has no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Too short, of no known version, or longer or shorter than it says.
    #[error("not a whole IP packet")]
    Ip,
    /// One of several fragments: without the first nobody knows what it carries.
    #[error("fragmented packets are not carried")]
    Fragment,
    /// Its transport header isn't there.
    #[error("no whole transport header")]
    Transport,
}

impl Header {
    /// Reads a packet, which must be as long as it says.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(packet: &[u8]) -> Result<Self, Malformed> {
        match packet.first().map(|byte| byte >> 4) {
            Some(4) => Self::parse_v4(packet),
            Some(6) => Self::parse_v6(packet),
            _ => Err(Malformed::Ip),
        }
    }

    fn parse_v4(packet: &[u8]) -> Result<Self, Malformed> {
        let fixed = packet.first_chunk::<V4_MIN>().ok_or(Malformed::Ip)?;
        let total = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        let start = usize::from(fixed[0] & 0xf) * 4;
        if total != packet.len() || start < V4_MIN {
            return Err(Malformed::Ip);
        }
        // More fragments, or an offset.
        if u16::from_be_bytes([fixed[6], fixed[7]]) & 0x3fff != 0 {
            return Err(Malformed::Fragment);
        }
        let payload = packet.get(start..).ok_or(Malformed::Ip)?;
        let source = Ipv4Addr::new(fixed[12], fixed[13], fixed[14], fixed[15]);
        let destination = Ipv4Addr::new(fixed[16], fixed[17], fixed[18], fixed[19]);
        Self::with_payload(source.into(), destination.into(), fixed[9], ICMP, payload)
    }

    // Extension headers aren't followed: what hides behind them is carried for nobody.
    fn parse_v6(packet: &[u8]) -> Result<Self, Malformed> {
        let (fixed, payload) = packet.split_first_chunk::<V6_LEN>().ok_or(Malformed::Ip)?;
        if usize::from(u16::from_be_bytes([fixed[4], fixed[5]])) != payload.len() {
            return Err(Malformed::Ip);
        }
        let address = |at: usize| {
            let mut octets = [0; 16];
            octets.copy_from_slice(&fixed[at..at + 16]);
            Ipv6Addr::from(octets)
        };
        if fixed[6] == 44 {
            return Err(Malformed::Fragment);
        }
        Self::with_payload(
            address(8).into(),
            address(24).into(),
            fixed[6],
            ICMP_V6,
            payload,
        )
    }

    fn with_payload(
        source: IpAddr,
        destination: IpAddr,
        protocol: u8,
        icmp: u8,
        payload: &[u8],
    ) -> Result<Self, Malformed> {
        let ports = |least: usize| match payload {
            [a, b, c, d, ..] if payload.len() >= least => {
                Ok((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])))
            }
            _ => Err(Malformed::Transport),
        };
        let (transport, (from, to)) = match protocol {
            TCP => (Transport::Tcp, ports(20)?),
            UDP => (Transport::Udp, ports(8)?),
            other if other == icmp => {
                let kind = payload.first().ok_or(Malformed::Transport)?;
                (Transport::Icmp(*kind), (0, 0))
            }
            other => (Transport::Other(other), (0, 0)),
        };
        Ok(Self {
            source: SocketAddr::new(source, from),
            destination: SocketAddr::new(destination, to),
            transport,
        })
    }
}

/// Where a packet is going, without looking further.
#[must_use]
pub fn destination(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => {
            let octets: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
            Some(Ipv4Addr::from(octets).into())
        }
        6 => {
            let octets: [u8; 16] = packet.get(24..40)?.try_into().ok()?;
            Some(Ipv6Addr::from(octets).into())
        }
        _ => None,
    }
}

/// Where a packet comes from, without looking further.
#[must_use]
pub fn source(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => {
            let octets: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
            Some(Ipv4Addr::from(octets).into())
        }
        6 => {
            let octets: [u8; 16] = packet.get(8..24)?.try_into().ok()?;
            Some(Ipv6Addr::from(octets).into())
        }
        _ => None,
    }
}
