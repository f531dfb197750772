//! Opens the pool's next epoch. Anyone may.
//!
//! | # | flags | account |
//! | --- | --- | --- |
//! | 0 | `sw` | payer of the rent, who gets it back |
//! | 1 | `w` | pool |
//! | 2 | `w` | epoch, to be created |
//! | 3 | | system program |
//!
//! 1. Accounts: flags, program, pool, epoch's address.
//! 2. Order: the number is the pool's next, and there is somebody in the registry.
//! 3. Schedule: from a quarter of an epoch before the latest one ends. It starts when that one ends, and at
//!    the earliest a twelfth of an epoch from now, so that listings can be made before its first slot.
//! 4. Rate and reservation, of what no other epoch has reserved (P7).
//! 5. The epoch's account: root, leaf count, measurers, key and table frozen (I7).
//! 6. Books.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{Epoch, PoolError, Record, address, address::seed, class, reward};
use veilpool_protocol::EpochId;

use crate::{
    accounts::{self, Flag},
    derive, pool,
    system::Creation,
    sysvar,
};

/// An epoch may be opened this part of its length before the latest one ends.
const ADVANCE: u32 = 4;
/// And starts at the earliest this part of its length from now.
const LEAD: u32 = 12;

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    epoch: EpochId,
) -> ProgramResult {
    // 1. Accounts.
    let [payer, pool_account, epoch_account, system_program] =
        accounts::take(accounts, [Flag::Sign, Flag::Write, Flag::Write, Flag::Read])?;
    accounts::check_system_program(system_program)?;
    let mut pool = pool::load(program, pool_account)?;
    let number = epoch.get().to_le_bytes();
    let seeds = [seed::EPOCH, pool_account.key.as_ref(), &number];
    let bump = derive::check_new(program, epoch_account, &seeds)?;

    // 2. Order.
    if epoch != pool.next_epoch {
        return Err(PoolError::WrongEpoch.into());
    }
    if pool.registry.leaf_count == 0 {
        return Err(PoolError::NoOperators.into());
    }

    // 3. Schedule.
    let now = sysvar::now()?;
    if sysvar::after(now, pool.epoch_seconds / ADVANCE)? < pool.latest_ends_at {
        return Err(PoolError::EpochNotEnded.into());
    }
    let starts_at = sysvar::after(now, pool.epoch_seconds / LEAD)?.max(pool.latest_ends_at);
    let ends_at = sysvar::after(starts_at, pool.epoch_seconds)?;
    let claim_until = sysvar::after(ends_at, pool.claim_window_seconds)?;

    // 4. Rate and reservation.
    let available = pool
        .assets
        .checked_sub(pool.reserved)
        .ok_or(PoolError::Arithmetic)?;
    let leaf_count = pool.registry.leaf_count;
    let max_weight = class::max_weight(&pool.classes);
    let rate = reward::rate(
        available,
        pool.outflow_bps,
        leaf_count,
        max_weight,
        pool.rate_cap,
    )
    .ok_or(PoolError::Arithmetic)?;
    let reserved =
        reward::reservation(rate, leaf_count, max_weight).ok_or(PoolError::Arithmetic)?;

    // 5. The epoch's account.
    let record = Epoch {
        bump,
        pool: address::bytes(pool_account.key),
        number: epoch,
        starts_at,
        ends_at,
        claim_until,
        registry_root: pool.registry.root,
        leaf_count,
        set_hash: pool.set_hash,
        measurers: u8::try_from(pool.measurers.len()).map_err(|_| PoolError::Arithmetic)?,
        verifying_key: pool.verifying_key,
        rate,
        reserved,
        claims: 0,
        rent_payer: address::bytes(payer.key),
        classes: pool.classes.clone(),
    };
    let [prefix, pool_seed, number_seed] = seeds;
    Creation {
        payer,
        account: epoch_account,
        owner: program,
        size: record.encode().len(),
        seeds: &[prefix, pool_seed, number_seed, &[bump]],
    }
    .run(PoolError::AlreadyExists)?;
    accounts::store(epoch_account, &record)?;

    // 6. Books.
    pool.reserved = pool
        .reserved
        .checked_add(reserved)
        .ok_or(PoolError::Arithmetic)?;
    pool.next_epoch = epoch.next().ok_or(PoolError::Arithmetic)?;
    pool.latest_ends_at = ends_at;
    accounts::store(pool_account, &*pool)?;
    Ok(())
}
