//! Which endpoints a measurer sends to. Anybody may post a listing, so that a measurer that took every
//! address could be pointed at its own network, or at a victim's.
//!
//! Only global unicast addresses (IANA's special-purpose registries; RFC 6890). What a listing can make a measurer
//! send is bounded too: four handshakes of 148 bytes in a slot to an endpoint that never answers, and a few
//! subjects for one address.

use std::net::{IpAddr, SocketAddr};

/// Subjects that may share one address in an epoch, so that many listings don't add up at a victim's.
pub const MAX_SUBJECTS_PER_ADDRESS: usize = 4;

/// Whether a public listing may name this endpoint.
#[must_use]
pub fn is_public(endpoint: SocketAddr) -> bool {
    endpoint.port() != 0
        && match endpoint.ip() {
            IpAddr::V4(address) => is_public_v4(address.octets()),
            IpAddr::V6(address) => is_public_v6(address.segments()),
        }
}

/// What counts as one place: an IPv4 address, or an IPv6 /56.
#[must_use]
pub fn place(endpoint: SocketAddr) -> IpAddr {
    match endpoint.ip() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !((1u128 << 72) - 1)).into()),
        address => address,
    }
}

fn is_public_v4(octets: [u8; 4]) -> bool {
    !matches!(
        octets,
        [0 | 10 | 127, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [224..=255, ..]
    )
}

/// Of 2000::/3, without 2001::/23 (Teredo, ORCHIDs, benchmarking), documentation and 6to4.
fn is_public_v6(segments: [u16; 8]) -> bool {
    let [first, second, ..] = segments;
    first & 0xe000 == 0x2000
        && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
        && first != 0x2002
        && !(first == 0x3fff && second < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_measured() {
        for endpoint in [
            "0.0.0.0:1",
            "10.1.2.3:1",
            "100.64.0.1:1",
            "127.0.0.1:51820",
            "169.254.169.254:80",
            "172.31.0.1:1",
            "192.0.0.1:1",
            "192.0.2.1:1",
            "192.168.1.1:1",
            "198.19.0.1:1",
            "198.51.100.1:1",
            "203.0.113.1:1",
            "224.0.0.1:1",
            "255.255.255.255:1",
            "240.0.0.1:1",
            "1.1.1.1:0",
            "[::1]:1",
            "[::]:1",
            "[::ffff:1.1.1.1]:1",
            "[64:ff9b::101:101]:1",
            "[fe80::1]:1",
            "[fd00::1]:1",
            "[ff02::1]:1",
            "[2001::1]:1",
            "[2001:db8::1]:1",
            "[2002:101:101::1]:1",
            "[3fff::1]:1",
            "[4000::1]:1",
        ] {
            assert!(!is_public(endpoint.parse().unwrap()), "{endpoint}");
        }
        for endpoint in [
            "1.1.1.1:53",
            "100.128.0.1:1",
            "172.32.0.1:1",
            "[2606:4700::1]:1",
            "[2001:4860::1]:1",
        ] {
            assert!(is_public(endpoint.parse().unwrap()), "{endpoint}");
        }
    }

    #[test]
    fn a_place_is_an_ipv4_address_or_an_ipv6_network_of_56_bits() {
        let place = |text: &str| place(text.parse().unwrap());
        assert_eq!(place("1.1.1.1:1"), place("1.1.1.1:2"));
        assert_ne!(place("1.1.1.1:1"), place("1.1.1.2:1"));
        assert_eq!(place("[2606:0:0:1100::1]:1"), place("[2606:0:0:11ff::2]:1"));
        assert_ne!(place("[2606:0:0:1100::1]:1"), place("[2606:0:0:1200::1]:1"));
    }
}
