//! Two ends joined in memory: protocol facts of the tunnel, without a network.

#![allow(clippy::unwrap_used)]

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    time::{Duration, Instant},
};

use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use veilpool_protocol::api::WireGuardKeyBytes;
use veilpool_tunnel::{
    Admission, Initiator, Outbox, PeerId, PublicKey, Refusal, Responder, ResponderConfig,
    StaticSecret, inner_address, packet,
};

const CLIENT: &str = "192.0.2.1:7000";
const FAR: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 7), 53);

fn node(config: ResponderConfig) -> Responder {
    Responder::new(StaticSecret::from([9; 32]), config)
}

fn from() -> SocketAddr {
    CLIENT.parse().unwrap()
}

/// Delivers until nothing is under way; gives inner packets that reached the node.
fn exchange(
    client: &mut Initiator,
    node: &mut Responder,
    mut to_node: Outbox,
) -> Vec<Result<(PeerId, Vec<u8>), Refusal>> {
    let mut arrived = Vec::new();
    while !to_node.is_empty() {
        let mut to_client = Outbox::new();
        for (_, datagram) in to_node.drain(..) {
            match node.receive(from(), &datagram, Instant::now(), &mut to_client) {
                Ok(Some(packet)) => arrived.push(Ok(packet)),
                Ok(None) => {}
                Err(refusal) => arrived.push(Err(refusal)),
            }
        }
        for (_, datagram) in to_client {
            client.receive(&datagram, &mut to_node);
        }
    }
    arrived
}

fn datagram_from(client: &Initiator) -> Vec<u8> {
    packet::udp(SocketAddrV4::new(client.address(), 9), FAR, b"payload").unwrap()
}

#[test]
fn a_first_packet_makes_the_handshake_and_arrives() {
    let mut node = node(ResponderConfig::default());
    let mut client = Initiator::new(&node.public_key(), &mut StdRng::seed_from_u64(1));
    let mut out = Outbox::new();
    let inner = datagram_from(&client);
    client.send(inner.clone(), &mut out);
    let arrived = exchange(&mut client, &mut node, out);
    assert_eq!(arrived.len(), 1);
    let (peer, packet) = arrived[0].clone().unwrap();
    assert_eq!(packet, inner);
    assert_eq!(node.address(peer), Some(client.address()));
    assert!(client.since_handshake().is_some());

    // And back, padded to sixteen on the way.
    let reply = packet::udp(FAR, SocketAddrV4::new(client.address(), 9), b"yes").unwrap();
    let mut out = Outbox::new();
    node.send(peer, reply.clone(), &mut out);
    let (to, datagram) = out.pop().unwrap();
    assert_eq!(to, Some(from()));
    assert_eq!((datagram.len() - 32) % 16, 0);
    assert_eq!(client.receive(&datagram, &mut out), Some(reply));
}

#[test]
fn n2_a_spoofed_inner_source_is_dropped_and_no_guest_reaches_another() {
    let mut node = node(ResponderConfig::default());
    let mut rng = StdRng::seed_from_u64(2);
    let mut guest = Initiator::new(&node.public_key(), &mut rng);
    let mut out = Outbox::new();
    guest.send(datagram_from(&guest), &mut out);
    let arrived = exchange(&mut guest, &mut node, out);
    let (peer, _) = arrived[0].clone().unwrap();

    let other = Ipv4Addr::new(10, 64, 77, 77);
    let mut out = Outbox::new();
    let spoofed = packet::udp(SocketAddrV4::new(other, 9), FAR, b"x").unwrap();
    guest.send(spoofed, &mut out);
    let arrived = exchange(&mut guest, &mut node, out);
    assert_eq!(arrived, vec![Err(Refusal::SpoofedSource)]);

    let mut out = Outbox::new();
    let misdirected = packet::udp(FAR, SocketAddrV4::new(other, 9), b"x").unwrap();
    node.send(peer, misdirected, &mut out);
    assert!(out.is_empty());
}

#[test]
fn n4_a_replayed_datagram_is_refused() {
    let mut node = node(ResponderConfig::default());
    let mut client = Initiator::new(&node.public_key(), &mut StdRng::seed_from_u64(3));
    let mut out = Outbox::new();
    client.send(datagram_from(&client), &mut out);
    exchange(&mut client, &mut node, out);
    let mut out = Outbox::new();
    client.send(datagram_from(&client), &mut out);
    let mut back = Outbox::new();
    let first = node.receive(from(), &out[0].1, Instant::now(), &mut back);
    assert!(matches!(first, Ok(Some(_))));
    let second = node.receive(from(), &out[0].1, Instant::now(), &mut back);
    assert_eq!(second, Err(Refusal::Malformed));
}

