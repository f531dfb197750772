//! The price of traffic against a plain model, and what happens when nobody has opened epochs for a while.

use proptest::prelude::*;
use veilpool_interface::{Parameters, PoolError, PoolEvent, address, builder, price};
use veilpool_program_harness::{
    PoolOnChain, Refusal,
    chain::PROGRAM,
    honest::CHANNEL_DEPOSIT,
    people::Person,
    pool::{EPOCH_SECONDS, PRICE, parameters},
};
use veilpool_protocol::{EpochId, MeasurerCount};

/// As the protocol has it, in whole numbers of any size: MiB, basis points, and a step of at most an eighth.
fn model(price: u64, settled: u64, attested: u64, parameters: &Parameters) -> u64 {
    let [p, settled, attested] = [price, settled, attested].map(i128::from);
    let seconds = i128::from(parameters.epoch_seconds);
    let target = i128::from(parameters.target_utilisation_bps);
    let demand = settled * 1_000_000 / p;
    // 0.1 Mbit/s are 12,500 bytes a second; a slot is a 144th of an epoch.
    let supply = attested * 12_500 * seconds / 144 / (1024 * 1024);
    let moved = if settled == 0 && supply == 0 {
        p
    } else {
        let eighth = if supply == 0 {
            1_250
        } else {
            ((demand * 10_000 / supply - target) / 8).clamp(-1_250, 1_250)
        };
        // Towards the old price.
        p + p * eighth / 10_000
    };
    let [least, most] = [parameters.min_price, parameters.max_price].map(i128::from);
    u64::try_from(moved.clamp(least, most)).unwrap()
}

/// The price after an epoch with so much demand and supply.
fn next(
    start: &PoolOnChain,
    price: u64,
    settled: u64,
    attested: u64,
    parameters: Parameters,
) -> Result<u64, Refusal> {
    let mut pool = start.clone();
    pool.edit(|pool| {
        pool.rules.parameters = parameters;
        pool.books.price = price;
        pool.books.settled = settled;
        pool.books.attested = attested;
    });
    pool.open_next()?;
    let books = pool.record().books;
    assert_eq!((books.settled, books.attested), (0, 0), "counted anew");
    Ok(books.price)
}

fn start() -> PoolOnChain {
    PoolOnChain::with_operators(MeasurerCount::Three, 1)
}

/// So many units of attested bandwidth are so many MiB in an epoch of tests.
const fn units(mib: u64) -> u64 {
    mib * 1024 * 1024 * 144 / (12_500 * EPOCH_SECONDS as u64) + 1
}

#[test]
fn the_price_follows_utilisation_by_at_most_an_eighth() {
    let start = start();
    let wide = parameters();
    // One MiB is worth 500 units at this price; the target is a half.
    let settled = |mib: u64| mib * PRICE / price::SCALE;
    for (demand, supply, expected) in [
        (500, 1_000, PRICE),
        (1_000, 1_000, PRICE + PRICE / 16),
        (1_500, 1_000, PRICE + PRICE / 8),
        (100_000, 1_000, PRICE + PRICE / 8),
        (0, 1_000, PRICE - PRICE / 16),
        (250, 1_000, PRICE - PRICE / 32),
        // Without supply demand moves it up; without either it stays.
        (1, 0, PRICE + PRICE / 8),
        (0, 0, PRICE),
    ] {
        let attested = if supply == 0 { 0 } else { units(supply) };
        let moved = next(&start, PRICE, settled(demand), attested, wide).unwrap();
        let off = moved.abs_diff(expected);
        // Utilisation is in basis points, so that a sixteenth is not exact.
        assert!(off <= PRICE / 10_000, "{demand} of {supply}: {moved}");
    }
}

#[test]
fn the_price_never_leaves_its_bounds() {
    let start = start();
    let narrow = Parameters {
        min_price: PRICE - 1,
        max_price: PRICE + 1,
        ..parameters()
    };
    assert_eq!(next(&start, PRICE, u64::MAX, 0, narrow), Ok(PRICE + 1));
    assert_eq!(next(&start, PRICE, 0, u64::MAX, narrow), Ok(PRICE - 1));
    let widest = Parameters {
        min_price: 1,
        max_price: u64::MAX,
        ..parameters()
    };
    assert_eq!(next(&start, u64::MAX, u64::MAX, 0, widest), Ok(u64::MAX));
    assert_eq!(next(&start, 1, 0, u64::MAX, widest), Ok(1));
    // A price so low that its eighth is nothing stays.
    assert_eq!(next(&start, 7, u64::MAX, 0, widest), Ok(7));
    assert_eq!(next(&start, 8, u64::MAX, 0, widest), Ok(9));
    assert_eq!(
        next(&start, 0, 5, 5, widest),
        Err(PoolError::Arithmetic.into()),
        "a pool never has a price of nothing"
    );
}

