//! The ruleset: what the packet check says, and what nft(8) takes.

use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;
use veilpool_policy::{NameError, NftNames, Policy, Protocol};

use crate::{
    common::{arb_address, arb_policy, arb_port, home, ip},
    namespace::Namespace,
};

fn names() -> NftNames {
    NftNames::new("veilpool_test", "tun0", "up0").unwrap()
}

#[test]
fn n1_a_name_that_is_more_than_a_name_is_refused() {
    let long = "a".repeat(32);
    for table in [
        "",
        "1",
        "a b",
        "a;",
        "a\n",
        "a}",
        "a\"",
        "ä",
        "_a",
        long.as_str(),
    ] {
        let refused = NftNames::new(table, "tun0", "up0");
        assert_eq!(refused, Err(NameError::Table(table.to_owned())));
    }
    for name in [
        "",
        "a b",
        "a\"",
        "a*",
        "*",
        "a;drop",
        "a\n",
        "a/b",
        "sixteen-letters-",
        "ä",
    ] {
        assert_eq!(
            NftNames::new("t", name, "up0"),
            Err(NameError::Interface(name.to_owned()))
        );
        assert_eq!(
            NftNames::new("t", "tun0", name),
            Err(NameError::Interface(name.to_owned()))
        );
    }
    assert_eq!(
        NftNames::new("t", "tun0", "tun0"),
        Err(NameError::Same("tun0".to_owned()))
    );
    assert!(NftNames::new("Veilpool_2", "tun-0.1_a", "eth0@if7").is_ok());
}

#[test]
fn n1_the_namespace_answers_guests_only_what_the_caller_says() {
    let ruleset = Policy::default().nftables(&names());
    let (_, input) = ruleset.split_once("chain input {").unwrap();
    let input: Vec<_> = input
        .split_once('}')
        .unwrap()
        .0
        .lines()
        .map(str::trim)
        .collect();
    assert_eq!(
        input[2..4],
        [
            "iifname != \"tun0\" accept",
            "counter drop comment \"this namespace\""
        ]
    );
    let told = names().with_dns(ip("10.64.0.1")).with_echo(ip("fd00::1"));
    let ruleset = Policy::default().nftables(&told);
    for rule in [
        "ip daddr 10.64.0.1 udp dport 53 counter accept",
        "ip daddr 10.64.0.1 tcp dport 53 counter accept",
        "ip6 daddr fd00::1 icmpv6 type echo-request counter accept",
    ] {
        assert_eq!(ruleset.matches(rule).count(), 1, "{rule}");
    }
}

#[test]
fn n1_forwarding_is_refused_unless_a_rule_lets_it() {
    let ruleset = Policy::default().nftables(&names());
    let (_, forward) = ruleset.split_once("chain forward {").unwrap();
    let forward: Vec<_> = forward
        .split_once("\t}")
        .unwrap()
        .0
        .lines()
        .map(str::trim)
        .collect();
    assert_eq!(
        forward[1..],
        [
            "type filter hook forward priority filter; policy drop;",
            "iifname \"tun0\" oifname \"tun0\" counter drop comment \"guest to guest\"",
            "iifname \"tun0\" oifname \"up0\" jump guests",
            "iifname \"up0\" oifname \"tun0\" ip saddr @refused4 icmp type time-exceeded counter drop comment \"the home's hops\"",
            "iifname \"up0\" oifname \"tun0\" ip saddr @refused4 icmp type destination-unreachable icmp code != 4 counter drop comment \"the home's hops\"",
            "iifname \"up0\" oifname \"tun0\" ip6 saddr @refused6 icmpv6 type { destination-unreachable, time-exceeded } counter drop comment \"the home's hops\"",
            "iifname \"up0\" oifname \"tun0\" ct state established,related counter accept comment \"answers\"",
            "counter drop comment \"between others\"",
        ]
    );
    assert!(ruleset.starts_with(
        "table inet veilpool_test\ndelete table inet veilpool_test\ntable inet veilpool_test {\n"
    ));
}

fn policies() -> Vec<Policy> {
    [
        "",
        "[protocols]\ntcp = false\nudp = false\nicmp_echo = false",
        "[ports.tcp]\nallow = [80, 443]\n[ports.udp]\nrefuse = []",
        "[ports.tcp]\nrefuse = [\"1-65535\"]\n[destinations]\nrefuse = [\"0.0.0.0/0\", \"::/0\"]",
        "[destinations]\nrefuse = [\"198.7.6.0/24\", \"2a00:9::/32\"]\n\
         allow = [\"10.0.5.3:4000\", \"10.0.5.0/24:1-9\", \"10.0.5.0/25:5-20\", \"[fd00::1]:1\", \"[fd00:1::/64]:4-5\"]",
        "mode = \"entry\"\nexits = [\"198.7.6.5:51820\"]",
        "mode = \"entry\"\nexits = [\"198.7.6.5:51820\", \"198.7.6.5:51821\", \"[2a00:9::7]:51820\"]",
    ]
    .into_iter()
    .flat_map(|file| {
        let policy = Policy::parse(file).unwrap();
        [policy.clone(), policy.with_host(home())]
    })
    .collect()
}

