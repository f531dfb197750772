//! Pays a withdrawal that has waited. Anyone may: who has asked to leave can't stand in the queue for ever.
//!
//! 1. Accounts: flags, program, pool, withdrawal, its owner, the owner's token account (the associated one unless the owner
//!    signs), vault.
//! 2. Time.
//! 3. Amount: what the shares are worth now, and no more than they were at the request, rounded down, out of what no
//!    open epoch has reserved (P7). Never paused.
//! 4. Books.
//! 5. Tokens, vault to owner; the withdrawal's account is closed.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent,
    accounts::{WITHDRAW, flags},
    reward,
};

use crate::{accounts, event, pool, record, system, sysvar, token};

pub(crate) fn process(program: &Pubkey, accounts: &[AccountInfo<'_>]) -> ProgramResult {
    // 1. Accounts.
    let [
        pool_account,
        withdrawal,
        owner,
        tokens,
        vault,
        token_program,
    ] = accounts::take(accounts, const { flags(&WITHDRAW) })?;
    accounts::check_token_program(token_program)?;
    let (rules, mut books) = pool::load_books(program, pool_account)?;
    let record = record::withdrawal(program, withdrawal, pool_account.key)?;
    accounts::check_address(owner, &record.owner)?;
    token::check_payout(tokens, &rules.mint, &record.owner, owner.is_signer)?;
    accounts::check_address(vault, &rules.vault)?;

    // 2. Time.
    if sysvar::now()? < record.ready_at {
        return Err(PoolError::WithdrawalNotReady.into());
    }

    // 3. Amount.
    let worth = reward::assets_for(record.shares, books.shares, books.assets)
        .ok_or(PoolError::Arithmetic)?;
    let amount = worth.min(record.worth);
    if amount > books.available().ok_or(PoolError::Arithmetic)? {
        return Err(PoolError::InsufficientLiquidity.into());
    }

    // 4. Books.
    let minus = |sum: u64, part: u64| sum.checked_sub(part).ok_or(PoolError::Arithmetic);
    books.assets = minus(books.assets, amount)?;
    books.shares = minus(books.shares, record.shares)?;
    books.queued = minus(books.queued, record.shares)?;
    pool::store_books(pool_account, &books)?;
    event::emit(&PoolEvent::Withdrawn {
        pool: record.pool,
        amount,
        shares: record.shares,
    });

    // 5. Tokens.
    pool::pay(accounts, pool_account, &rules, vault, tokens, amount)?;
    system::close(withdrawal, owner)
}
