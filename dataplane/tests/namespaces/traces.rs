//! What an exit leaves on its host: nothing.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use veilpool_dataplane::{
    Open,
    namespace::{CreateError, ExitNamespace},
};
use veilpool_policy::Policy;

use crate::{
    net::Host,
    world::{Exit, Guest, SERVER, SERVICE, World, config, tcp},
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
fn exits_that_start_and_end_at_the_same_time_do_not_disturb_one_another() {
    let world = World::new();
    let host = &world.node;
    let before = everything(host);
    thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            scope.spawn(move || {
                for _ in 0..3 {
                    let running = exit(host, name);
                    assert_eq!(on(host), ["1", "1"], "{name}");
                    drop(running);
                }
            });
        }
    });
    assert_eq!(everything(host), before);
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

/// Set in the process that is going to be killed.
const VICTIM: &str = "VEILPOOL_TEST_VICTIM";

#[test]
fn what_a_killed_exit_left_is_taken_away_by_the_next_one_of_its_name() {
    if std::env::var_os(VICTIM).is_some() {
        let config = config("node", Policy::default());
        let _exit = ExitNamespace::create(&config).unwrap();
        eprintln!("{VICTIM}");
        thread::sleep(Duration::from_secs(60));
    }
    let world = World::new();
    let host = &world.node;
    let before = everything(host);
    let this = std::env::current_exe().unwrap();
    let test = "traces::what_a_killed_exit_left_is_taken_away_by_the_next_one_of_its_name";
    let mut victim = host
        .command(this.to_str().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(victim.stderr.take().unwrap());
    assert!(said.lines().any(|line| line.unwrap().contains(VICTIM)));
    assert_eq!(on(host), ["1", "1"]);
    // SIGKILL. ip(8) has become the program, so it's that which dies.
    victim.kill().unwrap();
    victim.wait().unwrap();
    // Namespace, device and link go with the process; table and settings stay, and the host is no router for others.
    let deadline = Instant::now() + Duration::from_secs(20);
    while text(host, "ip", &["-o", "link"]).contains("veil_node") {
        assert!(Instant::now() < deadline, "the link stays");
        thread::sleep(Duration::from_millis(50));
    }
    let left = text(host, "nft", &["list", "ruleset"]);
    assert!(left.contains("veilpool_node") && left.contains("forwarding was off"));
    // The next one takes that away, and finds a link, too, that another process still has.
    std::mem::forget(exit(host, "node"));
    let next = exit(host, "node");
    let tables = text(host, "nft", &["list", "tables"]);
    assert_eq!(tables.matches("veilpool_node").count(), 1);
    drop(next);
    assert_eq!(everything(host), before);
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

#[test]
fn an_exit_that_fails_half_way_leaves_nothing() {
    let world = World::new();
    let host = &world.node;
    // Forwarding is the last thing that is done, and this table, an operator's own, is in its way.
    host.run("nft", &["add", "table", "inet", "veilpool"]);
    let chain = "{ type nat hook prerouting priority 0; }";
    host.run(
        "nft",
        &["add", "chain", "inet", "veilpool", "forward", chain],
    );
    let before = everything(host);
    let config = config("node", Policy::default());
    let failed = host.enter(|| ExitNamespace::create(&config).map(drop));
    let said = failed.unwrap_err().to_string();
    assert!(
        said.contains("nft -f -") && said.contains("forward"),
        "{said}"
    );
    assert_eq!(everything(host), before);
}

#[test]
fn without_ipv6_an_exit_says_so_and_is_made_without() {
    let world = World::new();
    let host = &world.node;
    for interfaces in ["all", "default"] {
        let setting = format!("net.ipv6.conf.{interfaces}.disable_ipv6=1");
        host.run("sysctl", &["-qw", &setting]);
    }
    let before = everything(host);
    let mut config = config("node", Policy::default());
    let failed = host.enter(|| ExitNamespace::create(&config).map(drop));
    assert!(matches!(failed, Err(CreateError::NoIpv6)), "{failed:?}");
    config.ipv6 = false;
    let running = Exit::start(host, &config, 1, Arc::new(Open));
    assert_eq!(on(host), ["1", "0"]);
    let guest = Guest::new(&world, 2);
    assert!(tcp(&guest.host, (SERVER.into(), SERVICE)).is_ok());
    drop(running);
    assert_eq!(everything(host), before);
}
