//! The mode without privileges on loopback: what comes of packets, well-formed and not.
#![allow(clippy::unwrap_used)]

mod guest;

use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, UdpSocket},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use guest::{Exit, Guest, SOON, udp_echo, v4};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use veilpool_dataplane::userspace::Bounds;
use veilpool_policy::Denied;
use veilpool_tunnel::{Initiator, Outbox, PeersConfig, packet};

fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A SYN, whose checksum is right.
fn syn(from: SocketAddrV4, to: SocketAddrV4) -> Vec<u8> {
    let mut packet = packet::udp(from, to, &[0; 12]).unwrap();
    packet[9] = 6;
    packet[10..12].fill(0);
    packet[24..40].fill(0);
    packet[24..28].copy_from_slice(&7_u32.to_be_bytes());
    packet[32] = 5 << 4;
    packet[33] = 2;
    packet[34..36].copy_from_slice(&1000_u16.to_be_bytes());
    let sum = |parts: &[&[u8]]| {
        let mut sum: u32 = parts
            .iter()
            .flat_map(|part| part.chunks(2))
            .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)))
            .sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        (!(sum as u16)).to_be_bytes()
    };
    let header = sum(&[&packet[..20]]);
    packet[10..12].copy_from_slice(&header);
    let transport = sum(&[&packet[12..20], &[0, 6, 0, 20], &packet[20..40]]);
    packet[36..38].copy_from_slice(&transport);
    packet
}

#[test]
fn n2_a_spoofed_inner_source_is_dropped() {
    let echo = udp_echo("127.0.0.1:0");
    let exit = Exit::start([echo]);
    let mut guest = Guest::connect(&exit);
    let other = SocketAddrV4::new(Ipv4Addr::new(10, 64, 77, 77), 9);
    guest.send(packet::udp(other, v4(echo), b"spoofed").unwrap());
    until("it was counted", || {
        exit.plane.counters().spoofed.get() == 1
    });
    assert_eq!(exit.peers.traffic().up.load(Ordering::Relaxed), 0);
}

#[test]
fn n2_a_guest_does_not_reach_another_or_the_nodes_own_address() {
    let exit = Exit::start([]);
    let mut guest = Guest::connect(&exit);
    let other = Guest::connect(&exit);
    for to in [
        other.address(80),
        SocketAddrV4::new(veilpool_tunnel::NODE_ADDRESS, 53),
    ] {
        guest.send(packet::udp(guest.address(9), to, b"knock").unwrap());
    }
    let private = || {
        exit.gate
            .denied()
            .find(|(why, _)| *why == Denied::Private)
            .unwrap()
            .1
    };
    until("both were refused", || private() == 2);
    assert_eq!(exit.plane.counters().denied.get(), 2);
}

#[test]
fn metered_bytes_are_those_of_the_packets_that_were_sent_and_received() {
    let echo = udp_echo("127.0.0.1:0");
    let exit = Exit::start([echo]);
    let mut guest = Guest::connect(&exit);
    let (mut up, mut down) = (0, 0);
    for len in [0, 1, 15, 16, 17, 500, 1392] {
        let packet = packet::udp(guest.address(9), v4(echo), &vec![len as u8; len]).unwrap();
        up += packet.len() as u64;
        guest.send(packet);
        down += guest.receive(SOON).unwrap().len() as u64;
    }
    let peer = exit.peers.by_address(guest.end.address().into()).unwrap();
    let read = |counters: &veilpool_tunnel::peers::PeerTraffic| {
        (
            counters.up.load(Ordering::Relaxed),
            counters.down.load(Ordering::Relaxed),
        )
    };
    until("all were counted", || {
        read(exit.peers.traffic()) == (up, down)
    });
    assert_eq!(read(peer.traffic()), (up, down));
    // What is forgotten is still in the sum.
    exit.peers.forget(&peer);
    assert_eq!(read(exit.peers.traffic()), (up, down));
}

