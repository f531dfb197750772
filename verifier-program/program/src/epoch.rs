//! The epoch's account: read whole, written only where a claim changes it.

use solana_program::{account_info::AccountInfo, pubkey::Pubkey};
use veilpool_interface::{Epoch, PoolError, address::seed};

use crate::{accounts, derive};

/// Where what a claim changes begins, `reserved`, then `claims`: after discriminator, version, and all that was
/// frozen before.
const BOOKS_AT: usize = 2 + 1 + 32 + 4 + 3 * 8 + 4 + 32 + 2 * 4 + 32 + 1 + 32 + 2 * 8;

/// An epoch of a pool, at its derived address.
pub(crate) fn load(
    program: &Pubkey,
    account: &AccountInfo<'_>,
    pool: &Pubkey,
) -> Result<Epoch, PoolError> {
    let epoch: Epoch = accounts::load(program, account)?;
    let number = epoch.number.get().to_le_bytes();
    let seeds: [&[u8]; 3] = [seed::EPOCH, pool.as_ref(), &number];
    derive::check(program, account, &seeds, epoch.bump)?;
    Ok(epoch)
}

/// Writes what a claim has changed.
pub(crate) fn store_books(account: &AccountInfo<'_>, epoch: &Epoch) -> Result<(), PoolError> {
    accounts::store_at(account, BOOKS_AT, &(epoch.reserved, epoch.claims))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use veilpool_interface::{Record, class};
    use veilpool_protocol::{AddressBytes, EpochId, FieldBytes, RegistryRootBytes, SetHashBytes};

    use super::*;

    #[test]
    fn the_books_are_where_the_encoding_has_them() {
        let epoch = Epoch {
            bump: 1,
            pool: AddressBytes::new([2; 32]),
            number: EpochId::new(3),
            starts_at: 4,
            ends_at: 5,
            claim_until: 6,
            paused_before: 66,
            registry_root: RegistryRootBytes::from_field(FieldBytes::from_u128(7)),
            leaf_count: 8,
            operators: 88,
            set_hash: SetHashBytes::from_field(FieldBytes::from_u128(9)),
            measurers: 3,
            verifying_key: [10; 32],
            rate: 11,
            budget: 111,
            reserved: 0x0102_0304_0506_0708,
            claims: 0x090a_0b0c,
            rent_payer: AddressBytes::new([12; 32]),
            classes: class::default_table(),
        };
        let books = borsh::to_vec(&(epoch.reserved, epoch.claims)).unwrap();
        assert_eq!(epoch.encode()[BOOKS_AT..BOOKS_AT + books.len()], books);
    }
}
