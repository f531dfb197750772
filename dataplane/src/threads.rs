//! Threads that end with their owner.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Some threads. Dropping them ends them, each after its step.
#[derive(Default)]
pub(crate) struct Threads {
    stop: Arc<AtomicBool>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts one that takes step after step until one says `false`.
    pub(crate) fn start(
        &mut self,
        name: &str,
        mut step: impl FnMut() -> bool + Send + 'static,
    ) -> io::Result<()> {
        let stop = Arc::clone(&self.stop);
        let run = move || while !stop.load(Ordering::Acquire) && step() {};
        let handle = thread::Builder::new().name(name.to_owned()).spawn(run)?;
        self.handles.push(handle);
        Ok(())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for handle in self.handles.drain(..) {
            // One that panicked has said so.
            let _ = handle.join();
        }
    }
}
