//! Two hops: the entry sees who comes and not where to, the exit where to and not who.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use veilpool_dataplane::PolicyGate;
use veilpool_policy::Policy;

use crate::{
    ends::carry,
    net::{Host, cable},
    world::{
        Exit, Guest, NODE, PORT, SERVER, SERVICE, World, config, default, out_of_reach, tcp,
        tunnel, udp,
    },
};

const EXIT: [u8; 4] = [185, 70, 41, 2];
const BYTES: usize = 1_000_000;

#[test]
fn over_two_hops_the_entry_sees_datagrams_to_the_exit_alone_and_the_exit_sees_the_entry_alone() {
    let world = World::new();
    let exit_host = Host::new();
    cable(
        "ex",
        (&exit_host, &["185.70.41.2/24", "2a01:4f8:1::2/64"]),
        (&world.router, &["185.70.41.1/24", "2a01:4f8:1::1/64"]),
    );
    default(&exit_host, "185.70.41.1", "2a01:4f8:1::1");
    let entry_policy = Policy::parse("mode = \"entry\"\nexits = [\"185.70.41.2:51820\"]");
    let entry_policy = entry_policy.unwrap().with_host(World::networks());
    let gate = Arc::new(PolicyGate::new(entry_policy.clone()));
    let entry = Exit::start(&world.node, &config("entry", entry_policy), 1, gate);
    let gate = Arc::new(PolicyGate::new(Policy::default()));
    let exit = Exit::start(&exit_host, &config("exit", Policy::default()), 9, gate);
    let client = Guest::new(&world, 2);
    // Through the entry nothing is reached but the exit.
    out_of_reach(&client.host, &[SERVER.into(), NODE.into()]);

    // The inner tunnel's datagrams go through the outer one, and all else through the inner one.
    let exit_address = SocketAddr::from((EXIT, PORT));
    let (_inner, v4, _) = tunnel(&client.host, "hop2", 7, 9, exit_address);
    client.host.ip(&["link", "set", "hop2", "mtu", "1340"]);
    client.host.ip(&[
        "rule",
        "add",
        "priority",
        "100",
        "to",
        "185.70.41.2",
        "lookup",
        "101",
    ]);
    client
        .host
        .ip(&["route", "add", "default", "dev", "vpn", "table", "101"]);
    let v4 = v4.to_string();
    client
        .host
        .ip(&["route", "replace", "default", "dev", "hop2", "src", &v4]);

    let before = counted(&entry, "accept comment \"exits\"");
    carry(
        &client.host,
        (&world.server, SocketAddr::from((SERVER, 7000))),
        BYTES,
    );
    let seen = udp(&client.host, (SERVER.into(), SERVICE));
    assert_eq!(seen, Some(IpAddr::from(EXIT)), "the server sees the exit");
    assert!(tcp(&client.host, (SERVER.into(), SERVICE)).is_ok());

    // All of it went through the entry, as datagrams to the exit, and nothing else did.
    let carried = counted(&entry, "accept comment \"exits\"") - before;
    assert!(carried > BYTES as u64, "{carried} bytes");
    let flows = entry.namespace.enter(flows).unwrap();
    assert!(!flows.is_empty());
    for flow in flows {
        assert!(
            flow.contains("udp") && flow.contains("dst=185.70.41.2 "),
            "{flow}"
        );
        assert!(!flow.contains(&SERVER.to_string()), "{flow}");
    }
    // The exit's peer is where the entry is, and the client's address appears nowhere.
    let peers = exit.peers.all();
    let ends: Vec<_> = peers
        .iter()
        .filter_map(|peer| peer.state().endpoint)
        .collect();
    let [end] = ends[..] else { panic!("{ends:?}") };
    assert_eq!(end.ip().to_canonical(), IpAddr::from(NODE));
    let ends: Vec<_> = entry
        .peers
        .all()
        .iter()
        .filter_map(|peer| peer.state().endpoint)
        .collect();
    assert_eq!(ends[0].ip().to_canonical().to_string(), "151.101.2.2");
}

/// Bytes that rules with these words have counted in a node's namespace.
fn counted(exit: &Exit, words: &str) -> u64 {
    let list = || {
        std::process::Command::new("nft")
            .args(["list", "ruleset"])
            .output()
    };
    let listed = exit.namespace.enter(list).unwrap().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let rules = listed.lines().filter(|rule| rule.contains(words));
    let counts = rules.map(|rule| {
        let (_, count) = rule.split_once("bytes ").unwrap();
        count.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    counts.sum()
}

/// What the kernel forwards where the calling thread is.
fn flows() -> Vec<String> {
    let text = std::fs::read_to_string("/proc/thread-self/net/nf_conntrack").unwrap();
    text.lines().map(str::to_owned).collect()
}
