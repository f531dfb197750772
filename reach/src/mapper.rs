//! Keeps a port mapped for as long as it runs.

use std::{future::Future, net::SocketAddr, num::NonZeroU16, pin::pin, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use veilpool_sensitive::Sensitive;

use crate::{
    mapping::{Mapped, Mapping},
    reason::{Forward, Reason},
    router::{Grant, Request, Router, RouterError},
    schedule::{self, Backoff},
    scope::Scope,
    surroundings::{Family, Route, Surroundings, View},
};

/// Which port of the router's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalPort {
    /// This one if it is free; others are told whichever it is.
    Rather(NonZeroU16),
    /// This one: others have been told.
    Exactly(NonZeroU16),
}

impl ExternalPort {
    const fn number(self) -> NonZeroU16 {
        match self {
            Self::Rather(port) | Self::Exactly(port) => port,
        }
    }
}

/// When to do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between looks at this machine's addresses and gateway.
    pub look: Duration,
    /// Asked for.
    pub lease: Duration,
    /// The longest time to a renewal, whatever the lease: so late a router's restart is found out.
    pub check: Duration,
    /// The shortest time to a renewal, whatever the lease.
    pub shortest: Duration,
    /// After a first failure; each pause is twice the one before.
    pub first_retry: Duration,
    /// The longest pause.
    pub last_retry: Duration,
    /// With one request to a router.
    pub patience: Duration,
    /// With the removal at the end.
    pub farewell: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(30),
            lease: Duration::from_secs(7200), // RFC 6886's, section 3.3
            check: Duration::from_secs(300),
            shortest: Duration::from_secs(15),
            first_retry: Duration::from_secs(5),
            last_retry: Duration::from_secs(900),
            patience: Duration::from_secs(45),
            farewell: Duration::from_secs(5),
        }
    }
}

/// What is to be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapperConfig {
    /// UDP port that the node listens on.
    pub internal: NonZeroU16,
    /// At the router.
    pub external: ExternalPort,
    /// IP version.
    pub family: Family,
    /// When.
    pub timing: Timing,
}

impl MapperConfig {
    /// The same port outside if it is free, by IPv4.
    #[must_use]
    pub fn new(port: NonZeroU16) -> Self {
        Self {
            internal: port,
            external: ExternalPort::Rather(port),
            family: Family::V4,
            timing: Timing::default(),
        }
    }
}

/// Keeps a port mapped. Give it to a task: `tokio::spawn(mapper.run(stop))`.
pub struct Mapper<R: Router, S: Surroundings> {
    config: MapperConfig,
    router: R,
    surroundings: S,
    state: watch::Sender<Mapping>,
    backoff: Backoff,
    seen: View,
    held: Option<Held<R::Session>>,
    next_try: Instant,
}

struct Held<S> {
    session: S,
    grant: Grant,
    since: Instant,
    renew_at: Instant,
    ends_at: Instant,
}

impl<S> Held<S> {
    fn take(&mut self, grant: Grant, timing: &Timing) {
        let now = Instant::now();
        self.grant = grant;
        self.since = now;
        self.renew_at = now + schedule::renewal(grant.lease, timing.shortest, timing.check);
        self.ends_at = now + schedule::end(grant.lease);
    }
}

impl<R: Router, S: Surroundings> Mapper<R, S> {
    /// With the channel that tells of its mapping.
    #[must_use]
    pub fn new(
        config: MapperConfig,
        router: R,
        surroundings: S,
    ) -> (Self, watch::Receiver<Mapping>) {
        let (state, told) = watch::channel(Mapping::Searching);
        let mapper = Self {
            config,
            router,
            surroundings,
            state,
            backoff: Backoff::new(config.timing.first_retry, config.timing.last_retry),
            seen: View::default(),
            held: None,
            next_try: Instant::now(),
        };
        (mapper, told)
    }

    /// Maps, renews and maps again until `cancel` is ready; then removes the mapping. Never ends by itself.
    pub async fn run(mut self, cancel: impl Future<Output = ()> + Send) {
        let mut cancel = pin!(cancel);
        tokio::select! {
            biased;
            () = &mut cancel => {}
            () = self.keep() => {}
        }
        self.release().await;
    }

    async fn keep(&mut self) {
        loop {
            let seen = self.surroundings.look(self.config.family).await;
            let next = self.step(seen).await;
            let look = Instant::now() + self.config.timing.look;
            sleep(next.min(look).saturating_duration_since(Instant::now())).await;
        }
    }

    /// Does what is due, and says when the next is.
    async fn step(&mut self, seen: View) -> Instant {
        if seen != self.seen {
            // Another address, another router: what is held forwards to nobody.
            self.release().await;
            self.backoff.reset();
            self.next_try = Instant::now();
            self.seen = seen;
        }
        let far = Instant::now() + self.config.timing.look;
        if let Some(address) = seen.public {
            self.publish(Mapping::NotNeeded { address });
            return far;
        }
        let (Family::V4, Some(route)) = (self.config.family, seen.route) else {
            let reason = match self.config.family {
                Family::V4 => Reason::NoGateway,
                Family::V6 => Reason::NoPublicIpv6,
            };
            self.publish(Mapping::Failed { reason });
            return far;
        };
        let request = self.request(route);
        let now = Instant::now();
        match &self.held {
            Some(held) if now >= held.renew_at => self.renew(&request).await,
            None if now >= self.next_try => self.open(&request).await,
            _ => {}
        }
        self.held
            .as_ref()
            .map_or(self.next_try, |held| held.renew_at)
    }

