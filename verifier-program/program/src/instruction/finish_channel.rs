//! Gives the rest of a channel back to its consumer and closes it. Anyone may.
//!
//! 1. Accounts: flags, program, pool, channel, its consumer, a token account of the consumer's, vault of channels.
//! 2. Time: the challenge period is over, or the channel has expired.
//! 3. Books.
//! 4. Tokens and lamports to the consumer.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent,
    accounts::{FINISH_CHANNEL, flags},
};

use crate::{accounts, event, pool, record, system, sysvar, token};

pub(crate) fn process(program: &Pubkey, accounts: &[AccountInfo<'_>]) -> ProgramResult {
    // 1. Accounts.
    let [
        pool_account,
        channel,
        consumer,
        tokens,
        escrow,
        token_program,
    ] = accounts::take(accounts, const { flags(&FINISH_CHANNEL) })?;
    accounts::check_token_program(token_program)?;
    let (rules, mut books) = pool::load_books(program, pool_account)?;
    let record = record::channel(program, channel, pool_account.key)?;
    accounts::check_address(consumer, &record.consumer)?;
    token::check_payout(tokens, &rules.mint, &record.consumer, consumer.is_signer)?;
    accounts::check_address(escrow, &rules.escrow_vault)?;

    // 2. Time.
    if sysvar::now()? < record.finishes_at() {
        return Err(PoolError::ChannelOpen.into());
    }

    // 3. Books.
    let rest = record.rest();
    books.escrowed = books
        .escrowed
        .checked_sub(rest)
        .ok_or(PoolError::Arithmetic)?;
    pool::store_books(pool_account, &books)?;
    event::emit(&PoolEvent::ChannelFinished {
        pool: record.pool,
        generation: record.generation,
        rest,
    });

    // 4. Tokens and lamports.
    pool::pay(accounts, pool_account, &rules, escrow, tokens, rest)?;
    system::close(channel, consumer)
}
