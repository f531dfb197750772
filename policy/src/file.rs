//! The file of a policy: read whole or refused whole, at the start and again when it has changed.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{HostNetworks, ParseError, Policy};

/// The longest file, in bytes.
pub const MAX_FILE: usize = 256 * 1024;

/// Why a file gives no policy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// It can't be read.
    #[error("cannot read the policy {}: {source}; check the path and who may read it", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is longer than [`MAX_FILE`].
    #[error("the policy {} is longer than {MAX_FILE} bytes; merge its ranges", path.display())]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
    /// It is no text.
    #[error("the policy {} isn't UTF-8; save it as text", path.display())]
    NoText {
        /// Which file.
        path: PathBuf,
    },
    /// It says something that is no policy.
    #[error("the policy {}, {source}", path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Line and reason.
        source: ParseError,
    },
}

/// A policy that comes from a file, with the networks of this machine.
#[derive(Debug)]
pub struct PolicyFile {
    path: PathBuf,
    policy: Arc<Policy>,
}

impl PolicyFile {
    /// Reads the file. Nothing is known of this machine's networks yet: see [`Self::set_host`].
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, LoadError> {
        let path = path.into();
        let policy = Arc::new(read(&path)?);
        Ok(Self { path, policy })
    }

    /// The policy that holds.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    /// Reads the file again, and says whether the policy is another one. This machine's networks stay
    /// what they were. A file with a fault changes nothing: the old policy holds.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn reload(&mut self) -> Result<bool, LoadError> {
        let policy = read(&self.path)?.with_host(self.policy.host().clone());
        Ok(self.replace(policy))
    }

    /// Takes a new snapshot of this machine's networks, and says whether it changes anything.
    pub fn set_host(&mut self, host: HostNetworks) -> bool {
        if *self.policy.host() == host {
            return false;
        }
        let policy = Policy::clone(&self.policy).with_host(host);
        self.replace(policy)
    }

    fn replace(&mut self, policy: Policy) -> bool {
        let changed = policy != *self.policy;
        if changed {
            self.policy = Arc::new(policy);
        }
        changed
    }
}

fn read(path: &Path) -> Result<Policy, LoadError> {
    let failed = |source| LoadError::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let path = path.to_owned();
    if bytes.len() > MAX_FILE {
        return Err(LoadError::TooLong { path });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Policy::parse(&text).map_err(|source| LoadError::Parse { path, source }),
        Err(_) => Err(LoadError::NoText { path }),
    }
}
