//! A guest's UDP and echoes: a connected socket for each (guest's port, far end), which takes answers from that far end
//! only.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use mio::{Interest, Registry, Token, net::UdpSocket};
use socket2::{Domain, Protocol, Socket, Type};
use veilpool_tunnel::INNER_MTU;

use super::guest::Ends;
use crate::frame;

/// Answers read before others get a turn.
const BATCH: usize = 64;

/// What a flow carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// UDP.
    Datagrams,
    /// Echo requests with this identifier.
    Echo(u16),
}

/// A flow without connection.
pub(super) type Key = (Kind, Ends);

struct Flow {
    socket: UdpSocket,
    used: Instant,
}

/// All of a guest's.
#[derive(Default)]
pub(super) struct Datagrams(HashMap<Key, Flow>);

impl Datagrams {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.0.contains_key(key)
    }

    /// Opens a flow, which is heard of by `token`.
    ///
    /// # Errors
    /// The system's; for echoes `PermissionDenied` where this process may not send any.
    pub(super) fn open(
        &mut self,
        key: Key,
        token: Token,
        registry: &Registry,
        now: Instant,
    ) -> io::Result<()> {
        let (kind, (_, far)) = key;
        let mut socket = UdpSocket::from_std(connected(kind, far)?);
        registry.register(&mut socket, token, Interest::READABLE)?;
        self.0.insert(key, Flow { socket, used: now });
        Ok(())
    }

    /// Sends one. A full buffer, or a far end that isn't there, loses it, as any router on the way might.
    pub(super) fn send(&mut self, key: &Key, payload: &[u8], now: Instant) {
        if let Some(flow) = self.0.get_mut(key) {
            flow.used = now;
            let _ = flow.socket.send(payload);
        }
    }

    /// Reads answers and hands them on as inner packets: a buffer with room for padding, and the packet's length. `true`
    /// when there may be more.
    pub(super) fn receive(
        &mut self,
        key: &Key,
        now: Instant,
        mut deliver: impl FnMut(&mut [u8], usize),
    ) -> bool {
        let Some(flow) = self.0.get_mut(key) else {
            return false;
        };
        let (kind, (near, far)) = *key;
        let mut packet = [0; INNER_MTU + 16];
        let start = frame::datagram_headers(far.is_ipv6());
        for _ in 0..BATCH {
            // One byte more than fits: what is longer is dropped, since fragments aren't carried.
            let Some(room) = packet.get_mut(start..INNER_MTU + 1) else {
                return false;
            };
            let payload = match flow.socket.recv(room) {
                Ok(len) if start + len <= INNER_MTU => len,
                Ok(_) => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // The far port is closed at the moment. The flow ends when it is idle.
                Err(_) => continue,
            };
            flow.used = now;
            let len = match kind {
                Kind::Datagrams => frame::complete_datagram(&mut packet, far, near, payload),
                Kind::Echo(identifier) => {
                    frame::complete_echo_reply(&mut packet, far, near, identifier, payload)
                }
            };
            if let Some(len) = len {
                deliver(&mut packet, len);
            }
        }
        true
    }

    /// Forgets flows that have been idle for so long; gives their keys.
    pub(super) fn sweep(&mut self, now: Instant, idle: Duration, registry: &Registry) -> Vec<Key> {
        let mut gone = Vec::new();
        self.0.retain(|key, flow| {
            let keep = now.saturating_duration_since(flow.used) < idle;
            if !keep {
                let _ = registry.deregister(&mut flow.socket);
                gone.push(*key);
            }
            keep
        });
        gone
    }
}

fn connected(kind: Kind, far: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let protocol = match (kind, far) {
        (Kind::Datagrams, _) => Protocol::UDP,
        // Sockets for echoes, which a group of users may have (ping_group_range).
        (Kind::Echo(_), SocketAddr::V4(_)) => Protocol::ICMPV4,
        (Kind::Echo(_), SocketAddr::V6(_)) => Protocol::ICMPV6,
    };
    let socket = Socket::new(Domain::for_address(far), Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    let any: SocketAddr = match far {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    socket.bind(&any.into())?;
    socket.connect(&far.into())?;
    Ok(socket.into())
}
