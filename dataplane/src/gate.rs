//! Whether a peer's packet may go on.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use veilpool_policy::{Denied, Policy, Protocol};

use crate::{Header, Transport, counters::Counter};

/// ICMP types of echo requests.
const ECHO: u8 = 8;
const ECHO_V6: u8 = 128;

/// Whether a peer's packet may go on.
pub trait Gate: Send + Sync {
    /// Asked of each packet from a peer.
    fn permits(&self, header: &Header) -> bool;

    /// Asked of each connection that is about to be made for a peer, of the very address that is connected to.
    fn connects(&self, header: &Header) -> bool {
        self.permits(header)
    }
}

/// Lets everything through: a client's end, where what comes is from its own node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

impl Gate for Open {
    fn permits(&self, _: &Header) -> bool {
        true
    }
}

/// Lets through what a policy allows, which can be replaced at any time.
#[derive(Debug)]
pub struct PolicyGate {
    policy: RwLock<Arc<Policy>>,
    denied: [Counter; Denied::ALL.len()],
}

impl PolicyGate {
    /// With a policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy: RwLock::new(Arc::new(policy)),
            denied: std::array::from_fn(|_| Counter::default()),
        }
    }

    /// The policy that holds.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on this one holds, for packets of old flows too.
    pub fn replace(&self, policy: Policy) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    /// How many packets and connections were refused, by reason.
    pub fn denied(&self) -> impl Iterator<Item = (Denied, u64)> + '_ {
        Denied::ALL
            .into_iter()
            .zip(self.denied.iter().map(Counter::get))
    }

    fn decide(
        &self,
        header: &Header,
        check: impl FnOnce(&Policy, Protocol, SocketAddr) -> Result<(), Denied>,
    ) -> bool {
        let protocol = match header.transport {
            Transport::Tcp => Protocol::Tcp,
            Transport::Udp => Protocol::Udp,
            Transport::Icmp(ECHO | ECHO_V6) => Protocol::IcmpEcho,
            Transport::Icmp(_) | Transport::Other(_) => {
                return self.count(Denied::Protocol);
            }
        };
        let policy = self.policy.read().unwrap_or_else(PoisonError::into_inner);
        match check(&policy, protocol, header.destination) {
            Ok(()) => true,
            Err(denied) => self.count(denied),
        }
    }

    fn count(&self, denied: Denied) -> bool {
        if let Some(counter) = self.denied.get(denied.index()) {
            counter.add(1);
        }
        false
    }
}

impl Gate for PolicyGate {
    fn permits(&self, header: &Header) -> bool {
        self.decide(header, |policy, protocol, to| policy.check(protocol, to))
    }

    fn connects(&self, header: &Header) -> bool {
        self.decide(header, |policy, protocol, to| {
            policy.check_connect(protocol, to)
        })
    }
}
