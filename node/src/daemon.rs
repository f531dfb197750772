//! The tasks of a running node: one watches the chain, one is listed with each measurer in each epoch, one
//! drives each claim, and one owns the exit and changes its key when an epoch begins.

pub(crate) mod clock;
mod driver;
mod listing;
mod outages;
mod watch;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinSet};
use veilpool_chain::Chain;
use veilpool_interface::address;
use veilpool_primitives::OperatorSecret;
use veilpool_protocol::{AddressBytes, EpochId, api::WireGuardKeyBytes};
use veilpool_tunnel::{PublicKey, StaticSecret};

use crate::{
    claim::{
        ClaimRecord, Claimant, World,
        effects::{PoolOnChain, ProverSource},
        steps::Settings,
    },
    config::NodeConfig,
    exit::{Exit, Meter},
    http::Http,
    identity,
    measurers::Measurer,
    status::{EpochStatus, NodeStatus},
    store::{Listing, Snapshot, Store, StoreError},
};
pub(crate) use outages::Outages;

/// A claimant in the real world.
pub(crate) type RealClaimant = Claimant<PoolOnChain, Http, Http, ProverSource>;

/// How often the state's snapshot is written.
const SNAPSHOT: Duration = Duration::from_secs(1);
/// This machine's networks change: the policy is made anew this often.
const POLICY: Duration = Duration::from_secs(30);
/// A clock may jump: the schedule is looked at this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// What all tasks share.
pub(crate) struct Shared {
    pub(crate) config: NodeConfig,
    pub(crate) secret: OperatorSecret,
    pub(crate) store: Store,
    pub(crate) chain: Arc<Chain>,
    pub(crate) http: Http,
    pub(crate) prover: ProverSource,
    pub(crate) meter: Meter,
    pub(crate) address: SocketAddr,
    pub(crate) endpoint: SocketAddr,
    pub(crate) outages: Outages,
    /// Somebody wants the policy to be read again.
    pub(crate) reload: tokio::sync::Notify,
    pub(crate) board: Mutex<Board>,
}

/// What the operator is shown.
#[derive(Default)]
pub(crate) struct Board {
    pub(crate) epoch: Option<EpochId>,
    pub(crate) records: BTreeMap<EpochId, ClaimRecord>,
    pub(crate) listings: BTreeMap<EpochId, Vec<Listing>>,
}

/// The WireGuard secret of an epoch: the same after a restart (attack M10).
pub(crate) fn wireguard_secret(
    secret: &OperatorSecret,
    pool: &AddressBytes,
    epoch: EpochId,
) -> StaticSecret {
    StaticSecret::from(*secret.derive_key("wireguard", pool, epoch))
}

/// The WireGuard key of an epoch, as guests have to know it.
#[must_use]
pub fn wireguard_key(
    secret: &OperatorSecret,
    pool: &AddressBytes,
    epoch: EpochId,
) -> WireGuardKeyBytes {
    let secret = wireguard_secret(secret, pool, epoch);
    WireGuardKeyBytes::new(PublicKey::from(&secret).to_bytes())
}

impl Shared {
    fn pool(&self) -> AddressBytes {
        address::bytes(&self.config.pool)
    }

    fn wireguard_key(&self, epoch: EpochId) -> WireGuardKeyBytes {
        wireguard_key(&self.secret, &self.pool(), epoch)
    }

