//! Ends a pause early.
//!
//! 1. Accounts: flags, pool, its authority.
//! 2. Books: only what has passed of the pause counts.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent,
    accounts::{AUTHORITY, flags},
    address,
};

use crate::{accounts, event, governance, pool, sysvar};

pub(crate) fn process(program: &Pubkey, accounts: &[AccountInfo<'_>]) -> ProgramResult {
    // 1. Accounts.
    let [authority, pool_account] = accounts::take(accounts, const { flags(&AUTHORITY) })?;
    let (_, mut books) = governance::load(program, authority, pool_account)?;

    // 2. Books.
    let now = sysvar::now()?;
    if now >= books.paused_until {
        return Err(PoolError::NotPaused.into());
    }
    books.paused_seconds = books.paused(now);
    books.paused_until = now;
    pool::store_books(pool_account, &books)?;
    event::emit(&PoolEvent::Paused {
        pool: address::bytes(pool_account.key),
        until: now,
    });
    Ok(())
}
