//! The accounts of the pool program.

use solana_pubkey::Pubkey;
use veilpool_interface::{
    Channel, Claim, Epoch, Key, Operator, Pool, Proposal, Withdrawal, address,
};
use veilpool_protocol::{CommitmentBytes, EpochId, NullifierBytes};

use super::{Chain, ReadError, leaves};

fn alone<R>(records: Vec<(Pubkey, R)>) -> Vec<R> {
    records.into_iter().map(|(_, record)| record).collect()
}

impl Chain {
    /// A pool.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn pool(&self, pool: &Pubkey) -> Result<Pool, ReadError> {
        self.record(pool).await?.ok_or(ReadError::Missing {
            what: "pool",
            address: *pool,
        })
    }

    /// An epoch; `None` before it is opened and after it is closed.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn epoch(&self, pool: &Pubkey, epoch: EpochId) -> Result<Option<Epoch>, ReadError> {
        self.record(&address::epoch(&self.program, pool, epoch).0)
            .await
    }

    /// The claim of a nullifier; `None` when it has not been paid, or was closed.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn claim(
        &self,
        pool: &Pubkey,
        epoch: EpochId,
        nullifier: &NullifierBytes,
    ) -> Result<Option<Claim>, ReadError> {
        self.record(&address::claim(&self.program, pool, epoch, nullifier).0)
            .await
    }

    /// An operator; `None` when the commitment isn't registered.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn operator(
        &self,
        pool: &Pubkey,
        commitment: &CommitmentBytes,
    ) -> Result<Option<Operator>, ReadError> {
        self.record(&address::operator(&self.program, pool, commitment).0)
            .await
    }

    /// All operators whose accounts have not been closed, those that have left among them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn operators(&self, pool: &Pubkey) -> Result<Vec<Operator>, ReadError> {
        self.records(pool, None).await.map(alone)
    }

    /// The leaves that an epoch froze, from the accounts of all operators ([`leaves::frozen_leaves`]). All of them,
    /// never one's own alone: who asks for one leaf tells the RPC node whose it is (attack L4).
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn leaves(
        &self,
        pool: &Pubkey,
        epoch: &Epoch,
    ) -> Result<Vec<CommitmentBytes>, ReadError> {
        leaves::frozen_leaves(&self.operators(pool).await?, epoch)
    }

    /// The leaves of the present registry, in the same way ([`leaves::present_leaves`]).
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn present_leaves(
        &self,
        address: &Pubkey,
        pool: &Pool,
    ) -> Result<Vec<CommitmentBytes>, ReadError> {
        leaves::present_leaves(&self.operators(address).await?, pool)
    }

    /// All epochs that are open or whose accounts have not been closed.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn epochs(&self, pool: &Pubkey) -> Result<Vec<Epoch>, ReadError> {
        self.records(pool, None).await.map(alone)
    }

    /// All claims whose accounts have not been closed, with their addresses.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn claims(&self, pool: &Pubkey) -> Result<Vec<(Pubkey, Claim)>, ReadError> {
        self.records(pool, None).await
    }

    /// All withdrawals that wait.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn withdrawals(&self, pool: &Pubkey) -> Result<Vec<Withdrawal>, ReadError> {
        self.records(pool, None).await.map(alone)
    }

    /// An owner's withdrawals that wait.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn withdrawals_of(
        &self,
        pool: &Pubkey,
        owner: &Pubkey,
    ) -> Result<Vec<Withdrawal>, ReadError> {
        self.records(pool, Some(owner)).await.map(alone)
    }

    /// A consumer's channel to a hub; `None` when there is none.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn channel(
        &self,
        pool: &Pubkey,
        consumer: &Pubkey,
        hub: &Pubkey,
    ) -> Result<Option<Channel>, ReadError> {
        self.record(&address::channel(&self.program, pool, consumer, hub).0)
            .await
    }

    /// A proposal; `None` when none of this number waits.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn proposal(
        &self,
        pool: &Pubkey,
        number: u32,
    ) -> Result<Option<Proposal>, ReadError> {
        self.record(&address::proposal(&self.program, pool, number).0)
            .await
    }

    /// All proposals that wait, those that have expired among them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn proposals(&self, pool: &Pubkey) -> Result<Vec<Proposal>, ReadError> {
        self.records(pool, None).await.map(alone)
    }

    /// A verifying key by the SHA-256 of its file; `None` before it is published.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn key(&self, digest: &[u8; 32]) -> Result<Option<Key>, ReadError> {
        self.record(&address::key(&self.program, digest).0).await
    }
}
