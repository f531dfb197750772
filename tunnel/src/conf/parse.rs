//! Strict reading of a configuration file.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boringtun::x25519::{PublicKey, StaticSecret};
use ipnet::IpNet;
use zeroize::Zeroizing;

use super::{
    Conf, Dns, Endpoint, HostName, Interface, KEY_LEN, KEY_TEXT_LEN, Mtu, PeerSection, PresharedKey,
};

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the WireGuard configuration: {fault}")]
pub struct ConfError {
    /// From 1. Of a section that lacks something, where it begins.
    pub line: usize,
    /// What.
    pub fault: Fault,
}

/// What is wrong with a line. Values are not quoted, because they may be secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Bytes that are no text.
    #[error("it isn't UTF-8 text; save the file as plain text")]
    NotText,
    /// Neither a section nor a key with a value.
    #[error("it is neither a section like [Peer] nor `key = value`; correct it or put # before it")]
    NotALine,
    /// Not Interface or Peer.
    #[error("only the sections [Interface] and [Peer] are known; remove this one")]
    UnknownSection,
    /// A second one.
    #[error("there is a second [Interface]; a file describes one")]
    SecondInterface,
    /// Before any section.
    #[error("it stands before the first section; begin the file with [Interface]")]
    OutsideSection,
    /// A key that isn't known, quoted if it looks like one.
    #[error("the key{} isn't taken in this section; remove the line (commands like PostUp are never run)", quoted(.0))]
    UnknownKey(Option<String>),
    /// A key that was there already.
    #[error("{0} is given twice; keep one")]
    Repeated(&'static str),
    /// A key whose value can't be read.
    #[error("the value of {key} isn't {expected}; correct it")]
    Value {
        /// Of the table.
        key: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A section without it is of no use.
    #[error("this section has no {0}; add it")]
    Missing(&'static str),
    /// Two sections for one peer.
    #[error("another [Peer] has the same PublicKey; put both into one")]
    RepeatedPeer,
    /// No section at all.
    #[error("there is no [Interface]; add one with a PrivateKey")]
    NoInterface,
}

fn quoted(key: &Option<String>) -> String {
    key.as_ref()
        .map_or_else(String::new, |key| format!(" {key}"))
}

/// A section as far as it has been read.
#[derive(Default)]
struct RawInterface {
    line: usize,
    private_key: Option<StaticSecret>,
    addresses: Vec<IpNet>,
    dns: Vec<Dns>,
    mtu: Option<Mtu>,
    listen_port: Option<Option<NonZeroU16>>,
}

#[derive(Default)]
struct RawPeer {
    line: usize,
    public_key: Option<PublicKey>,
    preshared_key: Option<PresharedKey>,
    endpoint: Option<Endpoint>,
    allowed_ips: Vec<IpNet>,
    persistent_keepalive: Option<Option<NonZeroU16>>,
}

enum Section {
    None,
    Interface,
    Peer(RawPeer),
}

pub(super) fn parse(file: &[u8]) -> Result<Conf, ConfError> {
    let mut interface: Option<RawInterface> = None;
    let mut peers = Vec::new();
    let mut known = BTreeSet::new();
    let mut section = Section::None;
    let mut last = 0;
    for (number, bytes) in file.split(|byte| *byte == b'\n').enumerate() {
        let line = number + 1;
        last = line;
        let at = |fault| ConfError { line, fault };
        let text = std::str::from_utf8(bytes).map_err(|_| at(Fault::NotText))?;
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        if text.starts_with('[') {
            if let Section::Peer(peer) = std::mem::replace(&mut section, Section::None) {
                peers.push(peer.finish(&mut known)?);
            }
            section = if text.eq_ignore_ascii_case("[interface]") {
                if interface.is_some() {
                    return Err(at(Fault::SecondInterface));
                }
                interface = Some(RawInterface {
                    line,
                    ..RawInterface::default()
                });
                Section::Interface
            } else if text.eq_ignore_ascii_case("[peer]") {
                Section::Peer(RawPeer {
                    line,
                    ..RawPeer::default()
                })
            } else {
                return Err(at(Fault::UnknownSection));
            };
            continue;
        }
        let (key, value) = text.split_once('=').ok_or_else(|| at(Fault::NotALine))?;
        let (key, value) = (key.trim_end(), value.trim_start());
        match (&mut section, &mut interface) {
            (Section::Peer(peer), _) => peer.take(key, value),
            (Section::Interface, Some(interface)) => interface.take(key, value),
            _ => Err(Fault::OutsideSection),
        }
        .map_err(at)?;
    }
    if let Section::Peer(peer) = section {
        peers.push(peer.finish(&mut known)?);
    }
    let interface = interface.ok_or(ConfError {
        line: last,
        fault: Fault::NoInterface,
    })?;
    Ok(Conf {
        interface: interface.finish()?,
        peers,
    })
}

impl RawInterface {
    fn take(&mut self, key: &str, value: &str) -> Result<(), Fault> {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        if is("PrivateKey") {
            let key = key_bytes("PrivateKey", value)?;
            once(
                "PrivateKey",
                &mut self.private_key,
                StaticSecret::from(*key),
            )
        } else if is("Address") {
            list("Address", value, &mut self.addresses, NETS, net)
        } else if is("DNS") {
            list(
                "DNS",
                value,
                &mut self.dns,
                "a list of IP addresses and domains",
                dns,
            )
        } else if is("MTU") {
            let mtu = number(value).and_then(Mtu::new);
            let mtu = mtu.ok_or(Fault::Value {
                key: "MTU",
                expected: "a number from 576 to 65535",
            })?;
            once("MTU", &mut self.mtu, mtu)
        } else if is("ListenPort") {
            let port = number(value).ok_or(Fault::Value {
                key: "ListenPort",
                expected: "a number from 0 to 65535",
            })?;
            once("ListenPort", &mut self.listen_port, NonZeroU16::new(port))
        } else {
            Err(unknown(key))
        }
    }

    fn finish(self) -> Result<Interface, ConfError> {
        let missing = ConfError {
            line: self.line,
            fault: Fault::Missing("PrivateKey"),
        };
        Ok(Interface {
            private_key: self.private_key.ok_or(missing)?,
            addresses: self.addresses,
            dns: self.dns,
            mtu: self.mtu,
            listen_port: self.listen_port.flatten(),
        })
    }
}

impl RawPeer {
    fn take(&mut self, key: &str, value: &str) -> Result<(), Fault> {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        if is("PublicKey") {
            let key = key_bytes("PublicKey", value)?;
            once("PublicKey", &mut self.public_key, PublicKey::from(*key))
        } else if is("PresharedKey") {
            let key = key_bytes("PresharedKey", value)?;
            once(
                "PresharedKey",
                &mut self.preshared_key,
                PresharedKey::new(*key),
            )
        } else if is("Endpoint") {
            let endpoint = endpoint(value).ok_or(Fault::Value {
                key: "Endpoint",
                expected: "host:port, with an IPv6 address in brackets",
            })?;
            once("Endpoint", &mut self.endpoint, endpoint)
        } else if is("AllowedIPs") {
            let truncated = |text: &str| net(text).map(|net| net.trunc());
            list("AllowedIPs", value, &mut self.allowed_ips, NETS, truncated)
        } else if is("PersistentKeepalive") {
            let off = value.eq_ignore_ascii_case("off").then_some(0);
            let seconds = off.or_else(|| number(value)).ok_or(Fault::Value {
                key: "PersistentKeepalive",
                expected: "a number of seconds from 0 to 65535, or off",
            })?;
            let seconds = NonZeroU16::new(seconds);
            once(
                "PersistentKeepalive",
                &mut self.persistent_keepalive,
                seconds,
            )
        } else {
            Err(unknown(key))
        }
    }

    fn finish(self, known: &mut BTreeSet<[u8; KEY_LEN]>) -> Result<PeerSection, ConfError> {
        let at = |fault| ConfError {
            line: self.line,
            fault,
        };
        let public_key = self
            .public_key
            .ok_or_else(|| at(Fault::Missing("PublicKey")))?;
        if !known.insert(public_key.to_bytes()) {
            return Err(at(Fault::RepeatedPeer));
        }
        Ok(PeerSection {
            public_key,
            preshared_key: self.preshared_key,
            endpoint: self.endpoint,
            allowed_ips: self.allowed_ips,
            persistent_keepalive: self.persistent_keepalive.flatten(),
        })
    }
}

const NETS: &str = "a list of IP addresses, each with or without /prefix";

fn once<T>(key: &'static str, place: &mut Option<T>, value: T) -> Result<(), Fault> {
    if place.is_some() {
        return Err(Fault::Repeated(key));
    }
    *place = Some(value);
    Ok(())
}

/// Items between commas, at the end of those of earlier lines. Nothing at all is no item, as the tools have it.
fn list<T>(
    key: &'static str,
    value: &str,
    place: &mut Vec<T>,
    expected: &'static str,
    item: impl Fn(&str) -> Option<T>,
) -> Result<(), Fault> {
    if value.is_empty() {
        return Ok(());
    }
    for text in value.split(',') {
        place.push(item(text.trim()).ok_or(Fault::Value { key, expected })?);
    }
    Ok(())
}

fn net(text: &str) -> Option<IpNet> {
    match text.parse() {
        Ok(net) => Some(net),
        Err(_) => text.parse::<IpAddr>().ok().map(IpNet::from),
    }
}

fn dns(text: &str) -> Option<Dns> {
    match text.parse() {
        Ok(address) => Some(Dns::Server(address)),
        Err(_) => HostName::new(text).map(Dns::Search),
    }
}

pub(super) fn endpoint(text: &str) -> Option<Endpoint> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return (address.port() != 0).then_some(Endpoint::Address(address));
    }
    let (host, port) = text.rsplit_once(':')?;
    Some(Endpoint::Name {
        host: HostName::new(host)?,
        port: NonZeroU16::new(number(port)?)?,
    })
}

/// Digits only; no sign.
fn number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Base64 with padding, of exactly 32 bytes, and the only one of them.
fn key_bytes(key: &'static str, value: &str) -> Result<Zeroizing<[u8; KEY_LEN]>, Fault> {
    let fault = Fault::Value {
        key,
        expected: "a key of 32 bytes in base64, as `wg genkey` writes it",
    };
    // The decoder asks for the room that the text's length might need.
    let mut decoded = Zeroizing::new([0; KEY_TEXT_LEN / 4 * 3]);
    if value.len() != KEY_TEXT_LEN {
        return Err(fault);
    }
    match STANDARD.decode_slice(value, decoded.as_mut()) {
        Ok(KEY_LEN) => {
            let mut bytes = Zeroizing::new([0; KEY_LEN]);
            bytes.copy_from_slice(&decoded[..KEY_LEN]);
            Ok(bytes)
        }
        _ => Err(fault),
    }
}

/// What stands before `=` in a line of a secret alone is the secret, so that only a plausible key is quoted.
fn unknown(key: &str) -> Fault {
    const LONGEST: usize = 24;
    let plausible = key.len() <= LONGEST && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Fault::UnknownKey(plausible.then(|| key.to_owned()))
}
