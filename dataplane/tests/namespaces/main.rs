//! The TUN mode in network namespaces, with itself and with wireguard-go and wg(8), both as client and as server.
//!
//! These tests need root and Debian's packages; without them they fail and say so.
#![allow(clippy::unwrap_used, clippy::panic)]

mod double;
mod ends;
mod exit;
mod net;
mod traces;
mod world;

use std::net::SocketAddr;

use ends::{End, Kind, Setup, carry};
use net::{Host, cable};

const BYTES: usize = 3_000_000;
const CLIENT: [u8; 32] = [0x41; 32];
const SERVER: [u8; 32] = [0x42; 32];
const PRESHARED: [u8; 32] = [0x43; 32];

/// Two hosts with a tunnel between them, and inner addresses 10.9.0.1 and 10.9.0.2, fd09::1 and fd09::2.
struct Pair {
    client: Host,
    server: Host,
    _ends: [End; 2],
}

/// Names of devices are shared by all of a machine's wireguard-go, so each test has its own.
fn pair(kinds: [Kind; 2], number: u16, v6: bool, preshared: Option<[u8; 32]>) -> Pair {
    let (client, server) = (Host::new(), Host::new());
    cable(
        "eth",
        (&client, &["192.0.2.1/24", "2001:db8::1/64"]),
        (&server, &["192.0.2.2/24", "2001:db8::2/64"]),
    );
    let outer = match v6 {
        false => "192.0.2.2:51820",
        true => "[2001:db8::2]:51820",
    };
    let tag = format!("{}{number}", std::process::id());
    let server_end = End::start(
        kinds[1],
        &Setup {
            host: &server,
            device: &format!("s{tag}"),
            port: 51_820,
            secret: SERVER,
            peer: CLIENT,
            preshared,
            endpoint: None,
            addresses: &["10.9.0.2/32", "fd09::2/128"],
            allowed: &["10.9.0.1/32", "fd09::1/128"],
        },
    );
    let client_end = End::start(
        kinds[0],
        &Setup {
            host: &client,
            device: &format!("c{tag}"),
            port: 51_821,
            secret: CLIENT,
            peer: SERVER,
            preshared,
            endpoint: Some(outer.parse().unwrap()),
            addresses: &["10.9.0.1/32", "fd09::1/128"],
            allowed: &["10.9.0.2/32", "fd09::2/128"],
        },
    );
    Pair {
        client,
        server,
        _ends: [server_end, client_end],
    }
}

fn carry_both(pair: &Pair) {
    for inner in ["10.9.0.2:7000", "[fd09::2]:7000"] {
        let inner: SocketAddr = inner.parse().unwrap();
        carry(&pair.client, (&pair.server, inner), BYTES);
    }
}

#[test]
fn ours_and_ours_carry_both_versions_inside_over_ipv4() {
    carry_both(&pair([Kind::Ours, Kind::Ours], 1, false, None));
}

#[test]
fn without_offloads_the_same_bytes_arrive() {
    carry_both(&pair(
        [Kind::OursWithoutOffload, Kind::Ours],
        2,
        false,
        None,
    ));
    carry_both(&pair([Kind::Ours, Kind::OursWithoutOffload], 3, true, None));
}

#[test]
fn a_wireguard_go_client_is_served_with_a_preshared_key_over_ipv6() {
    carry_both(&pair(
        [Kind::WireguardGo, Kind::Ours],
        4,
        true,
        Some(PRESHARED),
    ));
}

#[test]
fn a_wireguard_go_server_is_used_over_ipv4() {
    carry_both(&pair([Kind::Ours, Kind::WireguardGo], 5, false, None));
}

#[test]
fn a_client_that_roams_goes_on_with_its_session() {
    for (kinds, number) in [
        ([Kind::Ours, Kind::Ours], 6),
        ([Kind::WireguardGo, Kind::Ours], 7),
        ([Kind::Ours, Kind::WireguardGo], 8),
    ] {
        let pair = pair(kinds, number, false, None);
        let inner = "10.9.0.2:7000".parse().unwrap();
        carry(&pair.client, (&pair.server, inner), 100_000);
        // In this order: with its first address a network's others go as well.
        pair.client
            .ip(&["addr", "del", "192.0.2.1/24", "dev", "eth"]);
        pair.client
            .ip(&["addr", "add", "192.0.2.77/24", "dev", "eth"]);
        carry(&pair.client, (&pair.server, inner), 100_000);
    }
}

#[test]
fn a_wrong_preshared_key_opens_nothing() {
    let (client, server) = (Host::new(), Host::new());
    cable(
        "eth",
        (&client, &["192.0.2.1/24"]),
        (&server, &["192.0.2.2/24"]),
    );
    let tag = std::process::id();
    let _server = End::start(
        Kind::Ours,
        &Setup {
            host: &server,
            device: &format!("s{tag}9"),
            port: 51_820,
            secret: SERVER,
            peer: CLIENT,
            preshared: Some(PRESHARED),
            endpoint: None,
            addresses: &["10.9.0.2/32"],
            allowed: &["10.9.0.1/32"],
        },
    );
    let _client = End::start(
        Kind::Ours,
        &Setup {
            host: &client,
            device: &format!("c{tag}9"),
            port: 51_821,
            secret: CLIENT,
            peer: SERVER,
            preshared: Some([0x44; 32]),
            endpoint: Some("192.0.2.2:51820".parse().unwrap()),
            addresses: &["10.9.0.1/32"],
            allowed: &["10.9.0.2/32"],
        },
    );
    let ping = client
        .command("ping")
        .args(["-c", "2", "-i", "0.3", "-W", "1", "10.9.0.2"])
        .output()
        .unwrap();
    assert!(!ping.status.success());
}
