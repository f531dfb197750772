//! The chain as the roles here use it: an argument, so that their logic runs without a network.

use std::future::Future;

use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use veilpool_chain::{Chain, ReadError, Receipt, SendError, TokenAccount};
use veilpool_interface::{Claim, Epoch, Operator, Pool, Withdrawal};
use veilpool_protocol::{EpochId, NullifierBytes};

/// One pool on a chain. [`PoolOnChain`] is the one that programs use.
pub trait Ledger: Send + Sync + 'static {
    /// The pool's account.
    fn pool(&self) -> impl Future<Output = Result<Pool, ReadError>> + Send;
    /// An epoch, if it is open or not closed yet.
    fn epoch(
        &self,
        epoch: EpochId,
    ) -> impl Future<Output = Result<Option<Epoch>, ReadError>> + Send;
    /// All epochs that are not closed.
    fn epochs(&self) -> impl Future<Output = Result<Vec<Epoch>, ReadError>> + Send;
    /// The account of a claim that has been paid.
    fn claim(
        &self,
        epoch: EpochId,
        nullifier: &NullifierBytes,
    ) -> impl Future<Output = Result<Option<Claim>, ReadError>> + Send;
    /// All claims that are not closed.
    fn claims(&self) -> impl Future<Output = Result<Vec<Claim>, ReadError>> + Send;
    /// All withdrawals that wait.
    fn withdrawals(&self) -> impl Future<Output = Result<Vec<Withdrawal>, ReadError>> + Send;
    /// All operators whose bonds have not been released.
    fn operators(&self) -> impl Future<Output = Result<Vec<Operator>, ReadError>> + Send;
    /// The chain's clock in Unix seconds.
    fn now(&self) -> impl Future<Output = Result<i64, ReadError>> + Send;
    /// A token account.
    fn token_account(
        &self,
        address: &Pubkey,
    ) -> impl Future<Output = Result<Option<TokenAccount>, ReadError>> + Send;
    /// Several token accounts, in the order of their addresses; `None` for each that isn't there.
    fn token_accounts(
        &self,
        addresses: &[Pubkey],
    ) -> impl Future<Output = Result<Vec<Option<TokenAccount>>, ReadError>> + Send;
    /// Signs with `payer` alone, sends, and waits until it is confirmed.
    fn send(
        &self,
        payer: &Keypair,
        instructions: &[Instruction],
        units: u32,
    ) -> impl Future<Output = Result<Receipt, SendError>> + Send;
}

/// A pool behind an RPC node.
pub struct PoolOnChain {
    chain: Chain,
    pool: Pubkey,
}

impl PoolOnChain {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(rpc_url: &str, program: Pubkey, pool: Pubkey) -> Self {
        Self {
            chain: Chain::new(rpc_url, program),
            pool,
        }
    }
}

impl Ledger for PoolOnChain {
    async fn pool(&self) -> Result<Pool, ReadError> {
        self.chain.pool(&self.pool).await
    }

    async fn epoch(&self, epoch: EpochId) -> Result<Option<Epoch>, ReadError> {
        self.chain.epoch(&self.pool, epoch).await
    }

    async fn epochs(&self) -> Result<Vec<Epoch>, ReadError> {
        self.chain.epochs(&self.pool).await
    }

    async fn claim(
        &self,
        epoch: EpochId,
        nullifier: &NullifierBytes,
    ) -> Result<Option<Claim>, ReadError> {
        self.chain.claim(&self.pool, epoch, nullifier).await
    }

    async fn claims(&self) -> Result<Vec<Claim>, ReadError> {
        let claims = self.chain.claims(&self.pool).await?;
        Ok(claims.into_iter().map(|(_, claim)| claim).collect())
    }

    async fn withdrawals(&self) -> Result<Vec<Withdrawal>, ReadError> {
        self.chain.withdrawals(&self.pool).await
    }

    async fn operators(&self) -> Result<Vec<Operator>, ReadError> {
        self.chain.operators(&self.pool).await
    }

    async fn now(&self) -> Result<i64, ReadError> {
        self.chain.now().await
    }

    async fn token_account(&self, address: &Pubkey) -> Result<Option<TokenAccount>, ReadError> {
        self.chain.token_account(address).await
    }

    async fn token_accounts(
        &self,
        addresses: &[Pubkey],
    ) -> Result<Vec<Option<TokenAccount>>, ReadError> {
        self.chain.token_accounts(addresses).await
    }

    async fn send(
        &self,
        payer: &Keypair,
        instructions: &[Instruction],
        units: u32,
    ) -> Result<Receipt, SendError> {
        self.chain.send(payer, &[], instructions, units).await
    }
}
