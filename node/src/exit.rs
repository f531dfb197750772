//! The exit without privileges: guests' TCP and UDP end here, in user space, and go out by ordinary
//! sockets of this process.
//!
//! One task owns all state ([`engine`]); `veilpool-policy` says where guests may go.

pub mod engine;
pub mod meter;

pub use engine::{Exit, ExitConfig, ExitError, Stopped};
pub use meter::{Meter, Traffic};
pub use veilpool_policy::{Denied, HostNetworks, Mode, Policy, PolicyFile, Protocol};
