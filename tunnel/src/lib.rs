//! Both ends of the tunnel: WireGuard (boringtun's noise protocol, whitepaper of Donenfeld, 2017) as
//! state machines without I/O, and a TCP/IP stack in user space (smoltcp) above them.
//!
//! [`Responder`] is the node's end, for many peers; [`Initiator`] is an ordinary client's. Datagrams
//! and inner packets go in and come out as bytes, so that tests join two ends in memory.
//! [`Stack`] carries TCP flows over inner packets. [`Client`] puts an initiator, a stack and a UDP
//! socket together for programs that want sockets through a node.

#![forbid(unsafe_code)]

pub mod address;
pub mod client;
pub mod initiator;
pub mod packet;
pub mod responder;
pub mod shaper;
pub mod socket;
pub mod stack;

pub use address::{NODE_ADDRESS, inner_address};
pub use boringtun::x25519::{PublicKey, StaticSecret};
pub use client::{Client, ClientConfig, ClientError};
pub use initiator::Initiator;
pub use responder::{Admission, PeerId, Refusal, Responder, ResponderConfig};
pub use shaper::TokenBucket;
pub use stack::{Flow, Stack, StackConfig};

/// Largest inner packet. 1,500 less IPv6, UDP and WireGuard headers.
pub const INNER_MTU: usize = 1420;
/// Largest datagram that an end accepts or makes: inner packet, padding, WireGuard's header and tag.
pub const MAX_DATAGRAM: usize = INNER_MTU + 16 + 32 + 148;

/// Datagrams to send, with their destination. An [`Initiator`] has one destination and writes `None`.
pub type Outbox = Vec<(Option<std::net::SocketAddr>, Vec<u8>)>;
