//! A home router: PCP, NAT-PMP, then UPnP, of the default gateway.
//!
//! The libraries bound what a router sends; here its time is bounded, and what it says is sorted.

mod nat;
mod upnp;

use std::time::Duration;

use crate::router::{Grant, Request, Router, RouterError};

/// How long a router may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// With the first datagram of PCP and NAT-PMP; each of two more waits twice as long.
    pub datagram: Duration,
    /// With UPnP's discovery, once for the gateway's own address and once for all on the network.
    pub discovery: Duration,
    /// With the rest of a request by UPnP.
    pub control: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            datagram: Duration::from_millis(250),
            discovery: Duration::from_secs(3),
            control: Duration::from_secs(10),
        }
    }
}

/// A home router.
#[derive(Clone, Copy, Debug, Default)]
pub struct HomeRouter {
    patience: Patience,
}

impl HomeRouter {
    /// With other times than the usual.
    #[must_use]
    pub const fn new(patience: Patience) -> Self {
        Self { patience }
    }
}

/// What it takes to renew a mapping.
pub struct Session(By);

enum By {
    Nat(nat::Session),
    Upnp(Box<upnp::Session>),
}

impl Router for HomeRouter {
    type Session = Session;

    async fn open(&self, request: &Request) -> Result<(Session, Grant), RouterError> {
        let first = match nat::open(request, &self.patience).await {
            Ok((session, grant)) => return Ok((Session(By::Nat(session)), grant)),
            Err(error) => error,
        };
        match upnp::open(request, &self.patience).await {
            Ok((session, grant)) => Ok((Session(By::Upnp(Box::new(session))), grant)),
            Err(error) => Err(first.or_rather(error)),
        }
    }

    async fn renew(&self, session: &mut Session) -> Result<Grant, RouterError> {
        match &mut session.0 {
            By::Nat(session) => nat::renew(session).await,
            By::Upnp(session) => upnp::renew(session, &self.patience).await,
        }
    }

    async fn close(&self, session: Session) -> Result<(), RouterError> {
        match session.0 {
            By::Nat(session) => nat::close(session).await,
            By::Upnp(session) => upnp::close(&session, &self.patience).await,
        }
    }
}
