//! Closes a claim's account after the window. Anyone may; the rent goes to who paid it.
//!
//! | # | flags | account |
//! | --- | --- | --- |
//! | 0 | `w` | claim |
//! | 1 | `w` | recorded payer of its rent |
//!
//! 1. Accounts: flags, claim, recorded payer (P2).
//! 2. Window: shut, so that the nullifier can't be claimed again whatever happens to the account.
//! 3. Closed: lamports to the payer, data zeroed, back to the system program.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{Claim, PoolError, address::seed};
use veilpool_protocol::{EpochId, NullifierBytes};

use crate::{
    accounts::{self, Flag},
    derive, system, sysvar,
};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    epoch: EpochId,
    nullifier: &NullifierBytes,
) -> ProgramResult {
    // 1. Accounts.
    let [claim, payer] = accounts::take(accounts, [Flag::Write, Flag::Write])?;
    let record: Claim = accounts::load(program, claim)?;
    let number = epoch.get().to_le_bytes();
    let seeds: [&[u8]; 4] = [
        seed::CLAIM,
        record.pool.as_bytes(),
        &number,
        nullifier.as_bytes(),
    ];
    derive::check(program, claim, &seeds, record.bump)?;
    accounts::check_address(payer, record.rent_payer.as_bytes())?;

    // 2. Window.
    if sysvar::now()? < record.claim_until {
        return Err(PoolError::ClaimWindowOpen.into());
    }

    // 3. Closed.
    system::close(claim, payer)
}
