//! Epochs and claims.

use solana_program::{instruction::Instruction, pubkey::Pubkey};
use veilpool_protocol::{EpochId, NullifierBytes, claim::Binding};

use super::{SYSTEM_PROGRAM, build};
use crate::{
    accounts,
    address::{self, TOKEN_PROGRAM},
    instruction::{ClaimArguments, PoolInstruction},
};

/// Opens an epoch, from a quarter of its length before the latest one ends.
#[must_use]
pub fn open_epoch(program: &Pubkey, pool: &Pubkey, payer: &Pubkey, epoch: EpochId) -> Instruction {
    build(
        program,
        &accounts::OPEN_EPOCH,
        [
            *payer,
            *pool,
            address::epoch(program, pool, epoch).0,
            SYSTEM_PROGRAM,
        ],
        &PoolInstruction::OpenEpoch { epoch },
    )
}

/// Who is paid by a claim, and what the epoch's key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimAccounts {
    /// Pays fee and rent.
    pub relayer: Pubkey,
    /// A token account of the payout address. Create it in the same transaction if it doesn't exist.
    pub payee_tokens: Pubkey,
    /// A token account of the relayer's.
    pub relayer_tokens: Pubkey,
    /// SHA-256 of the verifying key that the epoch froze.
    pub verifying_key: [u8; 32],
}

/// Claims.
#[must_use]
pub fn claim(
    program: &Pubkey,
    pool: &Pubkey,
    claim: &ClaimAccounts,
    arguments: ClaimArguments,
) -> Instruction {
    build(
        program,
        &accounts::CLAIM,
        [
            claim.relayer,
            *pool,
            address::epoch(program, pool, arguments.epoch).0,
            address::claim(program, pool, arguments.epoch, &arguments.nullifier).0,
            address::key(program, &claim.verifying_key).0,
            address::vault(program, pool).0,
            claim.payee_tokens,
            claim.relayer_tokens,
            TOKEN_PROGRAM,
            SYSTEM_PROGRAM,
        ],
        &PoolInstruction::Claim(arguments),
    )
}

/// What the proof of a claim must be bound to, as the program rebuilds it.
#[must_use]
pub fn claim_binding(
    program: &Pubkey,
    pool: &Pubkey,
    mint: &Pubkey,
    relayer: &Pubkey,
    arguments: &ClaimArguments,
) -> Binding {
    Binding {
        program: address::bytes(program),
        pool: address::bytes(pool),
        epoch: arguments.epoch,
        class: arguments.class,
        payout: arguments.payout,
        mint: address::bytes(mint),
        relayer: address::bytes(relayer),
        max_fee: arguments.max_fee,
    }
}

/// Closes a claim's account.
#[must_use]
pub fn close_claim(
    program: &Pubkey,
    pool: &Pubkey,
    rent_payer: &Pubkey,
    epoch: EpochId,
    nullifier: &NullifierBytes,
) -> Instruction {
    build(
        program,
        &accounts::CLOSE_CLAIM,
        [
            *pool,
            address::claim(program, pool, epoch, nullifier).0,
            *rent_payer,
        ],
        &PoolInstruction::CloseClaim,
    )
}

/// Closes an epoch.
#[must_use]
pub fn close_epoch(
    program: &Pubkey,
    pool: &Pubkey,
    rent_payer: &Pubkey,
    epoch: EpochId,
) -> Instruction {
    build(
        program,
        &accounts::CLOSE_EPOCH,
        [*pool, address::epoch(program, pool, epoch).0, *rent_payer],
        &PoolInstruction::CloseEpoch,
    )
}
