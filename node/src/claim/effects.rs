//! The world as a claim sees it, as traits, and the real one behind them.

use std::{future::Future, path::PathBuf, sync::Arc};

use solana_pubkey::Pubkey;
use veilpool_chain::{Chain, ReadError};
use veilpool_interface::{Epoch, Pool, address};
use veilpool_protocol::{
    AddressBytes, CommitmentBytes, EpochId, MeasurerCount, ProofBytes, SubjectBytes,
    api::{ClaimReceipt, ClaimRequest, RelayerInfo, SignedAttestation},
};
use veilpool_prover::{ClaimInputs, Options, ProveError, Prover, Statement};

use crate::{
    http::{FetchError, Http},
    measurers::Measurer,
    relayers::Relayer,
};

/// A measurer's code for: the epoch hasn't ended, or is still being summed up.
const NOT_READY: &str = "not_ready";

/// Something that may go better later. Nothing is lost by waiting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Trouble {
    /// Whom it is about, so that each is reported once.
    pub whom: String,
    /// What happened, for people and logs: nothing that identifies anybody.
    pub what: String,
    /// Nothing is wrong, it is only too early.
    pub is_early: bool,
}

impl Trouble {
    /// About somebody.
    pub fn new(whom: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            whom: whom.into(),
            what: what.into(),
            is_early: false,
        }
    }
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Self {
        Self::new("the chain", error.to_string())
    }
}

impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Self {
        let (FetchError::Unreachable { url, .. }
        | FetchError::TooLarge { url }
        | FetchError::Malformed { url, .. }
        | FetchError::Refused { url, .. }) = &error;
        Self {
            is_early: error.code() == Some(NOT_READY),
            ..Self::new(url.clone(), error.brief())
        }
    }
}

/// The chain. Everything is asked for in bulk, so that its RPC node learns of nothing that it is this node's
/// (attacks L4, L6).
pub trait ChainView {
    /// An epoch's account; `None` when it is closed.
    fn epoch(&self, epoch: EpochId) -> impl Future<Output = Result<Option<Epoch>, Trouble>> + Send;
    /// When an epoch's claim window shuts, in Unix seconds, as far as pauses are known: a running one counts whole.
    fn window_end(&self, epoch: &Epoch) -> impl Future<Output = Result<i64, Trouble>> + Send;
    /// All leaves that an epoch froze.
    fn leaves(
        &self,
        epoch: &Epoch,
    ) -> impl Future<Output = Result<Vec<CommitmentBytes>, Trouble>> + Send;
    /// Addresses of all claims.
    fn claims(&self) -> impl Future<Output = Result<Vec<Pubkey>, Trouble>> + Send;
    /// All holders of the pool's token, with what they hold.
    fn holders(
        &self,
        mint: &AddressBytes,
    ) -> impl Future<Output = Result<Vec<(AddressBytes, u64)>, Trouble>> + Send;
}

/// When an epoch's claim window shuts, in Unix seconds: later than when it opened by as long as claims have been
/// paused since, and will be if the present pause runs to its end.
#[must_use]
pub fn window_end(pool: &Pool, epoch: &Epoch) -> i64 {
    let end = epoch.deadline().unix(pool.books.paused_seconds);
    end.unwrap_or(i64::MAX)
}

/// The measurers.
pub trait Measurers {
    /// What one of them signed.
    fn attestation(
        &self,
        measurer: &str,
        epoch: EpochId,
        subject: &SubjectBytes,
    ) -> impl Future<Output = Result<SignedAttestation, FetchError>> + Send;
}

/// The relayers.
pub trait Relayers {
    /// What one of them says of itself.
    fn info(
        &self,
        relayer: &str,
        pool: &AddressBytes,
    ) -> impl Future<Output = Result<RelayerInfo, FetchError>> + Send;
    /// Hands a claim to one of them.
    fn submit(
        &self,
        relayer: &str,
        claim: &ClaimRequest,
    ) -> impl Future<Output = Result<ClaimReceipt, FetchError>> + Send;
}

/// A proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// For the chain.
    pub proof: ProofBytes,
    /// How long it took, in milliseconds.
    pub proving_ms: u64,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoProof {
    /// The attestation of a slot can't be proven, though it verifies.
    Slot(u8, String),
    /// The claim doesn't hold.
    Never(String),
    /// Something that may change.
    Trouble(Trouble),
}

/// What proves.
pub trait Proving {
    /// Proves a claim.
    fn prove(&self, inputs: ClaimInputs) -> impl Future<Output = Result<Proven, NoProof>> + Send;
}

/// All of them.
#[derive(Clone, Debug)]
pub struct World<C, M, R, P> {
    /// The chain.
    pub chain: C,
    /// The measurers.
    pub measurers: M,
    /// The relayers.
    pub relayers: R,
    /// The prover.
    pub prover: P,
}

