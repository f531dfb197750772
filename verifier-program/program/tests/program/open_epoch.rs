//! Opening epochs.

use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;
use veilpool_interface::{Epoch, PoolError, address, builder};
use veilpool_program_harness::{
    PoolOnChain, Receipt, Refusal,
    chain::{GENESIS_TIME, PROGRAM},
    people::Person,
    pool::{BOND, CLAIM_WINDOW_SECONDS, EPOCH_SECONDS, FUNDS},
};
use veilpool_protocol::{EpochId, MeasurerCount};

const FIRST: EpochId = EpochId::new(0);
const SECOND: EpochId = EpochId::new(1);
const LENGTH: i64 = EPOCH_SECONDS as i64;

struct Start {
    pool: PoolOnChain,
    payer: Keypair,
}

fn start() -> Start {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    let payer = pool.chain.new_person();
    Start { pool, payer }
}

impl Start {
    fn open(&mut self, epoch: EpochId) -> Result<Receipt, Refusal> {
        let open = builder::open_epoch(&PROGRAM, &self.pool.pool, &self.payer.pubkey(), epoch);
        self.pool.chain.send(&[open], &[&self.payer])
    }
}

#[test]
fn an_epoch_freezes_what_claims_are_verified_against() {
    let mut start = start();
    start.open(FIRST).unwrap();
    let pool = start.pool.record();
    // 1 % of what is available, over three leaves of weight 12.
    let rate = FUNDS / 100 / 36;
    let starts_at = GENESIS_TIME + LENGTH / 12;
    let ends_at = starts_at + LENGTH;
    assert_eq!(
        start.pool.epoch(FIRST),
        Epoch {
            bump: address::epoch(&PROGRAM, &start.pool.pool, FIRST).1,
            pool: address::bytes(&start.pool.pool),
            number: FIRST,
            starts_at,
            ends_at,
            claim_until: ends_at + i64::from(CLAIM_WINDOW_SECONDS),
            paused_before: 0,
            registry_root: pool.registry.root,
            leaf_count: 3,
            operators: 3,
            set_hash: pool.rules.set_hash,
            measurers: 3,
            verifying_key: pool.rules.verifying_key,
            rate,
            budget: rate * 36,
            reserved: rate * 36,
            claims: 0,
            rent_payer: address::bytes(&start.payer.pubkey()),
            classes: pool.classes.clone(),
        }
    );
    assert_eq!(pool.books.reserved, rate * 36);
    assert_eq!(pool.books.next_epoch, SECOND);
    assert_eq!(pool.books.latest_ends_at, ends_at);
    assert_eq!(
        pool.books.last_window,
        ends_at + i64::from(CLAIM_WINDOW_SECONDS)
    );
}

#[test]
fn the_next_epoch_opens_from_a_quarter_before_the_end_and_follows_without_a_gap() {
    let mut start = start();
    start.open(FIRST).unwrap();
    let first = start.pool.epoch(FIRST);
    start.pool.chain.set_time(first.ends_at - LENGTH / 4 - 1);
    assert_eq!(start.open(SECOND), Err(PoolError::EpochNotEnded.into()));
    start.pool.chain.set_time(first.ends_at - LENGTH / 4);
    start.open(SECOND).unwrap();
    let second = start.pool.epoch(SECOND);
    assert_eq!(second.starts_at, first.ends_at);
    assert_eq!(second.ends_at, first.ends_at + LENGTH);
}

#[test]
fn an_epoch_opened_late_starts_a_twelfth_of_its_length_from_now() {
    let mut start = start();
    start.open(FIRST).unwrap();
    let late = start.pool.epoch(FIRST).ends_at + 12_345;
    start.pool.chain.set_time(late);
    start.open(SECOND).unwrap();
    assert_eq!(start.pool.epoch(SECOND).starts_at, late + LENGTH / 12);
}

#[test]
fn p7_a_second_epoch_reserves_only_what_the_first_has_left() {
    let mut start = start();
    start.pool.edit(|pool| {
        pool.rules.parameters.outflow_bps = 10_000;
        pool.rules.parameters.rate_cap = u64::MAX;
    });
    start.open(FIRST).unwrap();
    let first = start.pool.epoch(FIRST);
    start.pool.chain.set_time(first.ends_at);
    start.open(SECOND).unwrap();
    let second = start.pool.epoch(SECOND);
    assert_eq!(second.rate, (FUNDS - first.reserved) / 36);
    let pool = start.pool.record().books;
    assert_eq!(pool.reserved, first.reserved + second.reserved);
    assert!(pool.reserved <= pool.assets);
}

#[test]
fn an_epoch_without_operators_is_refused() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    assert_eq!(pool.open_next(), Err(PoolError::NoOperators.into()));
}

#[test]
fn an_epoch_after_all_operators_have_left_is_refused() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let bonder = pool.new_holder(BOND);
    pool.register_as(&bonder, Person(0)).unwrap();
    pool.exit(&bonder.key, Person(0)).unwrap();
    assert_eq!(pool.open_next(), Err(PoolError::NoOperators.into()));
    // Leaves that are empty earn nothing.
    pool.deposit(FUNDS).unwrap();
    pool.register(Person(1)).unwrap();
    let epoch = pool.open_next().unwrap();
    let epoch = pool.epoch(epoch);
    assert_eq!((epoch.leaf_count, epoch.operators), (2, 1));
    assert_eq!(epoch.rate, FUNDS / 100 / 12);
}

#[test]
fn a_pool_without_funds_opens_epochs_that_pay_nothing() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    pool.register(Person(0)).unwrap();
    let epoch = pool.open_next().unwrap();
    assert_eq!((pool.epoch(epoch).rate, pool.epoch(epoch).reserved), (0, 0));
}

#[test]
fn p4_epochs_are_opened_once_and_in_order() {
    let mut start = start();
    assert_eq!(start.open(SECOND), Err(PoolError::WrongEpoch.into()));
    start.open(FIRST).unwrap();
    let ends_at = start.pool.epoch(FIRST).ends_at;
    start.pool.chain.set_time(ends_at);
    assert_eq!(start.open(FIRST), Err(PoolError::WrongEpoch.into()));
    assert_eq!(
        start.open(EpochId::new(2)),
        Err(PoolError::WrongEpoch.into())
    );
    start.open(SECOND).unwrap();
}

#[test]
fn p5_the_last_numbers_and_times_do_not_wrap() {
    let mut start = start();
    let last = EpochId::new(u32::MAX);
    start.pool.edit(|pool| pool.books.next_epoch = last);
    assert_eq!(start.open(last), Err(PoolError::Arithmetic.into()));

    let mut start = self::start();
    for time in [
        i64::MAX,
        i64::MAX - LENGTH,
        i64::MAX - LENGTH - LENGTH / 12 - 1,
    ] {
        start.pool.chain.set_time(time);
        assert_eq!(
            start.open(FIRST),
            Err(PoolError::Arithmetic.into()),
            "{time}"
        );
    }
    start.pool.chain.set_time(-5);
    start.open(FIRST).unwrap();
}

#[test]
fn p1_lamports_sent_ahead_do_not_stop_an_epoch_from_being_opened() {
    for lamports in [1, 100_000_000] {
        let mut start = start();
        let account = Account {
            lamports,
            ..Account::default()
        };
        start
            .pool
            .chain
            .set(&start.pool.epoch_address(FIRST), account);
        start.open(FIRST).unwrap();
        assert_eq!(start.pool.epoch(FIRST).number, FIRST);
    }
}
