//! Packets of many peers at once: each has its own address and session, and sends as fast as this process can seal.

use std::{
    io::{self, BufRead, Write},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use quinn_udp::RecvMeta;
use veilpool_dataplane::Udp;
use veilpool_protocol::api::WireGuardKeyBytes;
use veilpool_tunnel::{Initiator, Outbox};

/// Payload of a packet.
const PAYLOAD: usize = 1300;
/// Headers of IPv4 and UDP.
const HEADERS: usize = 28;
/// Packets of a peer one after another.
const RUN: usize = 32;
/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(5);
/// What comes at once, coalesced.
const BUFFER: usize = 1 << 16;

/// Who sends whither.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// The first peer's address; the others follow.
    #[arg(long)]
    from: Ipv4Addr,
    #[arg(long)]
    peers: u8,
    #[arg(long)]
    node: SocketAddr,
    #[arg(long)]
    sink: SocketAddrV4,
}

struct Guest {
    end: Initiator,
    socket: Udp,
    packet: Vec<u8>,
}

/// The node's key: the first line that whoever starts a sender writes to it.
pub(crate) fn read_key(
    lines: &mut impl Iterator<Item = io::Result<String>>,
) -> anyhow::Result<WireGuardKeyBytes> {
    let line = lines.next().context("no key")??;
    let key = STANDARD.decode(line.trim())?.try_into();
    Ok(WireGuardKeyBytes::new(key.ok().context("not a key")?))
}

/// Reads the key, connects, says "ready", waits for a line, and sends until it is ended.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut lines = io::stdin().lock().lines();
    let key = read_key(&mut lines)?;
    let first = u32::from(arguments.from);
    let mut guests = (0..arguments.peers)
        .map(|number| {
            let from = Ipv4Addr::from(first + u32::from(number));
            Guest::connect(&key, from, arguments)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    println!("ready");
    io::stdout().flush()?;
    lines.next().context("nobody wants it")??;
    // Ends with whoever started it.
    drop(lines);
    thread::spawn(|| {
        let _ = io::stdin().read_line(&mut String::new());
        std::process::exit(0);
    });
    let mut run = Vec::with_capacity(RUN * (PAYLOAD + HEADERS + 64));
    loop {
        for guest in &mut guests {
            guest.send(&mut run, arguments.node);
        }
    }
}

impl Guest {
    fn connect(
        key: &WireGuardKeyBytes,
        from: Ipv4Addr,
        arguments: &Arguments,
    ) -> anyhow::Result<Self> {
        let mut end = Initiator::new(key, &mut rand::thread_rng());
        let socket = Udp::bind(SocketAddr::from((from, 0)), true)?;
        let mut out = Outbox::new();
        end.start_handshake(&mut out);
        let mut buffers = [vec![0; BUFFER].into_boxed_slice()];
        let mut metas = [RecvMeta::default()];
        let deadline = Instant::now() + WITHIN;
        while end.since_handshake().is_none() {
            for (_, datagram) in out.drain(..) {
                socket.send(arguments.node, &datagram, datagram.len());
            }
            ensure!(Instant::now() < deadline, "no answer to a handshake");
            match socket.receive(&mut buffers, &mut metas) {
                Ok(_) => {
                    let [buffer] = &buffers;
                    let datagram = buffer.get(..metas[0].len).unwrap_or_default();
                    end.receive(datagram, &mut out);
                }
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
        }
        // The keepalive that confirms the session.
        for (_, datagram) in out.drain(..) {
            socket.send(arguments.node, &datagram, datagram.len());
        }
        let packet = packet(end.address(), arguments.sink);
        Ok(Self {
            end,
            socket,
            packet,
        })
    }

    fn send(&mut self, run: &mut Vec<u8>, node: SocketAddr) {
        run.clear();
        let mut sealed = Outbox::with_capacity(RUN);
        for _ in 0..RUN {
            self.end.send(self.packet.clone(), &mut sealed);
        }
        let length = sealed.first().map_or(0, |(_, datagram)| datagram.len());
        for (_, datagram) in sealed
            .iter()
            .filter(|(_, datagram)| datagram.len() == length)
        {
            run.extend_from_slice(datagram);
        }
        if length > 0 {
            self.socket.send(node, run, length);
        }
    }
}

/// A UDP packet of zeros.
fn packet(from: Ipv4Addr, to: SocketAddrV4) -> Vec<u8> {
    let total = (HEADERS + PAYLOAD) as u16;
    let mut packet = vec![0; HEADERS + PAYLOAD];
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&total.to_be_bytes());
    packet[8] = 64;
    packet[9] = 17;
    packet[12..16].copy_from_slice(&from.octets());
    packet[16..20].copy_from_slice(&to.ip().octets());
    let sum = checksum(0, &packet[..20]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet[20..22].copy_from_slice(&4433u16.to_be_bytes());
    packet[22..24].copy_from_slice(&to.port().to_be_bytes());
    packet[24..26].copy_from_slice(&(total - 20).to_be_bytes());
    // The pseudo-header: addresses, protocol, length.
    let length = u32::from(total) - 20;
    let pseudo = packet[12..20].to_vec();
    let sum = checksum(
        17 + length + u32::from(!checksum(0, &pseudo)),
        &packet[20..],
    );
    packet[26..28].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// The Internet checksum (RFC 1071).
fn checksum(begin: u32, bytes: &[u8]) -> u16 {
    let mut sum = begin;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u32::from);
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_a_packet_add_up_to_zero() {
        let to = SocketAddrV4::new(Ipv4Addr::new(11, 7, 0, 2), 4433);
        let packet = packet(Ipv4Addr::new(10, 64, 1, 2), to);
        assert_eq!(checksum(0, &packet[..20]), 0);
        let mut pseudo = packet[12..20].to_vec();
        pseudo.extend([0, 17]);
        pseudo.extend(&packet[24..26]);
        pseudo.extend(&packet[20..]);
        assert_eq!(checksum(0, &pseudo), 0);
    }
}
