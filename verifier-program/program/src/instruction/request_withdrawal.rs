//! Hands in shares, to be paid after the cool-down.
//!
//! 1. Accounts: flags, programs, pool, withdrawal's address, owner's account of shares, mint of shares.
//! 2. Time: the cool-down, and not before the last claim window shuts, the rest of a pause included: by then everything that is reserved now
//!    has been paid or released (P8), and what is reserved later leaves room for it.
//! 3. The withdrawal's account.
//! 4. Books: the shares still count, and bear losses; what they gain is the others'.
//! 5. Shares are burned.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent, Withdrawal,
    accounts::{REQUEST_WITHDRAWAL, flags},
    address,
    address::seed,
    reward,
};

use crate::{accounts, derive, event, pool, record::New, sysvar, token};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    number: u32,
    shares: u64,
) -> ProgramResult {
    // 1. Accounts.
    let [
        owner,
        pool_account,
        withdrawal,
        shares_account,
        share_mint,
        token_program,
        system_program,
    ] = accounts::take(accounts, const { flags(&REQUEST_WITHDRAWAL) })?;
    accounts::check_token_program(token_program)?;
    accounts::check_system_program(system_program)?;
    let (rules, mut books) = pool::load_books(program, pool_account)?;
    let number_bytes = number.to_le_bytes();
    let seeds: [&[u8]; 4] = [
        seed::WITHDRAWAL,
        pool_account.key.as_ref(),
        owner.key.as_ref(),
        &number_bytes,
    ];
    let bump = derive::check_new(program, withdrawal, &seeds)?;
    token::check_holding(
        shares_account,
        &rules.share_mint,
        &address::bytes(owner.key),
    )?;
    accounts::check_address(share_mint, &rules.share_mint)?;
    if shares == 0 {
        return Err(PoolError::ZeroAmount.into());
    }

    let worth =
        reward::assets_for(shares, books.shares, books.assets).ok_or(PoolError::Arithmetic)?;

    // 2. Time.
    let now = sysvar::now()?;
    let last_window = books
        .last_window
        .checked_add(i64::from(books.paused_seconds))
        .ok_or(PoolError::Arithmetic)?;
    let ready_at = sysvar::after(now, rules.parameters.cooldown_seconds)?.max(last_window);

    // 3. The withdrawal's account.
    let record = Withdrawal {
        bump,
        pool: address::bytes(pool_account.key),
        owner: address::bytes(owner.key),
        number,
        shares,
        worth,
        ready_at,
    };
    New {
        accounts,
        payer: owner,
        account: withdrawal,
        seeds: &seeds,
        bump,
        rent_for: 0,
    }
    .run(program, &record, PoolError::AlreadyExists)?;

    // 4. Books.
    books.queued = books
        .queued
        .checked_add(shares)
        .ok_or(PoolError::Arithmetic)?;
    pool::store_books(pool_account, &books)?;
    event::emit(&PoolEvent::WithdrawalRequested {
        pool: record.pool,
        shares,
        ready_at,
    });

    // 5. Shares.
    token::burn(accounts, shares_account, share_mint, owner, shares)
}
