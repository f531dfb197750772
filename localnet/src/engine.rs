//! The thread that owns the chain and its store: slots tick, requests are answered one after another.
//!
//! Reads and writes are in one thread on purpose: what a client is told is what the store has, with no
//! lock to get wrong. Landing is execute → commit (fsync) → answer. If a commit fails, memory is
//! ahead of the disk, so nothing more is answered until a restart, which resumes from the disk.

use std::{
    thread::JoinHandle,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::{
    chain::{Chain, Refusal},
    config::{LocalnetConfig, StartError},
    rpc,
    store::Store,
};

/// Requests that may wait; beyond it, clients wait to hand theirs in.
const QUEUE: usize = 256;

/// A request and where its answer goes.
pub(crate) struct Job {
    pub(crate) request: Value,
    pub(crate) reply: oneshot::Sender<Option<Value>>,
}

/// The chain with its store.
pub(crate) struct Engine {
    pub(crate) chain: Chain,
    pub(crate) faucet_limit: Option<u64>,
    store: Option<Store>,
    halted: Option<String>,
}

/// Starts the thread and returns when the chain stands.
pub(crate) async fn start(
    config: LocalnetConfig,
    stopped: watch::Receiver<bool>,
) -> Result<(mpsc::Sender<Job>, JoinHandle<()>), StartError> {
    let (jobs, queue) = mpsc::channel(QUEUE);
    let (ready, stands) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("localnet".to_owned())
        .spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
            {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = ready.send(Err(StartError::Thread(error.to_string())));
                    return;
                }
            };
            runtime.block_on(async move {
                let block_time = config.block_time;
                match Engine::open(config).await {
                    Ok(engine) => {
                        let _ = ready.send(Ok(()));
                        engine.run(block_time, queue, stopped).await;
                    }
                    Err(error) => {
                        let _ = ready.send(Err(error));
                    }
                }
            });
        })
        .map_err(|error| StartError::Thread(error.to_string()))?;
    stands
        .await
        .map_err(|_| StartError::Thread("it ended at once".to_owned()))??;
    Ok((jobs, thread))
}

impl Engine {
    async fn open(config: LocalnetConfig) -> Result<Engine, StartError> {
        let faucet_limit = config.faucet_limit;
        let now = unix_now();
        let (chain, store) = match &config.state {
            None => (Chain::genesis(&config, now)?, None),
            Some(folder) => {
                let mut store = Store::open(folder).await?;
                let chain = match store.load().await? {
                    None => {
                        let chain = Chain::genesis(&config, now)?;
                        store.begin(&chain).await?;
                        chain
                    }
                    Some(kept) => {
                        let chain = Chain::restore(&config, kept, now, store.path())?;
                        store
                            .tick(chain.slot(), chain.unix_timestamp())
                            .await
                            .map_err(|error| store.database_error(&error))?;
                        chain
                    }
                };
                (chain, Some(store))
            }
        };
        Ok(Engine {
            chain,
            faucet_limit,
            store,
            halted: None,
        })
    }

    async fn run(
        mut self,
        block_time: std::time::Duration,
        mut queue: mpsc::Receiver<Job>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut slots = interval_at(Instant::now() + block_time, block_time);
        slots.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stop| *stop) => break,
                _ = slots.tick() => self.tick().await,
                job = queue.recv() => {
                    let Some(Job { request, reply }) = job else { break };
                    let answer = rpc::answer(&mut self, request).await;
                    let _ = reply.send(answer);
                }
            }
        }
        if let Some(store) = self.store {
            store.close().await;
        }
    }

    /// Why nothing is answered any more.
    pub(crate) fn halted(&self) -> Option<&str> {
        self.halted.as_deref()
    }

    /// The next slot.
    async fn tick(&mut self) {
        if self.halted.is_some() {
            return;
        }
        self.chain.advance(unix_now());
        if let Some(store) = &mut self.store
            && let Err(error) = store
                .tick(self.chain.slot(), self.chain.unix_timestamp())
                .await
        {
            self.halt(&error.to_string());
        }
    }

    /// Executes a transaction that is checked already, keeps it, and only then returns.
    pub(crate) async fn land(
        &mut self,
        transaction: VersionedTransaction,
        raw: Vec<u8>,
    ) -> Result<Signature, Refusal> {
        let landed = match self.chain.execute(transaction, raw) {
            Ok(landed) => landed,
            Err(Refusal::Runtime) => {
                self.halt("the runtime panicked while it executed a transaction");
                return Err(Refusal::Runtime);
            }
            Err(refusal) => return Err(refusal),
        };
        let signature = landed.record.signature;
        let forgotten = self.chain.forgettable();
        if let Some(store) = &mut self.store
            && let Err(error) = store
                .commit(
                    self.chain.slot(),
                    self.chain.unix_timestamp(),
                    &landed,
                    forgotten,
                )
                .await
        {
            self.halt(&error.to_string());
            return Err(Refusal::NotKept);
        }
        self.chain.remember(landed.record, forgotten);
        Ok(signature)
    }

    fn halt(&mut self, reason: &str) {
        let message = format!(
            "the chain has stopped, because its state could not be kept: {reason}. What was acknowledged is safe; make room or repair the disk, and restart"
        );
        tracing::error!("{message}");
        self.halted = Some(message);
    }
}

fn unix_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|time| i64::try_from(time.as_secs()).ok())
        .unwrap_or(0)
}
