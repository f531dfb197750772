//! Says once that somebody doesn't answer, and once that they do again.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use crate::claim::Trouble;

/// Who doesn't answer at the moment.
#[derive(Debug, Default)]
pub(crate) struct Outages(Mutex<HashSet<String>>);

impl Outages {
    /// Says it the first time, with what happens next.
    pub(crate) fn failed(&self, trouble: &Trouble, next: &str) {
        if trouble.is_early {
            return;
        }
        let mut down = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if down.insert(trouble.whom.clone()) {
            tracing::warn!("{}; {next}", trouble.what);
        } else {
            tracing::debug!("{}; {next}", trouble.what);
        }
    }

    /// Says it if it was down.
    pub(crate) fn works(&self, whom: &str) {
        let mut down = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if down.remove(whom) {
            tracing::info!("{whom}: works again");
        }
    }
}
