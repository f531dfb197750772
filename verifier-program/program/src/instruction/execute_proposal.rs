//! Carries out a change that has waited. Anyone may.
//!
//! 1. Accounts: flags, pool, proposal, its proposer, who is still the pool's authority.
//! 2. Time: from ready_at until expires_at.
//! 3. Change: checked again. Epochs that are open keep what they froze, and money is out of reach (P12).
//! 4. Verifying key: published, for as many measurers as the pool has now.
//! 5. The pool's account, whose length may change; the proposal's is closed.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    Change, PoolError, PoolEvent,
    accounts::{EXECUTE_PROPOSAL, flags},
    hashing,
};

use crate::{accounts, event, governance, key, pool, record, system, sysvar};

pub(crate) fn process(program: &Pubkey, accounts: &[AccountInfo<'_>]) -> ProgramResult {
    // 1. Accounts.
    let [pool_account, proposal, proposer, key_account] =
        accounts::take(accounts, const { flags(&EXECUTE_PROPOSAL) })?;
    let mut pool = pool::load(program, pool_account)?;
    let record = record::proposal(program, proposal, pool_account.key)?;
    accounts::check_address(proposer, &record.proposer)?;
    // Whoever has taken the authority over decides anew.
    accounts::check_authority(proposer, &pool.rules.authority)?;

    // 2. Time.
    let now = sysvar::now()?;
    if now < record.ready_at {
        return Err(PoolError::ProposalNotReady.into());
    }
    if now >= record.expires_at {
        return Err(PoolError::ProposalExpired.into());
    }

    // 3. Change.
    governance::check_change(&record.change, &pool.rules, &pool.books)?;
    match record.change {
        Change::Measurers {
            measurers,
            verifying_key,
        } => {
            let count = governance::count(&measurers)?;
            pool.rules.set_hash = hashing::set_hash(&pool.rules.domain, count, &measurers)
                .map_err(|_| PoolError::CouldNotVerify)?;
            pool.rules.verifying_key = verifying_key;
            pool.measurers = measurers;
        }
        Change::Classes(classes) => pool.classes = classes,
        Change::Parameters(parameters) => {
            pool.rules.parameters = parameters;
            pool.books.price = pool
                .books
                .price
                .clamp(parameters.min_price, parameters.max_price);
        }
        Change::Unfreeze => {
            // Proposed after the freeze that it lifts.
            let earliest = sysvar::after(pool.books.frozen_at, pool.rules.timelock_seconds)?;
            if record.ready_at < earliest {
                return Err(PoolError::NotFrozen.into());
            }
            pool.books.frozen = false;
        }
    }

    // 4. Verifying key.
    let count = governance::count(&pool.measurers)?;
    let expected = Some(&pool.rules.verifying_key);
    key::with_published(program, key_account, expected, count, |_, _| Ok(()))?;

    // 5. The pool's account.
    pool_account
        .resize(accounts::size(&*pool))
        .map_err(|_| PoolError::WrongAccountType)?;
    pool::store_rules(pool_account, &pool.rules)?;
    pool::store(pool_account, &pool)?;
    event::emit(&PoolEvent::Executed {
        pool: record.pool,
        number: record.number,
    });
    system::close(proposal, proposer)
}
