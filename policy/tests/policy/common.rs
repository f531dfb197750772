//! Short forms and strategies.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::prelude::*;
use veilpool_policy::{Denied, HostNetworks, Policy, Protocol};

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// TCP to port 443.
pub(crate) fn web(policy: &Policy, address: &str) -> Result<(), Denied> {
    policy.check(Protocol::Tcp, SocketAddr::new(ip(address), 443))
}

pub(crate) fn tcp(policy: &Policy, destination: &str) -> Result<(), Denied> {
    policy.check(Protocol::Tcp, destination.parse().unwrap())
}

pub(crate) fn udp(policy: &Policy, destination: &str) -> Result<(), Denied> {
    policy.check(Protocol::Udp, destination.parse().unwrap())
}

pub(crate) fn home() -> HostNetworks {
    HostNetworks::new(
        ["192.168.1.5", "2a00:1:2:3::5", "81.2.3.4"].map(ip),
        [
            "192.168.1.0/24",
            "2a00:1:2:3::/64",
            "2a00:1:2::/48",
            "81.2.3.0/28",
        ]
        .map(|net| net.parse().unwrap()),
    )
}

/// Addresses near the edges of everything that is special here, and any others.
pub(crate) fn arb_address() -> impl Strategy<Value = IpAddr> {
    let near = prop::sample::select(vec![
        "0.0.0.0",
        "10.0.0.0",
        "10.255.255.255",
        "100.63.255.255",
        "100.100.100.200",
        "100.128.0.0",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.15.255.255",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.0",
        "192.88.99.0",
        "192.168.0.0",
        "198.18.0.0",
        "198.51.100.0",
        "203.0.113.7",
        "223.255.255.255",
        "239.255.255.255",
        "255.255.255.255",
        "81.2.3.4",
        "81.2.3.16",
        "10.0.5.3",
        "8.8.8.8",
        "198.19.255.255",
    ])
    .prop_map(|text| text.parse::<Ipv4Addr>().unwrap().to_bits());
    let v4 = prop_oneof![
        3 => (near, -2i64..3).prop_map(|(bits, by)| bits.wrapping_add(by as u32)),
        1 => any::<u32>(),
    ];
    let v4 = v4.prop_map(Ipv4Addr::from_bits).boxed();
    let near = prop::sample::select(vec![
        "::",
        "::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "2001:200::",
        "2001:1ff::",
        "2001:db8::",
        "3fff::",
        "3fff:1000::",
        "4000::",
        "2000::",
        "64:ff9b::",
        "64:ff9b:1::",
        "fe80::1",
        "fec0::",
        "ff02::1",
        "fc00::",
        "2a00:1:2:3::5",
        "2a00:1:2:4::",
        "2a00:1:3::",
        "2606:4700:4700::1111",
        "2a00:9::5efe:808:808",
        "2a00:9::200:5efe:808:808",
        "2a00:9::300:5efe:808:808",
        "fd00:1::7",
    ])
    .prop_map(|text| text.parse::<Ipv6Addr>().unwrap().to_bits());
    let v6 = prop_oneof![
        3 => (near, -2i64..3).prop_map(|(bits, by)| bits.wrapping_add(by as u128)),
        1 => any::<u128>(),
    ];
    let v6 = v6.prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)));
    let embedded = (v4.clone(), 0usize..6).prop_map(|(v4, form)| IpAddr::V6(embeddings(v4)[form]));
    prop_oneof![v4.prop_map(IpAddr::V4), v6, embedded]
}

/// The address in all forms of IPv6 that are judged by what they embed.
pub(crate) fn embeddings(v4: Ipv4Addr) -> [Ipv6Addr; 6] {
    let [a, b, c, d] = v4.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    [
        v4.to_ipv6_mapped(),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 0),
        Ipv6Addr::new(0x2002, high, low, 7, 1, 2, 3, 4),
    ]
}

