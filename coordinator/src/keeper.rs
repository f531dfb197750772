//! A keeper: opens the next epoch when it is due, and closes claims and epochs after their window, so that rents
//! go back to whom they belong and reservations to the pool. Anybody may; nothing is trusted to it.
//!
//! It keeps nothing: what is due is a function of the chain's accounts and clock.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::{sync::watch, task::JoinHandle, time::sleep};
use veilpool_chain::{ReadError, SendError};
use veilpool_interface::{Claim, Epoch, Pool, PoolError, address, builder};
use veilpool_protocol::{EpochId, NullifierBytes};

use crate::{
    ledger::{Ledger, PoolOnChain},
    outage::Outage,
};

/// Compute budget of opening and of closing.
const UNITS: u32 = 100_000;
/// An epoch may be opened so early: this part of its length before the latest one ends.
const LEAD: i64 = 4;
/// Accounts closed between two looks at the clock.
const MAX_CLOSED: usize = 64;

/// How a keeper is run.
#[derive(Clone, Debug)]
pub struct KeeperConfig {
    /// The RPC node's URL.
    pub rpc_url: String,
    /// The pool program.
    pub program: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Opens epochs.
    pub open: bool,
    /// Closes claims and epochs.
    pub close: bool,
}

impl KeeperConfig {
    /// Does everything.
    pub fn new(rpc_url: impl Into<String>, program: Pubkey, pool: Pubkey) -> Self {
        Self {
            rpc_url: rpc_url.into(),
            program,
            pool,
            open: true,
            close: true,
        }
    }
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open this epoch.
    Open(EpochId),
    /// Close this claim's account.
    CloseClaim {
        /// Of the account.
        address: Pubkey,
        /// Its epoch.
        epoch: EpochId,
        /// Who gets the rent.
        rent_payer: Pubkey,
    },
    /// Close this epoch.
    CloseEpoch {
        /// Which.
        epoch: EpochId,
        /// Who gets the rent.
        rent_payer: Pubkey,
    },
}

/// The next epoch, if it is due: a quarter of an epoch before the latest ends, so that nodes and measurers
/// have time for listings. Without operators there is nothing to open.
#[must_use]
pub fn due_to_open(pool: &Pool, now: i64) -> Option<Action> {
    let lead = i64::from(pool.epoch_seconds) / LEAD;
    let due = now.saturating_add(lead) >= pool.latest_ends_at;
    (due && pool.registry.leaf_count > 0).then_some(Action::Open(pool.next_epoch))
}

/// What may be closed: claims before their epochs, the oldest first.
#[must_use]
pub fn due_to_close(epochs: &[Epoch], claims: &[(Pubkey, Claim)], now: i64) -> Vec<Action> {
    let mut claims: Vec<_> = claims
        .iter()
        .filter(|(_, claim)| now >= claim.claim_until)
        .collect();
    claims.sort_by_key(|(address, claim)| (claim.epoch, *address));
    let mut epochs: Vec<_> = epochs
        .iter()
        .filter(|epoch| now >= epoch.claim_until)
        .collect();
    epochs.sort_by_key(|epoch| epoch.number);
    let close_claims = claims
        .into_iter()
        .map(|(address, claim)| Action::CloseClaim {
            address: *address,
            epoch: claim.epoch,
            rent_payer: address::pubkey(&claim.rent_payer),
        });
    let close_epochs = epochs.into_iter().map(|epoch| Action::CloseEpoch {
        epoch: epoch.number,
        rent_payer: address::pubkey(&epoch.rent_payer),
    });
    close_claims.chain(close_epochs).collect()
}

/// How a keeper is doing.
#[derive(Clone, Debug, Default, Serialize)]
pub struct KeeperStatus {
    /// Whether the chain answered when it was asked last.
    pub chain_works: bool,
    /// Epochs opened by this keeper.
    pub opened: u64,
    /// Claims' accounts closed by this keeper.
    pub closed_claims: u64,
    /// Epochs closed by this keeper.
    pub closed_epochs: u64,
    /// The pool's next epoch, as seen last.
    pub next_epoch: EpochId,
    /// When the latest epoch ends, in Unix seconds, as seen last.
    pub latest_ends_at: i64,
}

/// A running keeper. Dropping it ends it.
pub struct Keeper {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    status: Arc<Mutex<KeeperStatus>>,
}

impl Keeper {
    /// Starts. Without the chain it waits for it.
    ///
    /// # Errors
    /// [`ReadError`] when the chain answered, and what it said won't change by waiting.
    pub async fn start(config: KeeperConfig, keypair: Keypair) -> Result<Self, ReadError> {
        let ledger = PoolOnChain::new(&config.rpc_url, config.program, config.pool);
        Self::start_with(config, keypair, ledger).await
    }