#[test]
fn only_listed_keys_are_admitted() {
    let mut rng = StdRng::seed_from_u64(4);
    let (secret, key) = loop {
        let secret = StaticSecret::random_from_rng(&mut rng);
        let key = WireGuardKeyBytes::new(PublicKey::from(&secret).to_bytes());
        if inner_address(&key).is_some() {
            break (secret, key);
        }
    };
    let mut node = node(ResponderConfig {
        admission: Admission::Listed(vec![key]),
        ..ResponderConfig::default()
    });
    let mut stranger = Initiator::new(&node.public_key(), &mut rng);
    let mut out = Outbox::new();
    stranger.send(datagram_from(&stranger), &mut out);
    let refused = exchange(&mut stranger, &mut node, out);
    assert_eq!(refused, vec![Err(Refusal::NotAdmitted)]);

    let mut friend = Initiator::with_key(secret, &node.public_key(), &mut rng).unwrap();
    let mut out = Outbox::new();
    friend.send(datagram_from(&friend), &mut out);
    assert!(exchange(&mut friend, &mut node, out)[0].is_ok());
}

#[test]
fn peers_are_bounded_and_idle_ones_make_room() {
    let mut node = node(ResponderConfig {
        max_peers: 2,
        ..ResponderConfig::default()
    });
    let mut rng = StdRng::seed_from_u64(5);
    let mut connect = |node: &mut Responder, at: Instant| {
        let mut client = Initiator::new(&node.public_key(), &mut rng);
        let mut out = Outbox::new();
        client.send(datagram_from(&client), &mut out);
        let datagram = out.pop().unwrap().1;
        node.receive(from(), &datagram, at, &mut Outbox::new())
    };
    let now = Instant::now();
    assert_eq!(connect(&mut node, now), Ok(None));
    assert_eq!(connect(&mut node, now), Ok(None));
    assert_eq!(connect(&mut node, now), Err(Refusal::Full));
    assert_eq!(node.peer_count(), 2);
    let later = now + Duration::from_secs(11);
    assert_eq!(connect(&mut node, later), Ok(None));
    assert_eq!(node.peer_count(), 2);
    let gone = node.tick(now + Duration::from_secs(600), &mut Outbox::new());
    assert_eq!((gone.len(), node.peer_count()), (2, 0));
}

#[test]
fn n3_beyond_the_limit_a_handshake_needs_a_cookie() {
    let mut node = node(ResponderConfig {
        handshakes_per_second: 3,
        ..ResponderConfig::default()
    });
    let mut rng = StdRng::seed_from_u64(6);
    let mut last = Outbox::new();
    for _ in 0..10 {
        let mut client = Initiator::new(&node.public_key(), &mut rng);
        let mut out = Outbox::new();
        client.start_handshake(&mut out);
        last.clear();
        let _ = node.receive(from(), &out[0].1, Instant::now(), &mut last);
    }
    // Message type 3, 64 bytes: a cookie reply, and no peer was made for it.
    assert_eq!((last[0].1[0], last[0].1.len()), (3, 64));
    assert!(node.peer_count() <= 3);
}

proptest! {
    #[test]
    fn n4_random_datagrams_never_panic_and_make_no_peer(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        kind in 0u8..6,
    ) {
        let mut node = node(ResponderConfig::default());
        let mut client = Initiator::new(&node.public_key(), &mut StdRng::seed_from_u64(7));
        let mut bytes = bytes;
        if bytes.len() >= 4 {
            bytes[..4].copy_from_slice(&[kind, 0, 0, 0]);
        }
        let mut out = Outbox::new();
        prop_assert!(node.receive(from(), &bytes, Instant::now(), &mut out).is_err());
        prop_assert_eq!(client.receive(&bytes, &mut out), None);
        prop_assert_eq!(node.peer_count(), 0);
    }

    #[test]
    fn n4_edited_or_truncated_messages_never_panic(at in 0usize..148, to: u8, len in 0usize..148) {
        let mut node = node(ResponderConfig::default());
        let mut client = Initiator::new(&node.public_key(), &mut StdRng::seed_from_u64(8));
        let mut out = Outbox::new();
        client.start_handshake(&mut out);
        let mut datagram = out[0].1.clone();
        let _ = node.receive(from(), &datagram[..len], Instant::now(), &mut Outbox::new());
        datagram[at] = to;
        let _ = node.receive(from(), &datagram, Instant::now(), &mut Outbox::new());
    }
}
