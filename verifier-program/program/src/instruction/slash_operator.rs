//! Takes the bond of an operator whose secret has been revealed, by two listings in one epoch (I9) or otherwise.
//!
//! 1. Accounts: flags, program, pool, operator, a token account of who shows the secret, both vaults.
//! 2. Secret: its commitment is the operator's.
//! 3. Leaf: made empty, unless the operator has left.
//! 4. Operator and books: a part of the bond to who shows the secret, the rest is the pool's.
//! 5. Tokens.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent,
    accounts::{SLASH_OPERATOR, flags},
    address,
    hashing::poseidon,
    registry::RegistryPath,
    reward,
};
use veilpool_protocol::{FieldBytes, tag};

use crate::{accounts, event, operator, pool, record, token};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    secret: &FieldBytes,
    path: Option<&RegistryPath>,
) -> ProgramResult {
    // 1. Accounts.
    let [
        slasher,
        pool_account,
        operator,
        tokens,
        bonds,
        vault,
        token_program,
    ] = accounts::take(accounts, const { flags(&SLASH_OPERATOR) })?;
    accounts::check_token_program(token_program)?;
    let mut pool = pool::load(program, pool_account)?;
    let mut record = record::operator(program, operator, pool_account.key)?;
    token::check_holding(tokens, &pool.rules.mint, &address::bytes(slasher.key))?;
    accounts::check_address(bonds, &pool.rules.bond_vault)?;
    accounts::check_address(vault, &pool.rules.vault)?;

    // 2. Secret.
    let id = FieldBytes::from_u128(u128::from(tag::ID));
    let commitment =
        poseidon(&[id.as_bytes(), secret.as_bytes()]).map_err(|_| PoolError::CouldNotVerify)?;
    if commitment != record.commitment.to_field() {
        return Err(PoolError::WrongSecret.into());
    }
    let bond = record.bond;
    if bond == 0 {
        return Err(PoolError::NothingToSlash.into());
    }

    // 3. Leaf.
    match (record.exit, path) {
        (None, Some(path)) => operator::remove(&mut pool, &mut record, path)?,
        (None, None) => return Err(PoolError::WrongPath.into()),
        (Some(_), _) => {}
    }

    // 4. Operator and books.
    let reward =
        reward::part(bond, pool.rules.parameters.slash_reward_bps).ok_or(PoolError::Arithmetic)?;
    let to_pool = bond.checked_sub(reward).ok_or(PoolError::Arithmetic)?;
    record.bond = 0;
    accounts::resize_and_store(operator, &record)?;
    let books = &mut pool.books;
    books.bonded = books
        .bonded
        .checked_sub(bond)
        .ok_or(PoolError::Arithmetic)?;
    books.assets = books
        .assets
        .checked_add(to_pool)
        .ok_or(PoolError::Arithmetic)?;
    pool::store(pool_account, &pool)?;
    event::emit(&PoolEvent::Slashed {
        pool: record.pool,
        leaf_index: record.leaf_index,
        reward,
        to_pool,
    });

    // 5. Tokens.
    pool::pay(accounts, pool_account, &pool.rules, bonds, tokens, reward)?;
    pool::pay(accounts, pool_account, &pool.rules, bonds, vault, to_pool)
}
