//! P5: 64- and 128-bit arithmetic on chain is the host's, case by case. A compiler that returns 128-bit
//! integers in the wrong place would link, and then write to wild addresses.

use proptest::prelude::*;
use solana_signer::Signer;
use veilpool_interface::{Pool, PoolError, Position, address, builder, class, reward};
use veilpool_program_harness::{PoolOnChain, Refusal, chain::PROGRAM, people::Person};
use veilpool_protocol::MeasurerCount;

/// What 64- and 128-bit limbs find difficult.
const EXTREMES: [u64; 12] = [
    0,
    1,
    2,
    999,
    0xffff,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0007,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX - 1,
    u64::MAX,
];

fn pool() -> PoolOnChain {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    pool.register(Person(0)).unwrap();
    pool
}

/// Deposits into a pool with these books; shares of the position and books afterwards.
fn deposit(start: &PoolOnChain, amount: u64, shares: u128, assets: u64) -> Result<u128, Refusal> {
    let mut pool = start.clone();
    let record = Pool {
        shares,
        assets,
        ..pool.record()
    };
    pool.chain.write(&pool.pool, &record);
    let (key, tokens) = pool.new_holder(amount);
    let deposit = builder::deposit(&PROGRAM, &pool.pool, &key.pubkey(), &tokens, amount);
    pool.chain.send(&[deposit], &[&key])?;
    let position: Position = pool
        .chain
        .read(&address::position(&PROGRAM, &pool.pool, &key.pubkey()).0)
        .unwrap();
    let after = pool.record();
    assert_eq!(after.shares, shares + position.shares);
    assert_eq!(after.assets, assets + amount);
    assert_eq!(pool.chain.tokens(&pool.vault()), amount);
    Ok(position.shares)
}

fn expected_deposit(amount: u64, shares: u128, assets: u64) -> Result<u128, Refusal> {
    if amount == 0 {
        return Err(PoolError::ZeroAmount.into());
    }
    let minted = reward::shares_for(amount, shares, assets).ok_or(PoolError::Arithmetic)?;
    if minted == 0 {
        return Err(PoolError::ZeroAmount.into());
    }
    assets.checked_add(amount).ok_or(PoolError::Arithmetic)?;
    shares.checked_add(minted).ok_or(PoolError::Arithmetic)?;
    Ok(minted)
}

#[test]
fn p5_shares_on_chain_are_the_hosts_at_the_extremes() {
    let start = pool();
    for amount in EXTREMES {
        for assets in EXTREMES {
            for shares in [
                0,
                1,
                u128::from(u32::MAX),
                u128::from(u64::MAX),
                1 << 64,
                (1 << 100) + 12_345,
                u128::MAX / 2,
                u128::MAX,
            ] {
                assert_eq!(
                    deposit(&start, amount, shares, assets),
                    expected_deposit(amount, shares, assets),
                    "amount {amount}, shares {shares}, assets {assets}"
                );
            }
        }
    }
}

/// Opens an epoch of a pool with these books: rate and reservation.
fn open(start: &PoolOnChain, record: &Pool) -> Result<(u64, u64), Refusal> {
    let mut pool = start.clone();
    pool.chain.write(&pool.pool, record);
    let epoch = pool.open_next()?;
    let opened = pool.epoch(epoch);
    assert_eq!(pool.record().reserved, record.reserved + opened.reserved);
    Ok((opened.rate, opened.reserved))
}

fn expected_open(record: &Pool) -> Result<(u64, u64), Refusal> {
    let available = record
        .assets
        .checked_sub(record.reserved)
        .ok_or(PoolError::Arithmetic)?;
    let weight = class::max_weight(&record.classes);
    let leaves = record.registry.leaf_count;
    let rate = reward::rate(
        available,
        record.outflow_bps,
        leaves,
        weight,
        record.rate_cap,
    )
    .ok_or(PoolError::Arithmetic)?;
    let reserved = reward::reservation(rate, leaves, weight).ok_or(PoolError::Arithmetic)?;
    Ok((rate, reserved))
}

#[test]
fn p5_rates_on_chain_are_the_hosts_at_the_extremes() {
    let start = pool();
    for assets in EXTREMES {
        for reserved in [0, 1, assets / 2, assets, assets.saturating_add(1)] {
            for (outflow_bps, leaf_count, rate_cap) in [
                (1, 1, u64::MAX),
                (1, 1 << 20, 1),
                (10_000, 1, u64::MAX),
                (10_000, 1 << 20, u64::MAX),
                (10_000, 1_048_575, u64::MAX),
                (9_999, 3, 0x1_0000_0001),
                (100, 1_000, 0),
            ] {
                let mut record = start.record();
                record.assets = assets;
                record.reserved = reserved;
                record.outflow_bps = outflow_bps;
                record.registry.leaf_count = leaf_count;
                record.rate_cap = rate_cap;
                assert_eq!(
                    open(&start, &record),
                    expected_open(&record),
                    "assets {assets}, reserved {reserved}, {outflow_bps}, {leaf_count}, {rate_cap}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn p5_shares_on_chain_are_the_hosts(amount: u64, shares: u128, assets: u64, a in 0u32..64, s in 0u32..128, t in 0u32..64) {
        let (amount, shares, assets) = (amount >> a, shares >> s, assets >> t);
        prop_assert_eq!(deposit(&pool(), amount, shares, assets), expected_deposit(amount, shares, assets));
    }

    #[test]
    fn p5_rates_on_chain_are_the_hosts(
        assets: u64, reserved: u64, outflow_bps in 1u16..=10_000, leaf_count in 1u32..=1 << 20, rate_cap: u64, t in 0u32..64,
    ) {
        let start = pool();
        let mut record = start.record();
        record.assets = assets >> t;
        record.reserved = reserved % record.assets.saturating_add(2).max(1);
        record.outflow_bps = outflow_bps;
        record.registry.leaf_count = leaf_count;
        record.rate_cap = rate_cap;
        prop_assert_eq!(open(&start, &record), expected_open(&record));
    }
}
