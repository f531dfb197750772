//! This machine's own addresses and the networks that it is in: what no guest may reach, although the
//! addresses may be public. IPv6 is the trap: every device of a home has a public address, in the /64
//! of the home.

use std::{
    fmt, fs, io,
    net::{IpAddr, Ipv6Addr},
};

use if_addrs::IfAddr;
use ipnet::{IpNet, Ipv6Net};

use crate::{range::AddressSet, routes};

/// The system didn't say what networks this machine is in.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot list this machine's {what}: {source}; guests could reach the home's network, so nothing is served"
)]
pub struct HostError {
    what: &'static str,
    source: io::Error,
}

/// A snapshot of this machine's networks. Take a new one when an interface comes up or an address
/// changes, and give it to [`Policy::with_host`](crate::Policy::with_host).
///
/// `Debug` and `Display` say how many there are and not which: they would identify the operator.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HostNetworks {
    pub(crate) own: AddressSet,
    pub(crate) on_link: AddressSet,
}

/// An on-link network that is shorter says that everything is behind this link, as the halves of a
/// default route (0.0.0.0/1, 2000::/3) do: it is no home.
const SHORTEST_V4: u8 = 8;
const SHORTEST_V6: u8 = 16;
/// The prefix of a LAN, RFC 4291.
const LAN_V6: u8 = 64;

impl HostNetworks {
    /// Of these addresses and on-link networks. A default route among them is left out; each global
    /// IPv6 address stands for its /64, since one from DHCPv6 or on a point-to-point link is a /128.
    #[must_use]
    pub fn new(
        own: impl IntoIterator<Item = IpAddr>,
        on_link: impl IntoIterator<Item = IpNet>,
    ) -> Self {
        let own: Vec<_> = own
            .into_iter()
            .map(|address| address.to_canonical())
            .collect();
        let lans = own.iter().filter_map(|address| match address {
            IpAddr::V6(address) if is_global(*address) => Ipv6Net::new(*address, LAN_V6)
                .ok()
                .map(|net| net.trunc().into()),
            _ => None,
        });
        let links = on_link.into_iter().filter(|net| match net {
            IpNet::V4(net) => net.prefix_len() >= SHORTEST_V4,
            IpNet::V6(net) => net.prefix_len() >= SHORTEST_V6,
        });
        Self {
            on_link: AddressSet::new(links.chain(lans)),
            own: AddressSet::new(own.into_iter().map(IpNet::from)),
        }
    }

    /// What the system says now: addresses of all interfaces, up or not, their networks, and on Linux
    /// what the routing table has on a link.
    ///
    /// # Errors
    /// [`HostError`] where the system doesn't say.
    pub fn of_this_machine() -> Result<Self, HostError> {
        let what = "addresses";
        let interfaces = if_addrs::get_if_addrs().map_err(|source| HostError { what, source })?;
        let mut own = Vec::new();
        let mut on_link = Vec::new();
        for interface in interfaces {
            own.push(interface.ip());
            let mask = match &interface.addr {
                IfAddr::V4(address) => address.netmask.into(),
                IfAddr::V6(address) => address.netmask.into(),
            };
            on_link.extend(IpNet::with_netmask(interface.ip(), mask));
        }
        on_link.extend(routes::on_link_v4(&table("/proc/net/route")?));
        on_link.extend(routes::on_link_v6(&table("/proc/net/ipv6_route")?));
        Ok(Self::new(own, on_link))
    }

    /// And this address: the public one of the router that this machine is behind, which the machine
    /// doesn't have itself. Many routers show their own pages there to whoever asks from inside.
    #[must_use]
    pub fn with_address(self, address: IpAddr) -> Self {
        let more = Self::new([address], []);
        Self {
            own: self.own.union(&more.own),
            on_link: self.on_link.union(&more.on_link),
        }
    }

    /// Whether the address is one of this machine's own.
    #[must_use]
    pub fn is_own(&self, address: IpAddr) -> bool {
        self.own.contains(address.to_canonical())
    }

    /// Whether the address is on a link of this machine.
    #[must_use]
    pub fn is_on_link(&self, address: IpAddr) -> bool {
        self.on_link.contains(address.to_canonical())
    }
}

/// 2000::/3, where a LAN's addresses are public.
fn is_global(address: Ipv6Addr) -> bool {
    address.octets()[0] & 0xe0 == 0x20
}

/// A table of the kernel, empty where there is none: another system, or no IPv6.
fn table(path: &str) -> Result<String, HostError> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|source| HostError {
            what: "routes",
            source,
        }),
    }
}

impl fmt::Display for HostNetworks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.own.is_empty() && self.on_link.is_empty() {
            return f.write_str("its networks are not known");
        }
        let count = |set: &AddressSet| set.v4.ranges().len() + set.v6.ranges().len();
        let (own, links) = (count(&self.own), count(&self.on_link));
        write!(f, "{own} ranges of own addresses, {links} of networks")
    }
}

impl fmt::Debug for HostNetworks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostNetworks({self})")
    }
}
