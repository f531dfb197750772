//! The data plane: a tunnel's packets between a UDP socket and whatever is beyond it.
//!
//! ```text
//! UDP ── Inbound: batches, GRO, open, source check, gate, meter ──→ Deliver (TUN device, user space)
//! UDP ←─ Outbound: seal, meter, limit, runs of equal datagrams, GSO ── packets
//! ```
//!
//! Two blocking threads move packets, a third one does handshakes and timers, and no one of them waits for another
//! longer than a batch of one peer takes.

#![forbid(unsafe_code)]

mod checksum;
pub mod counters;
pub mod engine;
mod frame;
pub mod header;
pub mod inbound;
mod join;
pub mod outbound;
pub mod tun;
pub mod udp;

pub use engine::{Engine, EngineConfig, StartError};
pub use header::{Header, Transport};
pub use inbound::{Deliver, Gate, Inbound};
pub use outbound::Outbound;
pub use udp::Udp;
