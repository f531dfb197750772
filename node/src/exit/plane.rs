//! A node's data plane as the rest of the node sees it.

use std::{net::SocketAddr, sync::Arc};

use veilpool_dataplane::{PolicyGate, StartError, Userspace, UserspaceConfig, userspace::Bounds};
use veilpool_policy::Policy;
use veilpool_protocol::api::WireGuardKeyBytes;
use veilpool_tunnel::{Peers, PeersConfig, StaticSecret};

use super::Meter;

/// How an exit behaves.
#[derive(Clone, Debug)]
pub struct ExitConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who may connect, and how many.
    pub peers: PeersConfig,
    /// Where guests may go.
    pub policy: Policy,
    /// Flows and windows of guests, and the rate of all of them.
    pub bounds: Bounds,
}

impl ExitConfig {
    /// Defaults, for an address.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            peers: PeersConfig::default(),
            policy: Policy::default(),
            bounds: Bounds::default(),
        }
    }
}

/// A running exit. Dropping it ends all tunnels.
pub struct Exit {
    peers: Arc<Peers>,
    gate: Arc<PolicyGate>,
    plane: Userspace,
    meter: Meter,
}

impl Exit {
    /// Starts, with the epoch's WireGuard key.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(secret: StaticSecret, config: ExitConfig) -> Result<Self, StartError> {
        let peers = Arc::new(Peers::new(secret, config.peers));
        let gate = Arc::new(PolicyGate::new(config.policy));
        let meter = Meter(Arc::clone(peers.traffic()));
        let plane = UserspaceConfig {
            listen: config.listen,
            offload: true,
            bounds: config.bounds,
        };
        let plane = Userspace::start(plane, Arc::clone(&peers), Arc::<PolicyGate>::clone(&gate))?;
        Ok(Self {
            peers,
            gate,
            plane,
            meter,
        })
    }

    /// Goes on with another key on the same port. All tunnels and connections of the old one end.
    pub fn rekey(&self, secret: StaticSecret) -> WireGuardKeyBytes {
        self.peers.rekey(secret)
    }

    /// From now on this policy holds, for packets of old flows too. Says whether it is another one.
    pub fn replace_policy(&self, policy: Policy) -> bool {
        let changed = *self.gate.policy() != policy;
        if changed {
            self.gate.replace(policy);
        }
        changed
    }

    /// Ends all tunnels; when this returns, the port is free.
    pub async fn stop(self) {
        // Threads end after their step. One that failed has said so.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.plane.address()
    }

    /// Its public key.
    #[must_use]
    pub fn public_key(&self) -> WireGuardKeyBytes {
        self.peers.public_key()
    }

    /// Its counters.
    #[must_use]
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }
}
