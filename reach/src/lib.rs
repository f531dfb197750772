//! How a node behind a home router is reached: a port of the router's forwarded to this machine, and why it isn't.
//!
//! [`Mapper`] keeps one UDP port mapped for as long as the node runs: PCP (RFC 6887), NAT-PMP (RFC 6886), then UPnP's
//! Internet Gateway Device. What it has is a [`Mapping`]; what stands in its way a [`Reason`], with a remedy.
//! [`diagnose`] puts a mapping beside what others say of reaching the node.
//!
//! Routers are believed as little as possible: every answer is bounded in size and time, an external address that
//! can't be one is a reason and not a mapping, and only the default gateway is asked.
//!
//! ```text
//! Surroundings (interfaces, gateway) ─┐
//! Router (PCP, NAT-PMP, UPnP) ────────┴─ Mapper ── watch ── Mapping ─┐
//! Probe (listings, last handshake) ──────────────────────────────────┴─ diagnose ── Diagnosis
//! ```

#![forbid(unsafe_code)]

pub mod diagnosis;
pub mod home;
pub mod mapper;
pub mod mapping;
pub mod reason;
pub mod router;
mod schedule;
pub mod scope;
pub mod surroundings;

pub use diagnosis::{Diagnosis, ListingOutcome, Probe, diagnose};
pub use home::HomeRouter;
pub use mapper::{ExternalPort, Mapper, MapperConfig, Timing};
pub use mapping::{Lease, Mapped, Mapping, Protocol};
pub use reason::{Forward, Reason};
pub use router::{Grant, Request, Router, RouterError};
pub use scope::Scope;
pub use surroundings::{Family, Route, Surroundings, SystemSurroundings, View};
pub use veilpool_sensitive::Sensitive;
