//! A relayer's HTTP interface: `GET /v1/info` and `POST /v1/claims`.
//!
//! Nothing here knows the client's address, so that no log can join it with a nullifier (attack L7).

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use solana_keypair::Keypair;
use solana_transaction_error::TransactionError;
use tokio::sync::Semaphore;
use veilpool_chain::{ReadError, SendError};
use veilpool_interface::{Pool, PoolError, address};
use veilpool_protocol::{
    EpochId, NullifierBytes,
    api::{ClaimReceipt, ClaimRequest, RelayerInfo},
};

use super::{
    check::{Checked, Rejection, Terms, check},
    submit,
};
use crate::{
    http::{Refusal, read_json},
    ledger::Ledger,
};

/// Claims that are worked on at a time; others are told to come again.
const MAX_CLAIMS: usize = 16;
/// Receipts kept in memory for clients whose answer was lost.
const MAX_RECEIPTS: usize = 4096;

type ClaimId = (EpochId, NullifierBytes);

pub(crate) struct Desk<L> {
    pub(crate) ledger: L,
    pub(crate) terms: Terms,
    pub(crate) keypair: Keypair,
    permits: Semaphore,
    books: Mutex<Books>,
}

#[derive(Default)]
pub(crate) struct Books {
    /// Whether the relayer's own token account is there.
    pub(crate) ready: bool,
    pub(crate) paid: u64,
    pub(crate) fees: u64,
    pub(crate) refused: BTreeMap<String, u64>,
    open: HashSet<ClaimId>,
    receipts: HashMap<ClaimId, ClaimReceipt>,
}

impl<L: Ledger> Desk<L> {
    pub(crate) fn new(ledger: L, terms: Terms, keypair: Keypair) -> Self {
        Self {
            ledger,
            terms,
            keypair,
            permits: Semaphore::new(MAX_CLAIMS),
            books: Mutex::default(),
        }
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn claim(self: &Arc<Self>, request: ClaimRequest) -> Result<ClaimReceipt, Refusal> {
        let Ok(_permit) = self.permits.try_acquire() else {
            return Err(Refusal::passing(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "the relayer has as many claims at once as it takes; ask again in a moment",
            ));
        };
        if !self.books().ready {
            return Err(Refusal::passing(
                StatusCode::SERVICE_UNAVAILABLE,
                "not_ready",
                "the relayer has not reached the chain yet; ask again in a moment",
            ));
        }
        let id = (request.epoch, request.nullifier);
        let _open = Open::begin(self, id)?;
        let pool = self.ledger.pool().await?;
        let epoch = self.ledger.epoch(request.epoch).await?;
        let now = self.ledger.now().await?;
        let next_epoch = pool.books.next_epoch;
        let desk = Arc::clone(self);
        let checking = tokio::task::spawn_blocking(move || {
            check(&desk.terms, &pool, epoch.as_ref(), now, &request).map(|checked| (pool, checked))
        });
        let (pool, checked) = checking
            .await
            .map_err(|_| could_not_check())?
            .map_err(|rejection| rejected(&rejection, next_epoch))?;
        // Only whoever has a valid proof is told that it was paid.
        if self.ledger.claim(id.0, &id.1).await?.is_some() {
            return Ok(self.paid_before(&id, &checked));
        }
        self.submit(&pool, &checked).await
    }

    async fn submit(&self, pool: &Pool, checked: &Checked) -> Result<ClaimReceipt, Refusal> {
        let id = (checked.arguments.epoch, checked.arguments.nullifier);
        let mint = address::pubkey(&pool.rules.mint);
        let instructions = submit::instructions(&self.terms, &mint, checked);
        let sent = self
            .ledger
            .send(&self.keypair, &instructions, submit::CLAIM_UNITS)
            .await;
        let receipt = match sent {
            Ok(receipt) => ClaimReceipt {
                signature: Some(receipt.signature.to_string()),
                amount: checked.amount,
                fee: self.terms.fee,
                compute_units: receipt.compute_units,
            },
            Err(error) if error.reason() == Some(PoolError::AlreadyClaimed) => {
                return Ok(self.paid_before(&id, checked));
            }
            Err(error) => return Err(error.into()),
        };
        // When that can't be read, the receipt is given: nodes take the chain's word for it, not this one.
        if self.was_frozen_by(&id).await.unwrap_or(false) {
            return Err(refused(PoolError::ClaimsFrozen));
        }
        tracing::info!("claim of epoch {} paid", id.0);
        let mut books = self.books();
        books.paid += 1;
        books.fees = books.fees.saturating_add(receipt.fee);
        if books.receipts.len() >= MAX_RECEIPTS {
            books.receipts.clear();
        }
        books.receipts.insert(id, receipt.clone());
        Ok(receipt)
    }

    /// Whether the transaction froze claims instead of paying: the program takes a claim beyond the number of
    /// operators as proof that claims can be forged.
    async fn was_frozen_by(&self, id: &ClaimId) -> Result<bool, ReadError> {
        if self.ledger.claim(id.0, &id.1).await?.is_some() {
            return Ok(false);
        }
        let frozen = self.ledger.pool().await?.books.frozen;
        if frozen {
            tracing::error!(
                "the pool has had more valid claims than operators and is frozen: the proof system may be broken"
            );
        }
        Ok(frozen)
    }

    fn paid_before(&self, id: &ClaimId, checked: &Checked) -> ClaimReceipt {
        let known = self.books().receipts.get(id).cloned();
        known.unwrap_or(ClaimReceipt {
            signature: None,
            amount: checked.amount,
            fee: self.terms.fee,
            compute_units: None,
        })
    }
}

/// A claim that is being worked on, so that the same one at the same time pays no second fee.
struct Open<'a, L: Ledger> {
    desk: &'a Desk<L>,
    id: ClaimId,
}

