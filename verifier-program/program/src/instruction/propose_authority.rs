//! Begins to hand the authority over. It changes when the other side accepts, so that a wrong address costs
//! nothing; zeros take a proposal back.
//!
//! 1. Accounts: flags, pool, its authority.
//! 2. Rules.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolEvent,
    accounts::{AUTHORITY, flags},
    address,
};
use veilpool_protocol::AddressBytes;

use crate::{accounts, event, governance, pool};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    next: AddressBytes,
) -> ProgramResult {
    // 1. Accounts.
    let [authority, pool_account] = accounts::take(accounts, const { flags(&AUTHORITY) })?;
    let (mut rules, _) = governance::load(program, authority, pool_account)?;

    // 2. Rules.
    rules.next_authority = next;
    pool::store_rules(pool_account, &rules)?;
    event::emit(&PoolEvent::AuthorityProposed {
        pool: address::bytes(pool_account.key),
        authority: next,
    });
    Ok(())
}
