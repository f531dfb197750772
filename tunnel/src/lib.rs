//! Both ends of the tunnel: WireGuard (boringtun's noise protocol, whitepaper of Donenfeld, 2017) as
//! state machines without I/O, and a TCP/IP stack in user space (smoltcp) above them.
//!
//! [`Peers`] is the node's end, for many peers; [`Initiator`] is an ordinary client's. Datagrams
//! and inner packets go in and come out as bytes, so that tests join two ends in memory.
//! [`Stack`] carries TCP flows over inner packets. [`Client`] puts an initiator, a stack and a UDP
//! socket together for programs that want sockets through a node.

#![forbid(unsafe_code)]

pub mod address;
pub mod client;
pub mod conf;
mod doorkeeper;
pub mod initiator;
pub mod link;
mod mac;
pub mod noise;
pub mod packet;
pub mod peers;
pub mod shaper;
pub mod share;
pub mod socket;
pub mod stack;
pub mod wire;

pub use address::{NODE_ADDRESS, NODE_ADDRESS_V6, inner_address, inner_address_v6};
pub use boringtun::x25519::{PublicKey, StaticSecret};
pub use client::{Client, ClientConfig, ClientError};
pub use initiator::Initiator;
pub use link::{Event, Indices, Link};
pub use peers::{Admission, Peer, PeerConfig, PeerId, PeerState, Peers, PeersConfig, Refusal};
pub use shaper::TokenBucket;
pub use stack::{Flow, Stack, StackConfig};
pub use wire::{INNER_MTU, MAX_DATAGRAM};

/// Datagrams to send, with their destination. An [`Initiator`] has one destination and writes `None`.
pub type Outbox = Vec<(Option<std::net::SocketAddr>, Vec<u8>)>;
