//! TCP in user space: a smoltcp interface whose packets are queues in memory and whose sockets are
//! pairs of bounded channels. Data waits where it is when a channel, a window or the rate limit is
//! full, so memory is bounded by flows × (two windows + two channels).

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddrV4},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet},
    phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken},
    socket::tcp,
    time::Instant as StackInstant,
    wire::{HardwareAddress, IpCidr, IpEndpoint, IpProtocol, Ipv4Cidr, Ipv4Packet, TcpPacket},
};
use tokio::sync::{Notify, mpsc};

use crate::{INNER_MTU, TokenBucket};

/// Chunks in a flow's channel, each way.
const CHANNEL: usize = 8;
/// Largest chunk.
const CHUNK: usize = 16 << 10;
/// Packets waiting to be sent, beyond which the stack makes no more.
const MAX_QUEUED: usize = 256;

/// Bounds of a stack.
#[derive(Clone, Debug)]
pub struct StackConfig {
    /// Flows at a time.
    pub max_flows: usize,
    /// Window of a flow, each way.
    pub window: usize,
    /// A flow without an answer for so long is ended.
    pub timeout: Duration,
}

impl Default for StackConfig {
    fn default() -> Self {
        Self {
            max_flows: 256,
            window: 128 << 10,
            timeout: Duration::from_secs(60),
        }
    }
}

/// Wakes whoever drives a stack.
#[derive(Clone)]
struct Waker {
    notify: Arc<Notify>,
    dirty: Arc<AtomicBool>,
}

impl Waker {
    fn wake(&self) {
        if !self.dirty.swap(true, Ordering::AcqRel) {
            self.notify.notify_one();
        }
    }
}

/// The application's end of a TCP flow. Dropping it closes the flow.
pub struct Flow {
    sender: FlowSender,
    receiver: FlowReceiver,
}

/// The sending half.
pub struct FlowSender {
    channel: Option<mpsc::Sender<Bytes>>,
    waker: Waker,
}

/// The receiving half.
pub struct FlowReceiver {
    channel: mpsc::Receiver<Bytes>,
    waker: Waker,
}

/// The flow has ended and takes no more data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the flow has ended")]
pub struct FlowEnded;

impl Flow {
    /// Both halves.
    #[must_use]
    pub fn split(self) -> (FlowSender, FlowReceiver) {
        (self.sender, self.receiver)
    }
}

impl FlowSender {
    /// Sends, when there is room.
    ///
    /// # Errors
    /// [`FlowEnded`].
    pub async fn send(&self, data: Bytes) -> Result<(), FlowEnded> {
        let channel = self.channel.as_ref().ok_or(FlowEnded)?;
        channel.send(data).await.map_err(|_| FlowEnded)?;
        self.waker.wake();
        Ok(())
    }
}

impl Drop for FlowSender {
    fn drop(&mut self) {
        self.channel = None;
        self.waker.wake();
    }
}

impl FlowReceiver {
    /// The next data; `None` at the end.
    pub async fn receive(&mut self) -> Option<Bytes> {
        let data = self.channel.recv().await;
        self.waker.wake();
        data
    }
}

impl Drop for FlowReceiver {
    fn drop(&mut self) {
        self.channel.close();
        self.waker.wake();
    }
}

struct Bridge {
    handle: SocketHandle,
    to_app: Option<mpsc::Sender<Bytes>>,
    from_app: Option<mpsc::Receiver<Bytes>>,
    pending: Bytes,
}

/// Packets in and out, in memory.
struct Queues {
    incoming: VecDeque<Vec<u8>>,
    outgoing: VecDeque<Vec<u8>>,
}

/// A TCP/IP stack in user space.
pub struct Stack {
    interface: Interface,
    queues: Queues,
    sockets: SocketSet<'static>,
    flows: Vec<Bridge>,
    config: StackConfig,
    waker: Waker,
    started: Instant,
    next_port: u16,
}

