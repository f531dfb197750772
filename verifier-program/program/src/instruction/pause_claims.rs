//! Pauses claims, for a bounded time. Withdrawals, exits and channels go on; claim windows last longer by as much.
//!
//! 1. Accounts: flags, pool, its authority.
//! 2. Bounds: at most the timelock, and not before claims have been open for as long since the last pause.
//! 3. Books.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent,
    accounts::{AUTHORITY, flags},
    address,
};

use crate::{accounts, event, governance, pool, sysvar};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    seconds: u32,
) -> ProgramResult {
    // 1. Accounts.
    let [authority, pool_account] = accounts::take(accounts, const { flags(&AUTHORITY) })?;
    let (rules, mut books) = governance::load(program, authority, pool_account)?;

    // 2. Bounds.
    let now = sysvar::now()?;
    let is_first = books.paused_seconds == 0;
    let next = sysvar::after(books.paused_until, rules.timelock_seconds)?;
    if seconds == 0 || seconds > rules.timelock_seconds || (!is_first && now < next) {
        return Err(PoolError::PauseRefused.into());
    }

    // 3. Books.
    books.paused_until = sysvar::after(now, seconds)?;
    books.paused_seconds = books
        .paused_seconds
        .checked_add(seconds)
        .ok_or(PoolError::Arithmetic)?;
    pool::store_books(pool_account, &books)?;
    event::emit(&PoolEvent::Paused {
        pool: address::bytes(pool_account.key),
        until: books.paused_until,
    });
    Ok(())
}
