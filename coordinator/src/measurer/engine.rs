//! What a measurer knows and does: epochs seen on the chain, listings taken, a probe for each subject.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex as AsyncMutex, watch},
    task::JoinSet,
    time::sleep,
};
use veilpool_chain::ReadError;
use veilpool_interface::Pool;
use veilpool_protocol::{
    EpochId, MeasurerKeyBytes, SubjectBytes,
    api::{ListingReceipt, ListingRequest},
};

use super::{
    endpoint::{self, MAX_SUBJECTS_PER_ADDRESS},
    probe::{Context, Probe, Progress, now_millis},
    schedule::EpochTimes,
    store::{Facts, Listing, StoreError},
    writer::Writer,
};
use crate::{ledger::Ledger, outage::Outage};

/// Epochs before the pool's next that may still matter: the current one and those that wait to be signed.
const LOOK_BACK: u32 = 4;
/// What was measured is kept so long after the claim window, for questions.
const KEEP_SECONDS: i64 = 7 * 86_400;
/// Times outside of these are not a schedule (the year 36,812).
const LATEST: i64 = 1 << 40;

/// Why a listing is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ListError {
    #[error("this measurer has not read the pool from the chain yet; ask again in a moment")]
    NotReady,
    #[error(
        "epoch {0} is not open on the chain, as far as this measurer has seen; ask again when it is"
    )]
    UnknownEpoch(EpochId),
    #[error("epoch {0} is over; list for a later one")]
    EpochEnded(EpochId),
    #[error(
        "the endpoint is not a public address, and this measurer measures no others; list the address that clients connect to"
    )]
    Endpoint,
    #[error(
        "this subject is listed with another WireGuard key in this epoch; a key can't be changed before the next epoch"
    )]
    Conflict,
    #[error(
        "other subjects of this epoch have the endpoint's address already, as many as may; use another address"
    )]
    Crowded,
    #[error(
        "this measurer takes no more subjects in this epoch; list at others, or in the next epoch"
    )]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Bounds of what is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) allow_private_endpoints: bool,
    pub(crate) max_subjects: usize,
}

pub(crate) struct SubjectState {
    endpoint: watch::Sender<SocketAddr>,
    pub(crate) progress: Arc<Mutex<Progress>>,
}

pub(crate) struct EpochState {
    pub(crate) times: EpochTimes,
    pub(crate) subjects: HashMap<SubjectBytes, SubjectState>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) facts: Option<Facts>,
    pub(crate) chain_works: bool,
    pub(crate) epochs: BTreeMap<EpochId, EpochState>,
    probes: JoinSet<()>,
}

/// The measurer without its servers.
pub(crate) struct Engine {
    context: Arc<Context>,
    writer: Writer,
    bounds: Bounds,
    key: MeasurerKeyBytes,
    state: Mutex<State>,
    // One listing after another: bounds and conflicts are judged on what is stored.
    listing: AsyncMutex<()>,
    stop: watch::Receiver<bool>,
}

