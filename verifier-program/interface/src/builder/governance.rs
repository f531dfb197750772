//! Governance.

use solana_program::{instruction::Instruction, pubkey::Pubkey};
use veilpool_protocol::AddressBytes;

use super::{SYSTEM_PROGRAM, build};
use crate::{accounts, address, instruction::PoolInstruction, state::Change};

/// Proposes a change.
#[must_use]
pub fn propose(
    program: &Pubkey,
    pool: &Pubkey,
    authority: &Pubkey,
    number: u32,
    change: Change,
) -> Instruction {
    build(
        program,
        &accounts::PROPOSE,
        [
            *authority,
            *pool,
            address::proposal(program, pool, number).0,
            SYSTEM_PROGRAM,
        ],
        &PoolInstruction::Propose { number, change },
    )
}

/// Takes a proposal back.
#[must_use]
pub fn cancel_proposal(
    program: &Pubkey,
    pool: &Pubkey,
    authority: &Pubkey,
    number: u32,
) -> Instruction {
    build(
        program,
        &accounts::CANCEL_PROPOSAL,
        [
            *authority,
            *pool,
            address::proposal(program, pool, number).0,
        ],
        &PoolInstruction::CancelProposal,
    )
}

/// Carries out a proposal. `verifying_key` is the SHA-256 of the key that the pool has afterwards.
#[must_use]
pub fn execute_proposal(
    program: &Pubkey,
    pool: &Pubkey,
    proposer: &Pubkey,
    number: u32,
    verifying_key: &[u8; 32],
) -> Instruction {
    build(
        program,
        &accounts::EXECUTE_PROPOSAL,
        [
            *pool,
            address::proposal(program, pool, number).0,
            *proposer,
            address::key(program, verifying_key).0,
        ],
        &PoolInstruction::ExecuteProposal,
    )
}

fn by_authority(
    program: &Pubkey,
    pool: &Pubkey,
    authority: &Pubkey,
    instruction: &PoolInstruction,
) -> Instruction {
    build(
        program,
        &accounts::AUTHORITY,
        [*authority, *pool],
        instruction,
    )
}

/// Pauses claims.
#[must_use]
pub fn pause_claims(
    program: &Pubkey,
    pool: &Pubkey,
    authority: &Pubkey,
    seconds: u32,
) -> Instruction {
    by_authority(
        program,
        pool,
        authority,
        &PoolInstruction::PauseClaims { seconds },
    )
}

/// Ends a pause.
#[must_use]
pub fn resume_claims(program: &Pubkey, pool: &Pubkey, authority: &Pubkey) -> Instruction {
    by_authority(program, pool, authority, &PoolInstruction::ResumeClaims)
}

/// Begins to hand the authority over; zeros take that back.
#[must_use]
pub fn propose_authority(
    program: &Pubkey,
    pool: &Pubkey,
    authority: &Pubkey,
    next: AddressBytes,
) -> Instruction {
    by_authority(
        program,
        pool,
        authority,
        &PoolInstruction::ProposeAuthority { authority: next },
    )
}

/// Takes the authority over.
#[must_use]
pub fn accept_authority(program: &Pubkey, pool: &Pubkey, next: &Pubkey) -> Instruction {
    build(
        program,
        &accounts::ACCEPT_AUTHORITY,
        [*next, *pool],
        &PoolInstruction::AcceptAuthority,
    )
}
