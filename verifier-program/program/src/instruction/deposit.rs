//! Gives tokens to the pool for shares.
//!
//! 1. Accounts: flags, program, pool, both accounts of the depositor's, vault, mint of shares.
//! 2. Shares, by the pool's books and not by the vault's balance, so that donations move nothing (P6); rounded
//!    down (P5); no fewer than asked for.
//! 3. Books.
//! 4. Tokens, depositor to vault; shares, to the depositor.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent,
    accounts::{DEPOSIT, flags},
    address, reward,
};

use crate::{accounts, event, pool, token};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    amount: u64,
    min_shares: u64,
) -> ProgramResult {
    // 1. Accounts.
    let [
        depositor,
        pool_account,
        tokens,
        shares_account,
        vault,
        share_mint,
        token_program,
    ] = accounts::take(accounts, const { flags(&DEPOSIT) })?;
    accounts::check_token_program(token_program)?;
    let (rules, mut books) = pool::load_books(program, pool_account)?;
    let holder = address::bytes(depositor.key);
    token::check_holding(tokens, &rules.mint, &holder)?;
    token::check_holding(shares_account, &rules.share_mint, &holder)?;
    accounts::check_address(vault, &rules.vault)?;
    accounts::check_address(share_mint, &rules.share_mint)?;

    // 2. Shares.
    let shares =
        reward::shares_for(amount, books.shares, books.assets).ok_or(PoolError::Arithmetic)?;
    if shares == 0 {
        return Err(PoolError::ZeroAmount.into());
    }
    if shares < min_shares {
        return Err(PoolError::TooFewShares.into());
    }

    // 3. Books.
    books.assets = books
        .assets
        .checked_add(amount)
        .ok_or(PoolError::Arithmetic)?;
    books.shares = books
        .shares
        .checked_add(shares)
        .ok_or(PoolError::Arithmetic)?;
    pool::store_books(pool_account, &books)?;
    event::emit(&PoolEvent::Deposited {
        pool: address::bytes(pool_account.key),
        amount,
        shares,
    });

    // 4. Tokens and shares.
    token::transfer(accounts, tokens, vault, depositor, amount, &[])?;
    pool::with_seeds(&rules, |seeds| {
        token::mint_to(
            accounts,
            share_mint,
            shares_account,
            pool_account,
            shares,
            &[seeds],
        )
    })
}
