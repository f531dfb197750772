//! The same policy as an nftables ruleset, for a node whose guests come from a TUN device in a network
//! namespace of its own: the kernel forwards, and this is what stands in its way.
//!
//! The sets are the ranges that [`Policy::check`] looks up, and the rules ask in its order. Every
//! packet of a guest is asked for, not only a connection's first, so that a new ruleset holds for
//! connections that are open. Kernel 5.6 (sets of concatenated ranges), nft(8) 0.9.4.

use std::{
    fmt::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU32,
};

use crate::{
    Policy,
    exceptions::Exceptions,
    range::{Range, RangeSet},
    rules::{ExitRules, Rules},
    special,
};

/// A name that can't stand in a ruleset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The table's.
    #[error(
        "`{}` can't be a table's name; use 1 to 31 letters, digits and _, a letter first",
        .0.escape_debug()
    )]
    Table(String),
    /// An interface's.
    #[error(
        "`{}` can't be an interface's name here; use 1 to 15 letters, digits and any of . _ - @",
        .0.escape_debug()
    )]
    Interface(String),
    /// Guests' traffic would come from where it goes.
    #[error("guests' device and uplink are both `{0}`; they must be two interfaces")]
    Same(String),
}

/// The names in a ruleset, and what guests reach of the namespace itself: nothing, unless it is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NftNames {
    table: String,
    tun: String,
    uplink: String,
    dns: Vec<IpAddr>,
    echo: Vec<IpAddr>,
    flows: Option<NonZeroU32>,
}

/// Guests that are counted at a time, of each version.
const MAX_GUESTS: u32 = 65_536;
const MAX_TABLE: usize = 31;
/// IFNAMSIZ without the zero at its end.
const MAX_INTERFACE: usize = 15;
const DNS_PORT: u16 = 53;
/// ICMP errors that would name the home's routers to a guest: what it may not send to. Those that say how long a packet
/// may be (code 4 of IPv4's "unreachable") are needed.
const ERRORS: [&str; 3] = [
    "ip saddr @refused4 icmp type time-exceeded",
    "ip saddr @refused4 icmp type destination-unreachable icmp code != 4",
    "ip6 saddr @refused6 icmpv6 type { destination-unreachable, time-exceeded }",
];

impl NftNames {
    /// The table, the device that guests' packets come from, and the one that they leave by.
    ///
    /// # Errors
    /// [`NameError`] for anything that the ruleset could take for more than a name; wildcards (`*`)
    /// among it.
    pub fn new(table: &str, tun: &str, uplink: &str) -> Result<Self, NameError> {
        let table_ok = table.len() <= MAX_TABLE
            && table.starts_with(|c: char| c.is_ascii_alphabetic())
            && table
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !table_ok {
            return Err(NameError::Table(table.to_owned()));
        }
        for name in [tun, uplink] {
            let ok = (1..=MAX_INTERFACE).contains(&name.len())
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b));
            if !ok {
                return Err(NameError::Interface(name.to_owned()));
            }
        }
        if tun == uplink {
            return Err(NameError::Same(tun.to_owned()));
        }
        Ok(Self {
            table: table.to_owned(),
            tun: tun.to_owned(),
            uplink: uplink.to_owned(),
            dns: Vec::new(),
            echo: Vec::new(),
            flows: None,
        })
    }

    /// Guests of an exit may ask this address of the namespace for names (port 53, UDP and TCP).
    #[must_use]
    pub fn with_dns(mut self, address: IpAddr) -> Self {
        self.dns.push(address);
        self
    }

    /// Guests of an exit may ping this address, the tunnel's own.
    #[must_use]
    pub fn with_echo(mut self, address: IpAddr) -> Self {
        self.echo.push(address);
        self
    }

    /// A guest has at most so many connections at a time: one that asks for more has its new ones refused, and the
    /// others' keep their room in the kernel's table. A new ruleset counts from none.
    #[must_use]
    pub const fn with_flows_per_guest(mut self, most: NonZeroU32) -> Self {
        self.flows = Some(most);
        self
    }
}

