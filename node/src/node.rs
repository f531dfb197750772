//! The handle of a running node.

use std::{net::SocketAddr, path::Path, sync::Arc};

use tokio::{sync::oneshot, task::JoinHandle};
use veilpool_chain::{Chain, ReadError};
use veilpool_interface::address;
use veilpool_primitives::OperatorSecret;
use veilpool_protocol::EpochId;

use crate::{
    claim::{ClaimRecord, effects::ProverSource},
    config::{ConfigError, NodeConfig},
    daemon::{self, Outages, Shared, clock, wireguard_secret},
    exit::{Exit, ExitError, SourceError},
    http::Http,
    relayers,
    status::NodeStatus,
    store::{Store, StoreError},
};

/// Environment variables that name a proxy.
const PROXIES: [&str; 6] = [
    "ALL_PROXY",
    "all_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
];

/// Why a node doesn't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The exit.
    #[error(transparent)]
    Exit(#[from] ExitError),
    /// The exit's policy.
    #[error(transparent)]
    Policy(#[from] SourceError),
    /// The pool isn't where the configuration says.
    #[error(transparent)]
    Pool(ReadError),
    /// The system's TLS.
    #[error("HTTP can't be set up: {0}")]
    Http(#[from] reqwest::Error),
}

/// A running node. Dropping it ends everything at once, as `kill -9` would; its state stays whole.
pub struct Node {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Node {
    /// Starts, and goes on where an earlier run with the same state ended. An RPC node that doesn't answer is
    /// waited for; a pool that isn't there is an error.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        config: NodeConfig,
        secret: OperatorSecret,
        prover: impl Into<ProverSource>,
    ) -> Result<Self, StartError> {
        config.validate()?;
        let pool = address::bytes(&config.pool);
        let chain = Arc::new(Chain::new(config.rpc_url.clone(), config.program));
        if let Err(error) = chain.pool(&config.pool).await
            && !error.is_temporary()
        {
            return Err(StartError::Pool(error));
        }
        let store = Store::open(&config.state).await?;
        store
            .claim_for(&secret.derive_key("state", &pool, EpochId::new(0)))
            .await?;
        let known = store.records().await?;

        // With the key of the epoch that runs: a node that was killed answers its measurers again at once.
        let key_of = running(&known, clock::now());
        let first = key_of.unwrap_or(EpochId::new(0));
        let mut plane = config.exit.clone();
        if let Some(source) = &config.policy {
            plane.policy = source.load()?;
        }
        let exit = Exit::start(wireguard_secret(&secret, &pool, first), plane)?;
        let meter = exit.meter().clone();
        let address = exit.address();
        let endpoint = config.endpoint.unwrap_or(address);
        if endpoint.ip().is_unspecified() {
            return Err(ConfigError::EndpointNeeded(endpoint).into());
        }
        let proxy_is_set = PROXIES.iter().any(|name| std::env::var_os(name).is_some());
        if config
            .relayers
            .iter()
            .any(|url| relayers::sees_us(url, proxy_is_set))
        {
            tracing::warn!(
                "a relayer is reached without a proxy: it sees this machine's address beside the claim; set ALL_PROXY to one"
            );
        }
        let shared = Arc::new(Shared {
            http: Http::new()?,
            prover: prover.into(),
            chain,
            store,
            secret,
            meter,
            address,
            endpoint,
            outages: Outages::default(),
            reload: tokio::sync::Notify::new(),
            board: std::sync::Mutex::default(),
            config,
        });
        shared.restore(key_of, &known).await?;
        let (stop, stopped) = oneshot::channel();
        let for_task = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            tokio::select! {
                () = daemon::run(Arc::clone(&for_task), &exit, key_of, known) => {}
                // An error is the handle's drop, which aborts this task anyway.
                _ = stopped => {
                    exit.stop().await;
                    for_task.finish().await;
                }
            }
        });
        Ok(Self {
            shared,
            stop: Some(stop),
            task,
        })
    }

    /// Where the exit listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The folder of its state.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.shared.config.state
    }

    /// Reads the exit policy and this machine's networks again, now. A file with a fault changes nothing, and the log
    /// says why.
    pub fn reload(&self) {
        self.shared.reload.notify_one();
    }

    /// How it does.
    #[must_use]
    pub fn status(&self) -> NodeStatus {
        self.shared.status()
    }

    /// Ends all tunnels and tasks and closes the state. Claims go on with the next start.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        // A task that failed has ended too.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The epoch that runs at a time, in Unix milliseconds; else the latest that began.
fn running(known: &[ClaimRecord], now: i64) -> Option<EpochId> {
    known
        .iter()
        .filter(|record| record.starts_at.saturating_mul(1_000) <= now)
        .map(|record| record.epoch)
        .max()
}
