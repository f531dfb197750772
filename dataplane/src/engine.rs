//! The TUN mode. One thread moves packets both ways: on the few cores of a home, two that wait for one another's locks
//! and wake one another cost a fifth more than they bring.

use std::{io, net::SocketAddr, os::fd::AsFd, sync::Arc};

use nix::poll::PollFlags;
use veilpool_tunnel::Peers;

use crate::{
    Gate, Inbound, Outbound, Udp,
    control::{Control, TICK},
    counters::Counters,
    threads::Threads,
    tun::{Reader, Tun, Writer},
    udp::wait,
};

/// Why an engine doesn't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port is taken, or may not be used.
    #[error(
        "cannot listen for WireGuard on {address}: {source}; choose another port with `listen`"
    )]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No device.
    #[error(
        "cannot make the TUN device '{name}': {source}; it needs CAP_NET_ADMIN and /dev/net/tun, and the mode without a device needs neither"
    )]
    Device {
        /// Which.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// No thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
}

/// Running threads. Dropping it ends them.
pub struct Engine {
    address: SocketAddr,
    peers: Arc<Peers>,
    counters: Arc<Counters>,
    threads: Threads,
}

impl Engine {
    /// Starts with a device and a socket, which may be in two network namespaces: guests' packets then come out where
    /// nothing of the operator's is, and the tunnel's own where the internet is.
    ///
    /// # Errors
    /// [`StartError::Thread`].
    pub fn start(
        tun: Tun,
        udp: Udp,
        peers: Arc<Peers>,
        gate: Arc<dyn Gate>,
    ) -> Result<Self, StartError> {
        let udp = Arc::new(udp);
        let address = udp.local_address();
        let (tcp, udp_offload) = tun.offloads();
        tracing::info!(
            tcp,
            udp = udp_offload,
            segments = udp.max_segments(),
            "offloads"
        );
        let mut engine = Self {
            address,
            peers,
            counters: Arc::default(),
            threads: Threads::default(),
        };
        engine.spawn(Arc::new(tun), &udp, gate)?;
        Ok(engine)
    }

    fn spawn(
        &mut self,
        tun: Arc<Tun>,
        udp: &Arc<Udp>,
        gate: Arc<dyn Gate>,
    ) -> Result<(), StartError> {
        let counters = || Arc::clone(&self.counters);
        let peers = || Arc::clone(&self.peers);
        let (mut control, handshakes) = Control::new(Arc::clone(udp), peers(), counters());
        let mut inbound = Inbound::new(Arc::clone(udp), peers(), gate, handshakes, counters());
        let mut outbound = Outbound::new(Arc::clone(udp), peers(), counters());
        let mut writer = Writer::new(Arc::clone(&tun));
        let mut reader = Reader::new(Arc::clone(&tun));
        let udp = Arc::clone(udp);
        let data = move || {
            let received = inbound.receive(&mut writer);
            match reader.read(&mut outbound) {
                Ok(read) => {
                    if !received && !read {
                        wait(&[udp.as_fd(), tun.as_fd()], PollFlags::POLLIN, TICK);
                    }
                    true
                }
                Err(error) => {
                    tracing::error!("the TUN device is gone: {error}");
                    false
                }
            }
        };
        let control = move || control.step();
        self.threads
            .start("veilpool-data", data)
            .and_then(|()| self.threads.start("veilpool-control", control))
            .map_err(StartError::Thread)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was dropped.
    #[must_use]
    pub const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }
}
