//! What a policy's file says, as sets.

use std::net::IpAddr;

use crate::{
    defaults,
    exceptions::Exceptions,
    range::{AddressSet, Range, RangeSet},
};

/// What a node is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Guests reach the internet from here.
    Exit,
    /// The first of two hops: guests reach the listed exits by UDP and nothing else, so that this line
    /// never shows up at a destination.
    Entry,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Rules {
    Exit(ExitRules),
    /// Address and port of each exit, sorted, each once.
    Entry(Vec<(IpAddr, u16)>),
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ExitRules {
    pub(crate) tcp: bool,
    pub(crate) udp: bool,
    pub(crate) icmp_echo: bool,
    /// Refused ports, 0 among them.
    pub(crate) tcp_ports: RangeSet<u16>,
    pub(crate) udp_ports: RangeSet<u16>,
    /// Refused destinations, beyond the special ones.
    pub(crate) refuse: AddressSet,
    /// Exceptions for single addresses, which may be this machine's own.
    pub(crate) exact: Exceptions,
    /// Exceptions for prefixes, which don't reach this machine.
    pub(crate) prefixes: Exceptions,
}

impl Default for ExitRules {
    fn default() -> Self {
        Self {
            tcp: true,
            udp: true,
            icmp_echo: true,
            tcp_ports: refused_ports(None, defaults::REFUSED_TCP),
            udp_ports: refused_ports(None, defaults::REFUSED_UDP),
            refuse: AddressSet::default(),
            exact: Exceptions::default(),
            prefixes: Exceptions::default(),
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::Exit(ExitRules::default())
    }
}

impl Rules {
    pub(crate) fn entry(exits: impl IntoIterator<Item = (IpAddr, u16)>) -> Self {
        let mut exits: Vec<_> = exits.into_iter().collect();
        exits.sort_unstable();
        exits.dedup();
        Self::Entry(exits)
    }
}

/// Port 0, everything outside of `allow` where there is such a list, and `refuse`.
pub(crate) fn refused_ports(allow: Option<&[Range<u16>]>, refuse: &[Range<u16>]) -> RangeSet<u16> {
    let refused = RangeSet::new(refuse.iter().copied().chain([(0, 0)]));
    match allow {
        Some(allow) => RangeSet::new(allow.iter().copied())
            .complement()
            .union(&refused),
        None => refused,
    }
}
