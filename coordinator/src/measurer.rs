//! A measurer: connects to nodes as an ordinary WireGuard client, sends heartbeats and bandwidth turns
//! *through* them to its own reflector, keeps every result with its reason, and signs what it saw once
//! for each subject and epoch.
//!
//! The protocol's parts are plain state machines and functions ([`schedule`], [`heartbeat`], [`bandwidth`],
//! [`attest`]); [`store`] is what survives `kill -9`.

pub mod attest;
pub mod bandwidth;
pub mod endpoint;
pub mod heartbeat;
pub mod keys;
pub mod reflector;
pub mod schedule;
pub mod store;

mod api;
mod engine;
mod probe;
mod writer;

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::PathBuf,
    sync::{Arc, PoisonError},
    time::Duration,
};

use serde::Serialize;
use solana_pubkey::Pubkey;
use tokio::{sync::watch, task::JoinHandle};
use veilpool_chain::ReadError;
use veilpool_protocol::{EpochId, Metrics, SubjectBytes, Zone, api::RoundResult};

pub use keys::{InvalidSecret, Keys, ScheduleSecret};
pub use reflector::ReflectorError;
pub use store::StoreError;

use crate::{
    http::{Limits, Server},
    ledger::{Ledger, PoolOnChain},
};

/// Of the HTTP server.
const LIMITS: Limits = Limits {
    connections: 256,
    lifetime: Duration::from_secs(20),
};
/// Subjects in an epoch, unless the configuration says otherwise.
const MAX_SUBJECTS: usize = 1024;

/// How a measurer is run.
#[derive(Clone, Debug)]
pub struct MeasurerConfig {
    /// The RPC node's URL.
    pub rpc_url: String,
    /// The pool program.
    pub program: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Where the HTTP interface listens.
    pub listen: SocketAddr,
    /// Where the reflector listens, for UDP and TCP.
    pub reflector_listen: SocketAddr,
    /// Where nodes' exits connect to; the bound address when `None`.
    pub reflector_public: Option<SocketAddrV4>,
    /// Folder of the state. One measurer each.
    pub state: PathBuf,
    /// Attested of every subject; 0 when not known.
    pub zone: Zone,
    /// Takes listings whose endpoint isn't a public address: for tests and demonstrations.
    pub allow_private_endpoints: bool,
    /// Subjects taken in an epoch.
    pub max_subjects: usize,
}

impl MeasurerConfig {
    /// Defaults: both servers on free ports of loopback, zone unknown, public endpoints only.
    pub fn new(
        rpc_url: impl Into<String>,
        program: Pubkey,
        pool: Pubkey,
        state: impl Into<PathBuf>,
    ) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            rpc_url: rpc_url.into(),
            program,
            pool,
            listen: loopback,
            reflector_listen: loopback,
            reflector_public: None,
            state: state.into(),
            zone: Zone::new(0),
            allow_private_endpoints: false,
            max_subjects: MAX_SUBJECTS,
        }
    }
}

/// Why a measurer doesn't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The HTTP port.
    #[error("the measurer can't listen for HTTP on {address}: {source}; choose another port")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The reflector.
    #[error(transparent)]
    Reflector(#[from] ReflectorError),
    /// The state.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain answered, and what it said won't change by waiting.
    #[error(transparent)]
    Chain(#[from] ReadError),
    /// Not this pool's measurer.
    #[error(
        "this measurer's key is not in the pool's set, so that nobody could use its attestations; check the key and the pool"
    )]
    NotInSet,
}

/// A running measurer. Dropping it ends it, as abruptly as a kill; [`Self::shutdown`] ends it in order.
pub struct Measurer {
    engine: Arc<engine::Engine>,
    server: Server,
    stop: watch::Sender<bool>,
    follower: JoinHandle<()>,
}