    fn board(&self) -> std::sync::MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, record: &ClaimRecord) {
        self.board().records.insert(record.epoch, record.clone());
    }

    async fn note_listing(&self, epoch: EpochId, listing: Listing) {
        {
            let mut board = self.board();
            let listings = board.listings.entry(epoch).or_default();
            match listings
                .iter_mut()
                .find(|it| it.measurer == listing.measurer)
            {
                Some(place) => *place = listing.clone(),
                None => listings.push(listing.clone()),
            }
        }
        // Only shown to the operator: losing it loses nothing.
        if let Err(error) = self.store.save_listing(epoch, &listing).await {
            tracing::debug!("{error}");
        }
    }

    fn snapshot(&self) -> Snapshot {
        let traffic = self.meter.total();
        Snapshot {
            address: Some(self.address.to_string()),
            epoch: self.board().epoch,
            up: traffic.up,
            down: traffic.down,
            at: clock::now(),
        }
    }

    /// Shows what an earlier run left.
    pub(crate) async fn restore(
        &self,
        key_of: Option<EpochId>,
        known: &[ClaimRecord],
    ) -> Result<(), StoreError> {
        let mut listings = BTreeMap::new();
        for record in known {
            listings.insert(record.epoch, self.store.listings(record.epoch).await?);
        }
        let mut board = self.board();
        board.epoch = key_of;
        board.listings = listings;
        board.records = known.iter().map(|it| (it.epoch, it.clone())).collect();
        Ok(())
    }

    /// The last snapshot, and the end of the state.
    pub(crate) async fn finish(&self) {
        if let Err(error) = self.store.save_snapshot(&self.snapshot()).await {
            tracing::debug!("{error}");
        }
        self.store.close().await;
    }

    /// What the operator is told.
    pub(crate) fn status(&self) -> NodeStatus {
        let snapshot = self.snapshot();
        let board = self.board();
        let epochs = board.records.values().rev().map(|record| {
            let listings = board.listings.get(&record.epoch);
            EpochStatus::of(record, listings.map_or(&[], Vec::as_slice))
        });
        NodeStatus::of(&snapshot, epochs.collect())
    }

    fn settings(&self, mint: AddressBytes, domain: veilpool_protocol::DomainBytes) -> Settings {
        let config = &self.config;
        Settings {
            program: config.program,
            pool: config.pool,
            mint,
            domain,
            measurers: config.measurers.clone(),
            relayers: config.relayers.clone(),
            max_fee: config.max_fee,
            max_class: config.max_class,
            claim_delay: config.claim_delay.clone(),
            grace: config.grace,
            auto_claim: config.auto_claim,
        }
    }

    fn claimant(&self, settings: Settings) -> RealClaimant {
        Claimant {
            settings,
            secret: identity::again(&self.secret),
            world: World {
                chain: PoolOnChain {
                    chain: Arc::clone(&self.chain),
                    pool: self.config.pool,
                },
                measurers: self.http.clone(),
                relayers: self.http.clone(),
                prover: self.prover.clone(),
            },
        }
    }
}

/// What the watcher tells.
enum News {
    /// The pool can be read, and so claims can be made.
    Pool(Box<Settings>),
    /// An epoch that wasn't known.
    Epoch(Box<ClaimRecord>),
}

/// Runs until it is dropped. `known` are the epochs of an earlier run.
pub(crate) async fn run(
    shared: Arc<Shared>,
    exit: &Exit,
    key_of: Option<EpochId>,
    known: Vec<ClaimRecord>,
) {
    let mut tasks = JoinSet::new();
    let (news, mut inbox) = mpsc::channel(16);
    tasks.spawn(watch::watch(Arc::clone(&shared), news));
    tasks.spawn(keep_snapshots(Arc::clone(&shared)));
    let mut daemon = Daemon {
        shared,
        tasks,
        claimant: None,
        waiting: Vec::new(),
        starts: BTreeMap::new(),
        key_of,
    };
    for record in known {
        daemon.take_up(record);
    }
    let mut policies = tokio::time::interval(POLICY);
    policies.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first tick is at once, and the policy is fresh.
    policies.tick().await;
    loop {
        let delay = daemon.change_key(exit);
        tokio::select! {
            _ = policies.tick() => daemon.reload(exit).await,
            () = daemon.shared.reload.notified() => daemon.reload(exit).await,
            told = inbox.recv() => match told {
                Some(News::Pool(settings)) => daemon.take_pool(*settings),
                Some(News::Epoch(record)) => {
                    driver::keep(&daemon.shared, &record).await;
                    daemon.take_up(*record);
                }
                // The watcher ends only with this task.
                None => std::future::pending().await,
            },
            () = tokio::time::sleep(delay) => {}
            Some(ended) = daemon.tasks.join_next() => if let Err(error) = ended {
                tracing::error!("a task of the node failed: {error}; please report this");
            },
        }
    }
}