/// A pool on a real chain.
#[derive(Clone)]
pub struct PoolOnChain {
    /// The chain.
    pub chain: Arc<Chain>,
    /// The pool.
    pub pool: Pubkey,
}

impl ChainView for PoolOnChain {
    async fn epoch(&self, epoch: EpochId) -> Result<Option<Epoch>, Trouble> {
        Ok(self.chain.epoch(&self.pool, epoch).await?)
    }

    async fn window_end(&self, epoch: &Epoch) -> Result<i64, Trouble> {
        let pool = self.chain.pool(&self.pool).await?;
        Ok(window_end(&pool, epoch))
    }

    async fn leaves(&self, epoch: &Epoch) -> Result<Vec<CommitmentBytes>, Trouble> {
        Ok(self.chain.leaves(&self.pool, epoch).await?)
    }

    async fn claims(&self) -> Result<Vec<Pubkey>, Trouble> {
        let claims = self.chain.claims(&self.pool).await?;
        Ok(claims.into_iter().map(|(address, _)| address).collect())
    }

    async fn holders(&self, mint: &AddressBytes) -> Result<Vec<(AddressBytes, u64)>, Trouble> {
        let accounts = self.chain.holders(&address::pubkey(mint)).await?;
        Ok(accounts
            .into_iter()
            .map(|account| (address::bytes(&account.holder), account.amount))
            .collect())
    }
}

impl Measurers for Http {
    async fn attestation(
        &self,
        measurer: &str,
        epoch: EpochId,
        subject: &SubjectBytes,
    ) -> Result<SignedAttestation, FetchError> {
        let measurer = Measurer::new(self.clone(), measurer.to_owned());
        measurer.attestation(epoch, subject).await
    }
}

impl Relayers for Http {
    async fn info(&self, relayer: &str, pool: &AddressBytes) -> Result<RelayerInfo, FetchError> {
        Relayer::new(self.clone(), relayer.to_owned())
            .info(pool)
            .await
    }

    async fn submit(
        &self,
        relayer: &str,
        claim: &ClaimRequest,
    ) -> Result<ClaimReceipt, FetchError> {
        Relayer::new(self.clone(), relayer.to_owned())
            .submit(claim)
            .await
    }
}

/// Where the proving key comes from.
#[derive(Clone)]
pub enum ProverSource {
    /// Held in memory, shared with others.
    Shared(Arc<Prover>),
    /// Read from a cache folder for each proof and let go after it: tens of megabytes that are needed
    /// for a second in each epoch.
    Cache(PathBuf),
}

impl From<Arc<Prover>> for ProverSource {
    fn from(prover: Arc<Prover>) -> Self {
        Self::Shared(prover)
    }
}

impl From<PathBuf> for ProverSource {
    fn from(cache: PathBuf) -> Self {
        Self::Cache(cache)
    }
}

impl ProverSource {
    fn prover(&self, n: MeasurerCount) -> Result<Arc<Prover>, NoProof> {
        match self {
            Self::Shared(prover) => Ok(Arc::clone(prover)),
            Self::Cache(folder) => {
                Prover::load_with(n, folder, &Options::low_memory(), &mut |_, _| {})
                    .map(Arc::new)
                    .map_err(|error| {
                        NoProof::Trouble(Trouble::new("the proving key", error.to_string()))
                    })
            }
        }
    }
}

impl Proving for ProverSource {
    async fn prove(&self, inputs: ClaimInputs) -> Result<Proven, NoProof> {
        let source = self.clone();
        let proving = tokio::task::spawn_blocking(move || {
            let prover = source.prover(inputs.count())?;
            let proof = prover
                .prove(&inputs, &mut rand::rngs::OsRng)
                .map_err(no_proof)?;
            let took = proof.timings().total().as_millis();
            Ok(Proven {
                proof: proof.to_bytes(),
                proving_ms: u64::try_from(took).unwrap_or(u64::MAX),
            })
        });
        let ended = |error: tokio::task::JoinError| {
            NoProof::Trouble(Trouble::new(
                "the prover",
                format!("proving was cut off: {error}"),
            ))
        };
        proving.await.map_err(ended)?
    }
}

fn no_proof(error: ProveError) -> NoProof {
    let said = error.to_string();
    match error {
        ProveError::Statement(Statement::AttestationValidity { slot }) => {
            NoProof::Slot(u8::try_from(slot).unwrap_or(u8::MAX), said)
        }
        ProveError::Statement(_) | ProveError::Inputs(_) => NoProof::Never(said),
        // Another key, or a fault of the machine.
        _ => NoProof::Trouble(Trouble::new("the prover", said)),
    }
}
