//! A guest made of an ordinary socket, and servers on loopback.

use std::{
    net::{SocketAddr, SocketAddrV4, UdpSocket},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use veilpool_dataplane::{PolicyGate, Userspace, UserspaceConfig, userspace::Bounds};
use veilpool_policy::Policy;
use veilpool_tunnel::{Initiator, Outbox, Peers, PeersConfig, StaticSecret};

pub(crate) const SOON: Duration = Duration::from_secs(20);

/// An exit on loopback.
pub(crate) struct Exit {
    pub(crate) peers: Arc<Peers>,
    pub(crate) gate: Arc<PolicyGate>,
    pub(crate) plane: Userspace,
}

impl Exit {
    pub(crate) fn start(allowed: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self::with(allowed, PeersConfig::default(), Bounds::default())
    }

    pub(crate) fn with(
        allowed: impl IntoIterator<Item = SocketAddr>,
        peers: PeersConfig,
        bounds: Bounds,
    ) -> Self {
        let peers = Arc::new(Peers::new(StaticSecret::from([9; 32]), peers));
        let gate = Arc::new(PolicyGate::new(Policy::new(allowed, [25])));
        let config = UserspaceConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            offload: true,
            bounds,
        };
        let plane =
            Userspace::start(config, Arc::clone(&peers), Arc::<PolicyGate>::clone(&gate)).unwrap();
        Self { peers, gate, plane }
    }
}

pub(crate) struct Guest {
    pub(crate) socket: UdpSocket,
    pub(crate) end: Initiator,
    pub(crate) out: Outbox,
}

impl Guest {
    pub(crate) fn new(exit: &Exit) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(exit.plane.address()).unwrap();
        let end = Initiator::new(&exit.peers.public_key(), &mut rand::rngs::OsRng);
        Self {
            socket,
            end,
            out: Outbox::new(),
        }
    }

    /// With a session.
    pub(crate) fn connect(exit: &Exit) -> Self {
        let mut guest = Self::new(exit);
        guest.end.start_handshake(&mut guest.out);
        guest.flush();
        let deadline = Instant::now() + SOON;
        while guest.end.since_handshake().is_none() {
            assert!(Instant::now() < deadline, "no handshake");
            let _ = guest.receive(Duration::from_millis(100));
        }
        guest
    }

    pub(crate) fn address(&self, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(self.end.address(), port)
    }

    pub(crate) fn send(&mut self, inner: Vec<u8>) {
        self.end.send(inner, &mut self.out);
        self.flush();
    }

    pub(crate) fn flush(&mut self) {
        for (_, datagram) in self.out.drain(..) {
            self.socket.send(&datagram).unwrap();
        }
    }

    /// The next inner packet, within so long.
    pub(crate) fn receive(&mut self, patience: Duration) -> Option<Vec<u8>> {
        let deadline = Instant::now() + patience;
        let mut buffer = [0; 2048];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.socket.set_read_timeout(Some(left)).unwrap();
            let Ok(len) = self.socket.recv(&mut buffer) else {
                return None;
            };
            let inner = self.end.receive(&buffer[..len], &mut self.out);
            self.flush();
            if inner.is_some() {
                return inner;
            }
        }
    }
}

/// Sends back what it gets, until the test ends.
pub(crate) fn udp_echo(address: &str) -> SocketAddr {
    let server = UdpSocket::bind(address).unwrap();
    let at = server.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((len, from)) = server.recv_from(&mut buffer) {
            let _ = server.send_to(&buffer[..len], from);
        }
    });
    at
}

pub(crate) fn v4(address: SocketAddr) -> SocketAddrV4 {
    match address {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(_) => unreachable!("the test binds IPv4"),
    }
}
