//! The digest of what a policy's file says, for whoever signs or compares policies.
//!
//! ```text
//! digest = SHA-256("veilpool/exit-policy/v1" ‖ mode ‖ body)
//! mode   = 0 exit, 1 entry
//! exit   = flags (1 TCP, 2 UDP, 4 ICMP echo)
//!        ‖ refused TCP ports ‖ refused UDP ports ‖ refused IPv4 ‖ refused IPv6
//!        ‖ exact exceptions ‖ prefix exceptions
//! entry  = IPv4 exits ‖ IPv6 exits, each: count ‖ (address ‖ port)…, sorted
//! set    = count ‖ (first ‖ last)…, sorted, disjoint, not adjacent
//! exceptions = IPv4 ‖ IPv6, each: count ‖ (first ‖ last ‖ set of ports)…, sorted, disjoint
//! ```
//!
//! Counts are 4 bytes, ports 2, addresses 4 or 16; all big-endian. Neither the machine's own networks,
//! which would identify the operator, nor the built-in special ranges are in it: a change of those is a
//! change of the software, and of the version.

use std::{fmt, net::IpAddr};

use sha2::{Digest, Sha256};

use crate::{
    Policy,
    exceptions::Exceptions,
    range::{Range, RangeSet},
    rules::Rules,
};

/// The digest's domain and version.
pub const DIGEST_CONTEXT: &[u8; 23] = b"veilpool/exit-policy/v1";

/// SHA-256 of what a policy's file says. The order and the overlaps of its lists don't matter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyDigest([u8; 32]);

impl PolicyDigest {
    /// The 32 bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

/// In hexadecimal.
impl fmt::Display for PolicyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PolicyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyDigest({self})")
    }
}

impl Policy {
    /// The digest of what the file says, not of where this machine is.
    #[must_use]
    pub fn digest(&self) -> PolicyDigest {
        let mut hash = Sha256::new_with_prefix(DIGEST_CONTEXT);
        match &self.rules {
            Rules::Exit(rules) => {
                let flags = [(rules.tcp, 1u8), (rules.udp, 2), (rules.icmp_echo, 4)];
                let flags = flags.iter().filter(|(on, _)| *on).map(|(_, bit)| bit).sum();
                hash.update([0, flags]);
                set(&mut hash, &rules.tcp_ports);
                set(&mut hash, &rules.udp_ports);
                set(&mut hash, &rules.refuse.v4);
                set(&mut hash, &rules.refuse.v6);
                exceptions(&mut hash, &rules.exact);
                exceptions(&mut hash, &rules.prefixes);
            }
            Rules::Entry(exits) => {
                hash.update([1]);
                let v4 = exits.iter().filter(|(address, _)| address.is_ipv4());
                count(&mut hash, v4.count());
                let v6_at = exits.partition_point(|(address, _)| address.is_ipv4());
                for (at, (address, port)) in exits.iter().enumerate() {
                    if at == v6_at {
                        count(&mut hash, exits.len() - v6_at);
                    }
                    match address {
                        IpAddr::V4(address) => hash.update(address.octets()),
                        IpAddr::V6(address) => hash.update(address.octets()),
                    }
                    hash.update(port.to_be_bytes());
                }
                if v6_at == exits.len() {
                    count(&mut hash, 0);
                }
            }
        }
        PolicyDigest(hash.finalize().into())
    }
}

/// A number as big-endian bytes of its own width.
trait Bytes: Copy {
    fn update(self, hash: &mut Sha256);
}

macro_rules! bytes {
    ($($integer:ty),*) => {$(
        impl Bytes for $integer {
            fn update(self, hash: &mut Sha256) {
                hash.update(self.to_be_bytes());
            }
        }
    )*};
}
bytes!(u16, u32, u128);

fn count(hash: &mut Sha256, count: usize) {
    // A file is far shorter than 2³² entries.
    hash.update(u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

fn set<T: Bytes + crate::range::Point>(hash: &mut Sha256, set: &RangeSet<T>) {
    count(hash, set.ranges().len());
    for (from, to) in set.ranges() {
        from.update(hash);
        to.update(hash);
    }
}

fn areas<T: Bytes>(hash: &mut Sha256, areas: &[(Range<T>, RangeSet<u16>)]) {
    count(hash, areas.len());
    for ((from, to), ports) in areas {
        from.update(hash);
        to.update(hash);
        set(hash, ports);
    }
}

fn exceptions(hash: &mut Sha256, exceptions: &Exceptions) {
    areas(hash, exceptions.v4());
    areas(hash, exceptions.v6());
}