    async fn open(&mut self, request: &Request) {
        match self.ask_to_open(request).await {
            Ok((session, grant)) => self.hold(session, grant, request).await,
            Err(error) => self.fail(Reason::of(error, request)),
        }
    }

    async fn renew(&mut self, request: &Request) {
        let Some(held) = &mut self.held else {
            return;
        };
        let asked = self.router.renew(&mut held.session);
        if let Ok(Ok(grant)) = timeout(self.config.timing.patience, asked).await {
            if let (Some(before), Some(after)) = (held.grant.epoch, grant.epoch)
                && schedule::restarted(before, after, held.since.elapsed())
            {
                tracing::info!("the router has restarted; the port is mapped again");
            }
            held.take(grant, &self.config.timing);
            self.settle(request).await;
            return;
        }
        // It may have restarted and listen elsewhere, or forgotten everything: ask from the beginning.
        let error = match self.ask_to_open(request).await {
            Ok((session, grant)) => return self.hold(session, grant, request).await,
            Err(error) => error,
        };
        let now = Instant::now();
        match &mut self.held {
            // It still forwards, for all that is known.
            Some(held) if error == RouterError::NoAnswer && now < held.ends_at => {
                held.renew_at = (now + self.backoff.pause()).min(held.ends_at);
            }
            _ => {
                self.held = None;
                self.fail(Reason::of(error, request));
            }
        }
    }

    async fn ask_to_open(&self, request: &Request) -> Result<(R::Session, Grant), RouterError> {
        timeout(self.config.timing.patience, self.router.open(request))
            .await
            .unwrap_or(Err(RouterError::NoAnswer))
    }

    async fn hold(&mut self, session: R::Session, grant: Grant, request: &Request) {
        let now = Instant::now();
        let mut held = Held {
            session,
            grant,
            since: now,
            renew_at: now,
            ends_at: now,
        };
        held.take(grant, &self.config.timing);
        self.held = Some(held);
        self.settle(request).await;
    }

    /// Tells of what is held, if it is of use.
    async fn settle(&mut self, request: &Request) {
        let Some(held) = &self.held else {
            return;
        };
        let grant = held.grant;
        if let Some(reason) = objection(&grant, request) {
            self.release().await;
            self.fail(reason);
            return;
        }
        self.backoff.reset();
        self.publish(Mapping::Mapped(Mapped {
            protocol: grant.protocol,
            external: grant.external,
            lease: grant.lease,
        }));
    }

    fn fail(&mut self, reason: Reason) {
        self.next_try = Instant::now() + self.backoff.pause();
        self.publish(Mapping::Failed { reason });
    }

    async fn release(&mut self) {
        let Some(held) = self.held.take() else {
            return;
        };
        let closing = self.router.close(held.session);
        let closed = timeout(self.config.timing.farewell, closing).await;
        if !matches!(closed, Ok(Ok(()))) {
            tracing::debug!("the router didn't remove the mapping; it ends with its lease");
        }
    }

    fn publish(&self, mapping: Mapping) {
        self.state.send_if_modified(|state| {
            if *state == mapping {
                return false;
            }
            match &mapping {
                Mapping::Searching => {}
                Mapping::NotNeeded { .. } => {
                    tracing::info!("this machine has a public address; no port needs mapping");
                }
                Mapping::Mapped(mapped) => tracing::info!(
                    protocol = %mapped.protocol,
                    external = %mapped.external,
                    "the router forwards the port"
                ),
                Mapping::Failed { reason } => tracing::warn!(
                    %reason,
                    "no port is mapped; it is tried again with growing pauses"
                ),
            }
            *state = mapping;
            true
        });
    }

    const fn request(&self, route: Route) -> Request {
        Request {
            route,
            internal: self.config.internal,
            external: self.config.external.number(),
            exactly: matches!(self.config.external, ExternalPort::Exactly(_)),
            lease: self.config.timing.lease,
        }
    }
}

/// Why a grant is of no use.
fn objection(grant: &Grant, request: &Request) -> Option<Reason> {
    let external: SocketAddr = *grant.external.expose();
    match Scope::of(external.ip()) {
        Scope::Shared => Some(Reason::CarrierGradeNat),
        Scope::Private => Some(Reason::DoubleNat {
            router: Sensitive::new(external.ip()),
            external: request.external,
        }),
        Scope::Unusable => Some(Reason::NoExternalAddress {
            protocol: grant.protocol,
        }),
        Scope::Public if request.exactly && external.port() != request.external.get() => {
            Some(Reason::PortInUse(Forward::from(request)))
        }
        Scope::Public => None,
    }
}
