//! Networks that the routing table says are on a link, from `/proc/net/route` and
//! `/proc/net/ipv6_route` (proc_pid_net(5), linux/Documentation/networking/proc_net). An address from
//! DHCPv6 is a /128, so that the home's /64 shows up here alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

const GATEWAY: u32 = 0x2;
/// `unreachable` and `blackhole` routes: how a router keeps the rest of a delegated prefix.
const REJECT: u32 = 0x200;
/// The address is this machine's own: listed with the interfaces.
const LOCAL: u32 = 0x8000_0000;

/// IPv4: name, destination, gateway and flags in hexadecimal, …, mask as the eighth column; addresses
/// in the machine's own byte order. Lines of another shape are left out.
pub(crate) fn on_link_v4(table: &str) -> Vec<IpNet> {
    table.lines().skip(1).filter_map(line_v4).collect()
}

fn line_v4(line: &str) -> Option<IpNet> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let number = |at: usize| u32::from_str_radix(columns.get(at)?, 16).ok();
    let address = |at: usize| number(at).map(|bits| Ipv4Addr::from(bits.to_ne_bytes()));
    let (to, gateway, flags, mask) = (address(1)?, number(2)?, number(3)?, address(7)?);
    if gateway != 0 || flags & GATEWAY != 0 {
        return None;
    }
    IpNet::with_netmask(to.into(), IpAddr::V4(mask)).ok()
}

/// IPv6: destination, prefix length, source, its length, next hop, metric, references, uses, flags,
/// name; numbers in hexadecimal. Lines of another shape are left out.
pub(crate) fn on_link_v6(table: &str) -> Vec<IpNet> {
    table.lines().filter_map(line_v6).collect()
}

fn line_v6(line: &str) -> Option<IpNet> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let bits = |at: usize| u128::from_str_radix(columns.get(at)?, 16).ok();
    let (to, next_hop) = (Ipv6Addr::from(bits(0)?), bits(4)?);
    let length = u8::from_str_radix(columns.get(1)?, 16).ok()?;
    let flags = u32::from_str_radix(columns.get(8)?, 16).ok()?;
    let loopback = *columns.get(9)? == "lo" && flags & REJECT == 0;
    if next_hop != 0 || flags & (GATEWAY | LOCAL) != 0 || loopback {
        return None;
    }
    IpNet::new(to.into(), length).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn nets(list: &[&str]) -> Vec<IpNet> {
        list.iter().map(|net| net.parse().unwrap()).collect()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn ipv4_routes_without_a_gateway_are_on_a_link() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
            eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
            eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
            ppp0\t09640AC6\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n\
            eth1\t0000FEA9\t010200C0\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
            a line of another shape\n";
        assert_eq!(
            on_link_v4(table),
            nets(&["192.0.2.0/24", "198.10.100.9/32"])
        );
    }

    #[test]
    fn ipv6_routes_without_a_next_hop_and_delegated_prefixes_are_the_homes() {
        let zeros = "0".repeat(32);
        let line = |to: &str, length: &str, hop: &str, flags: &str, name: &str| {
            format!("{to} {length} {zeros} 00 {hop} 00000100 00000001 00000000 {flags} {name}\n")
        };
        let lan = "20010db8000000010000000000000000";
        let delegated = "20010db8000100000000000000000000";
        let router = "fe800000000000000000000000000001";
        let table = [
            line(lan, "40", &zeros, "00000001", "eth0"),
            line(delegated, "30", &zeros, "00200200", "lo"),
            line(&zeros, "00", router, "00000003", "eth0"),
            line(&zeros, "00", &zeros, "00200200", "lo"),
            line(
                "20010db8000000010000000000000007",
                "80",
                &zeros,
                "80200001",
                "eth0",
            ),
            line(
                "00000000000000000000000000000001",
                "80",
                &zeros,
                "80200001",
                "lo",
            ),
            "no route\n".to_owned(),
        ];
        // The default route stays: it is left out by its length.
        let expected = nets(&["2001:db8:0:1::/64", "2001:db8:1::/48", "::/0"]);
        assert_eq!(on_link_v6(&table.concat()), expected);
    }
}
