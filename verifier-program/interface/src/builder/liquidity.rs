//! Liquidity providers.

use solana_program::{instruction::Instruction, pubkey::Pubkey};

use super::{SYSTEM_PROGRAM, build};
use crate::{
    accounts,
    address::{self, TOKEN_PROGRAM},
    instruction::PoolInstruction,
};

/// Gives tokens for at least so many shares. Both accounts are the depositor's, and exist.
#[must_use]
pub fn deposit(
    program: &Pubkey,
    pool: &Pubkey,
    depositor: &Pubkey,
    tokens: &Pubkey,
    shares: &Pubkey,
    amount: u64,
    min_shares: u64,
) -> Instruction {
    build(
        program,
        &accounts::DEPOSIT,
        [
            *depositor,
            *pool,
            *tokens,
            *shares,
            address::vault(program, pool).0,
            address::shares(program, pool).0,
            TOKEN_PROGRAM,
        ],
        &PoolInstruction::Deposit { amount, min_shares },
    )
}

/// Hands in shares.
#[must_use]
pub fn request_withdrawal(
    program: &Pubkey,
    pool: &Pubkey,
    owner: &Pubkey,
    shares_account: &Pubkey,
    number: u32,
    shares: u64,
) -> Instruction {
    build(
        program,
        &accounts::REQUEST_WITHDRAWAL,
        [
            *owner,
            *pool,
            address::withdrawal(program, pool, owner, number).0,
            *shares_account,
            address::shares(program, pool).0,
            TOKEN_PROGRAM,
            SYSTEM_PROGRAM,
        ],
        &PoolInstruction::RequestWithdrawal { number, shares },
    )
}

/// Pays a withdrawal to a token account of its owner's.
#[must_use]
pub fn withdraw(
    program: &Pubkey,
    pool: &Pubkey,
    owner: &Pubkey,
    number: u32,
    tokens: &Pubkey,
) -> Instruction {
    build(
        program,
        &accounts::WITHDRAW,
        [
            *pool,
            address::withdrawal(program, pool, owner, number).0,
            *owner,
            *tokens,
            address::vault(program, pool).0,
            TOKEN_PROGRAM,
        ],
        &PoolInstruction::Withdraw,
    )
}
