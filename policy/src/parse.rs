//! A policy from TOML, strictly: each fault is named with its line, what it is and what to do.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use ipnet::IpNet;
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use toml::Spanned;

use crate::{
    Policy, defaults,
    exceptions::Exceptions,
    file::MAX_FILE,
    policy::is_destination,
    range::{AddressSet, Range},
    rules::{ExitRules, Rules, refused_ports},
    special,
};

/// The most exceptions, and the most exits, of a file.
pub(crate) const MAX_NAMED: usize = 1024;

/// What is wrong with the text of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    mode: RawMode,
    exits: Option<Spanned<Vec<ExitEntry>>>,
    protocols: Option<Spanned<RawProtocols>>,
    ports: Option<Spanned<RawPorts>>,
    destinations: Option<Spanned<RawDestinations>>,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawMode {
    #[default]
    Exit,
    Entry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProtocols {
    tcp: Option<bool>,
    udp: Option<bool>,
    icmp_echo: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPorts {
    tcp: Option<RawPortLists>,
    udp: Option<RawPortLists>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPortLists {
    refuse: Option<Vec<PortEntry>>,
    allow: Option<Spanned<Vec<PortEntry>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDestinations {
    refuse: Option<Vec<RefusedEntry>>,
    allow: Option<Spanned<Vec<AllowedEntry>>>,
}

impl Policy {
    /// From the text of a file; [`Policy::default`] from an empty one.
    ///
    /// # Errors
    /// [`ParseError`] for anything that isn't TOML, a key or a value that isn't known, a list that
    /// contradicts the mode, and a text longer than [`MAX_FILE`].
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.len() > MAX_FILE {
            let reason = format!("the policy is longer than {MAX_FILE} bytes; merge its ranges");
            return Err(ParseError { line: 1, reason });
        }
        let raw: Raw = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            fault(text, start, &explain(error.message()))
        })?;
        let rules = match raw.mode {
            RawMode::Exit => exit(text, raw)?,
            RawMode::Entry => entry(text, raw)?,
        };
        Ok(Self::from_rules(rules))
    }
}

fn fault(text: &str, at: usize, reason: &str) -> ParseError {
    let before = text.bytes().take(at);
    ParseError {
        line: 1 + before.filter(|byte| *byte == b'\n').count(),
        // It may quote the file, and is printed to a terminal.
        reason: reason.replace('\n', ", ").replace(char::is_control, "?"),
    }
}

/// The parser's own words, with what to do.
fn explain(message: &str) -> String {
    if message.starts_with("unknown field") {
        return format!("{message}; correct its name or take it out");
    }
    if message.contains("; ") {
        return message.to_owned();
    }
    format!("{message}; docs/policy.example.toml shows how every key is written")
}

fn exit(text: &str, raw: Raw) -> Result<Rules, ParseError> {
    if let Some(exits) = &raw.exits {
        let reason = "`exits` is for an entry; take it out, or set mode = \"entry\"";
        return Err(fault(text, exits.span().start, reason));
    }
    let mut rules = ExitRules::default();
    if let Some(protocols) = raw.protocols.map(Spanned::into_inner) {
        rules.tcp = protocols.tcp.unwrap_or(rules.tcp);
        rules.udp = protocols.udp.unwrap_or(rules.udp);
        rules.icmp_echo = protocols.icmp_echo.unwrap_or(rules.icmp_echo);
    }
    if let Some(ports) = raw.ports.map(Spanned::into_inner) {
        for (lists, default, into) in [
            (ports.tcp, defaults::REFUSED_TCP, &mut rules.tcp_ports),
            (ports.udp, defaults::REFUSED_UDP, &mut rules.udp_ports),
        ] {
            let Some(lists) = lists else { continue };
            let refuse: Option<Vec<_>> = lists.refuse.map(|all| all.iter().map(|e| e.0).collect());
            let allow = lists
                .allow
                .map(|allow| (allow.span().start, allow.into_inner()));
            if let Some((at, _)) = allow.as_ref().filter(|(_, allow)| allow.is_empty()) {
                let reason = "an empty `allow` lets nothing out; turn the protocol off in [protocols], or take `allow` out";
                return Err(fault(text, *at, reason));
            }
            let allow: Option<Vec<_>> = allow.map(|(_, all)| all.iter().map(|e| e.0).collect());
            *into = refused_ports(allow.as_deref(), refuse.as_deref().unwrap_or(default));
        }
    }
    if let Some(destinations) = raw.destinations.map(Spanned::into_inner) {
        let refuse = destinations.refuse.unwrap_or_default();
        rules.refuse = AddressSet::new(refuse.into_iter().map(|entry| entry.0));
        if let Some(allow) = destinations.allow {
            few(text, allow.span().start, allow.as_ref().len())?;
            let (exact, prefixes): (Vec<_>, Vec<_>) = allow
                .into_inner()
                .into_iter()
                .partition(|entry| entry.exact);
            let pairs = |entries: Vec<AllowedEntry>| {
                Exceptions::new(
                    entries
                        .into_iter()
                        .map(|entry| (entry.network, entry.ports)),
                )
            };
            rules.exact = pairs(exact);
            rules.prefixes = pairs(prefixes);
        }
    }
    Ok(Rules::Exit(rules))
}

fn entry(text: &str, raw: Raw) -> Result<Rules, ParseError> {
    let others = [
        ("protocols", raw.protocols.map(|section| section.span())),
        ("ports", raw.ports.map(|section| section.span())),
        (
            "destinations",
            raw.destinations.map(|section| section.span()),
        ),
    ];
    for (name, span) in others {
        if let Some(span) = span {
            let reason = format!(
                "an entry leads to `exits` and nowhere else; take [{name}] out, or set mode = \"exit\""
            );
            return Err(fault(text, span.start, &reason));
        }
    }
    let missing =
        "an entry needs `exits`; add exits = [\"address:port\", …] above the first section";
    let Some(exits) = raw.exits else {
        return Err(fault(text, 0, missing));
    };
    let at = exits.span().start;
    if exits.as_ref().is_empty() {
        return Err(fault(text, at, missing));
    }
    few(text, at, exits.as_ref().len())?;
    Ok(Rules::entry(
        exits.into_inner().into_iter().map(|entry| entry.0),
    ))
}

fn few(text: &str, at: usize, count: usize) -> Result<(), ParseError> {
    if count > MAX_NAMED {
        let reason = format!("{count} entries, and {MAX_NAMED} at most; merge them");
        return Err(fault(text, at, &reason));
    }
    Ok(())
}

/// Strings, and for ports numbers, by a function that says what is wrong.
struct Text<F>(&'static str, F);

impl<T, F: FnOnce(&str) -> Result<T, String>> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        (self.1)(&number.to_string()).map_err(E::custom)
    }
}