struct Daemon {
    shared: Arc<Shared>,
    // Dropped with the daemon, which ends them all.
    tasks: JoinSet<()>,
    claimant: Option<Arc<RealClaimant>>,
    // Claims that wait for the claimant.
    waiting: Vec<ClaimRecord>,
    // When epochs begin, in Unix milliseconds.
    starts: BTreeMap<EpochId, i64>,
    key_of: Option<EpochId>,
}

impl Daemon {
    fn take_pool(&mut self, settings: Settings) {
        if self.claimant.is_some() {
            return;
        }
        let claimant = Arc::new(self.shared.claimant(settings));
        for record in self.waiting.drain(..) {
            let (shared, claimant) = (Arc::clone(&self.shared), Arc::clone(&claimant));
            self.tasks.spawn(driver::drive(shared, claimant, record));
        }
        self.claimant = Some(claimant);
    }

    fn take_up(&mut self, record: ClaimRecord) {
        let (epoch, ends_at) = (record.epoch, record.ends_at.saturating_mul(1_000));
        self.starts
            .insert(epoch, record.starts_at.saturating_mul(1_000));
        self.shared.show(&record);
        if record.phase.is_final() {
            return;
        }
        if clock::now() < ends_at {
            for url in &self.shared.config.measurers {
                let measurer = Measurer::new(self.shared.http.clone(), url.clone());
                let shared = Arc::clone(&self.shared);
                self.tasks
                    .spawn(listing::list(shared, measurer, epoch, ends_at));
            }
        }
        match &self.claimant {
            Some(claimant) => {
                let (shared, claimant) = (Arc::clone(&self.shared), Arc::clone(claimant));
                self.tasks.spawn(driver::drive(shared, claimant, record));
            }
            None => self.waiting.push(record),
        }
    }

    /// A file with a fault, or a machine that doesn't tell its networks, changes nothing.
    async fn reload(&self, exit: &Exit) {
        let Some(source) = self.shared.config.policy.clone() else {
            return;
        };
        // Files and the system's tables are read elsewhere.
        match tokio::task::spawn_blocking(move || source.load()).await {
            Ok(Ok(policy)) => {
                if exit.replace_policy(policy) {
                    tracing::info!("another exit policy holds");
                }
            }
            Ok(Err(error)) => tracing::error!("the exit policy stays as it is: {error}"),
            Err(error) => {
                tracing::error!("the exit policy stays as it is: {error}; please report this")
            }
        }
    }

    /// Gives the exit the key of the epoch that runs; says how long it is right.
    fn change_key(&mut self, exit: &Exit) -> Duration {
        let now = clock::now();
        let current = self
            .starts
            .iter()
            .rfind(|(_, start)| **start <= now)
            .map(|(epoch, _)| *epoch);
        if let Some(epoch) = current.filter(|_| current != self.key_of) {
            let secret = wireguard_secret(&self.shared.secret, &self.shared.pool(), epoch);
            exit.rekey(secret);
            tracing::info!(%epoch, "the exit has the epoch's key");
            self.key_of = current;
            self.shared.board().epoch = current;
        }
        let next = self.starts.values().filter(|start| **start > now).min();
        next.map_or(LONGEST_SLEEP, |start| {
            Duration::from_millis(u64::try_from(start - now).unwrap_or(0)).min(LONGEST_SLEEP)
        })
    }
}

async fn keep_snapshots(shared: Arc<Shared>) {
    let mut ticker = tokio::time::interval(SNAPSHOT);
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticker.tick().await;
        // Which guest moved how much isn't kept: nobody is paid by it, and it would tell who was here.
        let written = match shared.store.save_snapshot(&shared.snapshot()).await {
            Ok(()) => shared.store.forget(clock::now() / 1_000).await,
            error => error,
        };
        if let Err(error) = written {
            tracing::debug!("{error}");
        }
    }
}
