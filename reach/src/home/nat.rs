//! PCP and NAT-PMP, by the crate `crab_nat`: a socket connected to the gateway for each request, so that nobody else
//! is listened to, and answers of a fixed size.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use crab_nat::{
    GatewayAddress, InternetProtocol, MappingFailure, PortMapping, PortMappingOptions,
    PortMappingType, TimeoutConfig, natpmp, pcp,
};
use veilpool_sensitive::Sensitive;

use super::Patience;
use crate::{
    mapping::{Lease, Protocol},
    router::{Epoch, Grant, Request, RouterError},
};

const RETRIES: usize = 2;

pub(super) struct Session(PortMapping);

pub(super) async fn open(
    request: &Request,
    patience: &Patience,
) -> Result<(Session, Grant), RouterError> {
    let gateway = GatewayAddress::from(request.gateway());
    let options = PortMappingOptions {
        external_port: Some(request.external),
        lifetime_seconds: Some(u32::try_from(request.lease.as_secs()).unwrap_or(u32::MAX)),
        timeout_config: Some(TimeoutConfig {
            initial_timeout: patience.datagram,
            max_retries: RETRIES,
            max_retry_timeout: None,
        }),
    };
    let base = pcp::BaseMapRequest::new(
        gateway,
        *request.route.local.expose(),
        InternetProtocol::Udp,
        request.internal,
    );
    let first = match pcp::port_mapping(base, None, None, options).await {
        Ok(mapping) => {
            let grant = grant(&mapping).await?;
            return Ok((Session(mapping), grant));
        }
        Err(failure) => by_pcp(&failure),
    };
    // Routers that know NAT-PMP only should say so; some are silent.
    let mapping = natpmp::port_mapping(gateway, InternetProtocol::Udp, request.internal, options)
        .await
        .map_err(|failure| first.or_rather(by_nat_pmp(&failure)))?;
    match grant(&mapping).await {
        Ok(grant) => Ok((Session(mapping), grant)),
        Err(error) => Err(first.or_rather(error)),
    }
}

pub(super) async fn renew(session: &mut Session) -> Result<Grant, RouterError> {
    session.0.renew().await.map_err(|failure| sort(&failure))?;
    grant(&session.0).await
}

pub(super) async fn close(session: Session) -> Result<(), RouterError> {
    session
        .0
        .try_drop()
        .await
        .map_err(|(failure, _)| sort(&failure))
}

async fn grant(mapping: &PortMapping) -> Result<Grant, RouterError> {
    let (protocol, address) = match mapping.mapping_type() {
        PortMappingType::Pcp { external_ip, .. } => (Protocol::Pcp, external_ip.to_canonical()),
        PortMappingType::NatPmp => {
            let asked = natpmp::external_address(mapping.gateway(), Some(mapping.timeout_config));
            let address = asked.await.map_err(|failure| by_nat_pmp(&failure))?;
            (Protocol::NatPmp, IpAddr::V4(address))
        }
    };
    if mapping.lifetime() == 0 {
        return Err(RouterError::Malformed { protocol });
    }
    Ok(Grant {
        protocol,
        external: Sensitive::new(SocketAddr::new(address, mapping.external_port().get())),
        lease: Lease::For(Duration::from_secs(mapping.lifetime().into())),
        epoch: Some(Epoch::from_seconds(mapping.gateway_epoch())),
    })
}

fn sort(failure: &MappingFailure) -> RouterError {
    match failure {
        MappingFailure::Pcp(failure) => by_pcp(failure),
        MappingFailure::NatPmp(failure) => by_nat_pmp(failure),
    }
}

fn by_pcp(failure: &pcp::Failure) -> RouterError {
    use pcp::Failure;
    let protocol = Protocol::Pcp;
    match failure {
        Failure::Socket(_)
        | Failure::Timeout
        | Failure::UnsupportedVersion(_)
        | Failure::UnsupportedOpcode
        | Failure::UnsupportedProtocol => RouterError::NoAnswer,
        Failure::Nonce | Failure::InvalidResponse(_) => RouterError::Malformed { protocol },
        Failure::CannotProvideExternal(_) => RouterError::PortInUse { protocol },
        Failure::NotAuthorized(_)
        | Failure::MalformedRequest
        | Failure::UnsupportedOption
        | Failure::MalformedOption
        | Failure::NetworkFailure(_)
        | Failure::NoResources(_)
        | Failure::UserExceededQuota(_)
        | Failure::AddressMismatch
        | Failure::ExcessiveRemotePeers => RouterError::Refused { protocol },
    }
}

fn by_nat_pmp(failure: &natpmp::Failure) -> RouterError {
    use natpmp::Failure;
    let protocol = Protocol::NatPmp;
    match failure {
        Failure::Socket(_)
        | Failure::Timeout
        | Failure::UnsupportedVersion(_)
        | Failure::UnsupportedOpcode => RouterError::NoAnswer,
        Failure::InvalidResponse(_) => RouterError::Malformed { protocol },
        Failure::NotAuthorized | Failure::NetworkFailure | Failure::OutOfResources => {
            RouterError::Refused { protocol }
        }
    }
}