pub(crate) fn arb_port() -> impl Strategy<Value = u16> {
    prop_oneof![
        prop::sample::select(vec![
            0, 1, 22, 25, 53, 80, 443, 445, 4000, 6881, 6999, 7000, 51820
        ]),
        any::<u16>()
    ]
}

fn arb_ports() -> impl Strategy<Value = String> {
    (1u16..60_000, 0u16..40).prop_map(|(from, more)| match more {
        0..20 => format!("{from}"),
        _ => format!("\"{from}-{}\"", from + more),
    })
}

fn arb_network() -> impl Strategy<Value = (bool, String)> {
    let v4 = (any::<u32>(), 8u8..=32).prop_map(|(bits, length)| {
        let net = ipnet::Ipv4Net::new(Ipv4Addr::from_bits(bits), length).unwrap();
        (true, net.trunc().to_string())
    });
    // Close to one another, so that they overlap.
    let close = (0u32..64, 26u8..=32).prop_map(|(bits, length)| {
        let net = ipnet::Ipv4Net::new(Ipv4Addr::from_bits(0x0a00_0500 + bits), length).unwrap();
        (true, net.trunc().to_string())
    });
    let v6 = (any::<u128>(), 16u8..=128).prop_map(|(bits, length)| {
        let global = (bits >> 3 | 1 << 125) & !(1 << 124);
        let net = ipnet::Ipv6Net::new(Ipv6Addr::from_bits(global | 5 << 116), length).unwrap();
        (false, net.trunc().to_string())
    });
    prop_oneof![v4, close, v6]
}

/// The parts of an exit's file, in an order of their own.
pub(crate) fn arb_lists() -> impl Strategy<Value = [Vec<String>; 4]> {
    let refuse = arb_network().prop_map(|(_, net)| format!("\"{net}\""));
    let allow = (arb_network(), arb_ports(), any::<bool>()).prop_filter_map(
        "no destination",
        |((is_v4, net), ports, exact)| {
            let address = net.split('/').next().unwrap();
            let place = if exact { address } else { &net };
            let place = if is_v4 {
                place.to_owned()
            } else {
                format!("[{place}]")
            };
            let entry = format!("\"{place}:{}\"", ports.trim_matches('"'));
            let file = format!("[destinations]\nallow = [{entry}]");
            Policy::parse(&file).is_ok().then_some(entry)
        },
    );
    let list = |entry: BoxedStrategy<String>| prop::collection::vec(entry, 0..8);
    (
        list(arb_ports().boxed()),
        list(arb_ports().boxed()),
        list(refuse.boxed()),
        list(allow.boxed()),
    )
        .prop_map(|(tcp, udp, refuse, allow)| [tcp, udp, refuse, allow])
}

pub(crate) fn file(lists: &[Vec<String>; 4], allow_ports: bool) -> String {
    let [tcp, udp, refuse, allow] = lists.each_ref().map(|list| list.join(", "));
    let ports = if allow_ports && !lists[1].is_empty() {
        "allow"
    } else {
        "refuse"
    };
    format!(
        "[protocols]\nicmp_echo = {}\n[ports.tcp]\nrefuse = [{tcp}]\n[ports.udp]\n{ports} = [{udp}]\n\
         [destinations]\nrefuse = [{refuse}]\nallow = [{allow}]\n",
        lists[0].len().is_multiple_of(2)
    )
}

pub(crate) fn arb_policy() -> impl Strategy<Value = Policy> {
    let exit = (arb_lists(), any::<bool>())
        .prop_map(|(lists, allow_ports)| Policy::parse(&file(&lists, allow_ports)).unwrap());
    let entry = prop::collection::vec((any::<u32>(), 1u16..), 1..5).prop_map(|exits| {
        let exits = exits.into_iter().map(|(bits, port)| {
            let [_, b, c, d] = bits.to_be_bytes();
            format!("\"11.{b}.{c}.{d}:{port}\"")
        });
        let exits = exits.collect::<Vec<_>>().join(", ");
        Policy::parse(&format!("mode = \"entry\"\nexits = [{exits}]")).unwrap()
    });
    prop_oneof![4 => exit, 1 => entry]
}
