//! UPnP's Internet Gateway Device, by the crate `igd-next`.
//!
//! Anybody on the network can answer a discovery and send packets of the world's elsewhere. Only what the default
//! gateway serves is taken: it is asked directly first, and an answer from another address is no answer.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU16,
    time::Duration,
};

use igd_next::{
    AddAnyPortError, AddPortError, GetExternalIpError, PortMappingProtocol, RemovePortError,
    RequestError, SearchOptions,
    aio::{
        Gateway,
        tokio::{Tokio, search_gateway},
    },
};
use tokio::time::timeout;
use veilpool_sensitive::Sensitive;

use super::Patience;
use crate::{
    mapping::{Lease, Protocol},
    router::{Grant, Request, RouterError},
};

/// In the router's list. Not this project's name: providers can read that list.
const DESCRIPTION: &str = "WireGuard";
const SSDP_PORT: u16 = 1900;
const SSDP_GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
const UDP: PortMappingProtocol = PortMappingProtocol::UDP;

const MALFORMED: RouterError = RouterError::Malformed {
    protocol: Protocol::Upnp,
};
const REFUSED: RouterError = RouterError::Refused {
    protocol: Protocol::Upnp,
};
const PORT_IN_USE: RouterError = RouterError::PortInUse {
    protocol: Protocol::Upnp,
};

pub(super) struct Session {
    gateway: Gateway<Tokio>,
    target: SocketAddr,
    external: NonZeroU16,
    lease: Lease,
}

pub(super) async fn open(
    request: &Request,
    patience: &Patience,
) -> Result<(Session, Grant), RouterError> {
    let gateway = find(request, patience.discovery).await?;
    bounded(patience.control, async {
        let address = external_address(&gateway).await?;
        let (external, lease) = add(&gateway, request).await?;
        let session = Session {
            gateway,
            target: request.target(),
            external,
            lease,
        };
        let grant = session.grant(address);
        Ok((session, grant))
    })
    .await
}

pub(super) async fn renew(
    session: &mut Session,
    patience: &Patience,
) -> Result<Grant, RouterError> {
    bounded(patience.control, async {
        let address = external_address(&session.gateway).await?;
        add_port(
            &session.gateway,
            session.external,
            session.target,
            session.lease,
        )
        .await
        .map_err(|error| by_adding(&error))?;
        Ok(session.grant(address))
    })
    .await
}

pub(super) async fn close(session: &Session, patience: &Patience) -> Result<(), RouterError> {
    bounded(patience.control, async {
        match session
            .gateway
            .remove_port(UDP, session.external.get())
            .await
        {
            Ok(()) | Err(RemovePortError::NoSuchPortMapping) => Ok(()),
            Err(RemovePortError::ActionNotAuthorized) => Err(REFUSED),
            Err(RemovePortError::RequestError(error)) => Err(by_requesting(&error)),
        }
    })
    .await
}

impl Session {
    const fn grant(&self, address: IpAddr) -> Grant {
        Grant {
            protocol: Protocol::Upnp,
            external: Sensitive::new(SocketAddr::new(address, self.external.get())),
            lease: self.lease,
            epoch: None,
        }
    }
}

async fn bounded<T>(
    patience: Duration,
    request: impl Future<Output = Result<T, RouterError>>,
) -> Result<T, RouterError> {
    timeout(patience, request)
        .await
        .unwrap_or(Err(RouterError::NoAnswer))
}

/// The gateway's description, asked of it and then of the whole network, which some routers want.
async fn find(request: &Request, patience: Duration) -> Result<Gateway<Tokio>, RouterError> {
    let wanted = request.gateway();
    for to in [wanted, SSDP_GROUP.into()] {
        let mut options = SearchOptions::default();
        options.bind_addr = SocketAddr::new(*request.route.local.expose(), 0);
        options.broadcast_address = SocketAddr::new(to, SSDP_PORT);
        options.timeout = Some(patience);
        options.single_search_timeout = Some(patience);
        options.allowed_gateway_ips = vec![wanted];
        // Twice, because the library's own limit doesn't cover sending.
        let found = timeout(patience.saturating_mul(2), search_gateway(options)).await;
        match found {
            Ok(Ok(gateway)) if gateway.addr.ip() == wanted => return Ok(gateway),
            Ok(Ok(_)) => {
                tracing::debug!("a UPnP answer that isn't the default gateway's is not taken")
            }
            Ok(Err(_)) | Err(_) => {}
        }
    }
    Err(RouterError::NoAnswer)
}

async fn external_address(gateway: &Gateway<Tokio>) -> Result<IpAddr, RouterError> {
    match gateway.get_external_ip().await {
        Ok(address) => Ok(address.to_canonical()),
        Err(GetExternalIpError::ActionNotAuthorized) => Err(REFUSED),
        Err(GetExternalIpError::RequestError(error)) => Err(by_requesting(&error)),
    }
}

/// The port that is wanted, else one that the router chooses; a lease, else none.
async fn add(
    gateway: &Gateway<Tokio>,
    request: &Request,
) -> Result<(NonZeroU16, Lease), RouterError> {
    let mut lease = Lease::For(request.lease);
    let mut added = add_port(gateway, request.external, request.target(), lease).await;
    if matches!(added, Err(AddPortError::OnlyPermanentLeasesSupported)) {
        lease = Lease::UntilRemoved;
        added = add_port(gateway, request.external, request.target(), lease).await;
    }
    match added {
        Ok(()) => Ok((request.external, lease)),
        Err(AddPortError::PortInUse | AddPortError::SamePortValuesRequired) if !request.exactly => {
            gateway
                .add_any_port(UDP, request.target(), seconds(lease), DESCRIPTION)
                .await
                .map_err(|error| by_adding_any(&error))
                .and_then(|port| NonZeroU16::new(port).ok_or(MALFORMED))
                .map(|port| (port, lease))
        }
        Err(error) => Err(by_adding(&error)),
    }
}

async fn add_port(
    gateway: &Gateway<Tokio>,
    external: NonZeroU16,
    target: SocketAddr,
    lease: Lease,
) -> Result<(), AddPortError> {
    gateway
        .add_port(UDP, external.get(), target, seconds(lease), DESCRIPTION)
        .await
}

/// As UPnP writes it: zero is for ever.
fn seconds(lease: Lease) -> u32 {
    match lease {
        Lease::For(lease) => u32::try_from(lease.as_secs()).unwrap_or(u32::MAX).max(1),
        Lease::UntilRemoved => 0,
    }
}

// Texts of a router's are left out: nobody vouches for them.
const fn by_adding(error: &AddPortError) -> RouterError {
    match error {
        AddPortError::PortInUse => PORT_IN_USE,
        AddPortError::RequestError(error) => by_requesting(error),
        _ => REFUSED,
    }
}

const fn by_adding_any(error: &AddAnyPortError) -> RouterError {
    match error {
        AddAnyPortError::NoPortsAvailable | AddAnyPortError::ExternalPortInUse => PORT_IN_USE,
        AddAnyPortError::RequestError(error) => by_requesting(error),
        _ => REFUSED,
    }
}

const fn by_requesting(error: &RequestError) -> RouterError {
    match error {
        RequestError::ErrorCode(..) | RequestError::UnsupportedAction(_) => REFUSED,
        RequestError::InvalidResponse(_) | RequestError::Utf8Error(_) => MALFORMED,
        _ => RouterError::NoAnswer,
    }
}
