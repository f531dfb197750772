//! Two ends joined in memory: protocol facts of the tunnel, without a network.

#![allow(clippy::unwrap_used)]

use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    time::{Duration, Instant},
};

use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use veilpool_protocol::api::WireGuardKeyBytes;
use veilpool_tunnel::{
    Admission, Event, Initiator, MAX_DATAGRAM, Outbox, PeerConfig, PeerId, Peers, PeersConfig,
    PublicKey, Refusal, StaticSecret, inner_address, packet,
    wire::{self, Kind},
};

const CLIENT: &str = "192.0.2.1:7000";
const FAR: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 7), 53);

fn node(config: PeersConfig) -> Peers {
    Peers::new(StaticSecret::from([9; 32]), config)
}

/// A datagram reaches the node.
fn receive(
    node: &Peers,
    from: SocketAddr,
    datagram: &[u8],
    now: Instant,
    out: &mut Outbox,
) -> Result<Option<(PeerId, Vec<u8>)>, Refusal> {
    let mut datagram = datagram.to_vec();
    let kind = wire::kind(&datagram).ok_or(Refusal::Malformed)?;
    if kind != Kind::Data {
        return node.handshake(from, &mut datagram, now, out).map(|()| None);
    }
    let peer = wire::receiver(kind, &datagram)
        .and_then(|index| node.by_index(index))
        .ok_or(Refusal::UnknownIndex)?;
    let mut buffer = [0; MAX_DATAGRAM];
    let mut state = peer.state();
    let mut indices = node.indices(&peer);
    match state
        .link
        .open(kind, &mut datagram, &mut buffer, now, &mut indices)
    {
        Event::Inner(inner) => {
            state.hear(from, now);
            Ok(Some((peer.id(), inner.to_vec())))
        }
        Event::Keepalive => Ok(None),
        _ => Err(Refusal::Malformed),
    }
}

/// An inner packet leaves the node.
fn send(node: &Peers, inner: &[u8], out: &mut Outbox) {
    let to = packet::destination_of(inner).unwrap();
    let Some(peer) = node.by_address(to) else {
        return;
    };
    let mut padded = inner.to_vec();
    padded.resize(inner.len() + 16, 0xff);
    let mut buffer = [0; MAX_DATAGRAM];
    let mut state = peer.state();
    let endpoint = state.endpoint;
    let mut indices = node.indices(&peer);
    if let Event::Network(datagram) = state.link.seal(
        &mut padded,
        inner.len(),
        &mut buffer,
        Instant::now(),
        &mut indices,
    ) {
        out.push((endpoint, datagram.to_vec()));
    }
}

fn from() -> SocketAddr {
    CLIENT.parse().unwrap()
}

