//! A relayer: submits claims for a fee, so that no key of the operator pays for, or signs, the claim's
//! transaction. It checks each claim first, signs only transactions that it built itself, and co-signs
//! nothing else.
//!
//! It should not be run by a measurer: who knows subjects must not see when nullifiers arrive.

pub mod check;
pub mod submit;

mod api;

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use serde::Serialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::{sync::watch, task::JoinHandle, time::sleep};
use veilpool_chain::{ReadError, SendError};
use veilpool_interface::address;

use crate::{
    http::{Limits, Server},
    ledger::{Ledger, PoolOnChain},
    outage::Outage,
};
use api::Desk;
use check::Terms;

/// A claim is answered when it is confirmed, which may take as long as a blockhash lives.
const LIMITS: Limits = Limits {
    connections: 256,
    lifetime: Duration::from_secs(180),
};

/// How a relayer is run.
#[derive(Clone, Debug)]
pub struct RelayerConfig {
    /// The RPC node's URL.
    pub rpc_url: String,
    /// The pool program.
    pub program: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// Where to listen.
    pub listen: SocketAddr,
    /// For a claim, in the token's smallest unit.
    pub fee: u64,
}

impl RelayerConfig {
    /// Defaults: a free port of loopback, without a fee.
    pub fn new(rpc_url: impl Into<String>, program: Pubkey, pool: Pubkey) -> Self {
        Self {
            rpc_url: rpc_url.into(),
            program,
            pool,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            fee: 0,
        }
    }
}

/// Why a relayer doesn't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port.
    #[error("the relayer can't listen for HTTP on {address}: {source}; choose another port")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The chain answered, and what it said won't change by waiting.
    #[error(transparent)]
    Chain(#[from] ReadError),
}

/// How a relayer is doing.
#[derive(Clone, Debug, Serialize)]
pub struct RelayerStatus {
    /// Whether it has reached the chain and has its token account.
    pub ready: bool,
    /// Claims submitted and paid.
    pub paid: u64,
    /// Fees earned, in the token's smallest unit.
    pub fees: u64,
    /// Claims refused, by code.
    pub refused: BTreeMap<String, u64>,
}

/// A running relayer. Dropping it ends it.
pub struct Relayer {
    server: Server,
    stop: watch::Sender<bool>,
    preparation: JoinHandle<()>,
    status: Box<dyn Fn() -> RelayerStatus + Send + Sync>,
}

impl Relayer {
    /// Starts. Without the chain it waits for it.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: RelayerConfig, keypair: Keypair) -> Result<Self, StartError> {
        let ledger = PoolOnChain::new(&config.rpc_url, config.program, config.pool);
        Self::start_with(config, keypair, ledger).await
    }

    /// The same with another way to the chain; `rpc_url` is not used.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_with<L: Ledger>(
        config: RelayerConfig,
        keypair: Keypair,
        ledger: L,
    ) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen {
            address: config.listen,
            source,
        };
        let listener = Server::bind(config.listen).await.map_err(listen)?;
        let terms = Terms {
            program: config.program,
            pool: config.pool,
            relayer: keypair.pubkey(),
            fee: config.fee,
        };
        if let Err(error) = ledger.pool().await
            && !error.is_temporary()
        {
            return Err(error.into());
        }
        let desk = Arc::new(Desk::new(ledger, terms, keypair));
        let (stop, mut stopped) = watch::channel(false);
        let server = Server::start(
            listener,
            api::router(Arc::clone(&desk)),
            LIMITS,
            stopped.clone(),
        )
        .map_err(listen)?;
        let preparation = tokio::spawn({
            let desk = Arc::clone(&desk);
            async move {
                tokio::select! {
                    _ = stopped.changed() => {}
                    () = prepare(&desk) => {}
                }
            }
        });
        tracing::info!("relayer listens on {}", server.address());
        let status = Box::new(move || {
            let books = desk.books();
            RelayerStatus {
                ready: books.ready,
                paid: books.paid,
                fees: books.fees,
                refused: books.refused.clone(),
            }
        });
        Ok(Self {
            server,
            stop,
            preparation,
            status,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> RelayerStatus {
        (self.status)()
    }

    /// Ends it after answering claims under way.
    pub async fn shutdown(self) {
        let _ = self.stop.send(true);
        self.server.ended().await;
        let _ = self.preparation.await;
    }
}

/// Makes the relayer's own token account, which the program pays the fee to.
async fn prepare<L: Ledger>(desk: &Desk<L>) {
    let mut outage = Outage::new(
        "the chain",
        "the relayer takes claims as soon as it has reached it",
        Duration::from_secs(10),
    );
    while let Err(error) = make_account(desk).await {
        sleep(outage.failed(&error)).await;
    }
    outage.works();
    desk.books().ready = true;
}

async fn make_account<L: Ledger>(desk: &Desk<L>) -> Result<(), SendError> {
    let mint = address::pubkey(&desk.ledger.pool().await?.rules.mint);
    let relayer = desk.terms.relayer;
    let account = submit::token_account(&relayer, &mint);
    if desk.ledger.token_account(&account).await?.is_none() {
        let create = submit::create_token_account(&relayer, &relayer, &mint);
        desk.ledger
            .send(&desk.keypair, &[create], submit::ACCOUNT_UNITS)
            .await?;
    }
    Ok(())
}
