//! An ordinary WireGuard client without a network interface: TCP flows and UDP datagrams through a
//! node. One task owns the state; [`Client`] talks to it.

use std::{
    io,
    net::{SocketAddr, SocketAddrV4},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    net::UdpSocket,
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};
use veilpool_protocol::api::WireGuardKeyBytes;

use crate::{
    Flow, Initiator, MAX_DATAGRAM, Outbox, Stack, StackConfig, TokenBucket,
    packet::{self, Content},
    socket,
};

/// Datagrams read before others get a turn.
const BATCH: usize = 64;
const TICK: Duration = Duration::from_millis(250);

/// Where to connect.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The node's key.
    pub node_key: WireGuardKeyBytes,
    /// The node's address.
    pub endpoint: SocketAddr,
    /// Of the stack.
    pub stack: StackConfig,
}

/// Why a client can't do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No local socket.
    #[error("cannot open a UDP socket for the tunnel: {0}")]
    Socket(#[source] io::Error),
    /// Too many flows.
    #[error("too many flows are open in this tunnel")]
    TooManyFlows,
    /// The task is gone.
    #[error("the tunnel has been shut down")]
    Shut,
}

/// A UDP datagram that came through the tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Who sent it.
    pub source: SocketAddrV4,
    /// Port of this end.
    pub port: u16,
    /// What it says.
    pub payload: Vec<u8>,
}

enum Command {
    Udp {
        port: u16,
        destination: SocketAddrV4,
        payload: Vec<u8>,
    },
    Tcp {
        destination: SocketAddrV4,
        reply: oneshot::Sender<Option<Flow>>,
    },
    Handshake,
}

#[derive(Default)]
struct Status {
    // Milliseconds since the start, plus one; zero for never.
    handshake: AtomicU64,
    unreachable: AtomicU64,
    received: AtomicU64,
}

/// A tunnel to a node. Dropping it ends the tunnel.
pub struct Client {
    commands: mpsc::Sender<Command>,
    datagrams: mpsc::Receiver<Datagram>,
    status: Arc<Status>,
    started: Instant,
    task: JoinHandle<()>,
}

impl Client {
    /// Opens a tunnel with a fresh key. The handshake starts with the first packet.
    ///
    /// # Errors
    /// [`ClientError::Socket`].
    pub async fn open(config: ClientConfig) -> Result<Self, ClientError> {
        let any: SocketAddr = if config.endpoint.is_ipv4() {
            ([0, 0, 0, 0], 0).into()
        } else {
            (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
        };
        let socket = socket::bind(any).map_err(ClientError::Socket)?;
        socket
            .connect(config.endpoint)
            .await
            .map_err(ClientError::Socket)?;
        let end = Initiator::new(&config.node_key, &mut rand::rngs::OsRng);
        let (commands, inbox) = mpsc::channel(256);
        let (deliver, datagrams) = mpsc::channel(256);
        let status = Arc::new(Status::default());
        let notify = Arc::new(Notify::new());
        let started = Instant::now();
        let stack = Stack::new(
            end.address(),
            false,
            config.stack,
            Arc::clone(&notify),
            started,
        );
        let engine = Engine {
            socket,
            end,
            stack,
            notify,
            inbox,
            deliver,
            status: Arc::clone(&status),
            started,
        };
        Ok(Self {
            commands,
            datagrams,
            status,
            started,
            task: tokio::spawn(engine.run()),
        })
    }

    /// Sends a UDP datagram from a port of this end.
    ///
    /// # Errors
    /// [`ClientError::Shut`].
    pub async fn send_udp(
        &self,
        port: u16,
        destination: SocketAddrV4,
        payload: Vec<u8>,
    ) -> Result<(), ClientError> {
        self.command(Command::Udp {
            port,
            destination,
            payload,
        })
        .await
    }

    /// The next UDP datagram for any port.
    pub async fn receive_udp(&mut self) -> Option<Datagram> {
        self.datagrams.recv().await
    }

    /// Opens a TCP flow. Whether the far end accepts shows when data is received, or the end.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn connect_tcp(&self, destination: SocketAddrV4) -> Result<Flow, ClientError> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Tcp { destination, reply }).await?;
        answer
            .await
            .map_err(|_| ClientError::Shut)?
            .ok_or(ClientError::TooManyFlows)
    }

    /// Starts a handshake, whatever the state of the session: the node may have restarted.
    ///
    /// # Errors
    /// [`ClientError::Shut`].
    pub async fn start_handshake(&self) -> Result<(), ClientError> {
        self.command(Command::Handshake).await
    }