impl Stack {
    /// With an address of its own; with `any`, the stack answers for every address, as an exit does.
    /// `notify` is told when a flow wants [`Self::drive`] to be called.
    #[must_use]
    pub fn new(
        address: Ipv4Addr,
        any: bool,
        config: StackConfig,
        notify: Arc<Notify>,
        now: Instant,
    ) -> Self {
        let mut queues = Queues {
            incoming: VecDeque::new(),
            outgoing: VecDeque::new(),
        };
        let mut settings = Config::new(HardwareAddress::Ip);
        settings.random_seed = rand::random();
        let mut interface = Interface::new(settings, &mut queues, StackInstant::ZERO);
        interface.update_ip_addrs(|addresses| {
            // Room for one: an empty list takes it.
            let _ = addresses.push(IpCidr::Ipv4(Ipv4Cidr::new(address, 32)));
        });
        let _ = interface.routes_mut().add_default_ipv4_route(address);
        interface.set_any_ip(any);
        Self {
            interface,
            queues,
            sockets: SocketSet::new(Vec::new()),
            flows: Vec::new(),
            config,
            waker: Waker {
                notify,
                dirty: Arc::new(AtomicBool::new(false)),
            },
            started: now,
            next_port: 0,
        }
    }

    /// Flows at the moment.
    #[must_use]
    pub fn flow_count(&self) -> usize {
        self.flows.len()
    }

    /// Whether a flow has asked to be served since the last call.
    #[must_use]
    pub fn take_dirty(&self) -> bool {
        self.waker.dirty.swap(false, Ordering::AcqRel)
    }

    /// Gives the stack a packet; it is looked at by [`Self::drive`]. A TCP segment that belongs to no
    /// flow is answered with a reset.
    pub fn ingest(&mut self, packet: Vec<u8>) {
        if self.queues.incoming.len() < MAX_QUEUED {
            self.queues.incoming.push_back(packet);
        }
    }

    /// The next packet to send.
    pub fn next_packet(&mut self) -> Option<Vec<u8>> {
        self.queues.outgoing.pop_front()
    }

    /// Accepts the connection that `syn`, addressed to `destination`, opens. `None` when there are
    /// too many flows.
    pub fn accept(
        &mut self,
        destination: SocketAddrV4,
        syn: Vec<u8>,
        now: Instant,
    ) -> Option<Flow> {
        if self.flows.len() >= self.config.max_flows {
            return None;
        }
        // What came before must not meet the listening socket.
        self.poll(now);
        let mut socket = self.new_socket();
        socket.listen(IpEndpoint::from(destination)).ok()?;
        let flow = self.add(socket);
        self.ingest(syn);
        self.poll(now);
        Some(flow)
    }

    /// Opens a connection. `None` when there are too many flows.
    pub fn connect(&mut self, destination: SocketAddrV4) -> Option<Flow> {
        if self.flows.len() >= self.config.max_flows {
            return None;
        }
        let mut socket = self.new_socket();
        if self.next_port == 0 {
            self.next_port = rand::random();
        }
        self.next_port = self.next_port.wrapping_add(1);
        // The upper quarter of ports (RFC 6335: dynamic).
        let port = 0xc000 | (self.next_port & 0x3fff);
        socket
            .connect(
                self.interface.context(),
                IpEndpoint::from(destination),
                port,
            )
            .ok()?;
        let flow = self.add(socket);
        self.waker.wake();
        Some(flow)
    }

    /// Moves everything that can move: packets to sockets, sockets to channels and back, sockets to
    /// packets. `up` limits what leaves towards the application, `down` what comes from it.
    pub fn drive(&mut self, now: Instant, up: &mut TokenBucket, down: &mut TokenBucket) {
        self.poll(now);
        let mut moved = false;
        let sockets = &mut self.sockets;
        // The first in line changes, so that a rate limit starves nobody.
        if !self.flows.is_empty() {
            self.flows.rotate_left(1);
        }
        self.flows.retain_mut(|flow| {
            let socket = sockets.get_mut::<tcp::Socket<'_>>(flow.handle);
            moved |= to_application(flow, socket, up);
            moved |= from_application(flow, socket, down);
            // What the application has not taken yet is kept, though the other end is gone.
            let unread = flow.to_app.is_some() && socket.can_recv();
            let over = matches!(socket.state(), tcp::State::Closed | tcp::State::TimeWait);
            let ended = over && !unread;
            if ended {
                sockets.remove(flow.handle);
            }
            !ended
        });
        if moved {
            self.poll(now);
        }
    }

    /// How long [`Self::drive`] may wait at most.
    pub fn delay(&mut self, now: Instant) -> Option<Duration> {
        let at = self.stack_instant(now);
        self.interface
            .poll_delay(at, &self.sockets)
            .map(|delay| Duration::from_micros(delay.total_micros()))
    }

    fn new_socket(&self) -> tcp::Socket<'static> {
        let buffer = || tcp::SocketBuffer::new(vec![0; self.config.window]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        socket.set_congestion_control(tcp::CongestionControl::Cubic);
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        let timeout = self.config.timeout.as_millis().try_into();
        socket.set_timeout(Some(smoltcp::time::Duration::from_millis(
            timeout.unwrap_or(60_000),
        )));
        socket
    }

