//! Takes the authority over.
//!
//! 1. Accounts: flags, pool, to whom the authority is being handed over.
//! 2. Rules.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolEvent,
    accounts::{ACCEPT_AUTHORITY, flags},
    address,
};
use veilpool_protocol::AddressBytes;

use crate::{accounts, event, pool};

pub(crate) fn process(program: &Pubkey, accounts: &[AccountInfo<'_>]) -> ProgramResult {
    // 1. Accounts. Zeros sign nothing: they are the system program's address.
    let [next, pool_account] = accounts::take(accounts, const { flags(&ACCEPT_AUTHORITY) })?;
    let (mut rules, _) = pool::load_books(program, pool_account)?;
    accounts::check_authority(next, &rules.next_authority)?;

    // 2. Rules.
    rules.authority = rules.next_authority;
    rules.next_authority = AddressBytes::new([0; 32]);
    pool::store_rules(pool_account, &rules)?;
    event::emit(&PoolEvent::AuthorityChanged {
        pool: address::bytes(pool_account.key),
        authority: rules.authority,
    });
    Ok(())
}
