//! Takes a proposal back, at any time.
//!
//! 1. Accounts: flags, pool, its authority, proposal.
//! 2. Closed: lamports to the authority.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolEvent,
    accounts::{CANCEL_PROPOSAL, flags},
};

use crate::{accounts, event, governance, record, system};

pub(crate) fn process(program: &Pubkey, accounts: &[AccountInfo<'_>]) -> ProgramResult {
    // 1. Accounts.
    let [authority, pool_account, proposal] =
        accounts::take(accounts, const { flags(&CANCEL_PROPOSAL) })?;
    governance::load(program, authority, pool_account)?;
    let record = record::proposal(program, proposal, pool_account.key)?;

    // 2. Closed.
    event::emit(&PoolEvent::ProposalCancelled {
        pool: record.pool,
        number: record.number,
    });
    system::close(proposal, authority)
}
