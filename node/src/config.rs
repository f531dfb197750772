//! How a node is run.

use std::{net::SocketAddr, ops::Range, path::PathBuf};

use solana_pubkey::Pubkey;
use veilpool_protocol::ClassId;

use crate::exit::{ExitConfig, PolicySource};

/// How a node is run.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// JSON-RPC of the chain.
    pub rpc_url: String,
    /// The pool program.
    pub program: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Folder of the node's state.
    pub state: PathBuf,
    /// The data plane.
    pub exit: ExitConfig,
    /// Where the exit's policy comes from at the start and while the node runs; without, `exit` has it for ever.
    pub policy: Option<PolicySource>,
    /// What measurers are told to connect to. Default: where the exit listens.
    pub endpoint: Option<SocketAddr>,
    /// URLs.
    pub measurers: Vec<String>,
    /// URLs. Each claim goes to one of them, drawn at random.
    pub relayers: Vec<String>,
    /// The most that a relayer may keep of a claim, in the token's smallest unit. What a claim says is the
    /// fee that the relayer asks of everybody, and not this number, which might be known as this operator's. Default 0.
    pub max_fee: u64,
    /// Claim at most this class's weight, although a better one was earned: a larger crowd to hide in.
    pub max_class: Option<ClassId>,
    /// A claim is submitted at a uniformly random time in this part of its window (attack L3).
    pub claim_delay: Range<f32>,
    /// When a majority has answered, absent measurers are waited for until this part of the claim window is over.
    pub grace: f32,
    /// Prove and submit without being told to.
    pub auto_claim: bool,
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// An exit that listens everywhere doesn't know where it is reached.
    #[error(
        "the exit listens on {0}, which others can't connect to; say with `endpoint` at which public address this node is reached"
    )]
    EndpointNeeded(SocketAddr),
    /// Not http or https.
    #[error("'{0}' is not a URL that begins with http:// or https://")]
    Url(String),
    /// Twice in a list.
    #[error("'{0}' is listed twice")]
    Repeated(String),
    /// Nobody would measure.
    #[error("no measurers are given; list those of the pool, or nothing will be attested")]
    NoMeasurers,
    /// Nobody would submit.
    #[error("no relayer is given; give at least one, or switch `auto_claim` off")]
    NoRelayers,
    /// Not fractions of the window.
    #[error(
        "`{name}` must be made of fractions of the claim window, 0 to 1, the first not above the second"
    )]
    Fraction {
        /// Of the setting.
        name: &'static str,
    },
}

impl NodeConfig {
    /// With defaults for what isn't said here.
    #[must_use]
    pub fn new(
        rpc_url: impl Into<String>,
        program: Pubkey,
        pool: Pubkey,
        state: impl Into<PathBuf>,
        listen: SocketAddr,
    ) -> Self {
        Self {
            rpc_url: rpc_url.into(),
            program,
            pool,
            state: state.into(),
            exit: ExitConfig::new(listen),
            policy: None,
            endpoint: None,
            measurers: Vec::new(),
            relayers: Vec::new(),
            max_fee: 0,
            max_class: None,
            claim_delay: 0.0..0.8,
            grace: 0.1,
            auto_claim: true,
        }
    }

    /// Checks what can be checked without a network.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.measurers.is_empty() {
            return Err(ConfigError::NoMeasurers);
        }
        if self.relayers.is_empty() && self.auto_claim {
            return Err(ConfigError::NoRelayers);
        }
        for list in [&self.measurers, &self.relayers] {
            for (index, url) in list.iter().enumerate() {
                let parsed = reqwest::Url::parse(url)
                    .ok()
                    .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
                if parsed.is_none() {
                    return Err(ConfigError::Url(url.clone()));
                }
                if list.iter().take(index).any(|other| other == url) {
                    return Err(ConfigError::Repeated(url.clone()));
                }
            }
        }
        let part = 0.0..=1.0;
        let delay = &self.claim_delay;
        if !(part.contains(&delay.start) && part.contains(&delay.end) && delay.start <= delay.end) {
            return Err(ConfigError::Fraction {
                name: "claim_delay",
            });
        }
        if !part.contains(&self.grace) {
            return Err(ConfigError::Fraction { name: "grace" });
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_configuration_is_said() {
        let mut good = NodeConfig::new(
            "http://127.0.0.1:8899",
            Pubkey::new_from_array([1; 32]),
            Pubkey::new_from_array([2; 32]),
            "state",
            "127.0.0.1:0".parse().unwrap(),
        );
        assert_eq!(good.validate(), Err(ConfigError::NoMeasurers));
        good.measurers = vec![
            "http://127.0.0.1:1".into(),
            "https://measurer.example/base".into(),
        ];
        assert_eq!(good.validate(), Err(ConfigError::NoRelayers));
        good.relayers = vec!["http://127.0.0.1:2".into()];
        assert_eq!(good.validate(), Ok(()));

        for url in ["127.0.0.1:1", "ftp://a", "http://", "file:///etc/passwd"] {
            let mut bad = good.clone();
            bad.relayers = vec![url.into()];
            assert_eq!(bad.validate(), Err(ConfigError::Url(url.into())));
        }
        let mut bad = good.clone();
        bad.measurers.push("http://127.0.0.1:1".into());
        assert_eq!(
            bad.validate(),
            Err(ConfigError::Repeated("http://127.0.0.1:1".into()))
        );
        for delay in [-0.1..0.5, 0.5..1.1, 0.6..0.5, f32::NAN..0.5] {
            let mut bad = good.clone();
            bad.claim_delay = delay;
            assert_eq!(
                bad.validate(),
                Err(ConfigError::Fraction {
                    name: "claim_delay"
                })
            );
        }
        let mut bad = good;
        bad.grace = 2.0;
        assert_eq!(bad.validate(), Err(ConfigError::Fraction { name: "grace" }));
    }
}
