//! The link between a node's namespace and its host, and its addresses.
//!
//! ```text
//! 198.19.(i≫6).(4i)/30          host .1, namespace .2         0 ≤ i < 2¹⁴
//! fd76:7064:6e02:i::/64         host ::1, namespace ::2
//! ```
//!
//! 198.18.0.0/15 is for benchmarks (RFC 2544): the internet doesn't route it, no router hands it out at home, and the
//! policy refuses it to guests. Its first half is what proxies of the Clash kind invent addresses from. Rejected: the
//! private ranges and 100.64.0.0/10, which are homes', carriers' and other tunnels'; 169.254.0.0/16, where clouds have
//! their metadata services; 192.0.0.0/29, which 464XLAT and DS-Lite use on hosts themselves. Of IPv6 it's the unique local
//! /48 beside that of the inner addresses (RFC 4193: forty bits that homes draw at random).

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

/// Bits of a link's number.
const NUMBERS: u32 = 1 << 14;
const FIRST: Ipv4Addr = Ipv4Addr::new(198, 19, 0, 0);
/// A host and a namespace, a network and a broadcast address.
const PREFIX: u8 = 30;
/// Routes that are shorter say that everything is there, as a default route and its halves do.
const SHORTEST: u8 = 8;

/// A link's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link(u32);

impl Link {
    /// One for the node of this name, the same at each start unless a route of the host leads there: `routes` is what
    /// `ip -4 route show table all` says. `None` when all are taken.
    pub(crate) fn choose(name: &str, routes: &str) -> Option<Self> {
        let taken: Vec<Ipv4Net> = routes.lines().filter_map(network).collect();
        // FNV-1a: spreads names, no more.
        let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let mut links = (0..NUMBERS).map(|step| Self(hash.wrapping_add(step) % NUMBERS));
        links.find(|link| {
            let network = link.network();
            taken
                .iter()
                .all(|taken| !taken.contains(&network) && !network.contains(taken))
        })
    }

    pub(crate) fn network(self) -> Ipv4Net {
        let address = Ipv4Addr::from_bits(FIRST.to_bits() + 4 * self.0);
        Ipv4Net::new_assert(address, PREFIX)
    }

    pub(crate) fn host(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.network().addr().to_bits() + 1)
    }

    pub(crate) fn inside(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.network().addr().to_bits() + 2)
    }

    pub(crate) fn host_v6(self) -> Ipv6Addr {
        self.v6(1)
    }

    pub(crate) fn inside_v6(self) -> Ipv6Addr {
        self.v6(2)
    }

    const fn v6(self, host: u16) -> Ipv6Addr {
        Ipv6Addr::new(0xfd76, 0x7064, 0x6e02, self.0 as u16, 0, 0, 0, host)
    }
}

/// A route's destination, if it is a place rather than everything.
fn network(route: &str) -> Option<Ipv4Net> {
    let network = route.split_whitespace().take(2).find_map(|word| {
        let host = || word.parse::<Ipv4Addr>().ok().map(Ipv4Net::from);
        word.parse().ok().or_else(host)
    })?;
    (network.prefix_len() >= SHORTEST).then_some(network)
}

/// As ip(8) wants it.
pub(crate) fn with_prefix(address: impl Into<IpNet>) -> String {
    address.into().to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_same_at_each_start_and_another_where_a_route_is_in_its_way() {
        let link = Link::choose("node", "").unwrap();
        assert_eq!(Link::choose("node", "").unwrap(), link);
        assert_ne!(Link::choose("other", "").unwrap(), link);
        let ways = format!(
            "default via 192.168.1.1 dev eth0\n0.0.0.0/1 dev vpn\nlocal {} dev x table local\n",
            link.host()
        );
        assert_eq!(
            Link::choose("node", &ways).unwrap().0,
            (link.0 + 1) % NUMBERS
        );
        let ways = format!("{} dev x proto kernel", link.network());
        assert_eq!(
            Link::choose("node", &ways).unwrap().0,
            (link.0 + 1) % NUMBERS
        );
        assert_eq!(Link::choose("node", "198.18.0.0/15 dev x"), None);
    }

    #[test]
    fn a_links_addresses_are_reserved_ones() {
        let first = Link(0);
        assert_eq!(with_prefix(first.network()), "198.19.0.0/30");
        let last = Link(NUMBERS - 1);
        assert_eq!(with_prefix(last.network()), "198.19.255.252/30");
        assert_eq!(last.host().to_string(), "198.19.255.253");
        assert_eq!(last.inside().to_string(), "198.19.255.254");
        assert_eq!(last.inside_v6().to_string(), "fd76:7064:6e02:3fff::2");
    }
}
