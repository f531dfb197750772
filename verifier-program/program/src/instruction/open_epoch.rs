//! Opens the pool's next epoch. Anyone may.
//!
//! 1. Accounts: flags, program, pool, epoch's address.
//! 2. Order: the number is the pool's next, claims aren't frozen, and there is somebody in the registry.
//! 3. Schedule: from a quarter of an epoch before the latest one ends. It starts when that one ends, and at
//!    the earliest a twelfth of an epoch from now, so that listings can be made before its first slot. After
//!    epochs that nobody opened, it simply starts then.
//! 4. Rate and reservation, of what no other epoch has reserved and nobody waits to withdraw (P7, P8).
//! 5. Price of traffic, from demand and supply since the last time.
//! 6. The epoch's account: root, operators, measurers, key and table frozen (I7, P12).
//! 7. Books.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    Epoch, PoolError, PoolEvent,
    accounts::{OPEN_EPOCH, flags},
    address,
    address::seed,
    class, price, reward,
    schedule::{ADVANCE, LEAD},
};
use veilpool_protocol::EpochId;

use crate::{accounts, derive, event, pool, record::New, sysvar};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    epoch: EpochId,
) -> ProgramResult {
    // 1. Accounts.
    let [payer, pool_account, epoch_account, system_program] =
        accounts::take(accounts, const { flags(&OPEN_EPOCH) })?;
    accounts::check_system_program(system_program)?;
    let mut pool = pool::load(program, pool_account)?;
    let number = epoch.get().to_le_bytes();
    let seeds: [&[u8]; 3] = [seed::EPOCH, pool_account.key.as_ref(), &number];
    let bump = derive::check_new(program, epoch_account, &seeds)?;
    let parameters = pool.rules.parameters;
    let books = &mut pool.books;

    // 2. Order.
    if epoch != books.next_epoch {
        return Err(PoolError::WrongEpoch.into());
    }
    if books.frozen {
        return Err(PoolError::ClaimsFrozen.into());
    }
    if books.operators == 0 {
        return Err(PoolError::NoOperators.into());
    }

    // 3. Schedule.
    let now = sysvar::now()?;
    if sysvar::after(now, parameters.epoch_seconds / ADVANCE)? < books.latest_ends_at {
        return Err(PoolError::EpochNotEnded.into());
    }
    let starts_at = sysvar::after(now, parameters.epoch_seconds / LEAD)?.max(books.latest_ends_at);
    let ends_at = sysvar::after(starts_at, parameters.epoch_seconds)?;
    let claim_until = sysvar::after(ends_at, parameters.claim_window_seconds)?;
    let paused_before = books.paused(now);

    // 4. Rate and reservation.
    let operators = books.operators;
    let max_weight = class::max_weight(&pool.classes);
    let rate = reward::rate(
        books.free().ok_or(PoolError::Arithmetic)?,
        parameters.outflow_bps,
        operators,
        max_weight,
        parameters.rate_cap,
    )
    .ok_or(PoolError::Arithmetic)?;
    let budget = reward::reservation(rate, operators, max_weight).ok_or(PoolError::Arithmetic)?;

    // 5. Price of traffic.
    books.price = price::next(books.price, books.settled, books.attested, &parameters)
        .ok_or(PoolError::Arithmetic)?;
    books.settled = 0;
    books.attested = 0;

    // 6. The epoch's account.
    let record = Epoch {
        bump,
        pool: address::bytes(pool_account.key),
        number: epoch,
        starts_at,
        ends_at,
        claim_until,
        paused_before,
        registry_root: pool.registry.root,
        leaf_count: pool.registry.leaf_count,
        operators,
        set_hash: pool.rules.set_hash,
        measurers: u8::try_from(pool.measurers.len()).map_err(|_| PoolError::Arithmetic)?,
        verifying_key: pool.rules.verifying_key,
        rate,
        budget,
        reserved: budget,
        claims: 0,
        rent_payer: address::bytes(payer.key),
        classes: core::mem::take(&mut pool.classes),
    };
    New {
        accounts,
        payer,
        account: epoch_account,
        seeds: &seeds,
        bump,
        rent_for: 0,
    }
    .run(program, &record, PoolError::AlreadyExists)?;

    // 7. Books.
    books.reserved = books
        .reserved
        .checked_add(budget)
        .ok_or(PoolError::Arithmetic)?;
    books.next_epoch = epoch.next().ok_or(PoolError::Arithmetic)?;
    books.latest_ends_at = ends_at;
    let window = claim_until
        .checked_sub(i64::from(paused_before))
        .ok_or(PoolError::Arithmetic)?;
    books.last_window = books.last_window.max(window);
    pool::store_books(pool_account, books)?;
    event::emit(&PoolEvent::EpochOpened {
        pool: record.pool,
        epoch,
        rate,
        budget,
        operators,
        price: books.price,
    });
    Ok(())
}