#[test]
fn the_price_moves_by_what_was_settled_and_claimed_since_the_last_opening() {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    let epoch = pool.run_epoch();
    let claim = pool.prepare(Person(1), epoch, 7, 0);
    pool.send_claim(&claim).unwrap();
    let shown = u64::from(500u16) * u64::from(143u16);
    assert_eq!(pool.record().books.attested, shown);
    pool.edit(|pool| pool.books.settled = CHANNEL_DEPOSIT);
    let opened = pool.open_next().unwrap();
    let expected = model(PRICE, CHANNEL_DEPOSIT, shown, &parameters());
    assert_ne!(expected, PRICE);
    assert_eq!(pool.record().books.price, expected);
    assert_eq!(pool.record().books.next_epoch.get(), opened.get() + 1);
}

#[test]
fn an_openings_event_tells_rate_budget_operators_and_price() {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    pool.edit(|pool| pool.books.settled = CHANNEL_DEPOSIT);
    let payer = pool.chain.new_person();
    let key = solana_signer::Signer::pubkey(&payer);
    let open = builder::open_epoch(&PROGRAM, &pool.pool, &key, EpochId::new(0));
    let receipt = pool.chain.send(&[open], &[&payer]).unwrap();
    let epoch = pool.epoch(EpochId::new(0));
    assert_eq!(
        receipt.events(),
        [PoolEvent::EpochOpened {
            pool: address::bytes(&pool.pool),
            epoch: EpochId::new(0),
            rate: epoch.rate,
            budget: epoch.budget,
            operators: 3,
            price: PRICE + PRICE / 8,
        }]
    );
}

#[test]
fn epochs_that_nobody_opened_are_missed_and_the_next_one_opens_as_ever() {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    let first = pool.run_epoch();
    let shut = pool.epoch(first).claim_until;
    let price = pool.record().books.price;
    // Nobody comes for ten epochs and a bit.
    pool.chain.advance(10 * i64::from(EPOCH_SECONDS) + 77);
    let now = pool.chain.time();
    assert!(now > shut);
    let second = pool.open_next().unwrap();
    assert_eq!(second.get(), first.get() + 1);
    let record = pool.epoch(second);
    assert_eq!(record.starts_at, now + i64::from(EPOCH_SECONDS) / 12);
    assert_eq!(pool.record().books.price, price, "no demand and no supply");
    // The one before still holds its reservation until somebody closes it.
    let reserved = pool.record().books.reserved;
    assert_eq!(reserved, pool.epoch(first).reserved + record.reserved);
    close(&mut pool, first);
    assert_eq!(pool.record().books.reserved, record.reserved);
    pool.chain.set_time(record.ends_at);
    let claim = pool.prepare(Person(0), second, 7, 0);
    pool.send_claim(&claim).unwrap();
}

fn close(pool: &mut PoolOnChain, epoch: EpochId) {
    let payer = address::pubkey(&pool.epoch(epoch).rent_payer);
    let close = builder::close_epoch(&PROGRAM, &pool.pool, &payer, epoch);
    pool.chain.send(&[close], &[]).unwrap();
}

#[test]
fn epochs_are_closed_in_any_order_and_late() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
        let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
        for _ in 0..3 {
            pool.run_epoch();
        }
        pool.chain.advance(100 * i64::from(EPOCH_SECONDS));
        let assets = pool.record().books.assets;
        for epoch in order {
            close(&mut pool, EpochId::new(epoch));
        }
        let books = pool.record().books;
        assert_eq!((books.reserved, books.assets), (0, assets));
        pool.open_next().unwrap();
    }
}

fn arb_amount() -> impl Strategy<Value = u64> {
    prop_oneof![
        1 => Just(0),
        1 => Just(u64::MAX),
        6 => (any::<u64>(), 0u32..64).prop_map(|(value, shift)| value >> shift),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn p5_the_price_on_chain_is_the_models(
        price in arb_amount(), settled in arb_amount(), attested in arb_amount(),
        target in 1..10_000u16, bounds in (arb_amount(), arb_amount()), epoch_seconds in 1..=u32::MAX >> 1,
    ) {
        thread_local!(static START: PoolOnChain = start());
        let min_price = bounds.0.min(bounds.1).max(1);
        let parameters = Parameters {
            target_utilisation_bps: target,
            min_price,
            max_price: bounds.0.max(bounds.1).max(1),
            epoch_seconds,
            ..parameters()
        };
        let price = price.clamp(parameters.min_price, parameters.max_price);
        let expected = model(price, settled, attested, &parameters);
        let moved = START.with(|start| next(start, price, settled, attested, parameters));
        prop_assert_eq!(moved, Ok(expected));
        prop_assert!(expected.abs_diff(price) <= price / 8);
    }
}
