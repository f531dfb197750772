//! What kind of address one is (IANA's special-purpose registries; RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// From where an address is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// From everywhere. Measurers take no other.
    Public,
    /// Within a home or a company: RFC 1918, unique local.
    Private,
    /// Within a provider's network: 100.64.0.0/10 (RFC 6598), and 192.0.0.0/29 of DS-Lite (RFC 6333).
    Shared,
    /// From nowhere: unspecified, loopback, link-local, multicast, documentation, reserved.
    Unusable,
}

impl Scope {
    /// Of an address; one of IPv4 in IPv6 is taken as what it stands for.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    const fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Self::Private,
            [100, 64..=127, ..] | [192, 0, 0, 0..=7] => Self::Shared,
            [0 | 127 | 224..=255, ..]
            | [169, 254, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _] => Self::Unusable,
            _ => Self::Public,
        }
    }

    /// Of 2000::/3, without 2001::/23 (Teredo, ORCHIDs, benchmarking), documentation and 6to4.
    const fn of_v6(address: Ipv6Addr) -> Self {
        match address.segments() {
            [0xfc00..=0xfdff, ..] => Self::Private,
            [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => {
                Self::Unusable
            }
            [0x2000..=0x3fff, ..] => Self::Public,
            _ => Self::Unusable,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_special_range_has_its_scope() {
        for (scope, addresses) in [
            (
                Scope::Public,
                &[
                    "1.1.1.1",
                    "100.63.255.255",
                    "100.128.0.0",
                    "172.15.0.1",
                    "172.32.0.1",
                    "2a00::1",
                    "::ffff:1.1.1.1",
                ][..],
            ),
            (
                Scope::Private,
                &[
                    "10.0.0.1",
                    "172.16.0.1",
                    "192.168.178.1",
                    "fd00::1",
                    "::ffff:10.0.0.1",
                ],
            ),
            (
                Scope::Shared,
                &["100.64.0.0", "100.127.255.255", "192.0.0.2"],
            ),
            (
                Scope::Unusable,
                &[
                    "0.0.0.0",
                    "127.0.0.1",
                    "169.254.1.1",
                    "192.0.0.8",
                    "192.0.2.1",
                    "198.18.0.1",
                    "203.0.113.1",
                    "224.0.0.1",
                    "255.255.255.255",
                    "::",
                    "::1",
                    "fe80::1",
                    "ff02::1",
                    "2001:db8::1",
                    "2002::1",
                    "64:ff9b::1",
                ],
            ),
        ] {
            for address in addresses {
                assert_eq!(Scope::of(address.parse().unwrap()), scope, "{address}");
            }
        }
    }
}
