//! Closes an epoch after its claim window and releases what it had reserved. Anyone may; the rent goes to
//! who paid it.
//!
//! 1. Accounts: flags, pool, epoch, recorded payer (P2).
//! 2. Window: shut, pauses counted.
//! 3. Books: what was not claimed is available again.
//! 4. Closed: lamports to the payer, data zeroed, back to the system program.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent,
    accounts::{CLOSE_EPOCH, flags},
};

use crate::{accounts, epoch, event, pool, system, sysvar};

pub(crate) fn process(program: &Pubkey, accounts: &[AccountInfo<'_>]) -> ProgramResult {
    // 1. Accounts.
    let [pool_account, epoch_account, payer] =
        accounts::take(accounts, const { flags(&CLOSE_EPOCH) })?;
    let (_, mut books) = pool::load_books(program, pool_account)?;
    let epoch = epoch::load(program, epoch_account, pool_account.key)?;
    accounts::check_address(payer, &epoch.rent_payer)?;

    // 2. Window.
    let now = sysvar::now()?;
    if !epoch.deadline().has_passed(now, books.paused(now)) {
        return Err(PoolError::ClaimWindowOpen.into());
    }

    // 3. Books.
    books.reserved = books
        .reserved
        .checked_sub(epoch.reserved)
        .ok_or(PoolError::Arithmetic)?;
    pool::store_books(pool_account, &books)?;
    event::emit(&PoolEvent::EpochClosed {
        pool: epoch.pool,
        epoch: epoch.number,
        claims: epoch.claims,
        released: epoch.reserved,
    });

    // 4. Closed.
    system::close(epoch_account, payer)
}
