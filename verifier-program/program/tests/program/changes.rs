//! P12: each change, and what could never be one.

use veilpool_interface::{Change, Parameters, PoolError, class, state::MAX_LEN};
use veilpool_program_harness::{
    people,
    pool::{TIMELOCK_SECONDS, parameters, verifying_key_digest},
};
use veilpool_protocol::{
    Class, MeasurerCount, MeasurerKeyBytes, Uptime, Weight, units::MAX_CLASSES,
};

use crate::governance::{
    TIMELOCK, change, execute, execute_with, is, measurers, other_parameters, propose, start,
};

#[test]
fn p12_what_could_never_be_carried_out_is_not_proposed() {
    let mut pool = start();
    let keys = people::measurer_keys(MeasurerCount::Seven);
    let digest = verifying_key_digest(MeasurerCount::Seven);
    let set = |measurers: Vec<MeasurerKeyBytes>| Change::Measurers {
        measurers,
        verifying_key: digest,
    };
    for len in [0, 1, 2, 4, 6] {
        is(
            propose(&mut pool, 0, set(keys[..len].to_vec())),
            PoolError::InvalidMeasurerSet,
        );
    }
    // C9: one twice, or one that shares a coordinate.
    let mut twice = keys.clone();
    twice[6] = twice[0];
    let mut shared = keys.clone();
    shared[3].u = shared[1].u;
    for wrong in [twice, shared] {
        is(
            propose(&mut pool, 0, set(wrong)),
            PoolError::DuplicateMeasurer,
        );
    }
    let table = class::default_table();
    let with = |change: &dyn Fn(&mut Vec<Class>)| {
        let mut table = table.clone();
        change(&mut table);
        Change::Classes(table)
    };
    for wrong in [
        with(&|table| table.clear()),
        with(&|table| table.resize(MAX_CLASSES + 1, table[0])),
        with(&|table| table[3].weight = Weight::new(0)),
        with(&|table| table[3].thresholds.uptime = Uptime::new(145)),
    ] {
        is(propose(&mut pool, 0, wrong), PoolError::InvalidClassTable);
    }
    type Edit = fn(&mut Parameters);
    let edits: [Edit; 14] = [
        |one| one.bond_amount = 0,
        |one| one.epoch_seconds = 0,
        |one| one.epoch_seconds = TIMELOCK_SECONDS / 2 + 1,
        |one| one.claim_window_seconds = 0,
        |one| one.claim_window_seconds = one.cooldown_seconds,
        |one| one.cooldown_seconds = TIMELOCK_SECONDS + 1,
        |one| one.challenge_seconds = 0,
        |one| one.outflow_bps = 0,
        |one| one.hub_fee_cap_bps = 10_001,
        |one| one.slash_reward_bps = 10_000,
        |one| one.target_utilisation_bps = 10_000,
        |one| one.min_price = one.max_price + 1,
        |one| one.min_price = 7,
        |one| one.epoch_seconds = 1_441,
    ];
    for edit in edits {
        let mut wrong = parameters();
        edit(&mut wrong);
        is(
            propose(&mut pool, 0, Change::Parameters(wrong)),
            PoolError::InvalidParameters,
        );
    }
    propose(&mut pool, 0, Change::Parameters(other_parameters())).unwrap();
}

#[test]
fn p12_a_price_out_of_the_new_bounds_is_moved_into_them() {
    let mut pool = start();
    change(&mut pool, Change::Parameters(other_parameters())).unwrap();
    assert_eq!(pool.record().books.price, 9);
    let higher = Parameters {
        min_price: 1_000,
        max_price: 2_000,
        ..other_parameters()
    };
    change(&mut pool, Change::Parameters(higher)).unwrap();
    assert_eq!(pool.record().books.price, 1_000);
}

#[test]
fn p12_another_number_of_measurers_takes_its_own_published_key() {
    let mut pool = start();
    let own = pool.pool;
    let (length, lamports) = (
        pool.chain.account(&own).data.len(),
        pool.chain.lamports(&own),
    );
    let before = pool.record();
    propose(&mut pool, 0, measurers(MeasurerCount::Seven)).unwrap();
    pool.chain.advance(TIMELOCK);
    // The old key, and one that is published for another number.
    for wrong in [MeasurerCount::Three, MeasurerCount::Five] {
        is(execute(&mut pool, 0, wrong), PoolError::WrongAddress);
    }
    is(execute_with(&mut pool, 0, &[9; 32]), PoolError::WrongOwner);
    execute(&mut pool, 0, MeasurerCount::Seven).unwrap();
    let after = pool.record();
    assert_eq!(after.measurers, people::measurer_keys(MeasurerCount::Seven));
    assert_eq!(
        after.rules.verifying_key,
        verifying_key_digest(MeasurerCount::Seven)
    );
    assert_eq!(
        after.rules.set_hash,
        people::measurer_set(MeasurerCount::Seven).hash(after.rules.domain)
    );
    assert_eq!(
        (&after.books, &after.registry),
        (&before.books, &before.registry)
    );
    assert_eq!(pool.chain.account(&own).data.len(), length + 4 * 64);
    // Sixteen classes as well: the longest that a pool can be.
    let longest = Change::Classes(vec![class::default_table()[0]; MAX_CLASSES]);
    change(&mut pool, longest).unwrap();
    assert_eq!(pool.chain.account(&own).data.len(), MAX_LEN);
    assert_eq!(pool.chain.lamports(&own), lamports, "no rent is asked for");
    // And back to the shortest.
    change(&mut pool, Change::Classes(vec![class::default_table()[0]])).unwrap();
    propose(&mut pool, 1, measurers(MeasurerCount::Three)).unwrap();
    pool.chain.advance(TIMELOCK);
    execute(&mut pool, 1, MeasurerCount::Three).unwrap();
    assert_eq!(pool.record().measurers, before.measurers);
}

#[test]
fn p12_a_key_for_another_number_of_measurers_than_the_set_is_refused() {
    let mut pool = start();
    let wrong = Change::Measurers {
        measurers: people::measurer_keys(MeasurerCount::Seven),
        verifying_key: verifying_key_digest(MeasurerCount::Five),
    };
    propose(&mut pool, 0, wrong).unwrap();
    pool.chain.advance(TIMELOCK);
    is(
        execute(&mut pool, 0, MeasurerCount::Five),
        PoolError::InvalidVerifyingKey,
    );
    assert_eq!(pool.record().measurers.len(), 3);
}
