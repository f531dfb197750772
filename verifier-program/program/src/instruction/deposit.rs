//! Gives tokens to the pool for shares.
//!
//! | # | flags | account |
//! | --- | --- | --- |
//! | 0 | `sw` | depositor: holds the tokens, pays the rent of a new position |
//! | 1 | `w` | pool |
//! | 2 | `w` | depositor's position, created when there is none |
//! | 3 | `w` | depositor's token account |
//! | 4 | `w` | vault |
//! | 5 | | token program |
//! | 6 | | system program |
//!
//! 1. Accounts: flags, programs, pool, vault, token account.
//! 2. Shares, by the pool's books and not by the vault's balance, so that donations move nothing (P6); rounded
//!    down (P5).
//! 3. Position: created or added to.
//! 4. Books.
//! 5. Tokens, depositor to vault.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{PoolError, Position, Record, address, address::seed, reward};

use crate::{
    accounts::{self, Flag},
    derive, pool,
    system::Creation,
    token,
};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    amount: u64,
) -> ProgramResult {
    // 1. Accounts.
    let [
        depositor,
        pool_account,
        position,
        tokens,
        vault,
        token_program,
        system_program,
    ] = accounts::take(
        accounts,
        [
            Flag::Sign,
            Flag::Write,
            Flag::Write,
            Flag::Write,
            Flag::Write,
            Flag::Read,
            Flag::Read,
        ],
    )?;
    accounts::check_token_program(token_program)?;
    accounts::check_system_program(system_program)?;
    let (rules, mut books) = pool::load_books(program, pool_account)?;
    let seeds = [
        seed::POSITION,
        pool_account.key.as_ref(),
        depositor.key.as_ref(),
    ];
    let existing = if position.owner == program {
        let record: Position = accounts::load(program, position)?;
        derive::check(program, position, &seeds, record.bump)?;
        Some(record)
    } else {
        None
    };
    let bump = match &existing {
        Some(record) => record.bump,
        None => derive::check_new(program, position, &seeds)?,
    };
    token::check_holding(tokens, rules.mint.as_bytes(), depositor.key.as_array())?;
    accounts::check_address(vault, rules.vault.as_bytes())?;

    // 2. Shares.
    if amount == 0 {
        return Err(PoolError::ZeroAmount.into());
    }
    let shares =
        reward::shares_for(amount, books.shares, books.assets).ok_or(PoolError::Arithmetic)?;
    if shares == 0 {
        return Err(PoolError::ZeroAmount.into());
    }

    // 3. Position.
    let is_new = existing.is_none();
    let mut record = existing.unwrap_or(Position {
        bump,
        pool: address::bytes(pool_account.key),
        owner: address::bytes(depositor.key),
        shares: 0,
    });
    record.shares = record
        .shares
        .checked_add(shares)
        .ok_or(PoolError::Arithmetic)?;
    if is_new {
        let [prefix, pool_seed, owner_seed] = seeds;
        Creation {
            payer: depositor,
            account: position,
            owner: program,
            size: record.encode().len(),
            seeds: &[prefix, pool_seed, owner_seed, &[bump]],
        }
        .run(PoolError::AlreadyExists)?;
    }
    accounts::store(position, &record)?;

    // 4. Books.
    books.assets = books
        .assets
        .checked_add(amount)
        .ok_or(PoolError::Arithmetic)?;
    books.shares = books
        .shares
        .checked_add(shares)
        .ok_or(PoolError::Arithmetic)?;
    pool::store_books(pool_account, &books)?;

    // 5. Tokens.
    token::transfer(tokens, vault, depositor, amount, &[])
}