    /// Whether a handshake was completed at or after `since`.
    #[must_use]
    pub fn handshake_since(&self, since: Instant) -> bool {
        let millis = since.saturating_duration_since(self.started).as_millis() as u64;
        self.status.handshake.load(Ordering::Acquire) > millis
    }

    /// Whether a handshake was ever completed.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.status.handshake.load(Ordering::Acquire) > 0
    }

    /// Whether the network said at or after `since` that the endpoint can't be reached (ICMP).
    #[must_use]
    pub fn unreachable_since(&self, since: Instant) -> bool {
        let millis = since.saturating_duration_since(self.started).as_millis() as u64;
        self.status.unreachable.load(Ordering::Acquire) > millis
    }

    /// Inner packets received.
    #[must_use]
    pub fn packets_received(&self) -> u64 {
        self.status.received.load(Ordering::Relaxed)
    }

    async fn command(&self, command: Command) -> Result<(), ClientError> {
        self.commands
            .send(command)
            .await
            .map_err(|_| ClientError::Shut)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Engine {
    socket: UdpSocket,
    end: Initiator,
    stack: Stack,
    notify: Arc<Notify>,
    inbox: mpsc::Receiver<Command>,
    deliver: mpsc::Sender<Datagram>,
    status: Arc<Status>,
    started: Instant,
}

impl Engine {
    async fn run(mut self) {
        let (mut up, mut down) = (
            TokenBucket::new(None, self.started),
            TokenBucket::new(None, self.started),
        );
        let mut ticker = tokio::time::interval(TICK);
        let mut buffer = [0u8; MAX_DATAGRAM];
        let mut out = Outbox::new();
        loop {
            let delay = self.stack.delay(Instant::now()).unwrap_or(TICK).min(TICK);
            tokio::select! {
                _ = self.socket.readable() => {}
                () = self.notify.notified() => {}
                () = tokio::time::sleep(delay) => {}
                _ = ticker.tick() => self.end.tick(&mut out),
                command = self.inbox.recv() => match command {
                    Some(command) => self.execute(command, &mut out),
                    None => return,
                },
            }
            for _ in 0..BATCH {
                // An error (the far port is closed) is not the end: the node may come back.
                match self.socket.try_recv(&mut buffer) {
                    Ok(len) => self.accept(&buffer[..len], &mut out),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(_) => self.note_unreachable(),
                }
            }
            let _ = self.stack.take_dirty();
            self.stack.drive(Instant::now(), &mut up, &mut down);
            while let Some(packet) = self.stack.next_packet() {
                self.end.send(packet, &mut out);
            }
            self.note_handshake();
            // What ICMP says would make the next send fail, and nothing else would tell.
            if !out.is_empty() && matches!(self.socket.take_error(), Ok(Some(_))) {
                self.note_unreachable();
            }
            for (_, datagram) in out.drain(..) {
                socket::send(&self.socket, None, &datagram).await;
            }
            // A neighbour on the same thread gets its turn even when this socket is never empty.
            tokio::task::yield_now().await;
        }
    }

    fn accept(&mut self, datagram: &[u8], out: &mut Outbox) {
        let Some(inner) = self.end.receive(datagram, out) else {
            return;
        };
        self.status.received.fetch_add(1, Ordering::Relaxed);
        let delivered = match packet::parse(&inner) {
            Ok(parsed) => match parsed.content {
                Content::Udp(payload) => Some(Datagram {
                    source: parsed.source,
                    port: parsed.destination.port(),
                    payload: payload.to_vec(),
                }),
                Content::Tcp { .. } => None,
            },
            Err(_) => return,
        };
        match delivered {
            // A full queue loses datagrams, as a socket's would.
            Some(datagram) => drop(self.deliver.try_send(datagram)),
            None => self.stack.ingest(inner),
        }
    }

    fn execute(&mut self, command: Command, out: &mut Outbox) {
        match command {
            Command::Udp {
                port,
                destination,
                payload,
            } => {
                let source = SocketAddrV4::new(self.end.address(), port);
                if let Some(packet) = packet::udp(source, destination, &payload) {
                    self.end.send(packet, out);
                }
            }
            Command::Tcp { destination, reply } => {
                let _ = reply.send(self.stack.connect(destination));
            }
            Command::Handshake => self.end.start_handshake(out),
        }
    }

    fn note_unreachable(&self) {
        let at = self.started.elapsed().as_millis() as u64;
        self.status
            .unreachable
            .fetch_max(at.saturating_add(1), Ordering::AcqRel);
    }

    fn note_handshake(&self) {
        if let Some(ago) = self.end.since_handshake() {
            let at = self.started.elapsed().saturating_sub(ago).as_millis() as u64;
            self.status
                .handshake
                .fetch_max(at.saturating_add(1), Ordering::AcqRel);
        }
    }
}
