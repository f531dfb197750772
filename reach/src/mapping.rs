//! What the router does for this node.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use veilpool_sensitive::Sensitive;

use crate::reason::Reason;

/// How a router is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Port Control Protocol, RFC 6887.
    Pcp,
    /// NAT Port Mapping Protocol, RFC 6886.
    NatPmp,
    /// UPnP's Internet Gateway Device.
    Upnp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pcp => "PCP",
            Self::NatPmp => "NAT-PMP",
            Self::Upnp => "UPnP",
        })
    }
}

/// For how long a router forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Unless renewed.
    For(Duration),
    /// Some UPnP routers know no leases.
    UntilRemoved,
}

/// A forwarded port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// That the router took.
    pub protocol: Protocol,
    /// Where the world sends to. Its port need not be the one that was asked for.
    pub external: Sensitive<SocketAddr>,
    /// As given.
    pub lease: Lease,
}

/// What there is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mapping {
    /// Nothing is known yet.
    Searching,
    /// This machine has a public address of its own.
    NotNeeded {
        /// It.
        address: Sensitive<IpAddr>,
    },
    /// The router forwards.
    Mapped(Mapped),
    /// It doesn't.
    Failed {
        /// Why.
        reason: Reason,
    },
}
