//! Channels between consumers and hubs.

use solana_program::{instruction::Instruction, pubkey::Pubkey};

use super::{SYSTEM_PROGRAM, build};
use crate::{
    accounts,
    address::{self, TOKEN_PROGRAM},
    instruction::{OpenChannel, PoolInstruction},
    voucher::INSTRUCTIONS_SYSVAR,
};

/// Opens a channel from the consumer's token account.
#[must_use]
pub fn open_channel(
    program: &Pubkey,
    pool: &Pubkey,
    consumer: &Pubkey,
    tokens: &Pubkey,
    arguments: OpenChannel,
) -> Instruction {
    let hub = address::pubkey(&arguments.hub);
    build(
        program,
        &accounts::OPEN_CHANNEL,
        [
            *consumer,
            *pool,
            address::channel(program, pool, consumer, &hub).0,
            *tokens,
            address::escrow(program, pool).0,
            TOKEN_PROGRAM,
            SYSTEM_PROGRAM,
        ],
        &PoolInstruction::OpenChannel(arguments),
    )
}

/// Pays more into the consumer's channel to a hub.
#[must_use]
pub fn top_up_channel(
    program: &Pubkey,
    pool: &Pubkey,
    consumer: &Pubkey,
    hub: &Pubkey,
    tokens: &Pubkey,
    amount: u64,
    expires_at: i64,
) -> Instruction {
    build(
        program,
        &accounts::TOP_UP_CHANNEL,
        [
            *consumer,
            *pool,
            address::channel(program, pool, consumer, hub).0,
            *tokens,
            address::escrow(program, pool).0,
            TOKEN_PROGRAM,
        ],
        &PoolInstruction::TopUpChannel { amount, expires_at },
    )
}

/// Settles the voucher that the instruction before verifies ([`crate::voucher::verify`]).
#[must_use]
pub fn settle_channel(
    program: &Pubkey,
    pool: &Pubkey,
    consumer: &Pubkey,
    hub: &Pubkey,
    hub_tokens: &Pubkey,
    sum: u64,
) -> Instruction {
    build(
        program,
        &accounts::SETTLE_CHANNEL,
        [
            *pool,
            address::channel(program, pool, consumer, hub).0,
            *hub_tokens,
            address::escrow(program, pool).0,
            address::vault(program, pool).0,
            INSTRUCTIONS_SYSVAR,
            TOKEN_PROGRAM,
        ],
        &PoolInstruction::SettleChannel { sum },
    )
}

/// Begins to close a channel; `party` is its consumer or its hub.
#[must_use]
pub fn close_channel(
    program: &Pubkey,
    pool: &Pubkey,
    party: &Pubkey,
    consumer: &Pubkey,
    hub: &Pubkey,
) -> Instruction {
    build(
        program,
        &accounts::CLOSE_CHANNEL,
        [
            *party,
            *pool,
            address::channel(program, pool, consumer, hub).0,
        ],
        &PoolInstruction::CloseChannel,
    )
}

/// Gives the rest of a channel back to a token account of the consumer's.
#[must_use]
pub fn finish_channel(
    program: &Pubkey,
    pool: &Pubkey,
    consumer: &Pubkey,
    hub: &Pubkey,
    tokens: &Pubkey,
) -> Instruction {
    build(
        program,
        &accounts::FINISH_CHANNEL,
        [
            *pool,
            address::channel(program, pool, consumer, hub).0,
            *consumer,
            *tokens,
            address::escrow(program, pool).0,
            TOKEN_PROGRAM,
        ],
        &PoolInstruction::FinishChannel,
    )
}
