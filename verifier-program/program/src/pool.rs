//! The pool's account: whole, or only its rules and books.
//!
//! Most instructions need only what has a fixed length, and only change the books there. They read and write
//! that part of the account in place, which spares decoding 2 kB of keys, classes and registry.

use solana_program::{account_info::AccountInfo, pubkey::Pubkey};
use veilpool_interface::{
    Books, Pool, PoolError, Record, Rules, Wire,
    address::seed,
    state::{BOOKS_AT, BOOKS_LEN, HEAD_LEN},
};

use crate::{accounts, derive, token};

/// Where what has no fixed length begins.
const TABLES_AT: usize = BOOKS_AT + BOOKS_LEN;

/// The whole pool, at its derived address.
#[inline(never)]
pub(crate) fn load(program: &Pubkey, account: &AccountInfo<'_>) -> Result<Box<Pool>, PoolError> {
    let (rules, books) = load_books(program, account)?;
    let data = account
        .try_borrow_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    let (measurers, classes, registry) = data
        .get(TABLES_AT..)
        .and_then(Wire::whole)
        .ok_or(PoolError::WrongAccountType)?;
    let pool = Box::new(Pool {
        rules: *rules,
        books,
        measurers,
        classes,
        registry,
    });
    if pool.is_consistent() {
        Ok(pool)
    } else {
        Err(PoolError::WrongAccountType)
    }
}

/// The pool's rules and books, at its derived address.
#[inline(never)]
pub(crate) fn load_books(
    program: &Pubkey,
    account: &AccountInfo<'_>,
) -> Result<(Box<Rules>, Books), PoolError> {
    let data = accounts::fields(program, account, Pool::DISCRIMINATOR)?;
    let mut fields: &[u8] = &data;
    let rules = Box::new(Rules::take(&mut fields).ok_or(PoolError::WrongAccountType)?);
    let books = Books::take(&mut fields).ok_or(PoolError::WrongAccountType)?;
    check_address(program, account, &rules)?;
    Ok((rules, books))
}

/// Writes the books over the account's.
#[inline(never)]
pub(crate) fn store_books(account: &AccountInfo<'_>, books: &Books) -> Result<(), PoolError> {
    accounts::store_at(account, BOOKS_AT, books)
}

/// Writes the rules over the account's.
#[inline(never)]
pub(crate) fn store_rules(account: &AccountInfo<'_>, rules: &Rules) -> Result<(), PoolError> {
    accounts::store_at(account, HEAD_LEN, rules)
}

/// Writes books and tables over the account's, which must be of their length.
#[inline(never)]
pub(crate) fn store(account: &AccountInfo<'_>, pool: &Pool) -> Result<(), PoolError> {
    store_books(account, &pool.books)?;
    let mut data = account
        .try_borrow_mut_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    let mut room = data
        .get_mut(TABLES_AT..)
        .ok_or(PoolError::WrongAccountType)?;
    let mut put = || {
        pool.measurers.put(&mut room)?;
        pool.classes.put(&mut room)?;
        pool.registry.put(&mut room)
    };
    match put() {
        Some(()) if room.is_empty() => Ok(()),
        _ => Err(PoolError::WrongAccountType),
    }
}

/// Pays out of one of the pool's vaults. Nothing is done for nothing.
#[inline(never)]
pub(crate) fn pay(
    accounts: &[AccountInfo<'_>],
    pool: &AccountInfo<'_>,
    rules: &Rules,
    vault: &AccountInfo<'_>,
    to: &AccountInfo<'_>,
    amount: u64,
) -> Result<(), solana_program::program_error::ProgramError> {
    if amount == 0 {
        return Ok(());
    }
    with_seeds(rules, |seeds| {
        token::transfer(accounts, vault, to, pool, amount, &[seeds])
    })
}

/// Lets the pool's address sign.
pub(crate) fn with_seeds<T>(rules: &Rules, sign: impl FnOnce(&[&[u8]]) -> T) -> T {
    let bump = [rules.bump];
    sign(&[
        seed::POOL,
        rules.mint.as_bytes(),
        rules.founder.as_bytes(),
        &bump,
    ])
}

fn check_address(
    program: &Pubkey,
    account: &AccountInfo<'_>,
    rules: &Rules,
) -> Result<(), PoolError> {
    let seeds: [&[u8]; 3] = [seed::POOL, rules.mint.as_bytes(), rules.founder.as_bytes()];
    derive::check(program, account, &seeds, rules.bump)
}
