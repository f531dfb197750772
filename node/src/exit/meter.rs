//! Inner bytes, both ways. The metered unit is the inner IP packet as it arrived or left.

use std::sync::{Arc, atomic::Ordering};

use veilpool_tunnel::peers::PeerTraffic;

/// Inner bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From guests.
    pub up: u64,
    /// To guests.
    pub down: u64,
}

/// Counters of all guests of this run.
#[derive(Clone, Debug, Default)]
pub struct Meter(pub(crate) Arc<PeerTraffic>);

impl Meter {
    /// So far.
    #[must_use]
    pub fn total(&self) -> Traffic {
        Traffic {
            up: self.0.up.load(Ordering::Relaxed),
            down: self.0.down.load(Ordering::Relaxed),
        }
    }
}
