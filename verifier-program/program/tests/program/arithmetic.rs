//! P5: 64- and 128-bit arithmetic on chain is the host's, case by case. A compiler that returns 128-bit
//! integers in the wrong place would link, and then write to wild addresses.

use proptest::prelude::*;
use solana_program_pack::Pack;
use spl_token_interface::state::Mint;
use veilpool_interface::{Pool, PoolError, class, reward};
use veilpool_program_harness::{PoolOnChain, Refusal, people::Person};
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

/// Deposits into a pool with these books; shares of the depositor.
fn deposit(start: &PoolOnChain, amount: u64, shares: u64, assets: u64) -> Result<u64, Refusal> {
    let mut pool = start.clone();
    pool.edit(|pool| {
        pool.books.shares = shares;
        pool.books.assets = assets;
    });
    // The token program adds the supply up as well.
    let address = pool.share_mint();
    let mut account = pool.chain.account(&address);
    let mut mint = Mint::unpack(&account.data).unwrap();
    mint.supply = shares;
    mint.pack_into_slice(&mut account.data);
    pool.chain.set(&address, account);
    let holder = pool.new_holder(amount);
    pool.deposit_as(&holder, amount)?;
    let minted = pool.chain.tokens(&holder.shares);
    let after = pool.record().books;
    assert_eq!(after.shares, shares + minted);
    assert_eq!(after.assets, assets + amount);
    assert_eq!(pool.chain.tokens(&pool.vault()), amount);
    Ok(minted)
}

fn expected_deposit(amount: u64, shares: u64, assets: u64) -> Result<u64, Refusal> {
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
            for shares in EXTREMES {
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
    assert_eq!(opened.budget, opened.reserved);
    assert_eq!(
        pool.record().books.reserved,
        record.books.reserved + opened.reserved
    );
    Ok((opened.rate, opened.reserved))
}

fn expected_open(record: &Pool) -> Result<(u64, u64), Refusal> {
    let books = &record.books;
    let parameters = &record.rules.parameters;
    let queued = reward::assets_for(books.queued, books.shares, books.assets)
        .ok_or(PoolError::Arithmetic)?;
    let available = books
        .assets
        .checked_sub(books.reserved)
        .ok_or(PoolError::Arithmetic)?;
    let weight = class::max_weight(&record.classes);
    let rate = reward::rate(
        available.saturating_sub(queued),
        parameters.outflow_bps,
        books.operators,
        weight,
        parameters.rate_cap,
    )
    .ok_or(PoolError::Arithmetic)?;
    let reserved =
        reward::reservation(rate, books.operators, weight).ok_or(PoolError::Arithmetic)?;
    Ok((rate, reserved))
}

#[test]
fn p5_rates_on_chain_are_the_hosts_at_the_extremes() {
    let start = pool();
    for assets in EXTREMES {
        for reserved in [0, 1, assets / 2, assets, assets.saturating_add(1)] {
            for (outflow_bps, operators, rate_cap) in [
                (1, 1, u64::MAX),
                (1, 1 << 20, 1),
                (10_000, 1, u64::MAX),
                (10_000, 1 << 20, u64::MAX),
                (10_000, 1_048_575, u64::MAX),
                (9_999, 3, 0x1_0000_0001),
                (100, 1_000, 0),
            ] {
                let mut record = start.record();
                record.books.assets = assets;
                record.books.reserved = reserved;
                record.rules.parameters.outflow_bps = outflow_bps;
                record.books.operators = operators;
                record.rules.parameters.rate_cap = rate_cap;
                assert_eq!(
                    open(&start, &record),
                    expected_open(&record),
                    "assets {assets}, reserved {reserved}, {outflow_bps}, {operators}, {rate_cap}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn p5_shares_on_chain_are_the_hosts(amount: u64, shares: u64, assets: u64, a in 0u32..64, s in 0u32..64, t in 0u32..64) {
        let (amount, shares, assets) = (amount >> a, shares >> s, assets >> t);
        prop_assert_eq!(deposit(&pool(), amount, shares, assets), expected_deposit(amount, shares, assets));
    }

    #[test]
    fn p5_rates_on_chain_are_the_hosts(
        assets: u64, reserved: u64, outflow_bps in 1u16..=10_000, operators in 1u32..=1 << 20, rate_cap: u64, t in 0u32..64,
        shares: u64, queued: u64,
    ) {
        let start = pool();
        let mut record = start.record();
        record.books.assets = assets >> t;
        record.books.reserved = reserved % record.books.assets.saturating_add(2).max(1);
        record.rules.parameters.outflow_bps = outflow_bps;
        record.books.operators = operators;
        record.rules.parameters.rate_cap = rate_cap;
        record.books.shares = shares;
        record.books.queued = queued % shares.saturating_add(1).max(1);
        prop_assert_eq!(open(&start, &record), expected_open(&record));
    }
}
