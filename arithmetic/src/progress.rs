//! Telling how far a computation is, and ending it early.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

/// The computation was ended by its [`Token`]; nothing came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the computation was cancelled")]
pub struct Cancelled;

/// Shared between a computation and whoever watches it. Reading it costs one relaxed load.
#[derive(Clone, Debug, Default)]
pub struct Token(Arc<State>);

#[derive(Debug, Default)]
struct State {
    cancelled: AtomicBool,
    done: AtomicU32,
    total: AtomicU32,
}

impl Token {
    /// A token that nobody has cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the computation at its next step. Cannot be undone.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// Which fraction of the announced steps is done, from 0 to 1.
    #[must_use]
    pub fn fraction(&self) -> f32 {
        let total = self.0.total.load(Ordering::Relaxed).max(1);
        (self.0.done.load(Ordering::Relaxed) as f32 / total as f32).min(1.0)
    }

    /// Announces further steps.
    pub fn expect(&self, steps: u32) {
        self.0.total.fetch_add(steps, Ordering::Relaxed);
    }

    /// One step is done.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn step(&self) -> Result<(), Cancelled> {
        self.0.done.fetch_add(1, Ordering::Relaxed);
        self.check()
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() {
            Err(Cancelled)
        } else {
            Ok(())
        }
    }
}