#[test]
fn n1_nft_takes_the_ruleset_of_every_policy_and_replaces_the_old_one() {
    let namespace = Namespace::new();
    let names = names().with_dns(ip("10.64.0.1")).with_echo(ip("fd00::1"));
    for policy in policies() {
        let ruleset = policy.nftables(&names);
        namespace.takes(&["-c", "-f", "-"], &ruleset);
        namespace.takes(&["-f", "-"], &ruleset);
        let listed = namespace.nft(&["list", "tables"], "");
        assert_eq!(listed.stdout, b"table inet veilpool_test\n");
    }
}

/// The rules of the chain for guests, as nft would go through them.
struct Guests {
    rules: Vec<String>,
    sets: Vec<(String, Vec<String>)>,
}

impl Guests {
    fn new(ruleset: &str) -> Self {
        let (_, chain) = ruleset.split_once("chain guests {\n").unwrap();
        let rules = chain.split_once("\t}").unwrap().0.lines();
        let mut sets = Vec::new();
        for part in ruleset.split("\tset ").skip(1) {
            let (name, rest) = part.split_once(" {").unwrap();
            let body = rest.split_once("\n\t}").unwrap().0;
            let elements = body
                .split_once("elements = { ")
                .map_or("", |(_, list)| list);
            let elements = elements.trim_end_matches(" }").split(", ");
            let elements = elements.filter(|element| !element.is_empty());
            sets.push((name.to_owned(), elements.map(str::to_owned).collect()));
        }
        Self {
            rules: rules.map(|rule| rule.trim().to_owned()).collect(),
            sets,
        }
    }

    fn accepts(&self, protocol: Protocol, to: SocketAddr) -> bool {
        for rule in &self.rules {
            let words: Vec<&str> = rule
                .split(' ')
                .take_while(|word| *word != "counter")
                .collect();
            if self.matches(&words, protocol, to) {
                return rule.contains("counter accept");
            }
        }
        panic!("the chain ends without a verdict");
    }

    fn matches(&self, words: &[&str], protocol: Protocol, to: SocketAddr) -> bool {
        let transport = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            _ => "icmp",
        };
        let family = if to.is_ipv4() { "ip" } else { "ip6" };
        match words {
            [] => true,
            ["ct", "state", "invalid"] => false,
            [version, "daddr", "!=", set, rest @ ..] => {
                *version == family
                    && !self.holds(set, &to.ip().to_string())
                    && self.matches(rest, protocol, to)
            }
            [version, "daddr", ".", name, "dport", set] => {
                let key = format!("{} . {}", to.ip(), to.port());
                *version == family && *name == transport && self.holds(set, &key)
            }
            [version, "daddr", "&", mask, "==", value] => {
                let bits = |ip: IpAddr| match ip {
                    IpAddr::V6(ip) => ip.to_bits(),
                    IpAddr::V4(_) => 0,
                };
                *version == family && bits(to.ip()) & bits(ip(mask)) == bits(ip(value))
            }
            [version, "daddr", set] => *version == family && self.holds(set, &to.ip().to_string()),
            [name, "dport", set] => *name == transport && self.holds(set, &to.port().to_string()),
            ["meta", "l4proto", name] => *name == transport,
            ["icmp", "type", "echo-request"] => transport == "icmp" && to.is_ipv4(),
            ["icmpv6", "type", "echo-request"] => transport == "icmp" && to.is_ipv6(),
            other => panic!("a rule of another shape: {other:?}"),
        }
    }

    fn holds(&self, set: &str, key: &str) -> bool {
        let (_, elements) = self
            .sets
            .iter()
            .find(|(name, _)| set == format!("@{name}"))
            .unwrap();
        elements.iter().any(|element| {
            let pairs = element.split(" . ").zip(key.split(" . "));
            pairs.into_iter().all(|(range, value)| {
                let (from, to) = range.split_once('-').unwrap_or((range, range));
                match value.parse::<u16>() {
                    Ok(port) => (from.parse().unwrap()..=to.parse().unwrap()).contains(&port),
                    Err(_) => (ip(from)..=ip(to)).contains(&ip(value)),
                }
            })
        })
    }
}

proptest! {
    #[test]
    fn n1_the_ruleset_and_the_packet_check_agree(
        policy in arb_policy(), known: bool,
        packets in prop::collection::vec((arb_address(), arb_port()), 40)
    ) {
        let policy = if known { policy.with_host(home()) } else { policy };
        let guests = Guests::new(&policy.nftables(&names()));
        for (address, port) in packets {
            for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::IcmpEcho] {
                let port = if protocol == Protocol::IcmpEcho { 0 } else { port };
                let to = SocketAddr::new(address, port);
                let (rules, check) = (guests.accepts(protocol, to), policy.check(protocol, to));
                prop_assert_eq!(rules, check.is_ok(), "{:?} {} {:?}", protocol, to, check);
            }
        }
    }
}
