//! Proposes a change, which waits behind the timelock (P12).
//!
//! 1. Accounts: flags, program, pool, its authority, proposal's address.
//! 2. Change: refused at once where it could never be carried out.
//! 3. Time: the timelock, which is at least two epochs; then as long again to carry it out.
//! 4. The proposal's account.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    Change, PoolError, PoolEvent, Proposal,
    accounts::{PROPOSE, flags},
    address,
    address::seed,
};

use crate::{accounts, derive, event, governance, record::New, sysvar};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    number: u32,
    change: Change,
) -> ProgramResult {
    // 1. Accounts.
    let [authority, pool_account, proposal, system_program] =
        accounts::take(accounts, const { flags(&PROPOSE) })?;
    accounts::check_system_program(system_program)?;
    let (rules, books) = governance::load(program, authority, pool_account)?;
    let number_bytes = number.to_le_bytes();
    let seeds: [&[u8]; 3] = [seed::PROPOSAL, pool_account.key.as_ref(), &number_bytes];
    let bump = derive::check_new(program, proposal, &seeds)?;

    // 2. Change.
    governance::check_change(&change, &rules, &books)?;

    // 3. Time.
    let ready_at = sysvar::after(sysvar::now()?, rules.timelock_seconds)?;
    let expires_at = sysvar::after(ready_at, rules.timelock_seconds)?;

    // 4. The proposal's account.
    let record = Proposal {
        bump,
        pool: address::bytes(pool_account.key),
        number,
        proposer: address::bytes(authority.key),
        ready_at,
        expires_at,
        change,
    };
    New {
        accounts,
        payer: authority,
        account: proposal,
        seeds: &seeds,
        bump,
        rent_for: 0,
    }
    .run(program, &record, PoolError::AlreadyExists)?;
    event::emit(&PoolEvent::Proposed {
        pool: record.pool,
        number,
        ready_at,
    });
    Ok(())
}
