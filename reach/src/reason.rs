//! Why a node isn't reached, and what to do.
//!
//! What is displayed holds no address and may be logged. A remedy names addresses: it is for the operator's eyes.

use std::net::{IpAddr, SocketAddr};

use veilpool_sensitive::Sensitive;

use crate::{
    mapping::Protocol,
    router::{Request, RouterError},
};

/// What an operator enters in a router to forward by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// UDP, at the router.
    pub external: std::num::NonZeroU16,
    /// Address and UDP port of this machine.
    pub to: Sensitive<SocketAddr>,
}

impl Forward {
    fn by_hand(&self) -> String {
        format!(
            "forward the port by hand in the router's settings (\"port forwarding\", \"virtual server\" or \"NAT\"): \
             protocol UDP, external port {}, to this machine's address {}, internal port {}; and let the router always \
             give this machine that address",
            self.external,
            self.to.expose().ip(),
            self.to.expose().port()
        )
    }
}

impl From<&Request> for Forward {
    fn from(request: &Request) -> Self {
        Self {
            external: request.external,
            to: Sensitive::new(request.target()),
        }
    }
}

/// Why a node isn't reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// No default route.
    #[error("this machine has no default gateway, so that it is connected to no router")]
    NoGateway,
    /// IPv6 was asked for.
    #[error("this machine has no public IPv6 address")]
    NoPublicIpv6,
    /// The three protocols were tried.
    #[error("the router answers by none of PCP, NAT-PMP and UPnP")]
    NoAnswer(Forward),
    /// Not an answer.
    #[error("the router's answer by {protocol} makes no sense")]
    Malformed {
        /// By which it answered.
        protocol: Protocol,
        /// By hand.
        forward: Forward,
    },
    /// It says no.
    #[error("the router refuses by {protocol} to forward the port")]
    Refused {
        /// By which it answered.
        protocol: Protocol,
        /// By hand.
        forward: Forward,
    },
    /// Its external address is of 100.64.0.0/10, or of DS-Lite.
    #[error(
        "the provider shares one public address among several customers (carrier-grade NAT), so that forwarding in this router can't work"
    )]
    CarrierGradeNat,
    /// Its external address is private.
    #[error(
        "the router is itself behind another router (double NAT), so that forwarding in this one isn't enough"
    )]
    DoubleNat {
        /// Of this router, as the other one sees it.
        router: Sensitive<IpAddr>,
        /// At the other router the same.
        external: std::num::NonZeroU16,
    },
    /// Its external address is none.
    #[error(
        "the router has no public address at the moment, or gives one by {protocol} that is none"
    )]
    NoExternalAddress {
        /// By which it answered.
        protocol: Protocol,
    },
    /// Another machine has it.
    #[error("the router forwards this port to another machine already")]
    PortInUse(Forward),
    /// What others are told isn't where the router forwards.
    #[error(
        "the router forwards, but from another address or port than the `endpoint` that is configured"
    )]
    EndpointDiffers {
        /// What others are told.
        configured: Sensitive<SocketAddr>,
        /// Where the router, or this machine, takes packets.
        external: Sensitive<SocketAddr>,
    },
    /// All looks right from here.
    #[error("the port is open as far as can be seen from here, but nothing arrives")]
    Blocked,
    /// Measurers don't take it.
    #[error("measurers refuse to list the `endpoint` that this node gives")]
    ListingRefused,
}

impl Reason {
    /// What to do. Names addresses of the operator's own network.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NoGateway => "connect this machine to the router and look at its addresses with `ip route`; \
                 a VPN that takes all traffic hides the router too"
                .into(),
            Self::NoPublicIpv6 => "switch IPv6 on in the router, or ask the provider for it; else be reached by IPv4".into(),
            Self::NoAnswer(forward) => format!(
                "switch on UPnP, NAT-PMP or PCP in the router's settings, or {}",
                forward.by_hand()
            ),
            Self::Malformed { protocol, forward } => format!(
                "restart the router or update its firmware, switch {protocol} off in it, or {}",
                forward.by_hand()
            ),
            Self::Refused { forward, .. } => format!(
                "allow this machine in the router's settings to open ports by itself, or {}",
                forward.by_hand()
            ),
            Self::CarrierGradeNat => "ask the provider for a public IPv4 address (some give it for free when asked), \
                 or be reached by IPv6: give this machine's IPv6 address as `endpoint`"
                .into(),
            Self::DoubleNat { router, external } => format!(
                "set the provider's router to bridge mode, or forward UDP port {external} in it too, to the second \
                 router's address {}; if the first router isn't yours, ask the provider for a public IPv4 address or be \
                 reached by IPv6",
                router.expose()
            ),
            Self::NoExternalAddress { .. } => "look in the router's status page whether it is connected, and by IPv4; \
                 if it is, restart it or forward the port by hand"
                .into(),
            Self::PortInUse(forward) => format!(
                "remove the entry for UDP port {} from the router's list (it may be an old one of this machine's), or \
                 let the node listen on another port",
                forward.external
            ),
            Self::EndpointDiffers {
                configured,
                external,
            } => format!(
                "set `endpoint` to {} (it is {}), or leave it out",
                external.expose(),
                configured.expose()
            ),
            Self::Blocked => "let UDP in through this machine's firewall and, with IPv6, the router's; ask the provider \
                 whether it filters incoming UDP; look whether an old forwarding of this port points elsewhere"
                .into(),
            Self::ListingRefused => "give a public address and port as `endpoint`, and look in the log for what the \
                 measurers answer"
                .into(),
        }
    }

    pub(crate) fn of(error: RouterError, request: &Request) -> Self {
        let forward = Forward::from(request);
        match error {
            RouterError::NoAnswer => Self::NoAnswer(forward),
            RouterError::Malformed { protocol } => Self::Malformed { protocol, forward },
            RouterError::Refused { protocol } => Self::Refused { protocol, forward },
            RouterError::PortInUse { .. } => Self::PortInUse(forward),
        }
    }
}
