//! Opens a consumer's channel to one hub (P11).
//!
//! 1. Accounts: flags, programs, pool, channel's address, token account, vault of channels.
//! 2. Terms: something is paid in, the hub's fee is within the pool's cap, and the channel lasts longer than a
//!    challenge.
//! 3. The channel's account, with a generation that no other channel of the pool has ever had (P10).
//! 4. Books.
//! 5. Tokens, consumer to vault.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    Channel, PoolError,
    accounts::{OPEN_CHANNEL, flags},
    address,
    address::seed,
    instruction::OpenChannel,
};

use crate::{accounts, channel, derive, pool, record::New, sysvar, token};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    terms: &OpenChannel,
) -> ProgramResult {
    // 1. Accounts.
    let [
        consumer,
        pool_account,
        channel,
        tokens,
        escrow,
        token_program,
        system_program,
    ] = accounts::take(accounts, const { flags(&OPEN_CHANNEL) })?;
    accounts::check_token_program(token_program)?;
    accounts::check_system_program(system_program)?;
    let (rules, mut books) = pool::load_books(program, pool_account)?;
    let seeds: [&[u8]; 4] = [
        seed::CHANNEL,
        pool_account.key.as_ref(),
        consumer.key.as_ref(),
        terms.hub.as_bytes(),
    ];
    let bump = derive::check_new(program, channel, &seeds)?;
    token::check_holding(tokens, &rules.mint, &address::bytes(consumer.key))?;
    accounts::check_address(escrow, &rules.escrow_vault)?;

    // 2. Terms.
    if terms.amount == 0 {
        return Err(PoolError::ZeroAmount.into());
    }
    if terms.hub_fee_bps > rules.parameters.hub_fee_cap_bps {
        return Err(PoolError::FeeTooHigh.into());
    }
    let challenge_seconds = rules.parameters.challenge_seconds;
    if terms.expires_at <= sysvar::after(sysvar::now()?, challenge_seconds)? {
        return Err(PoolError::InvalidExpiry.into());
    }

    // 3. The channel's account.
    let generation = books.next_channel;
    let record = Channel {
        bump,
        pool: address::bytes(pool_account.key),
        consumer: address::bytes(consumer.key),
        hub: terms.hub,
        voucher_key: terms.voucher_key,
        generation,
        deposited: terms.amount,
        settled: 0,
        hub_fee_bps: terms.hub_fee_bps,
        challenge_seconds,
        expires_at: terms.expires_at,
        closes_at: None,
    };
    New {
        accounts,
        payer: consumer,
        account: channel,
        seeds: &seeds,
        bump,
        // So that closing needs no further rent.
        rent_for: Channel::MAX_LEN,
    }
    .run(program, &record, PoolError::AlreadyExists)?;

    // 4. Books.
    books.next_channel = generation.checked_add(1).ok_or(PoolError::Arithmetic)?;
    channel::fund(pool_account, &mut books, generation, terms.amount)?;

    // 5. Tokens.
    token::transfer(accounts, tokens, escrow, consumer, terms.amount, &[])
}
