//! A router that is asked to forward a port.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    time::Duration,
};

use veilpool_sensitive::Sensitive;

use crate::{
    mapping::{Lease, Protocol},
    surroundings::Route,
};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// To the router.
    pub route: Route,
    /// UDP port of this machine.
    pub internal: NonZeroU16,
    /// UDP port of the router, if it can be had.
    pub external: NonZeroU16,
    /// Whether another external port is of no use.
    pub exactly: bool,
    /// For how long.
    pub lease: Duration,
}

impl Request {
    /// Where the router shall send to.
    #[must_use]
    pub const fn target(&self) -> SocketAddr {
        SocketAddr::new(*self.route.local.expose(), self.internal.get())
    }

    /// The router.
    #[must_use]
    pub const fn gateway(&self) -> IpAddr {
        *self.route.gateway.expose()
    }
}

/// What the router says that it does. Not judged: the address may be nonsense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// By which it was asked.
    pub protocol: Protocol,
    /// Where the world would send to.
    pub external: Sensitive<SocketAddr>,
    /// For how long.
    pub lease: Lease,
    /// Its clock since it lost its mappings last, if it tells.
    pub epoch: Option<Epoch>,
}

/// Seconds since a router lost its mappings last, by its own clock (RFC 6886, section 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(u32);

impl Epoch {
    /// In seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Self {
        Self(seconds)
    }

    /// Since then.
    #[must_use]
    pub const fn age(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

/// Why a router doesn't forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouterError {
    /// By none of the protocols, or not in time.
    #[error(
        "the router answers by none of PCP, NAT-PMP and UPnP; switch one of them on in its settings, or forward the port by hand"
    )]
    NoAnswer,
    /// An answer that isn't one.
    #[error(
        "the router's answer by {protocol} makes no sense; restart it or update its firmware, or forward the port by hand"
    )]
    Malformed {
        /// By which it answered.
        protocol: Protocol,
    },
    /// It says no.
    #[error(
        "the router refuses by {protocol} to forward; allow this machine to in its settings, or forward the port by hand"
    )]
    Refused {
        /// By which it answered.
        protocol: Protocol,
    },
    /// Somebody else has the port.
    #[error(
        "the router forwards this port to another machine; remove that entry, or choose another port"
    )]
    PortInUse {
        /// By which it answered.
        protocol: Protocol,
    },
}

impl RouterError {
    /// The one of two that says more.
    #[must_use]
    pub fn or_rather(self, other: Self) -> Self {
        if other.weight() > self.weight() {
            other
        } else {
            self
        }
    }

    const fn weight(self) -> u8 {
        match self {
            Self::NoAnswer => 0,
            Self::Malformed { .. } => 1,
            Self::Refused { .. } => 2,
            Self::PortInUse { .. } => 3,
        }
    }
}

/// Asks a router. All methods end in bounded time and may be dropped at any await.
pub trait Router: Send + Sync {
    /// What it takes to renew a mapping or to remove it.
    type Session: Send;

    /// Asks for a mapping.
    ///
    /// # Errors
    /// [`RouterError`].
    fn open(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<(Self::Session, Grant), RouterError>> + Send;

    /// Asks for it again. A router that has forgotten it makes it anew.
    ///
    /// # Errors
    /// [`RouterError`]; the session stays as it was.
    fn renew(
        &self,
        session: &mut Self::Session,
    ) -> impl Future<Output = Result<Grant, RouterError>> + Send;

    /// Asks for its removal.
    ///
    /// # Errors
    /// [`RouterError`]; the mapping ends with its lease then.
    fn close(&self, session: Self::Session)
    -> impl Future<Output = Result<(), RouterError>> + Send;
}
