//! Takes an operator's leaf out of the registry.
//!
//! 1. Accounts: flags, pool, operator, its bonder.
//! 2. Leaf: made empty at once, so that no later epoch has it (I8).
//! 3. Operator and books: the bond is released when no epoch with the leaf can be claimed any more.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent,
    accounts::{EXIT_OPERATOR, flags},
    registry::RegistryPath,
};

use crate::{accounts, event, operator, pool, record};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    path: &RegistryPath,
) -> ProgramResult {
    // 1. Accounts.
    let [bonder, pool_account, operator] =
        accounts::take(accounts, const { flags(&EXIT_OPERATOR) })?;
    let mut pool = pool::load(program, pool_account)?;
    let mut record = record::operator(program, operator, pool_account.key)?;
    accounts::check_authority(bonder, &record.bonder)?;
    if record.exit.is_some() {
        return Err(PoolError::OperatorLeft.into());
    }

    // 2. and 3. Leaf, operator and books.
    operator::remove(&mut pool, &mut record, path)?;
    pool::store(pool_account, &pool)?;
    accounts::resize_and_store(operator, &record)?;
    event::emit(&PoolEvent::Exited {
        pool: record.pool,
        leaf_index: record.leaf_index,
    });
    Ok(())
}
