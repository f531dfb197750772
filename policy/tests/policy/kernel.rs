//! The ruleset in the kernel: a guest's packets go through a namespace that has it, and its counters
//! say what became of each.

use std::net::SocketAddr;

use veilpool_policy::{NftNames, Policy, Protocol};

use crate::{common::home, namespace::Namespace};

/// The node's addresses of the tunnel.
const NODE: [&str; 2] = ["10.64.0.1", "fd00:64::1"];

/// A guest's namespace and a node's that forwards, joined by `tun0`; `up0` leads to a third, where
/// nothing answers. A TUN device has no neighbours to find, so those of the links are given.
struct World {
    guest: Namespace,
    node: Namespace,
    _internet: Namespace,
}

impl World {
    fn new() -> Self {
        let (guest, node, internet) = (Namespace::new(), Namespace::new(), Namespace::new());
        node.shell(&format!(
            "ip link add tun0 address 02:00:00:00:00:0a type veth peer name g0 address 02:00:00:00:00:0b netns {}
             ip link add up0 type veth peer name i0 netns {}
             echo 1 > /proc/sys/net/ipv4/ip_forward
             echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
             ip address add 10.64.0.1/24 dev tun0
             ip -6 address add fd00:64::1/64 dev tun0 nodad
             ip address add 192.168.77.1/24 dev up0
             ip -6 address add fd00:77::1/64 dev up0 nodad
             ip link set tun0 up
             ip link set up0 up
             ip route add default via 192.168.77.2
             ip -6 route add default via fd00:77::2
             ip neigh add 192.168.77.2 lladdr 02:00:00:00:00:01 dev up0
             ip -6 neigh add fd00:77::2 lladdr 02:00:00:00:00:01 dev up0
             ip neigh add 10.64.0.2 lladdr 02:00:00:00:00:0b dev tun0
             ip -6 neigh add fd00:64::2 lladdr 02:00:00:00:00:0b dev tun0",
            guest.name(),
            internet.name()
        ));
        internet.shell("ip link set i0 up");
        guest.shell(
            "ip address add 10.64.0.2/24 dev g0
             ip -6 address add fd00:64::2/64 dev g0 nodad
             ip link set g0 up
             ip route add default via 10.64.0.1
             ip -6 route add default via fd00:64::1
             ip neigh add 10.64.0.1 lladdr 02:00:00:00:00:0a dev g0
             ip -6 neigh add fd00:64::1 lladdr 02:00:00:00:00:0a dev g0",
        );
        Self {
            guest,
            node,
            _internet: internet,
        }
    }

    /// How many packets the rules with all of these words have counted.
    fn counted(&self, words: &[&str]) -> u64 {
        let listed = self.node.nft(&["list", "ruleset"], "");
        let listed = String::from_utf8(listed.stdout).unwrap();
        let rules = listed
            .lines()
            .filter(|rule| words.iter().all(|word| rule.contains(word)));
        let counts = rules.map(|rule| {
            let (_, count) = rule.split_once("packets ").unwrap();
            count.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        counts.sum()
    }

    /// One datagram of the guest's.
    fn send(&self, to: SocketAddr) {
        self.guest
            .shell(&format!("echo > /dev/udp/{}/{}", to.ip(), to.port()));
    }
}

#[test]
fn n1_the_kernel_lets_out_what_the_packet_check_does_and_counts_the_rest() {
    let file = "[ports.udp]\nrefuse = [445]\n[destinations]\nrefuse = [\"198.7.6.0/24\"]\n\
                allow = [\"10.0.5.3:4000\", \"10.0.6.0/24:80-81\"]";
    let policy = Policy::parse(file).unwrap().with_host(home());
    let names = NftNames::new("veilpool_test", "tun0", "up0").unwrap();
    let names = NODE
        .iter()
        .fold(names, |names, node| names.with_echo(node.parse().unwrap()));
    let world = World::new();
    world.node.takes(&["-f", "-"], &policy.nftables(&names));
    let destinations = [
        "1.1.1.1:53",
        "1.1.1.1:445",
        "10.0.5.3:4000",
        "10.0.5.3:4001",
        "10.0.6.9:81",
        "10.0.6.9:82",
        "168.63.129.16:80",
        "192.168.1.1:53",
        "198.7.6.5:53",
        "81.2.3.4:53",
        "81.2.3.5:53",
        "[2606:4700::1]:53",
        "[2a00:1:2:3::9]:53",
        "[2a00:9::5efe:808:808]:53",
        "[2002:a00:1::1]:53",
        "[2002:101:101::1]:53",
        "[fd00::7]:53",
    ];
    let (mut out, mut kept) = (0, 0);
    for to in destinations {
        let to: SocketAddr = to.parse().unwrap();
        world.send(to);
        match policy.check(Protocol::Udp, to) {
            Ok(()) => out += 1,
            Err(_) => kept += 1,
        }
        let accepted = world.counted(&["accept comment \"udp\""])
            + world.counted(&["accept comment \"exceptions\""]);
        assert_eq!(
            (accepted, world.counted(&["goto refuse"])),
            (out, kept),
            "after {to}"
        );
    }
    assert_eq!((out, kept), (5, 12));
}

#[test]
fn n1_the_namespace_is_out_of_reach_but_for_a_ping() {
    let names = NftNames::new("veilpool_test", "tun0", "up0").unwrap();
    let names = NODE
        .iter()
        .fold(names, |names, node| names.with_echo(node.parse().unwrap()));
    let world = World::new();
    world
        .node
        .takes(&["-f", "-"], &Policy::default().nftables(&names));
    for address in NODE {
        world.guest.shell(&format!("ping -c 1 -W 2 {address}"));
    }
    assert_eq!(world.counted(&["echo-request", "daddr"]), 2);
    // The kernel's own multicasts are dropped here as well.
    let before = world.counted(&["drop comment \"this namespace\""]);
    world.send("10.64.0.1:22".parse().unwrap());
    world.send("192.168.77.1:22".parse().unwrap());
    assert!(world.counted(&["drop comment \"this namespace\""]) >= before + 2);
    // A refused connection is reset at once.
    let reset = world.guest.try_shell("exec 3<>/dev/tcp/192.168.1.1/22");
    let said = String::from_utf8_lossy(&reset.stderr).into_owned();
    assert!(said.contains("Connection refused"), "{said}");
}

#[test]
fn n6_a_guest_has_at_most_so_many_connections_at_a_time() {
    let names = NftNames::new("veilpool_test", "tun0", "up0").unwrap();
    let names = names.with_flows_per_guest(std::num::NonZeroU32::new(3).unwrap());
    let world = World::new();
    world
        .node
        .takes(&["-f", "-"], &Policy::default().nftables(&names));
    for (to, version) in [("1.1.1.1", "ip saddr"), ("2606:4700::1", "ip6 saddr")] {
        // From a port of its own each.
        for port in 5001..=5005 {
            world.send(
                format!("[{to}]:{port}")
                    .replace("[1.1.1.1]", to)
                    .parse()
                    .unwrap(),
            );
        }
        let over = world.counted(&["too many flows", version]);
        assert_eq!(over, 2, "{to}");
    }
    assert_eq!(world.counted(&["accept comment \"udp\""]), 6);
}