impl Engine {
    /// With what the store knows: probes of earlier listings go on.
    pub(crate) async fn resume(
        context: Arc<Context>,
        writer: Writer,
        bounds: Bounds,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, StoreError> {
        let engine = Self {
            key: context.keys.attestation_key(),
            context,
            writer,
            bounds,
            state: Mutex::default(),
            listing: AsyncMutex::new(()),
            stop,
        };
        if let Some(facts) = engine.store().facts().await? {
            engine.state().facts = Some(facts);
            for times in engine.store().epochs().await? {
                engine.add_epoch(times).await?;
            }
        }
        Ok(engine)
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    fn store(&self) -> &super::store::Store {
        &self.context.store
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the chain says of the pool.
    pub(crate) async fn learn(&self, pool: &Pool) -> Result<(), StoreError> {
        let facts = Facts {
            domain: pool.rules.domain,
            measurers: pool.measurers.clone(),
            epoch_seconds: pool.rules.parameters.epoch_seconds,
        };
        if self.state().facts.as_ref() == Some(&facts) {
            return Ok(());
        }
        self.store().bind(&facts).await?;
        self.state().facts = Some(facts);
        Ok(())
    }

    /// Whether this measurer is in the set.
    pub(crate) fn is_in_set(&self, pool: &Pool) -> bool {
        pool.measurers.contains(&self.key)
    }

    async fn add_epoch(&self, times: EpochTimes) -> Result<(), StoreError> {
        let sane = 0 < times.starts_at && times.starts_at < times.ends_at && times.ends_at < LATEST;
        if !sane || self.state().epochs.contains_key(&times.number) {
            return Ok(());
        }
        self.store().add_epoch(&times).await?;
        let epoch = EpochState {
            times,
            subjects: HashMap::new(),
        };
        self.state().epochs.insert(times.number, epoch);
        for listing in self.store().listings(times.number).await? {
            self.probe(listing);
        }
        Ok(())
    }

    /// Takes a listing.
    pub(crate) async fn list(&self, request: &ListingRequest) -> Result<ListingReceipt, ListError> {
        let _one_at_a_time = self.listing.lock().await;
        let now = now_millis();
        let times = self.check(request, now)?;
        let known = self
            .store()
            .listing(request.epoch, &request.subject)
            .await?;
        if known
            .as_ref()
            .is_some_and(|known| known.wireguard_key != request.wireguard_key)
        {
            return Err(ListError::Conflict);
        }
        let listing = self
            .store()
            .list(&Listing {
                epoch: request.epoch,
                subject: request.subject,
                wireguard_key: request.wireguard_key,
                endpoint: request.endpoint,
                listed_at: now,
                signed: false,
            })
            .await?;
        let missed = times
            .heartbeats(&self.context.keys.heartbeat_secret(), &request.subject)
            .into_iter()
            .filter(|at| *at <= listing.listed_at)
            .count();
        self.probe(listing);
        Ok(ListingReceipt {
            epoch: request.epoch,
            slots_missed: u16::try_from(missed).unwrap_or(u16::MAX),
        })
    }

    /// All that doesn't need the store.
    fn check(&self, request: &ListingRequest, now: i64) -> Result<EpochTimes, ListError> {
        let state = self.state();
        if state.facts.is_none() {
            return Err(ListError::NotReady);
        }
        let epoch = state
            .epochs
            .get(&request.epoch)
            .ok_or(ListError::UnknownEpoch(request.epoch))?;
        if now >= epoch.times.ends() {
            return Err(ListError::EpochEnded(request.epoch));
        }
        let private = self.bounds.allow_private_endpoints;
        if request.endpoint.port() == 0 || !private && !endpoint::is_public(request.endpoint) {
            return Err(ListError::Endpoint);
        }
        let place: IpAddr = endpoint::place(request.endpoint);
        let neighbours = epoch.subjects.iter().filter(|(subject, other)| {
            **subject != request.subject && endpoint::place(*other.endpoint.borrow()) == place
        });
        if !private && neighbours.count() >= MAX_SUBJECTS_PER_ADDRESS {
            return Err(ListError::Crowded);
        }
        let known = epoch.subjects.contains_key(&request.subject);
        if !known && epoch.subjects.len() >= self.bounds.max_subjects {
            return Err(ListError::Full);
        }
        Ok(epoch.times)
    }

    /// Starts a subject's probe, or tells it a new endpoint.
    fn probe(&self, listing: Listing) {
        let mut guard = self.state();
        let state = &mut *guard;
        let (Some(facts), Some(epoch)) = (&state.facts, state.epochs.get_mut(&listing.epoch))
        else {
            return;
        };
        if let Some(subject) = epoch.subjects.get(&listing.subject) {
            subject.endpoint.send_if_modified(|endpoint| {
                let changed = *endpoint != listing.endpoint;
                *endpoint = listing.endpoint;
                changed
            });
            return;
        }
        let place = facts.measurers.iter().position(|key| *key == self.key);
        let (sender, receiver) = watch::channel(listing.endpoint);
        let progress = Arc::new(Mutex::new(Progress::default()));
        let subject = SubjectState {
            endpoint: sender,
            progress: Arc::clone(&progress),
        };
        epoch.subjects.insert(listing.subject, subject);
        let probe = Probe {
            context: Arc::clone(&self.context),
            writer: self.writer.clone(),
            domain: facts.domain,
            times: epoch.times,
            listing,
            place: (facts.measurers.len(), place.unwrap_or(0)),
            endpoint: receiver,
            progress,
            stop: self.stop.clone(),
        };
        while state.probes.try_join_next().is_some() {}
        state.probes.spawn(probe.run());
    }

    /// Follows the chain until told to stop.
    pub(crate) async fn follow<L: Ledger>(&self, ledger: &L) {
        let mut outage = Outage::new(
            "the chain",
            "listings that were taken are measured and signed all the same; new epochs are seen when it is back",
            Duration::from_secs(10),
        );
        loop {
            let wait = match self.update(ledger).await {
                Ok(wait) => {
                    outage.works();
                    wait
                }
                Err(error) => outage.failed(&error),
            };
            self.state().chain_works = !outage.is_down();
            sleep(wait).await;
        }
    }

    async fn update<L: Ledger>(&self, ledger: &L) -> Result<Duration, FollowError> {
        let pool = ledger.pool().await?;
        self.learn(&pool).await?;
        let next = pool.books.next_epoch.get();
        for number in next.saturating_sub(LOOK_BACK)..next {
            let number = EpochId::new(number);
            if self.state().epochs.contains_key(&number) {
                continue;
            }
            // `None` has been closed already.
            if let Some(epoch) = ledger.epoch(number).await? {
                let times = EpochTimes {
                    number,
                    starts_at: epoch.starts_at,
                    ends_at: epoch.ends_at,
                    claim_until: epoch.claim_until,
                };
                self.add_epoch(times).await?;
            }
        }
        self.forget().await?;
        Ok(poll_interval(pool.rules.parameters.epoch_seconds))
    }

    /// Drops epochs whose claims were over long ago.
    async fn forget(&self) -> Result<(), StoreError> {
        let before = now_millis() / 1000 - KEEP_SECONDS;
        let old = |epoch: &EpochState| epoch.times.claim_until < before;
        if !self.state().epochs.values().any(old) {
            return Ok(());
        }
        self.store().forget(before).await?;
        self.state().epochs.retain(|_, epoch| !old(epoch));
        Ok(())
    }

    /// Returns when all results are on the disk.
    pub(crate) async fn flush(&self) {
        self.writer.flush().await;
    }

    /// Ends all probes that still run.
    pub(crate) async fn end(&self) {
        let mut probes = std::mem::take(&mut self.state().probes);
        probes.shutdown().await;
    }
}

#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How often the chain is asked: sixty times an epoch, within reason.
pub(crate) fn poll_interval(epoch_seconds: u32) -> Duration {
    (Duration::from_secs(epoch_seconds.into()) / 60)
        .clamp(Duration::from_millis(200), Duration::from_secs(30))
}
