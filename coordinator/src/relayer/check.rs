//! What a relayer asks of a claim before it pays a transaction's fee for it: what the program will ask,
//! with the chain's own accounts and the verifier that the chain runs.
//!
//! A refusal that the program has a name for goes by that name, and they come in the program's order. Whether the
//! nullifier has been paid is asked last: only whoever has a valid proof is told.

use sha2::{Digest, Sha256};
use solana_pubkey::Pubkey;
use veilpool_groth16::{VerifyError, VerifyingKey};
use veilpool_interface::{
    Epoch, Pool, PoolError, address, builder, instruction::ClaimArguments, reward,
};
use veilpool_protocol::{EpochId, api::ClaimRequest};

/// Verifying keys that this software knows, for 3, 5 and 7 measurers.
const VERIFYING_KEYS: [&[u8]; 3] = [
    include_bytes!("../../../params/claim-n3-v2.vk"),
    include_bytes!("../../../params/claim-n5-v2.vk"),
    include_bytes!("../../../params/claim-n7-v2.vk"),
];

/// Who relays for which pool, and for how much.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The pool program.
    pub program: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// The relayer.
    pub relayer: Pubkey,
    /// In the token's smallest unit.
    pub fee: u64,
}

/// Why a claim is not submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// Another pool's.
    #[error("the claim is for another pool than this relayer serves; ask that pool's relayer")]
    WrongPool,
    /// Not opened yet, or closed.
    #[error(
        "there is no epoch {0} on the chain: it has not been opened, or its window shut long ago"
    )]
    UnknownEpoch(EpochId),
    /// The operator allows less.
    #[error(
        "the relayer asks for a fee of {asked} and the claim allows {allowed}; prove with a larger maximum, or use another relayer"
    )]
    FeeTooLow {
        /// By the relayer.
        asked: u64,
        /// By the claim.
        allowed: u64,
    },
    /// Payee and relayer in one.
    #[error("the payout address is the relayer's own; use an address that nobody has seen")]
    OwnPayout,
    /// This software is older or newer than the pool.
    #[error(
        "the epoch's verifying key is not one that this relayer knows; a relayer of the pool's version is needed"
    )]
    UnknownVerifyingKey,
    /// What the program would say.
    #[error("{0}")]
    Program(PoolError),
}

impl Rejection {
    /// For programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WrongPool => "wrong_pool",
            Self::UnknownEpoch(_) => "unknown_epoch",
            Self::FeeTooLow { .. } => "fee_too_low",
            Self::OwnPayout => "own_payout",
            Self::UnknownVerifyingKey => "unknown_verifying_key",
            Self::Program(error) => error.name(),
        }
    }
}

impl From<PoolError> for Rejection {
    fn from(error: PoolError) -> Self {
        Self::Program(error)
    }
}

/// A claim that the program will accept, unless it has been paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Of the instruction.
    pub arguments: ClaimArguments,
    /// SHA-256 of the verifying key that the epoch froze.
    pub verifying_key: [u8; 32],
    /// Paid to the payout address.
    pub amount: u64,
}

/// Checks a claim. Slow, because of the pairings: milliseconds.
///
/// # Errors
/// [`Rejection`] with the first thing that is wrong, cheap ones first.
pub fn check(
    terms: &Terms,
    pool: &Pool,
    epoch: Option<&Epoch>,
    now: i64,
    request: &ClaimRequest,
) -> Result<Checked, Rejection> {
    if request.pool != address::bytes(&terms.pool) {
        return Err(Rejection::WrongPool);
    }
    let epoch = epoch
        .filter(|epoch| epoch.number == request.epoch)
        .ok_or(Rejection::UnknownEpoch(request.epoch))?;
    check_window(pool, epoch, now)?;
    let class = epoch.class(request.class).ok_or(PoolError::UnknownClass)?;
    if terms.fee > request.max_fee {
        return Err(Rejection::FeeTooLow {
            asked: terms.fee,
            allowed: request.max_fee,
        });
    }
    let reward = reward::reward(class.weight, epoch.rate).ok_or(PoolError::Arithmetic)?;
    let amount = reward.checked_sub(terms.fee).ok_or(PoolError::FeeTooHigh)?;
    if request.payout == address::bytes(&terms.relayer) {
        return Err(Rejection::OwnPayout);
    }
    let arguments = ClaimArguments {
        epoch: request.epoch,
        class: request.class,
        nullifier: request.nullifier,
        payout: request.payout,
        max_fee: request.max_fee,
        fee: terms.fee,
        proof: request.proof,
    };
    verify(terms, pool, epoch, &arguments)?;
    Ok(Checked {
        arguments,
        verifying_key: epoch.verifying_key,
        amount,
    })
}

/// Whether the program takes claims of the epoch now.
fn check_window(pool: &Pool, epoch: &Epoch, now: i64) -> Result<(), PoolError> {
    let books = &pool.books;
    if books.frozen {
        return Err(PoolError::ClaimsFrozen);
    }
    if now < epoch.ends_at {
        return Err(PoolError::EpochNotEnded);
    }
    if epoch.deadline().has_passed(now, books.paused(now)) {
        return Err(PoolError::ClaimWindowShut);
    }
    if now < books.paused_until {
        return Err(PoolError::ClaimsPaused);
    }
    Ok(())
}

fn verify(
    terms: &Terms,
    pool: &Pool,
    epoch: &Epoch,
    arguments: &ClaimArguments,
) -> Result<(), Rejection> {
    let key = VERIFYING_KEYS
        .into_iter()
        .find(|key| <[u8; 32]>::from(Sha256::digest(key)) == epoch.verifying_key)
        .ok_or(Rejection::UnknownVerifyingKey)?;
    let key = VerifyingKey::parse(key).map_err(|_| Rejection::UnknownVerifyingKey)?;
    let mint = address::pubkey(&pool.rules.mint);
    let binding = builder::claim_binding(
        &terms.program,
        &terms.pool,
        &mint,
        &terms.relayer,
        arguments,
    );
    let input = epoch
        .public_input(arguments.nullifier, &binding)
        .map_err(|_| PoolError::CouldNotVerify)?
        .ok_or(PoolError::UnknownClass)?;
    veilpool_groth16::verify(&key, &input, &arguments.proof).map_err(|error| {
        Rejection::Program(match error {
            VerifyError::MalformedProof => PoolError::MalformedProof,
            VerifyError::ScalarNotCanonical => PoolError::ScalarNotCanonical,
            VerifyError::PairingFalse => PoolError::InvalidProof,
            _ => PoolError::CouldNotVerify,
        })
    })
}
