//! Saying once that a service is down and once that it is back, and how long to wait between tries.

use std::{fmt::Display, time::Duration};

use veilpool_chain::Backoff;

/// The state of something that may be down.
#[derive(Debug)]
pub struct Outage {
    what: &'static str,
    next: &'static str,
    down: bool,
    backoff: Backoff,
}

impl Outage {
    /// Of a named service; `next` says what happens while it is down.
    #[must_use]
    pub const fn new(what: &'static str, next: &'static str, longest: Duration) -> Self {
        Self {
            what,
            next,
            down: false,
            backoff: Backoff::new(Duration::from_millis(250), longest),
        }
    }

    /// It failed: says so the first time, and gives the time until the next try.
    pub fn failed(&mut self, error: &dyn Display) -> Duration {
        if !self.down {
            self.down = true;
            tracing::warn!("{}: {error}; {}", self.what, self.next);
        }
        self.backoff.step()
    }

    /// It works: says so if it was down.
    pub fn works(&mut self) {
        if self.down {
            self.down = false;
            tracing::info!("{}: works again", self.what);
        }
        self.backoff.reset();
    }

    /// Whether it was down at the last try.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.down
    }
}
