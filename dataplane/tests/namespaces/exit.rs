//! The exit in a network namespace of its own: what guests reach, and what they don't.

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use veilpool_dataplane::PolicyGate;
use veilpool_policy::Policy;
use veilpool_tunnel::{NODE_ADDRESS, NODE_ADDRESS_V6, PeersConfig};

use crate::{
    ends::carry,
    net::Host,
    world::{
        Exit, Guest, LAN, LAN_V6, NODE, NODE_LAN, NODE_LAN_V6, NODE_V6, SERVER, SERVER_V6, SERVICE,
        World, config, out_of_reach, say, serve_on, tcp, udp,
    },
};

const BYTES: usize = 1_000_000;
const BOTH: [(IpAddr, IpAddr); 2] = [
    (IpAddr::V4(SERVER), IpAddr::V4(NODE)),
    (IpAddr::V6(SERVER_V6), IpAddr::V6(NODE_V6)),
];

fn policy() -> Policy {
    Policy::default().with_host(World::networks())
}

fn pings(from: &Host, to: IpAddr) -> bool {
    let to = to.to_string();
    let ping = from
        .command("ping")
        .args(["-c", "1", "-W", "2", &to])
        .output();
    ping.unwrap().status.success()
}

#[test]
fn a_guest_reaches_the_internet_and_is_seen_there_with_the_nodes_address() {
    let world = World::new();
    let gate = Arc::new(PolicyGate::new(policy()));
    let _exit = Exit::start(&world.node, &config("node", policy()), 1, gate);
    let guest = Guest::new(&world, 2);
    for (server, node) in BOTH {
        carry(
            &guest.host,
            (&world.server, SocketAddr::from((server, 7000))),
            BYTES,
        );
        assert_eq!(udp(&guest.host, (server, SERVICE)), Some(node));
        assert!(pings(&guest.host, server), "{server}");
    }
}

#[test]
fn n1_neither_the_lan_nor_the_machine_nor_the_namespace_is_in_a_guests_reach() {
    let world = World::new();
    let exit = Exit::kernel_alone(&world, policy());
    let guest = Guest::new(&world, 2);
    // Services of the namespace itself, as if somebody had started some there by mistake.
    let any = (Ipv6Addr::UNSPECIFIED, SERVICE);
    let bind = || {
        (
            TcpListener::bind(any).unwrap(),
            UdpSocket::bind(any).unwrap(),
        )
    };
    serve_on(exit.namespace.enter(bind).unwrap());
    let mut targets: Vec<IpAddr> = vec![
        LAN.into(),
        LAN_V6.into(),
        NODE.into(),
        NODE_V6.into(),
        NODE_LAN.into(),
        NODE_LAN_V6.into(),
        NODE_ADDRESS.into(),
        NODE_ADDRESS_V6.into(),
    ];
    // Both ends of the link.
    let ends = || Host::addresses("uplink");
    let ends = exit.namespace.enter(ends).unwrap().into_iter();
    let ends: Vec<_> = ends
        .chain(world.node.enter(|| Host::addresses("veil_node")))
        .collect();
    assert_eq!(ends.len(), 4, "{ends:?}");
    targets.extend(ends);
    out_of_reach(&guest.host, &targets);
    assert!(!pings(&guest.host, NODE_ADDRESS.into()));
    // They are there, and so is the internet.
    assert!(udp(&world.node, (LAN.into(), SERVICE)).is_some());
    assert!(tcp(&world.node, (LAN_V6.into(), SERVICE)).is_ok());
    assert!(tcp(&world.lan, (NODE.into(), SERVICE)).is_ok());
    assert!(tcp(&guest.host, (SERVER.into(), SERVICE)).is_ok());
}

#[test]
fn n1_the_hosts_table_keeps_guests_off_the_machine_although_the_policy_does_not_know_it() {
    let world = World::new();
    let _exit = Exit::kernel_alone(&world, Policy::default());
    let guest = Guest::new(&world, 2);
    out_of_reach(
        &guest.host,
        &[NODE.into(), NODE_V6.into(), NODE_LAN_V6.into()],
    );
    let table = world
        .node
        .run("nft", &["list", "table", "inet", "veilpool_node"]);
    let table = String::from_utf8(table.stdout).unwrap();
    let rule = table
        .lines()
        .find(|rule| rule.contains("this machine"))
        .unwrap();
    assert!(!rule.contains("packets 0 "), "{rule}");
}

#[test]
fn n1_nobody_of_the_lan_comes_in_or_through() {
    let world = World::new();
    let exit = Exit::kernel_alone(&world, policy());
    let guest = Guest::new(&world, 2);
    assert!(tcp(&guest.host, (SERVER.into(), SERVICE)).is_ok());
    let inside = exit.namespace.enter(|| Host::addresses("uplink")).unwrap();
    let any = (Ipv6Addr::UNSPECIFIED, SERVICE);
    let bind = || {
        (
            TcpListener::bind(any).unwrap(),
            UdpSocket::bind(any).unwrap(),
        )
    };
    serve_on(exit.namespace.enter(bind).unwrap());
    out_of_reach(&world.lan, &inside);
    // The machine forwards for its node and stays no router for others. The way back is there.
    world
        .router
        .ip(&["route", "add", "192.168.7.0/24", "via", "81.2.69.1"]);
    world.router.ip(&[
        "-6",
        "route",
        "add",
        "2a02:c207:2::/64",
        "via",
        "2a02:c207:1::1",
    ]);
    out_of_reach(&world.lan, &[SERVER.into(), SERVER_V6.into()]);
}

