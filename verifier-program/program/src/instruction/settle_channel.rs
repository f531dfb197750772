//! Pays a voucher: to the hub its fee, to the pool the rest. Anyone may send it.
//!
//! 1. Accounts: flags, program, pool, channel, a token account of its hub's, both vaults, sysvar.
//! 2. Voucher: the instruction right before this one is the Ed25519 program's, laid out in the one way that is
//!    accepted, with the channel's key over this channel's domain, address and generation, and the sum (P10). Where
//!    another program calls, it stands right before that program's instruction in the transaction.
//! 3. Sum: above what was settled, within what was paid in.
//! 4. Channel and books: revenue raises the share price, and counts as demand; the hub's fee does not, since a
//!    consumer may be a hub.
//! 5. Tokens.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent,
    accounts::{SETTLE_CHANNEL, flags},
    address, reward,
    voucher::{self, Voucher},
};

use crate::{accounts, event, introspection, pool, record, token};

pub(crate) fn process(program: &Pubkey, accounts: &[AccountInfo<'_>], sum: u64) -> ProgramResult {
    // 1. Accounts.
    let [
        pool_account,
        channel,
        hub_tokens,
        escrow,
        vault,
        instructions,
        token_program,
    ] = accounts::take(accounts, const { flags(&SETTLE_CHANNEL) })?;
    accounts::check_token_program(token_program)?;
    let (rules, mut books) = pool::load_books(program, pool_account)?;
    let mut record = record::channel(program, channel, pool_account.key)?;
    token::check_payout(hub_tokens, &rules.mint, &record.hub, false)?;
    accounts::check_address(escrow, &rules.escrow_vault)?;
    accounts::check_address(vault, &rules.vault)?;
    accounts::check_address(instructions, &address::bytes(&voucher::INSTRUCTIONS_SYSVAR))?;

    // 2. Voucher.
    let data = instructions
        .try_borrow_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    let signed = introspection::previous(&data)
        .filter(|(program, _)| *program == voucher::ED25519_PROGRAM.as_array())
        .and_then(|(_, data)| voucher::parse(data));
    let (key, message) = signed.ok_or(PoolError::VoucherMissing)?;
    let expected = Voucher {
        domain: rules.domain,
        channel: address::bytes(channel.key),
        generation: record.generation,
        sum,
    };
    if key != record.voucher_key.as_bytes() || *message != expected.message() {
        return Err(PoolError::WrongVoucher.into());
    }
    drop(data);

    // 3. Sum.
    if sum <= record.settled {
        return Err(PoolError::VoucherNotNewer.into());
    }
    if sum > record.deposited {
        return Err(PoolError::VoucherExceedsDeposit.into());
    }
    let amount = sum
        .checked_sub(record.settled)
        .ok_or(PoolError::Arithmetic)?;

    // 4. Channel and books.
    let hub_fee = reward::part(amount, record.hub_fee_bps).ok_or(PoolError::Arithmetic)?;
    let to_pool = amount.checked_sub(hub_fee).ok_or(PoolError::Arithmetic)?;
    record.settled = sum;
    accounts::store(channel, &record)?;
    books.escrowed = books
        .escrowed
        .checked_sub(amount)
        .ok_or(PoolError::Arithmetic)?;
    books.assets = books
        .assets
        .checked_add(to_pool)
        .ok_or(PoolError::Arithmetic)?;
    books.settled = books.settled.saturating_add(to_pool);
    pool::store_books(pool_account, &books)?;
    event::emit(&PoolEvent::ChannelSettled {
        pool: record.pool,
        generation: record.generation,
        to_pool,
        hub_fee,
    });

    // 5. Tokens.
    pool::pay(accounts, pool_account, &rules, escrow, vault, to_pool)?;
    pool::pay(accounts, pool_account, &rules, escrow, hub_tokens, hub_fee)
}
