//! The roles of those who aren't nodes: [`measurer`] says what nodes delivered, [`relayer`] pays the
//! fee of a claim, [`keeper`] opens and closes epochs.
//!
//! All speak HTTP in the clear and are meant for loopback, behind the operator's own TLS proxy.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod http;
pub mod keeper;
pub mod ledger;
pub mod measurer;
pub mod outage;
pub mod relayer;

pub use keeper::{Keeper, KeeperConfig};
pub use ledger::{Ledger, PoolOnChain};
pub use measurer::{Measurer, MeasurerConfig};
pub use relayer::{Relayer, RelayerConfig};
