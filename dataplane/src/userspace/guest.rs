//! A guest's TCP: a stack of its own, so that bounds are per guest, and a socket of this process for each flow.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{IpAddr, Shutdown, SocketAddr},
    sync::Arc,
    time::Instant,
};

use mio::net::TcpStream;
use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet},
    socket::tcp::{self, State},
    time::Instant as StackInstant,
    wire::{HardwareAddress, IpCidr, IpEndpoint},
};
use veilpool_tunnel::{NODE_ADDRESS, NODE_ADDRESS_V6, Peer, TokenBucket};

use super::{Bounds, datagrams::Datagrams, device::Queues};

/// A flow: the guest's end and the far one.
pub(super) type Ends = (SocketAddr, SocketAddr);

/// Turns of a stack before others get theirs.
const TURNS: usize = 8;

/// A connection that is being made. The guest's SYN waits for it, so that a guest sees a refusal as a refusal.
pub(super) struct Opening {
    pub(super) stream: TcpStream,
    pub(super) syn: Vec<u8>,
    pub(super) since: Instant,
}

/// A flow's socket of this process, and what is known of it.
struct Flow {
    ends: Ends,
    stream: TcpStream,
    readable: bool,
    writable: bool,
    /// The guest has said that it sends no more, and so have we.
    shut: bool,
}

/// What comes of serving a guest.
#[derive(Default)]
pub(super) struct Served {
    /// Sockets that are no longer needed.
    pub(super) ended: Vec<(Ends, TcpStream)>,
    /// There is more to do, when the limit or the tunnel allows.
    pub(super) more: bool,
}

pub(super) struct Guest {
    pub(super) peer: Arc<Peer>,
    interface: Interface,
    pub(super) queues: Queues,
    sockets: SocketSet<'static>,
    flows: HashMap<Ends, (SocketHandle, Flow)>,
    pub(super) opening: HashMap<Ends, Opening>,
    pub(super) datagrams: Datagrams,
    started: Instant,
}

impl Guest {
    pub(super) fn new(peer: Arc<Peer>, now: Instant) -> Self {
        let mut queues = Queues::default();
        let mut settings = Config::new(HardwareAddress::Ip);
        settings.random_seed = rand::random();
        let mut interface = Interface::new(settings, &mut queues, StackInstant::ZERO);
        interface.update_ip_addrs(|addresses| {
            // The list has room for two: an empty one takes them.
            let _ = addresses.push(IpCidr::new(IpAddr::V4(NODE_ADDRESS).into(), 32));
            let _ = addresses.push(IpCidr::new(IpAddr::V6(NODE_ADDRESS_V6).into(), 128));
        });
        let _ = interface.routes_mut().add_default_ipv4_route(NODE_ADDRESS);
        let _ = interface
            .routes_mut()
            .add_default_ipv6_route(NODE_ADDRESS_V6);
        // Answers for every address.
        interface.set_any_ip(true);
        Self {
            peer,
            interface,
            queues,
            sockets: SocketSet::new(Vec::new()),
            flows: HashMap::new(),
            opening: HashMap::new(),
            datagrams: Datagrams::default(),
            started: now,
        }
    }

    /// TCP flows, those that are being made among them.
    pub(super) fn flow_count(&self) -> usize {
        self.flows.len() + self.opening.len()
    }

    pub(super) fn has_flow(&self, ends: &Ends) -> bool {
        self.flows.contains_key(ends)
    }

    /// The far end has taken the connection: the guest's SYN gets its answer.
    pub(super) fn accept(
        &mut self,
        ends: Ends,
        stream: TcpStream,
        syn: Vec<u8>,
        bounds: &Bounds,
        now: Instant,
    ) {
        // What came before must not meet the listening socket.
        self.poll(now);
        let mut socket = new_socket(bounds);
        if socket.listen(IpEndpoint::from(ends.1)).is_err() {
            return;
        }
        let handle = self.sockets.add(socket);
        self.queues.incoming.push_back(syn);
        self.poll(now);
        let flow = Flow {
            ends,
            stream,
            readable: true,
            writable: true,
            shut: false,
        };
        self.flows.insert(ends, (handle, flow));
    }

    /// Ends a flow, if there is one, with a reset both ways.
    pub(super) fn abort(&mut self, ends: &Ends) {
        if let Some((handle, _)) = self.flows.get(ends) {
            self.sockets.get_mut::<tcp::Socket<'_>>(*handle).abort();
        }
    }

    /// The flow's socket is ready again.
    pub(super) fn ready(&mut self, ends: &Ends, readable: bool, writable: bool) {
        if let Some((_, flow)) = self.flows.get_mut(ends) {
            flow.readable |= readable;
            flow.writable |= writable;
        }
    }

