//! The UDP socket of an end, with buffers that hold a burst.

use std::{io, net::SocketAddr, time::Duration};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

/// What is asked of the kernel, which may grant less.
const BUFFER: usize = 4 << 20;

/// Binds.
///
/// # Errors
/// The system's.
pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    // A smaller buffer than asked for costs throughput only.
    let _ = socket.set_recv_buffer_size(BUFFER);
    let _ = socket.set_send_buffer_size(BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// How long a full buffer is waited for.
const PATIENCE: Duration = Duration::from_millis(5);

/// Sends a datagram, to `to` or to the address that the socket is connected to. A buffer that stays
/// full loses it, as any router on the way might; TCP repairs that and heartbeats retransmit.
pub async fn send(socket: &UdpSocket, to: Option<SocketAddr>, datagram: &[u8]) {
    let attempt = || match to {
        Some(to) => socket.try_send_to(datagram, to),
        None => socket.try_send(datagram),
    };
    // A new socket, too, says "would block" until the runtime has asked the system.
    if matches!(attempt(), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
        && tokio::time::timeout(PATIENCE, socket.writable())
            .await
            .is_ok()
    {
        let _ = attempt();
    }
}
