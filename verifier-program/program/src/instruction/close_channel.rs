//! Begins to close a channel.
//!
//! 1. Accounts: flags, pool, channel, its consumer or its hub.
//! 2. Time: the consumer's closing waits for a challenge period, in which the hub settles its last voucher; the
//!    hub's own closing waits for nothing. Who closes again moves nothing back.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, PoolEvent,
    accounts::{CLOSE_CHANNEL, flags},
};

use crate::{accounts, event, pool, record, sysvar};

pub(crate) fn process(program: &Pubkey, accounts: &[AccountInfo<'_>]) -> ProgramResult {
    // 1. Accounts.
    let [party, pool_account, channel] = accounts::take(accounts, const { flags(&CLOSE_CHANNEL) })?;
    pool::load_books(program, pool_account)?;
    let mut record = record::channel(program, channel, pool_account.key)?;
    let is_hub = accounts::check_authority(party, &record.hub).is_ok();
    if !is_hub {
        accounts::check_authority(party, &record.consumer)?;
    }

    // 2. Time.
    let now = sysvar::now()?;
    let closes_at = if is_hub {
        now
    } else if record.closes_at.is_some() {
        return Err(PoolError::ChannelClosing.into());
    } else {
        sysvar::after(now, record.challenge_seconds)?
    };
    record.closes_at = Some(record.closes_at.map_or(closes_at, |at| at.min(closes_at)));
    accounts::resize_and_store(channel, &record)?;
    event::emit(&PoolEvent::ChannelClosing {
        pool: record.pool,
        generation: record.generation,
        closes_at: record.closes_at.unwrap_or(closes_at),
    });
    Ok(())
}