macro_rules! entries {
    ($($name:ident: $value:ty, $expected:literal, $with:ident;)*) => {$(
        struct $name($value);
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_any(Text($expected, $with)).map(Self)
            }
        }
    )*};
}
entries! {
    PortEntry: Range<u16>, "a port, as 25, or a range, as \"6881-6999\"", ports;
    RefusedEntry: IpNet, "an address or a network, as \"203.0.113.0/24\"", network;
    ExitEntry: (IpAddr, u16), "an exit, as \"203.0.113.7:51820\"", exit_address;
}

struct AllowedEntry {
    exact: bool,
    network: IpNet,
    ports: Range<u16>,
}

impl<'de> Deserialize<'de> for AllowedEntry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Text("an address and a port, as \"10.0.5.3:4000\"", allowed))
    }
}

fn ports(text: &str) -> Result<Range<u16>, String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let port = |part: &str| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|port| *port != 0 && digits)
    };
    match (port(from), port(to)) {
        (Some(from), Some(to)) if from <= to => Ok((from, to)),
        (Some(_), Some(_)) => Err(format!(
            "`{text}` ends before it starts; swap the two ports"
        )),
        _ => Err(format!(
            "`{text}` is no port; write 1 to 65535, or a range, as \"6881-6999\""
        )),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let network: IpNet = match text.parse::<IpAddr>() {
        Ok(address) => address.into(),
        Err(_) => text.parse().map_err(|_| {
            format!("`{text}` is no address or network (names aren't looked up); write it as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32")
        })?,
    };
    if network.addr() != network.network() {
        let whole = network.trunc();
        return Err(format!(
            "`{text}` has bits behind its prefix; write {whole}"
        ));
    }
    Ok(network)
}

fn exit_address(text: &str) -> Result<(IpAddr, u16), String> {
    let address: SocketAddr = text.parse().map_err(|_| {
        format!("`{text}` is no exit (names aren't looked up); write address:port, as 203.0.113.7:51820 or [2001:db8::7]:51820")
    })?;
    if address.port() == 0 || !is_destination(address.ip()) {
        return Err(format!(
            "`{text}` can't be an exit; write a unicast address with a port, IPv4 as IPv4"
        ));
    }
    Ok((address.ip(), address.port()))
}

/// Prefixes shorter than these are refused in exceptions: a slip of a digit would open too much.
const SHORTEST_V4: u8 = 8;
const SHORTEST_V6: u8 = 16;

fn allowed(text: &str) -> Result<AllowedEntry, String> {
    let shape = || {
        format!(
            "`{text}` is no exception; write address:port, network:port or network:first-last, IPv6 in brackets, as 10.0.5.3:4000 or [fd00:1::/64]:443"
        )
    };
    let (place, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once("]:").ok_or_else(shape)?,
        None => text.rsplit_once(':').ok_or_else(shape)?,
    };
    if place.contains(':') != text.starts_with('[') {
        return Err(shape());
    }
    let exact = !place.contains('/');
    let network = network(place)?;
    let ports = ports(port)?;
    let shortest = if place.contains(':') {
        SHORTEST_V6
    } else {
        SHORTEST_V4
    };
    if network.prefix_len() < shortest {
        return Err(format!(
            "`{text}` opens too much; write prefixes of /{shortest} or longer"
        ));
    }
    let notation = AddressSet::new([network])
        .v6
        .ranges()
        .iter()
        .any(|range| special::embeds_v4(*range));
    if notation || !is_destination(network.addr()) {
        return Err(format!(
            "`{text}` can't be a destination; write a unicast address, IPv4 as IPv4"
        ));
    }
    Ok(AllowedEntry {
        exact,
        network,
        ports,
    })
}
