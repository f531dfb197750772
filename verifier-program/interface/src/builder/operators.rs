//! Operators.

use solana_program::{instruction::Instruction, pubkey::Pubkey};
use veilpool_protocol::{CommitmentBytes, FieldBytes};

use super::{SYSTEM_PROGRAM, build};
use crate::{
    accounts,
    address::{self, TOKEN_PROGRAM},
    instruction::PoolInstruction,
    registry::RegistryPath,
};

/// Bonds an operator from the bonder's token account.
#[must_use]
pub fn register_operator(
    program: &Pubkey,
    pool: &Pubkey,
    bonder: &Pubkey,
    tokens: &Pubkey,
    commitment: CommitmentBytes,
) -> Instruction {
    build(
        program,
        &accounts::REGISTER_OPERATOR,
        [
            *bonder,
            *pool,
            address::operator(program, pool, &commitment).0,
            *tokens,
            address::bonds(program, pool).0,
            TOKEN_PROGRAM,
            SYSTEM_PROGRAM,
        ],
        &PoolInstruction::RegisterOperator { commitment },
    )
}

/// Takes an operator's leaf out.
#[must_use]
pub fn exit_operator(
    program: &Pubkey,
    pool: &Pubkey,
    bonder: &Pubkey,
    commitment: &CommitmentBytes,
    path: RegistryPath,
) -> Instruction {
    build(
        program,
        &accounts::EXIT_OPERATOR,
        [
            *bonder,
            *pool,
            address::operator(program, pool, commitment).0,
        ],
        &PoolInstruction::ExitOperator { path },
    )
}

/// Shows an operator's secret, which is that of `commitment`.
#[must_use]
pub fn slash_operator(
    program: &Pubkey,
    pool: &Pubkey,
    slasher: &Pubkey,
    tokens: &Pubkey,
    commitment: &CommitmentBytes,
    secret: FieldBytes,
    path: Option<RegistryPath>,
) -> Instruction {
    build(
        program,
        &accounts::SLASH_OPERATOR,
        [
            *slasher,
            *pool,
            address::operator(program, pool, commitment).0,
            *tokens,
            address::bonds(program, pool).0,
            address::vault(program, pool).0,
            TOKEN_PROGRAM,
        ],
        &PoolInstruction::SlashOperator { secret, path },
    )
}

/// Gives a bond back to a token account of the bonder's.
#[must_use]
pub fn release_bond(
    program: &Pubkey,
    pool: &Pubkey,
    bonder: &Pubkey,
    tokens: &Pubkey,
    commitment: &CommitmentBytes,
) -> Instruction {
    build(
        program,
        &accounts::RELEASE_BOND,
        [
            *pool,
            address::operator(program, pool, commitment).0,
            *bonder,
            *tokens,
            address::bonds(program, pool).0,
            TOKEN_PROGRAM,
        ],
        &PoolInstruction::ReleaseBond,
    )
}
