//! What an exit leaves on its host: nothing.

use std::sync::Arc;

use veilpool_dataplane::{Open, namespace::ExitNamespace};
use veilpool_policy::Policy;

use crate::{
    net::Host,
    world::{Exit, World, config},
};

const FORWARD: [&str; 2] = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"];

fn text(host: &Host, program: &str, arguments: &[&str]) -> String {
    String::from_utf8(host.run(program, arguments).stdout).unwrap()
}

fn setting(host: &Host, name: &str) -> String {
    text(host, "sysctl", &["-n", name]).trim().to_owned()
}

/// Links, addresses, routes, rules of nftables and settings.
fn everything(host: &Host) -> Vec<String> {
    let settings = text(
        host,
        "sysctl",
        &["-a", "-r", "^net\\.ipv[46]\\.(conf|ip_forward)"],
    );
    vec![
        text(host, "ip", &["-o", "link"]),
        text(host, "ip", &["-o", "addr"]),
        text(host, "ip", &["-4", "route", "show", "table", "all"]),
        text(host, "ip", &["-6", "route", "show", "table", "all"]),
        text(host, "nft", &["list", "ruleset"]),
        settings,
    ]
}

fn on(host: &Host) -> [String; 2] {
    FORWARD.map(|name| setting(host, name))
}

fn exit(host: &Host, name: &str) -> ExitNamespace {
    let config = config(name, Policy::default());
    host.enter(|| ExitNamespace::create(&config)).unwrap().0
}

#[test]
fn after_an_exit_its_host_is_as_it_was() {
    let world = World::new();
    let host = &world.node;
    // What forwarding changes beside itself.
    for setting in [
        "net.ipv4.conf.all.accept_redirects=0",
        "net.ipv4.conf.lan.forwarding=1",
        "net.ipv6.conf.wan.accept_ra=1",
    ] {
        host.run("sysctl", &["-qw", setting]);
    }
    host.run("nft", &["add", "table", "inet", "operators"]);
    let before = everything(host);
    let running = Exit::start(host, &config("node", Policy::default()), 1, Arc::new(Open));
    assert_eq!(on(host), ["1", "1"]);
    assert_eq!(setting(host, "net.ipv6.conf.wan.accept_ra"), "2");
    drop(running);
    assert_eq!(on(host), ["0", "0"]);
    assert_eq!(everything(host), before);
}

#[test]
fn forwarding_that_was_on_stays_on_and_is_nobodys_business() {
    let world = World::new();
    crate::world::forwards(&world.node);
    let before = everything(&world.node);
    let running = exit(&world.node, "node");
    let tables = text(&world.node, "nft", &["list", "tables"]);
    assert_eq!(tables, "table inet veilpool_node\n");
    drop(running);
    assert_eq!(everything(&world.node), before);
}

#[test]
fn of_two_exits_on_a_host_the_last_one_restores_it() {
    let world = World::new();
    let before = everything(&world.node);
    let (first, second) = (exit(&world.node, "a"), exit(&world.node, "b"));
    drop(first);
    assert_eq!(on(&world.node), ["1", "1"]);
    drop(second);
    assert_eq!(everything(&world.node), before);
}

#[test]
fn what_a_killed_exit_left_is_taken_away_by_the_next_one_of_its_name() {
    let world = World::new();
    let before = everything(&world.node);
    // As after a kill, its table, link and settings are there, and nobody takes them away.
    std::mem::forget(exit(&world.node, "node"));
    assert_ne!(everything(&world.node), before);
    let next = exit(&world.node, "node");
    let tables = text(&world.node, "nft", &["list", "tables"]);
    assert_eq!(tables.matches("veilpool_node").count(), 1);
    drop(next);
    assert_eq!(everything(&world.node), before);
}

#[test]
fn an_exit_that_cannot_be_made_leaves_nothing() {
    let world = World::new();
    // The link's addresses are somebody else's.
    world
        .node
        .ip(&["route", "add", "198.18.0.0/15", "dev", "lan"]);
    let before = everything(&world.node);
    let config = config("node", Policy::default());
    let failed = world
        .node
        .enter(|| ExitNamespace::create(&config).map(drop));
    let said = failed.unwrap_err().to_string();
    assert!(said.contains("198.19.0.0/16"), "{said}");
    assert_eq!(everything(&world.node), before);
}
