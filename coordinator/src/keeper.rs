//! A keeper: opens the next epoch when it is due, closes claims and epochs after their window, so that rents
//! go back to whom they belong and reservations to the pool, and pays withdrawals and bonds that have waited. Anybody
//! may; nothing is trusted to it.
//!
//! It keeps nothing: what is due is a function of the chain's accounts and clock.

mod due;

pub use due::{Action, Snapshot, due_to_close, due_to_open};

use std::{
    collections::BTreeSet,
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
use veilpool_interface::{Pool, PoolError, address, builder};
use veilpool_protocol::EpochId;

use crate::{
    ledger::{Ledger, PoolOnChain},
    outage::Outage,
    relayer::submit::token_account,
};

/// Compute budget of each instruction.
const UNITS: u32 = 100_000;
/// Accounts closed between two looks at the clock.
const MAX_CLOSED: usize = 64;
/// Actions whose payees' token accounts are asked for at once: an RPC node answers for a hundred accounts.
const MAX_ASKED: usize = 100;

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
    /// Closes claims and epochs, and pays withdrawals and bonds.
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
    /// Withdrawals paid by this keeper.
    pub withdrawals: u64,
    /// Bonds given back by this keeper.
    pub bonds: u64,
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
            status.next_epoch = pool.books.next_epoch;
            status.latest_ends_at = pool.books.latest_ends_at;
        }
        let mint = address::pubkey(&pool.rules.mint);
        let epoch = Duration::from_secs(pool.rules.parameters.epoch_seconds.into());
        if self.config.open
            && let Some(action) = due_to_open(&pool, now)
        {
            self.act(&action, &mint).await?;
        }
        let pause = (epoch / 12).clamp(Duration::from_secs(1), Duration::from_secs(300));
        if self.config.close && *since_close >= pause {
            for action in &self.due(pool, now).await? {
                self.act(action, &mint).await?;
            }
            *since_close = Duration::ZERO;
        }
        Ok((epoch / 60).clamp(Duration::from_millis(200), Duration::from_secs(30)))
    }

    /// What may be closed and paid. What would be paid to nobody's token account is left out, so that it takes
    /// nobody's turn: its owner makes the account, or executes it towards another one.
    async fn due(&self, pool: Pool, now: i64) -> Result<Vec<Action>, ReadError> {
        let mint = address::pubkey(&pool.rules.mint);
        let snapshot = Snapshot {
            epochs: self.ledger.epochs().await?,
            claims: self.ledger.claims().await?,
            withdrawals: self.ledger.withdrawals().await?,
            operators: self.ledger.operators().await?,
            pool,
        };
        let mut actions = Vec::new();
        for some in due_to_close(&snapshot, now).chunks(MAX_ASKED) {
            let payees: BTreeSet<Pubkey> = some.iter().filter_map(Action::payee).collect();
            let accounts: Vec<Pubkey> = payees.iter().map(|it| token_account(it, &mint)).collect();
            let found = self.ledger.token_accounts(&accounts).await?;
            let payable: BTreeSet<Pubkey> = payees
                .into_iter()
                .zip(found)
                .filter_map(|(payee, account)| account.map(|_| payee))
                .collect();
            let payable = |action: &&Action| action.payee().is_none_or(|it| payable.contains(&it));
            actions.extend(some.iter().filter(payable).cloned());
            if actions.len() >= MAX_CLOSED {
                break;
            }
        }
        actions.truncate(MAX_CLOSED);
        Ok(actions)
    }

    async fn act(&self, action: &Action, mint: &Pubkey) -> Result<(), SendError> {
        let instruction = self.instruction(action, mint);
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

    fn instruction(&self, action: &Action, mint: &Pubkey) -> Instruction {
        let KeeperConfig { program, pool, .. } = &self.config;
        match action {
            Action::Open(epoch) => {
                builder::open_epoch(program, pool, &self.keypair.pubkey(), *epoch)
            }
            Action::CloseClaim {
                epoch,
                nullifier,
                rent_payer,
            } => builder::close_claim(program, pool, rent_payer, *epoch, nullifier),
            Action::CloseEpoch { epoch, rent_payer } => {
                builder::close_epoch(program, pool, rent_payer, *epoch)
            }
            Action::Withdraw { owner, number } => {
                let tokens = token_account(owner, mint);
                builder::withdraw(program, pool, owner, *number, &tokens)
            }
            Action::ReleaseBond { commitment, bonder } => {
                let tokens = token_account(bonder, mint);
                builder::release_bond(program, pool, bonder, &tokens, commitment)
            }
        }
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
            Action::Withdraw { .. } => {
                status.withdrawals += 1;
                tracing::info!("a withdrawal was paid");
            }
            Action::ReleaseBond { .. } => {
                status.bonds += 1;
                tracing::info!("a bond was given back");
            }
        }
    }
}

/// Refusals that mean that another keeper was first, that the clock has not got there, or that money is still
/// reserved.
const fn is_harmless(reason: PoolError) -> bool {
    matches!(
        reason,
        PoolError::WrongEpoch
            | PoolError::AlreadyExists
            | PoolError::WrongOwner
            | PoolError::WrongTokenAccount
            | PoolError::EpochNotEnded
            | PoolError::ClaimWindowOpen
            | PoolError::ClaimsFrozen
            | PoolError::NoOperators
            | PoolError::InsufficientLiquidity
            | PoolError::WithdrawalNotReady
            | PoolError::BondLocked
    )
}
