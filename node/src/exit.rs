//! The exit: guests' tunnels, and where they lead. `veilpool-dataplane` moves the packets, `veilpool-policy` says where
//! guests may go.

pub mod meter;
pub mod plane;
pub mod source;

pub use meter::{Meter, Traffic};
pub use plane::{Exit, ExitConfig};
pub use source::{PolicySource, SourceError};
pub use veilpool_dataplane::{StartError as ExitError, userspace::Bounds};
pub use veilpool_policy::{Denied, HostNetworks, Mode, Policy, PolicyFile, Protocol};
