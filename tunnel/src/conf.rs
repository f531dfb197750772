//! The configuration file of WireGuard's own tools (wg(8), wg-quick(8)), so that an ordinary client can use a node.
//!
//! ```text
//! [Interface]                     [Peer], any number
//! PrivateKey = base64, 32 bytes   PublicKey = base64, 32 bytes
//! ListenPort = 1..65535           PresharedKey = base64, 32 bytes
//! Address = IP/prefix, ...        Endpoint = host:port
//! DNS = IP or domain, ...         AllowedIPs = IP/prefix, ...
//! MTU = 576..65535                PersistentKeepalive = 1..65535 seconds, or off
//! ```
//!
//! Stricter than the tools: a key that isn't in this table is refused, and so is one that is given twice where one
//! value counts. `PostUp` and its like are commands for a shell; they are refused too, because a file comes from
//! somebody else. Comments and the order of keys are not kept.

mod parse;
mod qr;
mod write;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    str::FromStr,
};

use boringtun::x25519::{PublicKey, StaticSecret};
use ipnet::IpNet;
use zeroize::{ZeroizeOnDrop, Zeroizing};

pub use parse::{ConfError, Fault};
pub use qr::{QrError, qr};

/// Bytes of a key, of whatever kind.
const KEY_LEN: usize = 32;
/// The same in base64 with padding.
const KEY_TEXT_LEN: usize = KEY_LEN.div_ceil(3) * 4;

/// A whole file.
pub struct Conf {
    /// This end.
    pub interface: Interface,
    /// The others. No two have one public key.
    pub peers: Vec<PeerSection>,
}

/// This end of the tunnel.
pub struct Interface {
    /// Zeroized on drop.
    pub private_key: StaticSecret,
    /// Inner addresses, with the prefix of their network.
    pub addresses: Vec<IpNet>,
    /// Resolvers and search domains.
    pub dns: Vec<Dns>,
    /// Of inner packets, in bytes; 576 at least.
    pub mtu: Option<Mtu>,
    /// UDP.
    pub listen_port: Option<NonZeroU16>,
}

/// Another end.
pub struct PeerSection {
    /// Its name and its key.
    pub public_key: PublicKey,
    /// A secret of both ends, mixed into handshakes.
    pub preshared_key: Option<PresharedKey>,
    /// Where it is reached.
    pub endpoint: Option<Endpoint>,
    /// Inner addresses that it may use, and that are sent to it.
    pub allowed_ips: Vec<IpNet>,
    /// Seconds between packets that keep a NAT open.
    pub persistent_keepalive: Option<NonZeroU16>,
}

/// A secret of both ends. No `Debug`, `Clone` or comparison.
#[derive(ZeroizeOnDrop)]
pub struct PresharedKey([u8; KEY_LEN]);

impl PresharedKey {
    /// Of its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// Its bytes, for the handshake.
    #[must_use]
    pub const fn expose_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }
}

/// The largest inner packet, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mtu(u16);

impl Mtu {
    /// Below it, IPv4 doesn't work.
    pub const SMALLEST: u16 = 576;

    /// `None` below [`Self::SMALLEST`].
    #[must_use]
    pub const fn new(bytes: u16) -> Option<Self> {
        if bytes < Self::SMALLEST {
            None
        } else {
            Some(Self(bytes))
        }
    }

    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u16 {
        self.0
    }
}

/// Where a peer is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// An address.
    Address(SocketAddr),
    /// A name, resolved by whoever uses it.
    Name {
        /// DNS name.
        host: HostName,
        /// UDP.
        port: NonZeroU16,
    },
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

impl FromStr for Endpoint {
    type Err = NoEndpoint;

    fn from_str(text: &str) -> Result<Self, NoEndpoint> {
        parse::endpoint(text).ok_or(NoEndpoint)
    }
}

/// A text that names no peer's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("host:port is expected, with an IPv6 address in brackets")]
pub struct NoEndpoint;

/// An entry of `DNS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dns {
    /// A resolver.
    Server(IpAddr),
    /// A domain to search.
    Search(HostName),
}

impl fmt::Display for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(address) => address.fmt(f),
            Self::Search(domain) => domain.fmt(f),
        }
    }
}

/// A DNS name: labels of 1 to 63 letters, digits, `-` and `_`, 253 in all. Not an IP address, and nothing that could be
/// another line of a file or a word of a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// `None` if it isn't one.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        const LONGEST: usize = 253;
        const LONGEST_LABEL: usize = 63;
        let label = |label: &str| {
            (1..=LONGEST_LABEL).contains(&label.len())
                && !label.starts_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        // A last label of digits is a mistyped address.
        let last = name.rsplit('.').next().unwrap_or_default();
        let is_name = name.len() <= LONGEST
            && name.split('.').all(label)
            && !last.bytes().all(|byte| byte.is_ascii_digit());
        is_name.then(|| Self(name.to_owned()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Conf {
    /// Reads a file. The caller zeroizes the bytes, of which nothing but the result is kept.
    ///
    /// # Errors
    /// [`ConfError`], with the line. It quotes no value.
    pub fn parse(file: &[u8]) -> Result<Self, ConfError> {
        parse::parse(file)
    }

    /// Writes it to the end of a buffer, which grows once, before, so that no copy of a secret is left behind.
    pub fn write(&self, out: &mut Zeroizing<String>) {
        write::write(self, out);
    }
}
