//! The data plane: a tunnel's packets between a UDP socket and whatever is beyond it.
//!
//! ```text
//! UDP ── Inbound: batches, GRO, open, source check, gate, meter ──→ Deliver (TUN device, user space)
//! UDP ←─ Outbound: seal, meter, limit, runs of equal datagrams, GSO ── packets
//! ```
//!
//! Two modes, one engine: [`Engine`] has a TUN device and wants CAP_NET_ADMIN; [`Userspace`] ends TCP, UDP and echoes
//! itself and wants nothing. In both a thread moves packets, and another does handshakes and timers. An exit's device
//! is in a network namespace of its own (`namespace`).

#![forbid(unsafe_code)]

mod checksum;
mod control;
pub mod counters;
mod cut;
pub mod engine;
mod frame;
pub mod gate;
pub mod header;
pub mod inbound;
mod join;
#[cfg(target_os = "linux")]
pub mod namespace;
pub mod outbound;
mod threads;
pub mod tun;
pub mod udp;
pub mod userspace;

pub use engine::{Engine, StartError};
pub use gate::{Gate, Open, PolicyGate};
pub use header::{Header, Transport};
pub use inbound::{Deliver, Inbound};
pub use outbound::Outbound;
pub use tun::Tun;
pub use udp::Udp;
pub use userspace::{Userspace, UserspaceConfig};