impl Measurer {
    /// Starts. Without the chain it waits for it, and goes on with what it had begun before.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        config: MeasurerConfig,
        keys: Keys,
        schedule: ScheduleSecret,
    ) -> Result<Self, StartError> {
        let ledger = PoolOnChain::new(&config.rpc_url, config.program, config.pool);
        Self::start_with(config, keys, schedule, ledger).await
    }

    /// The same with another way to the chain; `rpc_url`, `program` and `pool` are not used.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_with<L: Ledger>(
        config: MeasurerConfig,
        keys: Keys,
        schedule: ScheduleSecret,
        ledger: L,
    ) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen {
            address: config.listen,
            source,
        };
        let listener = Server::bind(config.listen).await.map_err(listen)?;
        let reflector =
            reflector::Reflector::start(config.reflector_listen, config.reflector_public).await?;
        let store = store::Store::open(&config.state).await?;
        let (stop, stopped) = watch::channel(false);
        let (writer, _) = writer::Writer::start(store.clone());
        let context = Arc::new(probe::Context {
            keys,
            schedule,
            store,
            reflector,
            zone: config.zone,
        });
        let bounds = engine::Bounds {
            allow_private_endpoints: config.allow_private_endpoints,
            max_subjects: config.max_subjects,
        };
        let engine = engine::Engine::resume(context, writer, bounds, stopped.clone()).await?;
        match ledger.pool().await {
            Ok(pool) if !engine.is_in_set(&pool) => return Err(StartError::NotInSet),
            Ok(pool) => engine.learn(&pool).await?,
            // Said and repeated by the follower.
            Err(error) if error.is_temporary() => {}
            Err(error) => return Err(error.into()),
        }
        let engine = Arc::new(engine);
        let server = Server::start(
            listener,
            api::router(Arc::clone(&engine)),
            LIMITS,
            stopped.clone(),
        )
        .map_err(listen)?;
        let follower = tokio::spawn({
            let (engine, mut stopped) = (Arc::clone(&engine), stopped);
            async move {
                tokio::select! {
                    _ = stopped.changed() => {}
                    () = engine.follow(&ledger) => {}
                }
            }
        });
        tracing::info!("measurer listens on {}", server.address());
        Ok(Self {
            engine,
            server,
            stop,
            follower,
        })
    }

    /// Of the HTTP interface.
    #[must_use]
    pub const fn api_address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where the reflector listens.
    #[must_use]
    pub fn reflector_address(&self) -> SocketAddr {
        self.engine.context().reflector.address()
    }

    /// How far it is.
    #[must_use]
    pub fn status(&self) -> MeasurerStatus {
        let state = self.engine.state();
        let epochs = state.epochs.values().map(|epoch| {
            let mut subjects: Vec<SubjectStatus> = epoch
                .subjects
                .iter()
                .map(|(subject, state)| {
                    let progress = state
                        .progress
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner);
                    SubjectStatus {
                        subject: *subject,
                        answered: progress.answered,
                        failed: progress.failed.values().sum(),
                        reasons: progress.failed.clone(),
                        rounds: progress
                            .rounds
                            .iter()
                            .map(|result| RoundStatus {
                                result: *result,
                                mbit_per_second: result.outcome.bandwidth().mbit_per_second(),
                            })
                            .collect(),
                        attested: progress.attested,
                    }
                })
                .collect();
            subjects.sort_by_key(|status| status.subject);
            EpochStatus {
                epoch: epoch.times.number,
                starts_at: epoch.times.starts_at,
                ends_at: epoch.times.ends_at,
                subjects,
            }
        });
        MeasurerStatus {
            epochs: epochs.collect(),
            chain_works: state.chain_works,
        }
    }

    /// Ends it: requests under way are answered, results written.
    pub async fn shutdown(self) {
        let _ = self.stop.send(true);
        let Self {
            engine,
            server,
            stop: _stop,
            follower,
        } = self;
        server.ended().await;
        let _ = follower.await;
        engine.end().await;
        engine.flush().await;
        engine.context().store.close().await;
    }
}

/// How far a measurer is.
#[derive(Clone, Debug, Serialize)]
pub struct MeasurerStatus {
    /// Epochs that it knows, in order.
    pub epochs: Vec<EpochStatus>,
    /// Whether the chain answered when it was asked last.
    pub chain_works: bool,
}

/// How far it is with an epoch.
#[derive(Clone, Debug, Serialize)]
pub struct EpochStatus {
    /// Which.
    pub epoch: EpochId,
    /// Unix seconds.
    pub starts_at: i64,
    /// Unix seconds.
    pub ends_at: i64,
    /// By subject.
    pub subjects: Vec<SubjectStatus>,
}

/// How far it is with a subject.
#[derive(Clone, Debug, Serialize)]
pub struct SubjectStatus {
    /// Who.
    pub subject: SubjectBytes,
    /// Slots answered so far.
    pub answered: u16,
    /// Slots that failed so far.
    pub failed: u16,
    /// The failed ones by reason.
    pub reasons: BTreeMap<&'static str, u16>,
    /// Rounds that are over.
    pub rounds: Vec<RoundStatus>,
    /// What was signed; `None` before.
    pub attested: Option<Metrics>,
}

/// A round that is over.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RoundStatus {
    /// What came of it.
    #[serde(flatten)]
    pub result: RoundResult,
    /// What it counts as.
    pub mbit_per_second: f32,
}
