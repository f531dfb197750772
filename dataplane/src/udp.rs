//! The UDP socket under the tunnels: several datagrams in one call, each way, where the system can.

use std::{
    io::{self, IoSliceMut},
    net::{SocketAddr, UdpSocket},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

use crate::StartError;

/// What is asked of the kernel, which may grant less.
const BUFFER: usize = 8 << 20;
/// How long a full buffer is waited for; then the datagrams are lost, as any router on the way might lose them.
const PATIENCE: Duration = Duration::from_millis(5);

/// A socket.
#[derive(Debug)]
pub struct Udp {
    socket: UdpSocket,
    state: UdpSocketState,
    address: SocketAddr,
    offload: bool,
}

impl Udp {
    /// Binds, in the calling thread's network namespace. `[::]` takes IPv4 too. Without `offload` each datagram costs a
    /// call.
    ///
    /// # Errors
    /// [`StartError::Bind`].
    pub fn bind(address: SocketAddr, offload: bool) -> Result<Self, StartError> {
        Self::try_bind(address, offload).map_err(|source| StartError::Bind { address, source })
    }

    fn try_bind(address: SocketAddr, offload: bool) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        // A smaller buffer than asked for costs throughput only.
        let _ = socket.set_recv_buffer_size(BUFFER);
        let _ = socket.set_send_buffer_size(BUFFER);
        if address.is_ipv6() {
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        socket.bind(&address.into())?;
        let socket: UdpSocket = socket.into();
        // Sets nonblocking, and asks for coalesced datagrams.
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        Ok(Self {
            address: socket.local_addr()?,
            socket,
            state,
            offload,
        })
    }

    /// Where it is bound.
    #[must_use]
    pub const fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Most datagrams of one length that a call sends: 1 without the offload.
    #[must_use]
    pub fn max_segments(&self) -> usize {
        match self.offload {
            true => self.state.max_gso_segments(),
            false => 1,
        }
    }

    /// Sends datagrams of `segment` bytes that lie one after another; the last may be shorter. What can't be sent is lost.
    pub fn send(&self, to: SocketAddr, datagrams: &[u8], segment: usize) {
        if datagrams.len() <= segment || self.max_segments() > 1 {
            let size = (datagrams.len() > segment).then_some(segment);
            match self.try_send(to, datagrams, size) {
                Ok(()) => return,
                Err(_) if size.is_none() => return,
                // The device has no offload; the state knows by now.
                Err(_) => {}
            }
        }
        for datagram in datagrams.chunks(segment.max(1)) {
            let _ = self.try_send(to, datagram, None);
        }
    }

    fn try_send(
        &self,
        destination: SocketAddr,
        contents: &[u8],
        segment_size: Option<usize>,
    ) -> io::Result<()> {
        let transmit = Transmit {
            destination,
            ecn: None,
            contents,
            segment_size,
            src_ip: None,
        };
        let attempt = || {
            self.state
                .try_send(UdpSockRef::from(&self.socket), &transmit)
        };
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait(&[self.socket.as_fd()], PollFlags::POLLOUT, PATIENCE);
                attempt()
            }
            result => result,
        }
    }

    /// Takes what has come, a buffer for each sender's run of datagrams; gives how many buffers were filled.
    ///
    /// # Errors
    /// The system's: `WouldBlock` when nothing has come, others of datagrams sent before (ICMP).
    pub fn receive(&self, buffers: &mut [Box<[u8]>], metas: &mut [RecvMeta]) -> io::Result<usize> {
        let mut slices: Vec<IoSliceMut<'_>> = buffers
            .iter_mut()
            .map(|buffer| IoSliceMut::new(buffer))
            .collect();
        self.state
            .recv(UdpSockRef::from(&self.socket), &mut slices, metas)
    }
}

impl AsFd for Udp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Waits until one of the descriptors is ready, at most so long.
pub(crate) fn wait(descriptors: &[BorrowedFd<'_>], what: PollFlags, patience: Duration) {
    let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
    let mut descriptors: Vec<PollFd<'_>> = descriptors
        .iter()
        .map(|descriptor| PollFd::new(*descriptor, what))
        .collect();
    // Interrupted or not: the caller looks what there is.
    let _ = poll(&mut descriptors, timeout);
}