#[test]
fn n4_reordered_and_repeated_datagrams_arrive_once_each() {
    let echo = udp_echo("127.0.0.1:0");
    let exit = Exit::start([echo]);
    let mut guest = Guest::connect(&exit);
    let mut datagrams = Outbox::new();
    for number in 0..200_u16 {
        let payload = number.to_be_bytes();
        let inner = packet::udp(guest.address(9), v4(echo), &payload).unwrap();
        guest.end.send(inner, &mut datagrams);
    }
    let mut twice: Vec<_> = datagrams
        .iter()
        .chain(&datagrams)
        .map(|(_, bytes)| bytes.clone())
        .collect();
    twice.shuffle(&mut StdRng::seed_from_u64(4));
    for chunk in twice.chunks(20) {
        for datagram in chunk {
            guest.socket.send(datagram).unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut seen = HashSet::new();
    while let Some(inner) = guest.receive(Duration::from_millis(500)) {
        let payload: [u8; 2] = inner[28..30].try_into().unwrap();
        assert!(seen.insert(u16::from_be_bytes(payload)), "twice");
    }
    assert_eq!(seen.len(), 200);
    assert_eq!(exit.plane.counters().refused.get(), 200);
}

#[test]
fn n4_malformed_datagrams_are_counted_and_the_session_goes_on() {
    let echo = udp_echo("127.0.0.1:0");
    let exit = Exit::start([echo]);
    let mut guest = Guest::connect(&exit);
    let mut sealed = Outbox::new();
    let inner = packet::udp(guest.address(9), v4(echo), b"whole").unwrap();
    guest.end.send(inner.clone(), &mut sealed);
    let (_, whole) = sealed.pop().unwrap();
    let mut rng = StdRng::seed_from_u64(5);
    for len in (0..whole.len()).chain([2000, 9000, 60_000]) {
        let mut datagram = whole.clone();
        datagram.resize(len, 0x5a);
        guest.socket.send(&datagram).unwrap();
        if let Some(byte) = datagram.choose_mut(&mut rng) {
            *byte ^= 1;
        }
        guest.socket.send(&datagram).unwrap();
    }
    // An inner packet that is none.
    for inner in [vec![0x45; 19], vec![0x60; 30], vec![0x45; 60], vec![0; 100]] {
        guest.send(inner);
    }
    guest.send(inner);
    assert!(guest.receive(SOON).unwrap().ends_with(b"whole"));
    let counters = exit.plane.counters();
    assert!(counters.malformed.get() > 30, "{counters:?}");
    assert!(counters.refused.get() > 30, "{counters:?}");
}

#[test]
fn n3_a_flood_of_handshakes_leaves_a_session_alone() {
    let echo = udp_echo("127.0.0.1:0");
    let exit = Exit::start([echo]);
    let mut guest = Guest::connect(&exit);
    let flood = UdpSocket::bind("127.0.0.2:0").unwrap();
    let key = exit.peers.public_key();
    let mut rng = StdRng::seed_from_u64(6);
    let mut answered = 0;
    for round in 0..100_u32 {
        for _ in 0..10 {
            let mut out = Outbox::new();
            Initiator::new(&key, &mut rng).start_handshake(&mut out);
            flood.send_to(&out[0].1, exit.plane.address()).unwrap();
        }
        let payload = round.to_be_bytes();
        let inner = packet::udp(guest.address(9), v4(echo), &payload).unwrap();
        guest.send(inner);
        let answer = guest.receive(Duration::from_secs(5));
        answered += u32::from(answer.is_some_and(|inner| inner.ends_with(&payload)));
    }
    assert_eq!(answered, 100);
    // Of a thousand, one address has five and twenty a second.
    let counters = exit.plane.counters();
    assert!(counters.handshakes_refused.get() > 500, "{counters:?}");
    assert!(exit.peers.count() < 200, "{}", exit.peers.count());
}

#[test]
fn n5_flows_are_bounded_per_guest_and_the_excess_is_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let bounds = Bounds {
        flows: 2,
        ..Bounds::default()
    };
    let exit = Exit::with([server], PeersConfig::default(), bounds);
    let mut greedy = Guest::connect(&exit);
    let mut answers = Vec::new();
    for port in 1..=4 {
        greedy.send(syn(greedy.address(port), v4(server)));
        let answer = greedy.receive(SOON).unwrap();
        answers.push(answer[33]);
    }
    // SYN-ACK twice, then RST-ACK.
    assert_eq!(answers, [0x12, 0x12, 0x14, 0x14]);
    assert_eq!(exit.plane.counters().too_many_flows.get(), 2);
    // Another guest has its own.
    let mut other = Guest::connect(&exit);
    other.send(syn(other.address(1), v4(server)));
    assert_eq!(other.receive(SOON).unwrap()[33], 0x12);
}

#[test]
fn ipv6_inside_goes_where_the_policy_allows_it() {
    let echo = udp_echo("[::1]:0");
    let exit = Exit::start([echo]);
    let mut guest = Guest::connect(&exit);
    let source = SocketAddr::new(guest.end.address_v6().into(), 9);
    let (SocketAddr::V6(from), SocketAddr::V6(to)) = (source, echo) else {
        unreachable!("both are IPv6");
    };
    let mut inner = vec![0x60, 0, 0, 0, 0, 12, 17, 64];
    inner.extend_from_slice(&from.ip().octets());
    inner.extend_from_slice(&to.ip().octets());
    for number in [from.port(), to.port(), 12, 0] {
        inner.extend_from_slice(&number.to_be_bytes());
    }
    inner.extend_from_slice(b"ping");
    let mut sum: u32 = inner[8..]
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum::<u32>()
        + 12
        + 17;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    inner[46..48].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    guest.send(inner);
    let answer = guest.receive(SOON).unwrap();
    assert!(answer.ends_with(b"ping"));
    assert_eq!(answer[24..40], from.ip().octets());
}

#[test]
fn an_epochs_new_key_ends_the_old_sessions() {
    let echo = udp_echo("127.0.0.1:0");
    let exit = Exit::start([echo]);
    let mut guest = Guest::connect(&exit);
    let inner = packet::udp(guest.address(9), v4(echo), b"old").unwrap();
    guest.send(inner.clone());
    assert!(guest.receive(SOON).is_some());
    exit.peers
        .rekey(veilpool_tunnel::StaticSecret::from([8; 32]));
    guest.send(inner);
    assert_eq!(guest.receive(Duration::from_millis(300)), None);
    assert_eq!(exit.plane.counters().unknown.get(), 1);
    let mut again = Guest::connect(&exit);
    let inner = packet::udp(again.address(9), v4(echo), b"new").unwrap();
    again.send(inner);
    assert!(again.receive(SOON).unwrap().ends_with(b"new"));
}
