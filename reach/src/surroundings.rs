//! What this machine knows of its network: its addresses and its default gateway.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use netdev::Interface;
use veilpool_sensitive::Sensitive;

use crate::scope::Scope;

/// Version of IP that the node is to be reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6. Never mapped: where there is IPv6, machines have public addresses.
    V6,
}

/// The way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The default gateway, usually the router.
    pub gateway: Sensitive<IpAddr>,
    /// This machine's address that the gateway sees.
    pub local: Sensitive<IpAddr>,
}

/// What there is at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// A public address of this machine's own.
    pub public: Option<Sensitive<IpAddr>>,
    /// `None` without a default gateway.
    pub route: Option<Route>,
}

/// Looks around. A trait, so that tests decide what is seen.
pub trait Surroundings: Send + Sync {
    /// What there is now.
    fn look(&self, family: Family) -> impl Future<Output = View> + Send;
}

/// The operating system's answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSurroundings;

impl Surroundings for SystemSurroundings {
    async fn look(&self, family: Family) -> View {
        // Netlink answers at once, but by blocking calls.
        tokio::task::spawn_blocking(move || view(&netdev::get_interfaces(), family))
            .await
            .unwrap_or_default()
    }
}

fn view(interfaces: &[Interface], family: Family) -> View {
    let mut usable: Vec<_> = interfaces
        .iter()
        .filter(|interface| interface.is_up() && !interface.is_loopback())
        .collect();
    // The one with the default route comes first; the order is stable otherwise.
    usable.sort_by_key(|interface| !interface.default);
    View {
        public: usable
            .iter()
            .flat_map(|interface| addresses(interface, family))
            .find(|address| Scope::of(*address) == Scope::Public)
            .map(Sensitive::new),
        route: usable.iter().find_map(|interface| route(interface, family)),
    }
}

fn addresses(interface: &Interface, family: Family) -> Vec<IpAddr> {
    match family {
        Family::V4 => interface.ipv4.iter().map(|net| net.addr().into()).collect(),
        Family::V6 => interface.ipv6.iter().map(|net| net.addr().into()).collect(),
    }
}

fn route(interface: &Interface, family: Family) -> Option<Route> {
    let gateways = interface.gateway.as_ref()?;
    let (gateway, local): (IpAddr, IpAddr) = match family {
        Family::V4 => {
            let gateway = *gateways.ipv4.iter().find(|ip| usable_v4(**ip))?;
            let beside = interface.ipv4.iter().find(|net| net.contains(&gateway));
            let local = beside.or_else(|| interface.ipv4.first())?.addr();
            (gateway.into(), local.into())
        }
        Family::V6 => {
            let gateway = *gateways.ipv6.iter().find(|ip| usable_v6(**ip))?;
            let beside = interface.ipv6.iter().find(|net| net.contains(&gateway));
            let local = beside.or_else(|| interface.ipv6.first())?.addr();
            (gateway.into(), local.into())
        }
    };
    Some(Route {
        gateway: Sensitive::new(gateway),
        local: Sensitive::new(local),
    })
}

// A point-to-point device, such as a tunnel's, has a default route without a gateway.
const fn usable_v4(gateway: Ipv4Addr) -> bool {
    !gateway.is_unspecified()
}

const fn usable_v6(gateway: Ipv6Addr) -> bool {
    !gateway.is_unspecified()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use netdev::NetworkDevice;

    use super::*;

    const UP: u32 = 1;

    fn interface(default: bool, v4: &[&str], v6: &[&str], gateway: &[&str]) -> Interface {
        let mut interface = Interface::dummy();
        interface.flags = UP;
        interface.default = default;
        interface.ipv4 = v4.iter().map(|net| net.parse().unwrap()).collect();
        interface.ipv6 = v6.iter().map(|net| net.parse().unwrap()).collect();
        if !gateway.is_empty() {
            let mut device = NetworkDevice::new();
            for address in gateway {
                match address.parse().unwrap() {
                    IpAddr::V4(ip) => device.ipv4.push(ip),
                    IpAddr::V6(ip) => device.ipv6.push(ip),
                }
            }
            interface.gateway = Some(device);
        }
        interface
    }

    fn address(text: &str) -> Sensitive<IpAddr> {
        Sensitive::new(text.parse().unwrap())
    }

    #[test]
    fn the_default_interfaces_gateway_is_the_route_and_the_address_beside_it_is_ours() {
        let all = [
            interface(false, &["172.17.0.1/16"], &[], &["172.17.0.254"]),
            interface(
                true,
                &["10.9.9.9/24", "192.168.1.20/24"],
                &["fe80::2/64", "2a00::20/64"],
                &["192.168.1.1", "fe80::1"],
            ),
        ];
        let seen = view(&all, Family::V4);
        assert_eq!(seen.public, None);
        assert_eq!(
            seen.route,
            Some(Route {
                gateway: address("192.168.1.1"),
                local: address("192.168.1.20"),
            })
        );
        let seen = view(&all, Family::V6);
        assert_eq!(seen.public, Some(address("2a00::20")));
        assert_eq!(seen.route.unwrap().gateway, address("fe80::1"));
    }

    #[test]
    fn interfaces_that_are_down_and_routes_without_a_gateway_do_not_count() {
        let mut down = interface(true, &["1.2.3.4/24"], &[], &["1.2.3.1"]);
        down.flags = 0;
        let tunnel = interface(true, &["10.8.0.2/32"], &[], &["0.0.0.0"]);
        assert_eq!(view(&[down, tunnel], Family::V4), View::default());
    }

    #[tokio::test]
    async fn the_systems_own_interfaces_are_read() {
        // Whatever they are: a machine may have no network.
        let seen = SystemSurroundings.look(Family::V4).await;
        if let Some(public) = seen.public {
            assert_eq!(Scope::of(*public.expose()), Scope::Public);
        }
    }
}