    fn add(&mut self, socket: tcp::Socket<'static>) -> Flow {
        let handle = self.sockets.add(socket);
        let (to_app, receiver) = mpsc::channel(CHANNEL);
        let (sender, from_app) = mpsc::channel(CHANNEL);
        self.flows.push(Bridge {
            handle,
            to_app: Some(to_app),
            from_app: Some(from_app),
            pending: Bytes::new(),
        });
        Flow {
            sender: FlowSender {
                channel: Some(sender),
                waker: self.waker.clone(),
            },
            receiver: FlowReceiver {
                channel: receiver,
                waker: self.waker.clone(),
            },
        }
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

fn to_application(
    flow: &mut Bridge,
    socket: &mut tcp::Socket<'_>,
    limit: &mut TokenBucket,
) -> bool {
    let mut moved = false;
    while let Some(channel) = &flow.to_app {
        let available = limit.available();
        if channel.is_closed() && socket.can_recv() {
            // Nobody reads any more: tell the sender.
            socket.abort();
            flow.to_app = None;
            return true;
        }
        if socket.can_recv() && available > 0 {
            let Ok(permit) = channel.try_reserve() else {
                break;
            };
            let Ok(data) = socket.recv(|data| {
                let taken = data.len().min(CHUNK).min(available);
                (taken, Bytes::copy_from_slice(&data[..taken]))
            }) else {
                break;
            };
            limit.take(data.len());
            permit.send(data);
            moved = true;
        } else {
            let receiving = matches!(
                socket.state(),
                tcp::State::Listen
                    | tcp::State::SynSent
                    | tcp::State::SynReceived
                    | tcp::State::Established
                    | tcp::State::FinWait1
                    | tcp::State::FinWait2
            );
            if !receiving && !socket.can_recv() {
                flow.to_app = None;
            }
            break;
        }
    }
    moved
}

fn from_application(
    flow: &mut Bridge,
    socket: &mut tcp::Socket<'_>,
    limit: &mut TokenBucket,
) -> bool {
    let mut moved = false;
    // Before the handshake is complete nothing is sent, and closing would lose the flow.
    if matches!(
        socket.state(),
        tcp::State::Listen | tcp::State::SynSent | tcp::State::SynReceived
    ) {
        return false;
    }
    while let Some(channel) = &mut flow.from_app {
        if flow.pending.is_empty() {
            match channel.try_recv() {
                Ok(data) => flow.pending = data,
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    socket.close();
                    flow.from_app = None;
                    return true;
                }
            }
        }
        let allowed = flow.pending.len().min(limit.available());
        if !socket.can_send() || allowed == 0 {
            break;
        }
        let Ok(sent) = socket.send_slice(&flow.pending[..allowed]) else {
            break;
        };
        limit.take(sent);
        flow.pending.advance(sent);
        moved = true;
    }
    moved
}

/// Takes a unit off a segment's window. smoltcp refuses what lies beyond the window that it advertised last, and rounds
/// windows down to units of a few bytes: the edge that the far end was told before may lie a unit further, and what it
/// has sent up to there would be lost.
fn narrow_window(packet: &mut [u8]) {
    let Ok(mut ip) = Ipv4Packet::new_checked(packet) else {
        return;
    };
    let (from, to) = (ip.src_addr().into(), ip.dst_addr().into());
    let is_tcp = ip.next_header() == IpProtocol::Tcp;
    if let Ok(mut tcp) = TcpPacket::new_checked(ip.payload_mut())
        && is_tcp
        && !tcp.syn()
    {
        // The window of a SYN is in bytes.
        let units = tcp.window_len();
        tcp.set_window_len(units.saturating_sub(1));
        tcp.fill_checksum(&from, &to);
    }
}

struct Received(Vec<u8>);
struct Sending<'a>(&'a mut VecDeque<Vec<u8>>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut packet = vec![0; len];
        let result = write(&mut packet);
        narrow_window(&mut packet);
        self.0.push_back(packet);
        result
    }
}

impl Device for Queues {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: StackInstant) -> Option<(Received, Sending<'_>)> {
        let packet = self.incoming.pop_front()?;
        Some((Received(packet), Sending(&mut self.outgoing)))
    }

    fn transmit(&mut self, _: StackInstant) -> Option<Sending<'_>> {
        (self.outgoing.len() < MAX_QUEUED).then_some(Sending(&mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = INNER_MTU;
        capabilities
    }
}