    /// The same with another way to the chain; `rpc_url` is not used.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with<L: Ledger>(
        config: KeeperConfig,
        keypair: Keypair,
        ledger: L,
    ) -> Result<Self, ReadError> {
        if let Err(error) = ledger.pool().await
            && !error.is_temporary()
        {
            return Err(error);
        }
        let status = Arc::new(Mutex::new(KeeperStatus::default()));
        let (stop, mut stopped) = watch::channel(false);
        let work = Work {
            config,
            keypair,
            ledger,
            status: Arc::clone(&status),
        };
        let task = tokio::spawn(async move {
            tokio::select! {
                _ = stopped.changed() => {}
                () = work.run() => {}
            }
        });
        Ok(Self { stop, task, status })
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> KeeperStatus {
        lock(&self.status).clone()
    }

    /// Ends it.
    pub async fn shutdown(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

fn lock(status: &Mutex<KeeperStatus>) -> MutexGuard<'_, KeeperStatus> {
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Work<L> {
    config: KeeperConfig,
    keypair: Keypair,
    ledger: L,
    status: Arc<Mutex<KeeperStatus>>,
}

impl<L: Ledger> Work<L> {
    async fn run(self) {
        let mut outage = Outage::new(
            "the chain",
            "epochs are opened and closed when it is back",
            Duration::from_secs(10),
        );
        // The first look is at once.
        let mut since_close = Duration::MAX;
        loop {
            let wait = match self.look(&mut since_close).await {
                Ok(wait) => {
                    outage.works();
                    wait
                }
                Err(error) => outage.failed(&error),
            };
            lock(&self.status).chain_works = !outage.is_down();
            sleep(wait).await;
            since_close = since_close.saturating_add(wait);
        }
    }

    /// One look: opens often, closes seldom, since closing reads many accounts.
    async fn look(&self, since_close: &mut Duration) -> Result<Duration, SendError> {
        let pool = self.ledger.pool().await?;
        let now = self.ledger.now().await?;
        {
            let mut status = lock(&self.status);
            status.next_epoch = pool.next_epoch;
            status.latest_ends_at = pool.latest_ends_at;
        }
        let epoch = Duration::from_secs(pool.epoch_seconds.into());
        if self.config.open
            && let Some(action) = due_to_open(&pool, now)
        {
            self.act(&action).await?;
        }
        let pause = (epoch / 12).clamp(Duration::from_secs(1), Duration::from_secs(300));
        if self.config.close && *since_close >= pause {
            let epochs = self.ledger.epochs().await?;
            let claims = self.ledger.claims().await?;
            for action in due_to_close(&epochs, &claims, now).iter().take(MAX_CLOSED) {
                self.act(action).await?;
            }
            *since_close = Duration::ZERO;
        }
        Ok((epoch / 60).clamp(Duration::from_millis(200), Duration::from_secs(30)))
    }

    async fn act(&self, action: &Action) -> Result<(), SendError> {
        let Some(instruction) = self.instruction(action).await? else {
            return Ok(());
        };
        match self.ledger.send(&self.keypair, &[instruction], UNITS).await {
            Ok(_) => self.done(action),
            Err(error) => match error.reason() {
                Some(reason) if is_harmless(reason) => {
                    tracing::debug!(
                        "{action:?} was done by another keeper, or is not due yet: {reason}"
                    );
                }
                Some(reason) => tracing::warn!("{action:?} was refused: {reason}"),
                None => return Err(error),
            },
        }
        Ok(())
    }

    async fn instruction(&self, action: &Action) -> Result<Option<Instruction>, ReadError> {
        let KeeperConfig { program, pool, .. } = &self.config;
        Ok(match action {
            Action::Open(epoch) => Some(builder::open_epoch(
                program,
                pool,
                &self.keypair.pubkey(),
                *epoch,
            )),
            Action::CloseClaim {
                address,
                epoch,
                rent_payer,
            } => {
                let nullifier: Option<NullifierBytes> =
                    self.ledger.nullifier(address, *epoch).await?;
                if nullifier.is_none() {
                    tracing::warn!(
                        "the RPC node has forgotten how the claim {address} came about, so that it can't be closed; use a node that keeps its history"
                    );
                }
                nullifier.map(|nullifier| {
                    builder::close_claim(program, pool, rent_payer, *epoch, nullifier)
                })
            }
            Action::CloseEpoch { epoch, rent_payer } => {
                Some(builder::close_epoch(program, pool, rent_payer, *epoch))
            }
        })
    }

    fn done(&self, action: &Action) {
        let mut status = lock(&self.status);
        match action {
            Action::Open(epoch) => {
                status.opened += 1;
                tracing::info!("epoch {epoch} opened");
            }
            Action::CloseClaim { .. } => status.closed_claims += 1,
            Action::CloseEpoch { epoch, .. } => {
                status.closed_epochs += 1;
                tracing::info!("epoch {epoch} closed");
            }
        }
    }
}

/// Refusals that mean that another keeper was first, or that the clock has not got there.
const fn is_harmless(reason: PoolError) -> bool {
    matches!(
        reason,
        PoolError::WrongEpoch
            | PoolError::AlreadyExists
            | PoolError::WrongOwner
            | PoolError::EpochNotEnded
            | PoolError::ClaimWindowOpen
    )
}
