//! A policy as TOML and as a few lines for people.

use std::{fmt, net::IpAddr};

use crate::{
    Policy,
    range::{Range, RangeSet},
    rules::{ExitRules, Rules},
};

impl Policy {
    /// What the file says, with nothing left to defaults: [`Policy::parse`] makes the same policy of it, unless
    /// hundreds of nested exceptions for networks come out as more entries than a file may have.
    #[must_use]
    pub fn to_toml(&self) -> String {
        match &self.rules {
            Rules::Exit(rules) => exit(rules),
            Rules::Entry(exits) => {
                let exits = exits
                    .iter()
                    .map(|exit| quoted(&named(exit.0, (exit.1, exit.1))));
                format!(
                    "mode = \"entry\"\nexits = [{}]\n",
                    exits.collect::<Vec<_>>().join(", ")
                )
            }
        }
    }
}

fn exit(rules: &ExitRules) -> String {
    let mut out = String::from("mode = \"exit\"\n\n[protocols]\n");
    let protocols = [
        ("tcp", rules.tcp),
        ("udp", rules.udp),
        ("icmp_echo", rules.icmp_echo),
    ];
    for (name, on) in protocols {
        out += &format!("{name} = {on}\n");
    }
    for (name, refused) in [("tcp", &rules.tcp_ports), ("udp", &rules.udp_ports)] {
        out += &format!("\n[ports.{name}]\n");
        let (refused, allowed) = (said(refused), refused.complement());
        // What is shorter; an empty list of allowed ports is none in a file.
        if !allowed.is_empty() && allowed.ranges().len() < refused.ranges().len() {
            out += &format!("refuse = []\nallow = [{}]\n", list(&allowed));
        } else {
            out += &format!("refuse = [{}]\n", list(&refused));
        }
    }
    let refuse = rules
        .refuse
        .networks()
        .into_iter()
        .map(|net| quoted(&net.to_string()));
    let exact = rules.exact.single_entries().into_iter();
    let exact = exact.map(|(address, ports)| quoted(&named(address, ports)));
    let prefixes = rules
        .prefixes
        .entries()
        .into_iter()
        .map(|(net, (from, to))| {
            let place = match net.addr() {
                IpAddr::V4(_) => net.to_string(),
                IpAddr::V6(_) => format!("[{net}]"),
            };
            quoted(&format!("{place}:{}", port_range((from, to))))
        });
    out += &format!(
        "\n[destinations]\nrefuse = [{}]\nallow = [{}]\n",
        refuse.collect::<Vec<_>>().join(", "),
        exact.chain(prefixes).collect::<Vec<_>>().join(", ")
    );
    out
}

/// What is refused, without port 0, which is refused without being said.
fn said(refused: &RangeSet<u16>) -> RangeSet<u16> {
    refused.minus(&RangeSet::new([(0, 0)]))
}

fn list(ports: &RangeSet<u16>) -> String {
    let entries = ports.ranges().iter().map(|range| match range {
        (from, to) if from == to => from.to_string(),
        range => quoted(&port_range(*range)),
    });
    entries.collect::<Vec<_>>().join(", ")
}

fn port_range((from, to): Range<u16>) -> String {
    if from == to {
        return from.to_string();
    }
    format!("{from}-{to}")
}

fn named(address: IpAddr, ports: Range<u16>) -> String {
    let ports = port_range(ports);
    match address {
        IpAddr::V4(address) => format!("{address}:{ports}"),
        IpAddr::V6(address) => format!("[{address}]:{ports}"),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// A summary without destinations and without this machine's networks, of which only the numbers
/// are said: it may be logged.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rules {
            Rules::Exit(rules) => {
                let on = [
                    ("TCP", rules.tcp),
                    ("UDP", rules.udp),
                    ("ping", rules.icmp_echo),
                ];
                let on = on.iter().filter(|(_, on)| *on).map(|(name, _)| *name);
                let on = on.collect::<Vec<_>>().join(", ");
                writeln!(
                    f,
                    "exit: {}",
                    if on.is_empty() {
                        "nothing goes out"
                    } else {
                        &on
                    }
                )?;
                for (name, ports) in [("TCP", &rules.tcp_ports), ("UDP", &rules.udp_ports)] {
                    writeln!(
                        f,
                        "refused {name} ports: {}",
                        list(&said(ports)).replace('"', "")
                    )?;
                }
                writeln!(
                    f,
                    "refused destinations: private and special ones, {} more; exceptions: {}",
                    rules.refuse.networks().len(),
                    rules.exact.single_entries().len() + rules.prefixes.entries().len()
                )?;
            }
            Rules::Entry(exits) => {
                writeln!(f, "entry: UDP to {} exits and nothing else", exits.len())?;
            }
        }
        writeln!(f, "this machine: {}", self.host)?;
        write!(f, "digest: {}", self.digest())
    }
}
