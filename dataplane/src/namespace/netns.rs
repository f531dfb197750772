//! Network namespaces without a name: there as long as somebody has them open, and no longer.

use std::{fs::File, io, os::fd::AsRawFd as _, panic::resume_unwind, process, thread};

use nix::sched::{CloneFlags, setns, unshare};

/// The calling thread's.
const OWN: &str = "/proc/thread-self/ns/net";

/// Waits until no other node changes what all of the calling thread's namespace share; others wait as long as the value
/// lives.
pub(crate) fn turn() -> io::Result<File> {
    let namespace = File::open(OWN)?;
    namespace.lock()?;
    Ok(namespace)
}

/// A network namespace.
#[derive(Debug)]
pub(crate) struct Netns(File);

impl Netns {
    /// The calling thread's.
    pub(crate) fn current() -> io::Result<Self> {
        File::open(OWN).map(Self)
    }

    /// A new one, made by a thread of its own: the caller stays where it is.
    pub(crate) fn new() -> io::Result<Self> {
        let make = || {
            unshare(CloneFlags::CLONE_NEWNET)?;
            Self::current()
        };
        thread::scope(|scope| {
            thread::Builder::new()
                .spawn_scoped(scope, make)?
                .join()
                .unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// Runs `work` in a thread in there; programs that it starts are in there too, and so is what `/proc/sys/net` shows.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        let inside = || {
            setns(&self.0, CloneFlags::CLONE_NEWNET)?;
            Ok(work())
        };
        thread::scope(|scope| {
            thread::Builder::new()
                .spawn_scoped(scope, inside)?
                .join()
                .unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// How ip(8) is told of it, as long as this value lives.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", process::id(), self.0.as_raw_fd())
    }
}
