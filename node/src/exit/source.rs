//! Where a node's policy comes from: a file or the defaults, on this machine as it is now.

use std::{net::SocketAddr, path::PathBuf};

use veilpool_policy::{HostError, HostNetworks, LoadError, Mode, Policy, PolicyFile};

/// What a policy is made of. Loaded at the start, and again while the node runs: files are edited, interfaces come up,
/// providers renumber.
#[derive(Clone, Debug, Default)]
pub struct PolicySource {
    /// The file; without it, the defaults.
    pub file: Option<PathBuf>,
    /// Addresses that are allowed although they would be refused.
    pub allowed: Vec<SocketAddr>,
    /// Where the node is reached: behind NAT, the router's public address, which is the operator's too.
    pub endpoint: Option<SocketAddr>,
}

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file.
    #[error(transparent)]
    File(#[from] LoadError),
    /// This machine's networks.
    #[error(transparent)]
    Host(#[from] HostError),
    /// An entry's guests reach its exits alone.
    #[error(
        "an entry leads to its exits alone; take --allow-destination out, or the policy's mode"
    )]
    Entry,
}

impl PolicySource {
    /// The policy of this moment.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn load(&self) -> Result<Policy, SourceError> {
        let policy = match &self.file {
            Some(path) => Policy::clone(&*PolicyFile::load(path)?.policy()),
            None => Policy::default(),
        };
        if policy.mode() == Mode::Entry && !self.allowed.is_empty() {
            return Err(SourceError::Entry);
        }
        let mut host = HostNetworks::of_this_machine()?;
        if let Some(endpoint) = self.endpoint {
            host = host.with_address(endpoint.ip());
        }
        Ok(policy
            .with_allowed(self.allowed.iter().copied())
            .with_host(host))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use veilpool_policy::{Denied, Protocol};

    use super::*;

    #[test]
    fn n6_a_file_is_read_anew_each_time_and_a_broken_one_gives_no_policy() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        let source = PolicySource {
            file: Some(file.clone()),
            ..PolicySource::default()
        };
        let web = SocketAddr::from(([1, 1, 1, 1], 80));
        assert!(matches!(source.load(), Err(SourceError::File(_))));
        std::fs::write(&file, "").unwrap();
        assert_eq!(source.load().unwrap().check(Protocol::Tcp, web), Ok(()));
        std::fs::write(&file, "[ports.tcp]\nrefuse = [80]\n").unwrap();
        assert_eq!(
            source.load().unwrap().check(Protocol::Tcp, web),
            Err(Denied::Port)
        );
        std::fs::write(&file, "[ports.tcp]\nrefuse = [80\n").unwrap();
        assert!(matches!(source.load(), Err(SourceError::File(_))));
    }

    #[test]
    fn n1_the_address_that_the_node_is_reached_at_is_refused() {
        let source = PolicySource {
            endpoint: Some("1.2.3.4:51820".parse().unwrap()),
            ..PolicySource::default()
        };
        let router = SocketAddr::from(([1, 2, 3, 4], 443));
        assert_eq!(
            source.load().unwrap().check(Protocol::Tcp, router),
            Err(Denied::ThisHost)
        );
    }
}