impl Policy {
    /// The ruleset, a file for `nft -f`: it replaces the table as a whole or not at all. What a guest
    /// sends is asked for as [`Self::check`] does; refused TCP is reset, the rest gets ICMP's
    /// "administratively prohibited". Routers that a guest may not reach aren't named to it. Every rule counts.
    #[must_use]
    pub fn nftables(&self, names: &NftNames) -> String {
        let mut out = Ruleset(String::new());
        let table = &names.table;
        out.line(0, &format!("table inet {table}"));
        out.line(0, &format!("delete table inet {table}"));
        out.line(0, &format!("table inet {table} {{"));
        let guests = match &self.rules {
            Rules::Exit(rules) => {
                out.exit_sets(self, rules);
                exit_rules(rules)
            }
            Rules::Entry(exits) => {
                out.exits(exits);
                vec![
                    "ip daddr . udp dport @exits4 counter accept comment \"exits\"".to_owned(),
                    "ip6 daddr . udp dport @exits6 counter accept comment \"exits\"".to_owned(),
                ]
            }
        };
        let mut limit = Vec::new();
        if let Some(most) = names.flows {
            limit = out.flows(most);
        }
        let guests = [limit, guests].concat();
        out.chain(
            "guests",
            None,
            &guests,
            "counter goto refuse comment \"anything else\"",
        );
        let refuse = ["meta l4proto tcp counter reject with tcp reset".to_owned()];
        out.chain(
            "refuse",
            None,
            &refuse,
            "counter reject with icmpx type admin-prohibited",
        );
        let (tun, uplink) = (&names.tun, &names.uplink);
        let mut forward = vec![
            format!("iifname \"{tun}\" oifname \"{tun}\" counter drop comment \"guest to guest\""),
            format!("iifname \"{tun}\" oifname \"{uplink}\" jump guests"),
        ];
        if let Rules::Exit(_) = &self.rules {
            forward.extend(ERRORS.map(|error| {
                format!("iifname \"{uplink}\" oifname \"{tun}\" {error} counter drop comment \"the home's hops\"")
            }));
        }
        forward.push(format!(
            "iifname \"{uplink}\" oifname \"{tun}\" ct state established,related counter accept comment \"answers\""
        ));
        let hook = "type filter hook forward priority filter; policy drop;";
        out.chain(
            "forward",
            Some(hook),
            &forward,
            "counter drop comment \"between others\"",
        );
        let hook = "type filter hook input priority filter; policy accept;";
        out.chain(
            "input",
            Some(hook),
            &input(self, names),
            "counter drop comment \"this namespace\"",
        );
        let masquerade = [format!("oifname \"{uplink}\" counter masquerade")];
        let hook = "type nat hook postrouting priority srcnat; policy accept;";
        out.chain("postrouting", Some(hook), &masquerade, "");
        out.line(0, "}");
        out.0
    }
}

fn input(policy: &Policy, names: &NftNames) -> Vec<String> {
    let mut rules = vec![format!("iifname != \"{}\" accept", names.tun)];
    if matches!(policy.rules, Rules::Entry(_)) {
        return rules;
    }
    for address in &names.dns {
        let family = family(*address);
        for protocol in ["udp", "tcp"] {
            rules.push(format!(
                "{family} daddr {address} {protocol} dport {DNS_PORT} counter accept comment \"names\""
            ));
        }
    }
    for address in &names.echo {
        let (family, icmp) = (family(*address), icmp(*address));
        rules.push(format!(
            "{family} daddr {address} {icmp} type echo-request counter accept comment \"ping\""
        ));
    }
    rules
}

fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ip" } else { "ip6" }
}

fn icmp(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "icmp" } else { "icmpv6" }
}

/// In the order of [`Policy::check`].
fn exit_rules(rules: &ExitRules) -> Vec<String> {
    let mut out = vec!["ct state invalid counter drop comment \"invalid\"".to_owned()];
    let on = [("tcp", rules.tcp), ("udp", rules.udp)];
    let on = || on.iter().filter(|(_, on)| *on).map(|(name, _)| *name);
    for protocol in on() {
        for (family, version) in [("ip", 4), ("ip6", 6)] {
            out.push(format!(
                "{family} daddr . {protocol} dport @exact{version} counter accept comment \"exceptions\""
            ));
            out.push(format!(
                "{family} daddr != @guarded{version} {family} daddr . {protocol} dport @prefixes{version} counter accept comment \"exceptions\""
            ));
        }
        out.push(format!(
            "{protocol} dport @refused_{protocol} counter goto refuse comment \"port\""
        ));
    }
    out.push("ip daddr @refused4 counter goto refuse comment \"address\"".to_owned());
    out.push("ip6 daddr @refused6 counter goto refuse comment \"address\"".to_owned());
    let (mask, isatap) = (special::ISATAP_MASK, special::ISATAP);
    let (mask, isatap) = (Ipv6Addr::from_bits(mask), Ipv6Addr::from_bits(isatap));
    out.push(format!(
        "ip6 daddr & {mask} == {isatap} counter goto refuse comment \"address\""
    ));
    out.extend(on().map(|name| format!("meta l4proto {name} counter accept comment \"{name}\"")));
    if rules.icmp_echo {
        out.push("icmp type echo-request counter accept comment \"ping\"".to_owned());
        out.push("icmpv6 type echo-request counter accept comment \"ping\"".to_owned());
    }
    out
}