impl<'a, L: Ledger> Open<'a, L> {
    fn begin(desk: &'a Desk<L>, id: ClaimId) -> Result<Self, Refusal> {
        if desk.books().open.insert(id) {
            Ok(Self { desk, id })
        } else {
            Err(Refusal::passing(
                StatusCode::CONFLICT,
                "in_progress",
                "this claim is being submitted already; ask again for what came of it",
            ))
        }
    }
}

impl<L: Ledger> Drop for Open<'_, L> {
    fn drop(&mut self) {
        self.desk.books().open.remove(&self.id);
    }
}

pub(crate) fn router<L: Ledger>(desk: Arc<Desk<L>>) -> Router {
    Router::new()
        .route("/v1/info", get(info::<L>))
        .route("/v1/claims", post(claim::<L>))
        .with_state(desk)
}

async fn info<L: Ledger>(State(desk): State<Arc<Desk<L>>>) -> Json<RelayerInfo> {
    Json(RelayerInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        relayer: address::bytes(&desk.terms.relayer),
        pool: address::bytes(&desk.terms.pool),
        fee: desk.terms.fee,
    })
}

async fn claim<L: Ledger>(
    State(desk): State<Arc<Desk<L>>>,
    body: Body,
) -> Result<Json<ClaimReceipt>, Refusal> {
    let outcome = match read_json(body).await {
        // A client that goes away doesn't stop a claim that has been sent.
        Ok(request) => {
            let worker = Arc::clone(&desk);
            tokio::spawn(async move { worker.claim(request).await })
                .await
                .unwrap_or_else(|_| Err(could_not_check()))
        }
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = &outcome {
        let code = refusal.error.code.clone();
        tracing::debug!("claim refused: {code}");
        *desk.books().refused.entry(code).or_default() += 1;
    }
    outcome.map(Json)
}

fn could_not_check() -> Refusal {
    Refusal::passing(
        StatusCode::INTERNAL_SERVER_ERROR,
        "could_not_check",
        "the relayer could not check the claim; ask again, or another relayer",
    )
}

/// For HTTP. What only time cures is told to come again.
fn rejected(rejection: &Rejection, next_epoch: EpochId) -> Refusal {
    let (code, text) = (rejection.code(), rejection.to_string());
    match rejection {
        Rejection::UnknownEpoch(epoch) if *epoch >= next_epoch => {
            Refusal::passing(StatusCode::NOT_FOUND, code, text)
        }
        Rejection::UnknownEpoch(_) => Refusal::lasting(StatusCode::NOT_FOUND, code, text),
        // Here it was this relayer that couldn't.
        Rejection::Program(PoolError::CouldNotVerify) => {
            Refusal::passing(StatusCode::INTERNAL_SERVER_ERROR, code, text)
        }
        Rejection::Program(reason) => refused(*reason),
        _ => Refusal::lasting(StatusCode::UNPROCESSABLE_ENTITY, code, text),
    }
}

/// What the program says, or would say.
fn refused(reason: PoolError) -> Refusal {
    let (code, text) = (reason.name(), reason.to_string());
    match reason {
        PoolError::EpochNotEnded => Refusal::passing(StatusCode::TOO_EARLY, code, text),
        PoolError::ClaimsPaused | PoolError::ClaimsFrozen => {
            Refusal::passing(StatusCode::SERVICE_UNAVAILABLE, code, text)
        }
        PoolError::ClaimWindowShut => Refusal::lasting(StatusCode::GONE, code, text),
        _ => Refusal::lasting(StatusCode::UNPROCESSABLE_ENTITY, code, text),
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        tracing::warn!("{error}");
        Self::passing(
            StatusCode::SERVICE_UNAVAILABLE,
            "chain_unavailable",
            "the relayer can't read the chain at the moment; ask again, and it will find out whether the claim was paid",
        )
    }
}

impl From<SendError> for Refusal {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Unreachable(error) => error.into(),
            SendError::Expired(_) => Self::passing(
                StatusCode::SERVICE_UNAVAILABLE,
                "expired",
                "the transaction did not reach the chain in time and won't any more; ask again",
            ),
            SendError::Refused { reason, .. } => refused(reason),
            SendError::Runtime {
                source:
                    TransactionError::InsufficientFundsForFee
                    | TransactionError::InsufficientFundsForRent { .. }
                    | TransactionError::AccountNotFound,
                ..
            } => {
                tracing::error!(
                    "the relayer's account can't pay the fee or the rent: send SOL to it"
                );
                Self::passing(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "relayer_out_of_funds",
                    "the relayer can't pay the transaction's fee; ask another relayer, or again later",
                )
            }
            // Another program's refusal, such as the token program's. Its logs hold the payee: not logged.
            error => Self::lasting(
                StatusCode::UNPROCESSABLE_ENTITY,
                "chain_refused",
                format!("{error}; check the payout address"),
            ),
        }
    }
}
