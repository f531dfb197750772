//! Gives the bond of an operator that has left back, and closes its account. Anyone may.
//!
//! 1. Accounts: flags, program, pool, operator, its bonder, a token account of the bonder's, vault of bonds.
//! 2. Time: no epoch with its leaf can be claimed any more (I8).
//! 3. Books.
//! 4. Tokens, unless it was slashed; lamports to the bonder.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent,
    accounts::{RELEASE_BOND, flags},
};

use crate::{accounts, event, pool, record, system, sysvar, token};

pub(crate) fn process(program: &Pubkey, accounts: &[AccountInfo<'_>]) -> ProgramResult {
    // 1. Accounts.
    let [pool_account, operator, bonder, tokens, bonds, token_program] =
        accounts::take(accounts, const { flags(&RELEASE_BOND) })?;
    accounts::check_token_program(token_program)?;
    let (rules, mut books) = pool::load_books(program, pool_account)?;
    let record = record::operator(program, operator, pool_account.key)?;
    accounts::check_address(bonder, &record.bonder)?;
    token::check_payout(tokens, &rules.mint, &record.bonder, bonder.is_signer)?;
    accounts::check_address(bonds, &rules.bond_vault)?;

    // 2. Time.
    let exit = record.exit.ok_or(PoolError::OperatorActive)?;
    let now = sysvar::now()?;
    if !exit.release.has_passed(now, books.paused(now)) {
        return Err(PoolError::BondLocked.into());
    }

    // 3. Books.
    books.bonded = books
        .bonded
        .checked_sub(record.bond)
        .ok_or(PoolError::Arithmetic)?;
    pool::store_books(pool_account, &books)?;
    event::emit(&PoolEvent::BondReleased {
        pool: record.pool,
        leaf_index: record.leaf_index,
        bond: record.bond,
    });

    // 4. Tokens and lamports.
    pool::pay(accounts, pool_account, &rules, bonds, tokens, record.bond)?;
    system::close(operator, bonder)
}