    /// Moves what can be moved: packets to sockets and back. `up` limits what leaves towards the far ends, `down` what comes.
    pub(super) fn serve(
        &mut self,
        now: Instant,
        up: &mut TokenBucket,
        down: &mut TokenBucket,
    ) -> Served {
        let mut served = Served::default();
        for _ in 0..TURNS {
            self.poll(now);
            let mut moved = false;
            let mut ended = Vec::new();
            for (ends, (handle, flow)) in &mut self.flows {
                let socket = self.sockets.get_mut::<tcp::Socket<'_>>(*handle);
                moved |= flow.upload(socket, up) | flow.download(socket, down);
                let over = matches!(socket.state(), State::Closed | State::TimeWait);
                if over && !socket.can_recv() {
                    ended.push(*ends);
                }
            }
            for ends in ended {
                if let Some((handle, flow)) = self.flows.remove(&ends) {
                    self.sockets.remove(handle);
                    served.ended.push((flow.ends, flow.stream));
                }
            }
            served.more = moved;
            if !moved {
                break;
            }
        }
        self.poll(now);
        served
    }

    /// All sockets, when the guest is gone.
    pub(super) fn into_streams(self) -> impl Iterator<Item = TcpStream> {
        let flows = self.flows.into_values().map(|(_, flow)| flow.stream);
        flows.chain(self.opening.into_values().map(|opening| opening.stream))
    }

    /// When the stack wants to be served at the latest.
    pub(super) fn delay(&mut self, now: Instant) -> Option<std::time::Duration> {
        let at = self.stack_instant(now);
        self.interface
            .poll_delay(at, &self.sockets)
            .map(|delay| std::time::Duration::from_micros(delay.total_micros()))
    }

    fn poll(&mut self, now: Instant) {
        let at = self.stack_instant(now);
        self.interface.poll(at, &mut self.queues, &mut self.sockets);
    }

    fn stack_instant(&self, now: Instant) -> StackInstant {
        let micros = now.saturating_duration_since(self.started).as_micros();
        StackInstant::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

fn new_socket(bounds: &Bounds) -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; bounds.window]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    socket.set_congestion_control(tcp::CongestionControl::Cubic);
    socket.set_nagle_enabled(false);
    socket.set_ack_delay(None);
    let millis = u64::try_from(bounds.tcp_idle.as_millis()).unwrap_or(u64::MAX);
    socket.set_timeout(Some(smoltcp::time::Duration::from_millis(millis)));
    socket.set_keep_alive(Some(smoltcp::time::Duration::from_millis(millis / 2)));
    socket
}

impl Flow {
    /// From the guest to the far end.
    fn upload(&mut self, socket: &mut tcp::Socket<'_>, limit: &mut TokenBucket) -> bool {
        let mut moved = false;
        while self.writable && socket.can_recv() {
            let allowed = limit.available();
            if allowed == 0 {
                return moved;
            }
            let stream = &mut self.stream;
            let written = socket.recv(|data| {
                let part = data.get(..allowed.min(data.len())).unwrap_or_default();
                let result = stream.write(part);
                (*result.as_ref().unwrap_or(&0), result)
            });
            match written {
                Ok(Ok(count)) => {
                    limit.take(count);
                    moved = true;
                }
                Ok(Err(error)) if is_transient(&error) => self.writable = false,
                // Nobody reads any more: tell the guest.
                _ => {
                    socket.abort();
                    return true;
                }
            }
        }
        let finished = matches!(
            socket.state(),
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait | State::Closed
        );
        if finished && !socket.can_recv() && !self.shut {
            self.shut = true;
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        moved
    }

    /// From the far end to the guest, straight into the stack's buffer.
    fn download(&mut self, socket: &mut tcp::Socket<'_>, limit: &mut TokenBucket) -> bool {
        let mut moved = false;
        // Before the handshake is complete nothing is sent, and closing would lose the flow.
        if matches!(
            socket.state(),
            State::Listen | State::SynSent | State::SynReceived
        ) {
            return false;
        }
        while self.readable && socket.can_send() {
            let allowed = limit.available();
            if allowed == 0 {
                return moved;
            }
            let stream = &mut self.stream;
            let read = socket.send(|room| {
                let len = allowed.min(room.len());
                let result = stream.read(room.get_mut(..len).unwrap_or_default());
                (*result.as_ref().unwrap_or(&0), result)
            });
            match read {
                Ok(Ok(0)) => {
                    self.readable = false;
                    socket.close();
                    moved = true;
                }
                Ok(Ok(count)) => {
                    limit.take(count);
                    moved = true;
                }
                Ok(Err(error)) if is_transient(&error) => self.readable = false,
                _ => {
                    self.readable = false;
                    socket.abort();
                    moved = true;
                }
            }
        }
        moved
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
