//! A node: the data plane that forwards guests' traffic, and the daemon that has it measured and
//! claims what it earned.

#![forbid(unsafe_code)]

pub mod claim;
pub mod config;
mod daemon;
pub mod exit;
pub mod http;
pub mod identity;
pub mod measurers;
pub mod node;
pub mod relayers;
pub mod sensitive;
pub mod status;
pub mod store;

pub use claim::effects::ProverSource;
pub use config::{ConfigError, NodeConfig};
pub use daemon::wireguard_key;
pub use node::{Node, StartError};
pub use sensitive::Sensitive;
pub use status::{NodeStatus, status_from_store};
