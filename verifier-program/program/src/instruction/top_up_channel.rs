//! Pays more into a channel, and may move its expiry further away.
//!
//! 1. Accounts: flags, program, pool, channel, its consumer, token account, vault of channels.
//! 2. Terms: not closing, an expiry not before the present one, and a change at all.
//! 3. Channel and books.
//! 4. Tokens, consumer to vault.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError,
    accounts::{TOP_UP_CHANNEL, flags},
};

use crate::{accounts, channel, pool, record, token};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    amount: u64,
    expires_at: i64,
) -> ProgramResult {
    // 1. Accounts.
    let [
        consumer,
        pool_account,
        channel,
        tokens,
        escrow,
        token_program,
    ] = accounts::take(accounts, const { flags(&TOP_UP_CHANNEL) })?;
    accounts::check_token_program(token_program)?;
    let (rules, mut books) = pool::load_books(program, pool_account)?;
    let mut record = record::channel(program, channel, pool_account.key)?;
    accounts::check_authority(consumer, &record.consumer)?;
    token::check_holding(tokens, &rules.mint, &record.consumer)?;
    accounts::check_address(escrow, &rules.escrow_vault)?;

    // 2. Terms.
    if record.closes_at.is_some() {
        return Err(PoolError::ChannelClosing.into());
    }
    if expires_at < record.expires_at {
        return Err(PoolError::InvalidExpiry.into());
    }
    if amount == 0 && expires_at == record.expires_at {
        return Err(PoolError::ZeroAmount.into());
    }

    // 3. Channel and books.
    record.expires_at = expires_at;
    record.deposited = record
        .deposited
        .checked_add(amount)
        .ok_or(PoolError::Arithmetic)?;
    accounts::store(channel, &record)?;
    channel::fund(pool_account, &mut books, record.generation, amount)?;

    // 4. Tokens.
    token::transfer(accounts, tokens, escrow, consumer, amount, &[])
}
