//! The threads of the TUN mode.

use std::{
    io,
    net::SocketAddr,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::poll::PollFlags;
use veilpool_tunnel::{Outbox, Peers};

use crate::{
    Gate, Inbound, Outbound, Udp,
    counters::Counters,
    inbound::Handshake,
    tun::{Reader, Tun, Writer},
    udp::wait,
};

/// How often timers are looked at, and how soon a thread sees that it is to end.
const TICK: Duration = Duration::from_millis(250);
/// Handshake messages that wait.
const HANDSHAKES: usize = 512;

/// What an engine is made of.
pub struct EngineConfig {
    /// Where WireGuard listens.
    pub listen: SocketAddr,
    /// Name of the device.
    pub device: String,
    /// Whether to use the system's segmentation offloads, where it has them.
    pub offload: bool,
}

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
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Engine {
    /// Starts, in the calling thread's network namespace.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(
        config: &EngineConfig,
        peers: Arc<Peers>,
        gate: Arc<dyn Gate>,
    ) -> Result<Self, StartError> {
        let tun =
            Tun::create(&config.device, config.offload).map_err(|source| StartError::Device {
                name: config.device.clone(),
                source,
            })?;
        let failed = |source| StartError::Bind {
            address: config.listen,
            source,
        };
        let udp = Arc::new(Udp::bind(config.listen, config.offload).map_err(failed)?);
        let address = udp.local_address().map_err(failed)?;
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
            stop: Arc::default(),
            threads: Vec::new(),
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
        let (send, receive) = mpsc::sync_channel(HANDSHAKES);
        let counters = || Arc::clone(&self.counters);
        let peers = || Arc::clone(&self.peers);
        let mut inbound = Inbound::new(Arc::clone(udp), peers(), gate, send, counters());
        let mut outbound = Outbound::new(Arc::clone(udp), peers(), counters());
        let mut control = Control {
            udp: Arc::clone(udp),
            peers: peers(),
            counters: counters(),
            handshakes: receive,
        };
        let mut writer = Writer::new(Arc::clone(&tun));
        let mut reader = Reader::new(Arc::clone(&tun));
        let udp = Arc::clone(udp);
        self.thread("veilpool-data", move || {
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
        })?;
        self.thread("veilpool-control", move || control.step())
    }

    fn thread(
        &mut self,
        name: &str,
        mut step: impl FnMut() -> bool + Send + 'static,
    ) -> Result<(), StartError> {
        let stop = Arc::clone(&self.stop);
        let run = move || while !stop.load(Ordering::Acquire) && step() {};
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .map_err(StartError::Thread)?;
        self.threads.push(thread);
        Ok(())
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

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// Handshakes and timers.
struct Control {
    udp: Arc<Udp>,
    peers: Arc<Peers>,
    counters: Arc<Counters>,
    handshakes: Receiver<Handshake>,
}

impl Control {
    /// Until the next tick; `false` when nobody sends any more.
    fn step(&mut self) -> bool {
        let mut out = Outbox::new();
        let due = Instant::now() + TICK;
        loop {
            let patience = due.saturating_duration_since(Instant::now());
            match self.handshakes.recv_timeout(patience) {
                Ok((from, mut message)) => {
                    let now = Instant::now();
                    if self
                        .peers
                        .handshake(from, &mut message, now, &mut out)
                        .is_err()
                    {
                        self.counters.overrun.add(1);
                    }
                    self.send(&mut out);
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
            if Instant::now() >= due {
                break;
            }
        }
        self.peers.tick(Instant::now(), &mut out);
        self.send(&mut out);
        true
    }

    fn send(&self, out: &mut Outbox) {
        for (to, datagram) in out.drain(..) {
            if let Some(to) = to {
                self.udp.send(to, &datagram, datagram.len());
            }
        }
    }
}
