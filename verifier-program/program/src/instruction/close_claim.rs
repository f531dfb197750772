//! Closes a claim's account after the window. Anyone may; the rent goes to who paid it.
//!
//! 1. Accounts: flags, pool, claim, recorded payer (P2).
//! 2. Window: shut, pauses counted, so that the nullifier can't be claimed again whatever happens to the account.
//! 3. Closed: lamports to the payer, data zeroed, back to the system program.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    Claim, PoolError,
    accounts::{CLOSE_CLAIM, flags},
    address::seed,
};

use crate::{accounts, derive, pool, system, sysvar};

pub(crate) fn process(program: &Pubkey, accounts: &[AccountInfo<'_>]) -> ProgramResult {
    // 1. Accounts.
    let [pool_account, claim, payer] = accounts::take(accounts, const { flags(&CLOSE_CLAIM) })?;
    let (_, books) = pool::load_books(program, pool_account)?;
    let record: Claim = accounts::load(program, claim)?;
    let number = record.epoch.get().to_le_bytes();
    let seeds: [&[u8]; 4] = [
        seed::CLAIM,
        pool_account.key.as_ref(),
        &number,
        record.nullifier.as_bytes(),
    ];
    derive::check(program, claim, &seeds, record.bump)?;
    accounts::check_address(payer, &record.rent_payer)?;

    // 2. Window.
    let now = sysvar::now()?;
    if !record.claim_until.has_passed(now, books.paused(now)) {
        return Err(PoolError::ClaimWindowOpen.into());
    }

    // 3. Closed.
    system::close(claim, payer)
}
