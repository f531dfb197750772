//! The policy itself: what the file says and where this machine is, as tables to look up.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use ipnet::IpNet;

use crate::{
    Denied, HostNetworks, Mode,
    exceptions::Exceptions,
    range::{AddressSet, Table},
    rules::{ExitRules, Rules, refused_ports},
    special,
};

/// What a guest's packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// An ICMP or ICMPv6 echo request. It has no port; give 0.
    IcmpEcho,
}

/// Where guests may go. Immutable: a reload makes a new one.
#[derive(Clone, PartialEq, Eq)]
pub struct Policy {
    pub(crate) rules: Rules,
    pub(crate) host: HostNetworks,
    /// What is refused, and why.
    pub(crate) v4: Table<u32, Denied>,
    pub(crate) v6: Table<u128, Denied>,
    /// This machine and metadata services: no exception for a prefix reaches them.
    pub(crate) guarded: AddressSet,
}

impl Default for Policy {
    fn default() -> Self {
        Self::from_rules(Rules::default())
    }
}

impl Policy {
    /// With addresses that are allowed although they would be refused, for a measurer's reflector on
    /// the same machine in tests and in the demo; and ports refused everywhere else, for TCP and UDP.
    /// What is no destination (port 0, multicast, another notation of an IPv4 address) is not allowed.
    #[must_use]
    pub fn new(
        allowed: impl IntoIterator<Item = SocketAddr>,
        refused: impl IntoIterator<Item = u16>,
    ) -> Self {
        let refused: Vec<_> = refused.into_iter().map(|port| (port, port)).collect();
        let ports = refused_ports(None, &refused);
        Self::from_rules(Rules::Exit(ExitRules {
            tcp_ports: ports.clone(),
            udp_ports: ports,
            exact: exact(allowed),
            ..ExitRules::default()
        }))
    }

    /// The same, with more addresses that are allowed although they would be refused. An entry stays
    /// as it is: its exits are all that it leads to.
    #[must_use]
    pub fn with_allowed(mut self, allowed: impl IntoIterator<Item = SocketAddr>) -> Self {
        if let Rules::Exit(rules) = &mut self.rules {
            let before = rules.exact.single_entries();
            let before = before
                .into_iter()
                .map(|(address, ports)| (address.into(), ports));
            let more = exact(allowed).single_entries();
            let more = more
                .into_iter()
                .map(|(address, ports)| (address.into(), ports));
            rules.exact = Exceptions::new(before.chain(more));
        }
        self
    }

    /// The same policy on a machine with these networks.
    #[must_use]
    pub fn with_host(self, host: HostNetworks) -> Self {
        Self::build(self.rules, host)
    }

    /// What is known of this machine's networks.
    #[must_use]
    pub fn host(&self) -> &HostNetworks {
        &self.host
    }

    /// Exit or entry.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match self.rules {
            Rules::Exit(_) => Mode::Exit,
            Rules::Entry(_) => Mode::Entry,
        }
    }

    /// By protocol, address and port alone: for each packet. No allocation, no system call.
    ///
    /// # Errors
    /// [`Denied`] with the reason.
    pub fn check(&self, protocol: Protocol, destination: SocketAddr) -> Result<(), Denied> {
        let (address, port) = (destination.ip(), destination.port());
        let rules = match &self.rules {
            Rules::Exit(rules) => rules,
            Rules::Entry(exits) if protocol == Protocol::Udp => {
                let found = exits.binary_search(&(address, port));
                return found.map(|_| ()).map_err(|_| Denied::NotAnExit);
            }
            Rules::Entry(_) => return Err(Denied::Protocol),
        };
        let (on, refused) = match protocol {
            Protocol::Tcp => (rules.tcp, Some(&rules.tcp_ports)),
            Protocol::Udp => (rules.udp, Some(&rules.udp_ports)),
            Protocol::IcmpEcho => (rules.icmp_echo, None),
        };
        if !on {
            return Err(Denied::Protocol);
        }
        if let Some(refused) = refused {
            let excepted = rules.exact.contains(address, port)
                || (rules.prefixes.contains(address, port) && !self.guarded.contains(address));
            if excepted {
                return Ok(());
            }
            if refused.contains(port) {
                return Err(Denied::Port);
            }
        }
        self.check_address(address)
    }

    fn check_address(&self, address: IpAddr) -> Result<(), Denied> {
        let refused = match address {
            IpAddr::V4(address) => self.v4.get(address.to_bits()),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                let isatap = special::is_isatap(bits).then_some(Denied::Transition);
                self.v6.get(bits).or(isatap)
            }
        };
        refused.map_or(Ok(()), Err)
    }

    /// [`Self::check`], and that the address isn't this machine's at this moment: for each connection
    /// of an exit in user space. A second line, since [`HostNetworks`] is as old as its last refresh:
    /// the system routes to one of its own addresses from that very address, which a socket that
    /// sends nothing shows.
    ///
    /// # Errors
    /// [`Denied`] with the reason.
    pub fn check_connect(&self, protocol: Protocol, destination: SocketAddr) -> Result<(), Denied> {
        self.check(protocol, destination)?;
        let named = match &self.rules {
            Rules::Exit(rules) => rules.exact.contains(destination.ip(), destination.port()),
            Rules::Entry(_) => true,
        };
        if named {
            return Ok(());
        }
        let any: SocketAddr = match destination {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let source = UdpSocket::bind(any)
            .and_then(|probe| probe.connect(destination).and_then(|()| probe.local_addr()));
        match source {
            Ok(source) if source.ip() == destination.ip() => Err(Denied::ThisHost),
            // No route: connecting will fail and say so.
            _ => Ok(()),
        }
    }

    pub(crate) fn from_rules(rules: Rules) -> Self {
        Self::build(rules, HostNetworks::default())
    }

    fn build(rules: Rules, host: HostNetworks) -> Self {
        let refuse = match &rules {
            Rules::Exit(rules) => rules.refuse.clone(),
            Rules::Entry(_) => AddressSet::default(),
        };
        let mut v4 = special::table_v4();
        v4.fill(&host.own.v4, Denied::ThisHost);
        v4.fill(&host.on_link.v4, Denied::HomeNetwork);
        v4.fill(&refuse.v4, Denied::Destination);
        let mut v6 = special::table_v6(&v4);
        v6.fill(&host.own.v6, Denied::ThisHost);
        v6.fill(&host.on_link.v6, Denied::HomeNetwork);
        v6.fill(&refuse.v6, Denied::Destination);
        special::reserve_v6(&mut v6);
        let guarded = special::guarded().union(&host.own);
        Self {
            rules,
            host,
            v4,
            v6,
            guarded,
        }
    }
}

/// Neither host nor destinations: what is printed may be logged.
impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("mode", &self.mode())
            .field("digest", &self.digest())
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// Whether an exception or an exit can be this address at all.
pub(crate) fn is_destination(address: IpAddr) -> bool {
    let notation = match address {
        IpAddr::V4(address) => address.is_broadcast(),
        IpAddr::V6(address) => special::embeds_v4((address.to_bits(), address.to_bits())),
    };
    !(address.is_unspecified() || address.is_multicast() || notation)
}

fn exact(allowed: impl IntoIterator<Item = SocketAddr>) -> Exceptions {
    let usable = allowed
        .into_iter()
        .filter(|address| address.port() != 0 && is_destination(address.ip()));
    Exceptions::new(usable.map(|a| (IpNet::from(a.ip()), (a.port(), a.port()))))
}
