//! The pool's account: whole, or only its rules and books.
//!
//! Most instructions need only the fields before the measurers, and only change the books there. They
//! read and write that part of the account in place, which spares decoding 2 kB of keys, classes and
//! registry.

use borsh::{BorshDeserialize, BorshSerialize};
use solana_program::{account_info::AccountInfo, pubkey::Pubkey};
use veilpool_interface::{Pool, PoolError, Record, address::seed, state::VERSION};
use veilpool_protocol::{AddressBytes, DomainBytes, EpochId, SetHashBytes};

use crate::{accounts, derive};

/// The first fields of [`Pool`], in its order, which never change.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Rules {
    pub(crate) bump: u8,
    pub(crate) authority: AddressBytes,
    pub(crate) mint: AddressBytes,
    pub(crate) vault: AddressBytes,
    pub(crate) bond_vault: AddressBytes,
    genesis_hash: [u8; 32],
    domain: DomainBytes,
    set_hash: SetHashBytes,
    verifying_key: [u8; 32],
    bond_amount: u64,
    epoch_seconds: u32,
    claim_window_seconds: u32,
    rate_cap: u64,
    outflow_bps: u16,
}

/// The fields that follow, in the order of [`Pool`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Books {
    pub(crate) assets: u64,
    pub(crate) reserved: u64,
    pub(crate) shares: u128,
    next_epoch: EpochId,
    latest_ends_at: i64,
}

/// Discriminator and version.
const HEAD_LEN: usize = 2;
const RULES_LEN: usize = 1 + 8 * 32 + 8 + 2 * 4 + 8 + 2;
const BOOKS_AT: usize = HEAD_LEN + RULES_LEN;

/// The whole pool, at its derived address.
pub(crate) fn load(program: &Pubkey, account: &AccountInfo<'_>) -> Result<Box<Pool>, PoolError> {
    let pool: Box<Pool> = Box::new(accounts::load(program, account)?);
    check_address(program, account, &pool.mint, &pool.authority, pool.bump)?;
    Ok(pool)
}

/// The pool's rules and books, at its derived address.
pub(crate) fn load_books(
    program: &Pubkey,
    account: &AccountInfo<'_>,
) -> Result<(Box<Rules>, Books), PoolError> {
    if account.owner != program {
        return Err(PoolError::WrongOwner);
    }
    let data = account
        .try_borrow_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    let (head, mut fields) = data
        .split_first_chunk::<HEAD_LEN>()
        .ok_or(PoolError::WrongAccountType)?;
    if *head != [Pool::DISCRIMINATOR, VERSION] {
        return Err(PoolError::WrongAccountType);
    }
    let malformed = |_| PoolError::WrongAccountType;
    let rules = Rules::deserialize(&mut fields).map_err(malformed)?;
    let books = Books::deserialize(&mut fields).map_err(malformed)?;
    check_address(program, account, &rules.mint, &rules.authority, rules.bump)?;
    Ok((Box::new(rules), books))
}

/// Writes the books over the account's.
pub(crate) fn store_books(account: &AccountInfo<'_>, books: &Books) -> Result<(), PoolError> {
    accounts::store_at(account, BOOKS_AT, books)
}

fn check_address(
    program: &Pubkey,
    account: &AccountInfo<'_>,
    mint: &AddressBytes,
    authority: &AddressBytes,
    bump: u8,
) -> Result<(), PoolError> {
    let seeds: [&[u8]; 3] = [seed::POOL, mint.as_bytes(), authority.as_bytes()];
    derive::check(program, account, &seeds, bump)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use veilpool_interface::{Registry, class};
    use veilpool_protocol::{CoordinateBytes, FieldBytes, MeasurerKeyBytes};

    use super::*;

    #[test]
    fn rules_and_books_are_the_pools_first_fields() {
        let field = |i| FieldBytes::from_u128(i);
        let key = |i| MeasurerKeyBytes {
            u: CoordinateBytes::from_field(field(i)),
            shifted_u: CoordinateBytes::from_field(field(i + 1)),
        };
        let pool = Pool {
            bump: 1,
            authority: AddressBytes::new([2; 32]),
            mint: AddressBytes::new([3; 32]),
            vault: AddressBytes::new([4; 32]),
            bond_vault: AddressBytes::new([5; 32]),
            genesis_hash: [6; 32],
            domain: DomainBytes::from_field(field(7)),
            set_hash: SetHashBytes::from_field(field(8)),
            verifying_key: [9; 32],
            bond_amount: 10,
            epoch_seconds: 11,
            claim_window_seconds: 12,
            rate_cap: 13,
            outflow_bps: 14,
            assets: 15,
            reserved: 16,
            shares: 17,
            next_epoch: EpochId::new(18),
            latest_ends_at: 19,
            measurers: vec![key(20), key(22), key(24)],
            classes: class::default_table(),
            registry: Registry::empty().unwrap(),
        };
        let bytes = pool.encode();
        let mut fields = &bytes[HEAD_LEN..];
        let rules = Rules::deserialize(&mut fields).unwrap();
        assert_eq!(bytes.len() - fields.len(), BOOKS_AT);
        let books = Books::deserialize(&mut fields).unwrap();
        assert_eq!(
            (
                rules.bump,
                rules.authority,
                rules.mint,
                rules.vault,
                rules.bond_vault
            ),
            (
                pool.bump,
                pool.authority,
                pool.mint,
                pool.vault,
                pool.bond_vault
            )
        );
        assert_eq!(
            (books.assets, books.reserved, books.shares),
            (pool.assets, pool.reserved, pool.shares)
        );
        assert_eq!(
            (books.next_epoch, books.latest_ends_at),
            (pool.next_epoch, pool.latest_ends_at)
        );
    }
}
