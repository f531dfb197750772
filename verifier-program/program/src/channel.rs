//! What instructions on channels have in common.

use solana_program::account_info::AccountInfo;
use veilpool_interface::{Books, PoolError, PoolEvent, address};

use crate::{event, pool};

/// Books what is paid into a channel.
pub(crate) fn fund(
    pool_account: &AccountInfo<'_>,
    books: &mut Books,
    generation: u64,
    amount: u64,
) -> Result<(), PoolError> {
    books.escrowed = books
        .escrowed
        .checked_add(amount)
        .ok_or(PoolError::Arithmetic)?;
    pool::store_books(pool_account, books)?;
    event::emit(&PoolEvent::ChannelFunded {
        pool: address::bytes(pool_account.key),
        generation,
        amount,
    });
    Ok(())
}
