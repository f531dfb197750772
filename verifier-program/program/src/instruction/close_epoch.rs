//! Closes an epoch after its claim window and releases what it had reserved. Anyone may; the rent goes to
//! who paid it.
//!
//! | # | flags | account |
//! | --- | --- | --- |
//! | 0 | `w` | pool |
//! | 1 | `w` | epoch |
//! | 2 | `w` | recorded payer of its rent |
//!
//! 1. Accounts: flags, pool, epoch, recorded payer (P2).
//! 2. Window: shut.
//! 3. Books: what was not claimed is available again.
//! 4. Closed: lamports to the payer, data zeroed, back to the system program.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::PoolError;
use veilpool_protocol::EpochId;

use crate::{
    accounts::{self, Flag},
    epoch, pool, system, sysvar,
};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    number: EpochId,
) -> ProgramResult {
    // 1. Accounts.
    let [pool_account, epoch_account, payer] =
        accounts::take(accounts, [Flag::Write, Flag::Write, Flag::Write])?;
    let (_, mut books) = pool::load_books(program, pool_account)?;
    let epoch = epoch::load(program, epoch_account, pool_account.key, number)?;
    accounts::check_address(payer, epoch.rent_payer.as_bytes())?;

    // 2. Window.
    if sysvar::now()? < epoch.claim_until {
        return Err(PoolError::ClaimWindowOpen.into());
    }

    // 3. Books.
    books.reserved = books
        .reserved
        .checked_sub(epoch.reserved)
        .ok_or(PoolError::Arithmetic)?;
    pool::store_books(pool_account, &books)?;

    // 4. Closed.
    system::close(epoch_account, payer)
}