/// Delivers until nothing is under way; gives inner packets that reached the node.
fn exchange(
    client: &mut Initiator,
    node: &Peers,
    mut to_node: Outbox,
) -> Vec<Result<(PeerId, Vec<u8>), Refusal>> {
    let mut arrived = Vec::new();
    while !to_node.is_empty() {
        let mut to_client = Outbox::new();
        for (_, datagram) in to_node.drain(..) {
            match receive(node, from(), &datagram, Instant::now(), &mut to_client) {
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
    let node = node(PeersConfig::default());
    let mut client = Initiator::new(&node.public_key(), &mut StdRng::seed_from_u64(1));
    let mut out = Outbox::new();
    let inner = datagram_from(&client);
    client.send(inner.clone(), &mut out);
    let arrived = exchange(&mut client, &node, out);
    assert_eq!(arrived.len(), 1);
    let (peer, packet) = arrived[0].clone().unwrap();
    assert_eq!(packet, inner);
    let held = node.by_address(client.address().into()).unwrap();
    assert_eq!(held.id(), peer);
    assert!(held.owns(client.address_v6().into()));
    assert!(client.since_handshake().is_some());

    // And back, padded to sixteen on the way.
    let reply = packet::udp(FAR, SocketAddrV4::new(client.address(), 9), b"yes").unwrap();
    let mut out = Outbox::new();
    send(&node, &reply, &mut out);
    let (to, datagram) = out.pop().unwrap();
    assert_eq!(to, Some(from()));
    assert_eq!((datagram.len() - 32) % 16, 0);
    assert_eq!(client.receive(&datagram, &mut out), Some(reply));
}

#[test]
fn sessions_of_a_peer_have_nothing_in_common_that_an_observer_sees() {
    let node = node(PeersConfig::default());
    let mut client = Initiator::new(&node.public_key(), &mut StdRng::seed_from_u64(2));
    let mut seen = HashSet::new();
    for _ in 0..20 {
        let mut out = Outbox::new();
        client.start_handshake(&mut out);
        seen.insert(out[0].1[4..8].to_vec());
        let mut answer = Outbox::new();
        // A second apart, or the timestamps would be the same.
        receive(&node, from(), &out[0].1, Instant::now(), &mut answer).ok();
        if let Some((_, response)) = answer.first() {
            seen.insert(response[4..8].to_vec());
            client.receive(response, &mut Outbox::new());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(seen.len() > 25, "{}", seen.len());
    // Neither the upper bytes, which boringtun keeps, nor the lowest, which it counts up.
    let upper: HashSet<_> = seen.iter().map(|index| index[1..].to_vec()).collect();
    assert_eq!(upper.len(), seen.len());
}

#[test]
fn a_peer_that_is_forgotten_leaves_no_index_behind() {
    let node = node(PeersConfig::default());
    let mut client = Initiator::new(&node.public_key(), &mut StdRng::seed_from_u64(12));
    let mut out = Outbox::new();
    client.send(datagram_from(&client), &mut out);
    let arrived = exchange(&mut client, &node, out);
    assert!(arrived[0].is_ok());
    let mut out = Outbox::new();
    client.send(datagram_from(&client), &mut out);
    let peer = node.by_address(client.address().into()).unwrap();
    node.forget(&peer);
    assert!(!peer.is_held());
    let late = receive(&node, from(), &out[0].1, Instant::now(), &mut Outbox::new());
    assert_eq!(late, Err(Refusal::UnknownIndex));
    assert_eq!(
        peer.state()
            .link
            .indices()
            .filter(|index| node.by_index(*index).is_some())
            .count(),
        0
    );
}

#[test]
fn n4_a_replayed_datagram_is_refused() {
    let node = node(PeersConfig::default());
    let mut client = Initiator::new(&node.public_key(), &mut StdRng::seed_from_u64(3));
    let mut out = Outbox::new();
    client.send(datagram_from(&client), &mut out);
    exchange(&mut client, &node, out);
    let mut out = Outbox::new();
    client.send(datagram_from(&client), &mut out);
    let mut back = Outbox::new();
    let first = receive(&node, from(), &out[0].1, Instant::now(), &mut back);
    assert!(matches!(first, Ok(Some(_))));
    let second = receive(&node, from(), &out[0].1, Instant::now(), &mut back);
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
    let node = node(PeersConfig {
        admission: Admission::Listed(vec![key]),
        ..PeersConfig::default()
    });
    let mut stranger = Initiator::new(&node.public_key(), &mut rng);
    let mut out = Outbox::new();
    stranger.send(datagram_from(&stranger), &mut out);
    let refused = exchange(&mut stranger, &node, out);
    assert_eq!(refused, vec![Err(Refusal::NotAdmitted)]);

    let mut friend = Initiator::with_key(secret, &node.public_key()).unwrap();
    let mut out = Outbox::new();
    friend.send(datagram_from(&friend), &mut out);
    assert!(exchange(&mut friend, &node, out)[0].is_ok());
}

#[test]
fn peers_are_bounded_and_idle_ones_make_room() {
    let node = node(PeersConfig {
        max_peers: 2,
        ..PeersConfig::default()
    });
    let mut rng = StdRng::seed_from_u64(5);
    let mut connect = |node: &Peers, at: Instant| {
        let mut client = Initiator::new(&node.public_key(), &mut rng);
        let mut out = Outbox::new();
        client.send(datagram_from(&client), &mut out);
        let datagram = out.pop().unwrap().1;
        receive(node, from(), &datagram, at, &mut Outbox::new())
    };
    let now = Instant::now();
    assert_eq!(connect(&node, now), Ok(None));
    assert_eq!(connect(&node, now), Ok(None));
    assert_eq!(connect(&node, now), Err(Refusal::Full));
    assert_eq!(node.count(), 2);
    let later = now + Duration::from_secs(11);
    assert_eq!(connect(&node, later), Ok(None));
    assert_eq!(node.count(), 2);
    let gone = node.tick(now + Duration::from_secs(600), &mut Outbox::new());
    assert_eq!((gone.len(), node.count()), (2, 0));
}

#[test]
fn n3_beyond_the_limit_a_handshake_needs_a_cookie() {
    let node = node(PeersConfig {
        handshakes_per_second: 3,
        ..PeersConfig::default()
    });
    let mut rng = StdRng::seed_from_u64(6);
    let mut last = Outbox::new();
    for _ in 0..10 {
        let mut client = Initiator::new(&node.public_key(), &mut rng);
        let mut out = Outbox::new();
        client.start_handshake(&mut out);
        last.clear();
        let _ = receive(&node, from(), &out[0].1, Instant::now(), &mut last);
    }
    // Message type 3, 64 bytes: a cookie reply, and no peer was made for it.
    assert_eq!((last[0].1[0], last[0].1.len()), (3, 64));
    assert!(node.count() <= 3);
}

proptest! {
    #[test]
    fn n4_random_datagrams_never_panic_and_make_no_peer(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        kind in 0u8..6,
    ) {
        let node = node(PeersConfig::default());
        let mut client = Initiator::new(&node.public_key(), &mut StdRng::seed_from_u64(7));
        let mut bytes = bytes;
        if bytes.len() >= 4 {
            bytes[..4].copy_from_slice(&[kind, 0, 0, 0]);
        }
        let mut out = Outbox::new();
        prop_assert!(receive(&node, from(), &bytes, Instant::now(), &mut out).is_err());
        prop_assert_eq!(client.receive(&bytes, &mut out), None);
        prop_assert_eq!(node.count(), 0);
    }

    #[test]
    fn n4_edited_or_truncated_messages_never_panic(at in 0usize..148, to: u8, len in 0usize..148) {
        let node = node(PeersConfig::default());
        let mut client = Initiator::new(&node.public_key(), &mut StdRng::seed_from_u64(8));
        let mut out = Outbox::new();
        client.start_handshake(&mut out);
        let mut datagram = out[0].1.clone();
        let _ = receive(&node, from(), &datagram[..len], Instant::now(), &mut Outbox::new());
        datagram[at] = to;
        let _ = receive(&node, from(), &datagram, Instant::now(), &mut Outbox::new());
    }
}

#[test]
fn n5_peers_share_the_nodes_limit_and_a_small_demand_is_met_before_a_large_one() {
    let node = node(PeersConfig {
        node_limit: Some(80.0),
        rate_limit: Some(60.0),
        ..PeersConfig::default()
    });
    let mut now = Instant::now();
    let add = |key: u8| {
        let config = PeerConfig {
            key: WireGuardKeyBytes::new([key; 32]),
            preshared: None,
            endpoint: None,
            allowed: vec![],
            keepalive: None,
        };
        node.add(config, now).unwrap()
    };
    let (small, large, larger, silent) = (add(1), add(2), add(3), add(4));
    let mut granted = [0_usize; 3];
    // Ten seconds in steps of a millisecond; 10, 90 and 900 Mbit/s are asked for, in packets of 1,250 bytes.
    for step in 1..=10_000 {
        now += Duration::from_millis(1);
        for (place, (peer, packets)) in [(&small, 1), (&large, 9), (&larger, 90)].iter().enumerate()
        {
            let mut state = peer.state();
            state.down.refill(now);
            for _ in 0..*packets {
                if state.down.overdraw(1_250) && step > 1_000 {
                    granted[place] += 1_250;
                }
            }
        }
        if step % 100 == 0 {
            node.share(now);
        }
    }
    let mbit = granted.map(|bytes| bytes as f64 / 125_000.0 / 9.0);
    assert!((9.9..10.1).contains(&mbit[0]), "{mbit:?}");
    assert!((mbit[1] - mbit[2]).abs() < 1.0, "{mbit:?}");
    // What the small one may grow by isn't given to the others.
    assert!((70.0..80.5).contains(&mbit.iter().sum()), "{mbit:?}");
    // Who begins finds a fourth ready; who is alone has what a peer may have.
    assert_eq!(silent.state().down.rate(), Some(20.0));
    assert_eq!(small.state().up.rate(), Some(60.0));
}