#[test]
fn n1_a_guest_does_not_learn_the_routers_of_the_home() {
    let world = World::new();
    let exit = Exit::kernel_alone(&world, policy());
    let guest = Guest::new(&world, 2);
    // The packet's life ends at the namespace, the machine, the router; each would say so.
    let hops = |server: &str| -> Vec<String> {
        let ping = |hops: &str| {
            let mut ping = guest.host.command("ping");
            let output = ping
                .args(["-n", "-c", "1", "-W", "1", "-t", hops, server])
                .output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        ["1", "2", "3", "4"].map(ping).to_vec()
    };
    let routers = [
        ("93.184.216.2", "81.2.69.254"),
        ("2606:2800:220:1::2", "2a02:c207:1::fe"),
    ];
    for (server, router) in routers {
        let said = hops(server);
        assert!(
            !said[..3].concat().contains("exceeded from 198.19."),
            "{said:?}"
        );
        assert!(!said.concat().contains(router), "{said:?}");
        assert!(said[3].contains(" 0% packet loss"), "{said:?}");
    }
    // Where it isn't known to be the home's it is named: it's this ruleset that keeps it.
    exit.namespace.set_policy(&Policy::default()).unwrap();
    for (server, router) in routers {
        assert!(hops(server).concat().contains(router));
    }
}

#[test]
fn n2_a_guest_does_not_reach_another() {
    let world = World::new();
    let _exit = Exit::kernel_alone(&world, policy());
    let (guest, other) = (Guest::new(&world, 2), Guest::new(&world, 3));
    crate::world::serve(&other.host);
    for guest in [&guest, &other] {
        assert!(udp(&guest.host, (SERVER.into(), SERVICE)).is_some());
    }
    out_of_reach(&guest.host, &[other.v4.into(), other.v6.into()]);
    assert!(!pings(&guest.host, other.v4.into()));
}

#[test]
fn n6_smtp_is_refused_at_once() {
    let world = World::new();
    let _exit = Exit::kernel_alone(&world, policy());
    let guest = Guest::new(&world, 2);
    for (server, _) in BOTH {
        let server_end = (server, 25);
        let _mail = world
            .server
            .enter(|| TcpListener::bind(server_end))
            .unwrap();
        assert!(
            world
                .server
                .enter(|| std::net::TcpStream::connect(server_end))
                .is_ok()
        );
        let refused = tcp(&guest.host, server_end).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "{server}");
    }
}

#[test]
fn n6_a_new_policy_cuts_open_connections() {
    let world = World::new();
    let exit = Exit::kernel_alone(&world, policy());
    let guest = Guest::new(&world, 2);
    let mut open: Vec<_> = BOTH
        .iter()
        .map(|(server, _)| tcp(&guest.host, (*server, SERVICE)).unwrap())
        .collect();
    let file = "[destinations]\nrefuse = [\"93.184.216.0/24\", \"2606:2800::/32\"]";
    let refuses = Policy::parse(file).unwrap().with_host(World::networks());
    exit.namespace.set_policy(&refuses).unwrap();
    for stream in &mut open {
        let cut = say(stream).unwrap_err();
        assert_eq!(cut.kind(), ErrorKind::ConnectionReset);
    }
    for (server, _) in BOTH {
        assert!(tcp(&guest.host, (server, SERVICE)).is_err());
        assert_eq!(udp(&guest.host, (server, SERVICE)), None);
    }
    exit.namespace.set_policy(&policy()).unwrap();
    for (server, _) in BOTH {
        assert!(tcp(&guest.host, (server, SERVICE)).is_ok());
    }
}

#[test]
fn n6_a_guest_has_at_most_so_many_connections_and_another_has_its_own() {
    let world = World::new();
    let mut config = config("node", policy());
    config.flows_per_guest = std::num::NonZeroU32::new(4);
    let _exit = Exit::start(&world.node, &config, 1, Arc::new(veilpool_dataplane::Open));
    let (guest, other) = (Guest::new(&world, 2), Guest::new(&world, 3));
    let server = (SERVER.into(), SERVICE);
    let _open: Vec<_> = (0..4).map(|_| tcp(&guest.host, server).unwrap()).collect();
    let over = tcp(&guest.host, server).unwrap_err();
    assert_eq!(over.kind(), ErrorKind::ConnectionRefused);
    assert!(tcp(&other.host, server).is_ok());
}

#[test]
fn n5_the_nodes_limit_is_shared_by_those_who_ask_for_it() {
    let world = World::new();
    let bounds = PeersConfig {
        node_limit: Some(16.0),
        ..PeersConfig::default()
    };
    let gate = Arc::new(veilpool_dataplane::Open);
    let exit = Exit::bounded(&world.node, &config("node", policy()), 1, gate, bounds);
    let (guest, other) = (Guest::new(&world, 2), Guest::new(&world, 3));
    for guest in [&guest, &other] {
        assert!(udp(&guest.host, (SERVER.into(), SERVICE)).is_some());
    }
    // One sends as much as it can, the other nothing.
    let any = (Ipv4Addr::UNSPECIFIED, 0);
    let flood = guest.host.enter(|| UdpSocket::bind(any)).unwrap();
    let rates = || {
        let peers = exit.peers.all();
        let rates = peers.iter().map(|peer| peer.state().up.rate().unwrap());
        let mut rates: Vec<f64> = rates.collect();
        rates.sort_by(f64::total_cmp);
        rates
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while rates() != [8.0, 16.0] {
        assert!(Instant::now() < deadline, "{:?}", rates());
        for _ in 0..100 {
            let _ = flood.send_to(&[0; 1200], (SERVER, 9));
        }
    }
}
