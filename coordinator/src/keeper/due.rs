//! What is due: a function of the chain's accounts and clock, without effects.

use solana_pubkey::Pubkey;
use veilpool_interface::{Claim, Epoch, Operator, Pool, Withdrawal, address, schedule::ADVANCE};
use veilpool_protocol::{CommitmentBytes, EpochId, NullifierBytes};

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open this epoch.
    Open(EpochId),
    /// Close this claim's account.
    CloseClaim {
        /// Its epoch.
        epoch: EpochId,
        /// Its nullifier.
        nullifier: NullifierBytes,
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
    /// Pay this withdrawal, to its owner's associated token account.
    Withdraw {
        /// Whose.
        owner: Pubkey,
        /// The owner's own number of it.
        number: u32,
    },
    /// Give this bond back, to its bonder's associated token account.
    ReleaseBond {
        /// Of the operator that has left.
        commitment: CommitmentBytes,
        /// Who bonded it.
        bonder: Pubkey,
    },
}

impl Action {
    /// Whose token account it pays to, if it pays.
    #[must_use]
    pub const fn payee(&self) -> Option<Pubkey> {
        match self {
            Self::Withdraw { owner, .. } => Some(*owner),
            Self::ReleaseBond { bonder, .. } => Some(*bonder),
            Self::Open(_) | Self::CloseClaim { .. } | Self::CloseEpoch { .. } => None,
        }
    }
}

/// A pool's accounts at one time.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The pool.
    pub pool: Pool,
    /// Epochs that are not closed.
    pub epochs: Vec<Epoch>,
    /// Claims that are not closed.
    pub claims: Vec<Claim>,
    /// Withdrawals that wait.
    pub withdrawals: Vec<Withdrawal>,
    /// Operators whose bonds have not been released.
    pub operators: Vec<Operator>,
}

/// The next epoch, if it is due: a quarter of an epoch before the latest ends, so that nodes and measurers
/// have time for listings. Without operators there is nothing to open, and frozen pools open nothing.
#[must_use]
pub fn due_to_open(pool: &Pool, now: i64) -> Option<Action> {
    let books = &pool.books;
    let lead = i64::from(pool.rules.parameters.epoch_seconds / ADVANCE);
    let due = now.saturating_add(lead) >= books.latest_ends_at;
    (due && !books.frozen && books.operators > 0).then_some(Action::Open(books.next_epoch))
}

/// What may be closed and paid: claims before their epochs, the oldest first; then bonds; then withdrawals, for which
/// closed epochs have made room, those first that have been ready for longest.
#[must_use]
pub fn due_to_close(snapshot: &Snapshot, now: i64) -> Vec<Action> {
    let paused = snapshot.pool.books.paused(now);
    let mut claims: Vec<_> = snapshot
        .claims
        .iter()
        .filter(|claim| claim.claim_until.has_passed(now, paused))
        .collect();
    claims.sort_by_key(|claim| (claim.epoch, *claim.nullifier.as_bytes()));
    let mut epochs: Vec<_> = snapshot
        .epochs
        .iter()
        .filter(|epoch| epoch.deadline().has_passed(now, paused))
        .collect();
    epochs.sort_by_key(|epoch| epoch.number);
    let mut withdrawals: Vec<_> = snapshot
        .withdrawals
        .iter()
        .filter(|withdrawal| now >= withdrawal.ready_at)
        .collect();
    withdrawals.sort_by_key(|it| (it.ready_at, *it.owner.as_bytes(), it.number));
    let mut operators: Vec<_> = snapshot
        .operators
        .iter()
        .filter(|operator| {
            operator
                .exit
                .is_some_and(|exit| exit.release.has_passed(now, paused))
        })
        .collect();
    operators.sort_by_key(|operator| operator.leaf_index);

    let close_claims = claims.into_iter().map(|claim| Action::CloseClaim {
        epoch: claim.epoch,
        nullifier: claim.nullifier,
        rent_payer: address::pubkey(&claim.rent_payer),
    });
    let close_epochs = epochs.into_iter().map(|epoch| Action::CloseEpoch {
        epoch: epoch.number,
        rent_payer: address::pubkey(&epoch.rent_payer),
    });
    let pay = withdrawals.into_iter().map(|withdrawal| Action::Withdraw {
        owner: address::pubkey(&withdrawal.owner),
        number: withdrawal.number,
    });
    let release = operators.into_iter().map(|operator| Action::ReleaseBond {
        commitment: operator.commitment,
        bonder: address::pubkey(&operator.bonder),
    });
    close_claims
        .chain(close_epochs)
        .chain(release)
        .chain(pay)
        .collect()
}