struct Ruleset(String);

impl Ruleset {
    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a string can't fail.
        let _ = writeln!(self.0, "{}{text}", "\t".repeat(depth));
    }

    fn chain(&mut self, name: &str, hook: Option<&str>, rules: &[String], last: &str) {
        self.line(1, &format!("chain {name} {{"));
        for rule in hook.into_iter().chain(rules.iter().map(String::as_str)) {
            self.line(2, rule);
        }
        if !last.is_empty() {
            self.line(2, last);
        }
        self.line(1, "}");
    }

    fn set(&mut self, name: &str, kind: &str, elements: impl IntoIterator<Item = String>) {
        let elements: Vec<_> = elements.into_iter().collect();
        self.line(1, &format!("set {name} {{"));
        self.line(2, &format!("type {kind}; flags interval;"));
        if !elements.is_empty() {
            self.line(2, &format!("elements = {{ {} }}", elements.join(", ")));
        }
        self.line(1, "}");
    }

    fn exit_sets(&mut self, policy: &Policy, rules: &ExitRules) {
        let (v4, v6) = (
            Ipv4Addr::from_bits as fn(u32) -> _,
            Ipv6Addr::from_bits as fn(u128) -> _,
        );
        self.set("refused4", "ipv4_addr", elements(&policy.v4.keys(), v4));
        self.set("refused6", "ipv6_addr", elements(&policy.v6.keys(), v6));
        self.set("guarded4", "ipv4_addr", elements(&policy.guarded.v4, v4));
        self.set("guarded6", "ipv6_addr", elements(&policy.guarded.v6, v6));
        self.set(
            "refused_tcp",
            "inet_service",
            elements(&rules.tcp_ports, |port| port),
        );
        self.set(
            "refused_udp",
            "inet_service",
            elements(&rules.udp_ports, |port| port),
        );
        self.exceptions("exact", &rules.exact);
        self.exceptions("prefixes", &rules.prefixes);
    }

    fn exits(&mut self, exits: &[(IpAddr, u16)]) {
        for (name, kind, is_v4) in [
            ("exits4", "ipv4_addr", true),
            ("exits6", "ipv6_addr", false),
        ] {
            let these = exits
                .iter()
                .filter(|(address, _)| address.is_ipv4() == is_v4);
            let these = these.map(|(address, port)| format!("{address} . {port}"));
            self.set(name, &format!("{kind} . inet_service"), these);
        }
    }

    /// Whose connections are counted, and the rules that count.
    fn flows(&mut self, most: NonZeroU32) -> Vec<String> {
        let versions = [("ip", 4, "ipv4_addr"), ("ip6", 6, "ipv6_addr")];
        let rules = versions.map(|(family, version, kind)| {
            self.line(1, &format!("set flows{version} {{"));
            self.line(2, &format!("type {kind}; size {MAX_GUESTS}; flags dynamic;"));
            self.line(1, "}");
            format!(
                "ct state new add @flows{version} {{ {family} saddr ct count over {most} }} counter goto refuse comment \"too many flows\""
            )
        });
        rules.to_vec()
    }

    fn exceptions(&mut self, name: &str, exceptions: &Exceptions) {
        let v4 = areas(exceptions.v4(), Ipv4Addr::from_bits);
        let v6 = areas(exceptions.v6(), Ipv6Addr::from_bits);
        self.set(&format!("{name}4"), "ipv4_addr . inet_service", v4);
        self.set(&format!("{name}6"), "ipv6_addr . inet_service", v6);
    }
}

fn element<T: Copy + PartialEq, D: fmt::Display>(
    (from, to): Range<T>,
    show: impl Fn(T) -> D,
) -> String {
    if from == to {
        return show(from).to_string();
    }
    format!("{}-{}", show(from), show(to))
}

fn elements<T: crate::range::Point, D: fmt::Display>(
    set: &RangeSet<T>,
    show: impl Fn(T) -> D,
) -> Vec<String> {
    let ranges = set.ranges().iter();
    ranges.map(|range| element(*range, &show)).collect()
}

fn areas<T: Copy + PartialEq, D: fmt::Display>(
    areas: &[(Range<T>, RangeSet<u16>)],
    show: impl Fn(T) -> D,
) -> Vec<String> {
    let mut out = Vec::new();
    for (addresses, ports) in areas {
        let place = element(*addresses, &show);
        let ports = ports.ranges().iter();
        out.extend(ports.map(|range| format!("{place} . {}", element(*range, |port| port))));
    }
    out
}
