//! P12: epochs keep what they froze. Whatever governance changes while an epoch is open, its claims are verified
//! and paid by the old rules.

use solana_signer::Signer;
use veilpool_interface::builder;
use veilpool_interface::{Change, Parameters, PoolError, class};
use veilpool_program_harness::chain::PROGRAM;
use veilpool_program_harness::{
    PoolOnChain, PreparedClaim,
    people::{self, Person},
    pool::{parameters, verifying_key, verifying_key_digest},
};
use veilpool_protocol::{EpochId, MeasurerCount, Weight};

use crate::governance::{TIMELOCK, execute, execute_with, is, measurers, propose};

/// A pool with an epoch that has ended, whose window is open when a change is made that was proposed before.
fn start(change: Change) -> (PoolOnChain, EpochId) {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    for count in MeasurerCount::ALL {
        pool.chain.publish_key(count);
    }
    propose(&mut pool, 0, change).unwrap();
    let begin = pool.chain.time();
    pool.chain.advance(TIMELOCK - 1_300);
    let epoch = pool.run_epoch();
    assert!(pool.chain.time() >= begin + TIMELOCK);
    (pool, epoch)
}

fn pays(pool: &mut PoolOnChain, claim: &PreparedClaim, weight: u64) {
    let rate = pool.epoch(claim.arguments.epoch).rate;
    pool.send_claim(claim).unwrap();
    assert_eq!(pool.chain.tokens(&claim.payee_tokens), weight * rate);
}

#[test]
fn p12_a_claim_of_an_epoch_before_a_change_of_measurers_is_paid_by_the_old_set_and_key() {
    let (mut pool, epoch) = start(measurers(MeasurerCount::Seven));
    let frozen = pool.epoch(epoch);
    let claim = pool.prepare(Person(1), epoch, 7, 0);
    execute(&mut pool, 0, MeasurerCount::Seven).unwrap();
    assert_eq!(pool.record().measurers.len(), 7);
    assert_eq!(pool.epoch(epoch), frozen);
    pays(&mut pool, &claim, 10);
    // The next epoch has seven measurers and their key.
    pool.measurers = MeasurerCount::Seven;
    let next = pool.run_epoch();
    assert_eq!(pool.epoch(next).measurers, 7);
    let claim = pool.prepare(Person(1), next, 7, 0);
    pays(&mut pool, &claim, 10);
}

#[test]
fn p12_a_claim_is_verified_by_the_key_that_its_epoch_froze_and_by_no_other() {
    let (mut pool, epoch) = start(measurers(MeasurerCount::Seven));
    let old = pool.prepare(Person(1), epoch, 7, 0);
    execute(&mut pool, 0, MeasurerCount::Seven).unwrap();
    // The pool's new key, which is not the epoch's.
    pool.measurers = MeasurerCount::Seven;
    is(pool.send_claim(&old), PoolError::WrongAddress);
    let next = pool.run_epoch();
    let new = pool.prepare(Person(1), next, 7, 0);
    pool.measurers = MeasurerCount::Three;
    is(pool.send_claim(&new), PoolError::WrongAddress);
    pool.send_claim(&old).unwrap();
}

#[test]
fn p12_the_same_measurers_with_another_key_leave_open_epochs_as_they_are() {
    let mut file = verifying_key(MeasurerCount::Three);
    // Another fingerprint makes another key, of the same points.
    file[8] ^= 1;
    let digest = builder::key_digest(&file);
    let (mut pool, epoch) = start(Change::Measurers {
        measurers: people::measurer_keys(MeasurerCount::Three),
        verifying_key: digest,
    });
    let claim = pool.prepare(Person(1), epoch, 7, 0);
    // It has not been published yet.
    is(execute_with(&mut pool, 0, &digest), PoolError::WrongOwner);
    let payer = pool.chain.new_person();
    let publish = builder::publish_key(&PROGRAM, &payer.pubkey(), &file);
    pool.chain.send(&[publish], &[&payer]).unwrap();
    execute_with(&mut pool, 0, &digest).unwrap();
    assert_eq!(pool.record().rules.verifying_key, digest);
    pays(&mut pool, &claim, 10);
    let next = pool.open_next().unwrap();
    assert_eq!(pool.epoch(next).verifying_key, digest);
    assert_ne!(digest, verifying_key_digest(MeasurerCount::Three));
}

#[test]
fn p12_a_claim_of_an_epoch_before_a_change_of_classes_is_paid_by_the_old_table() {
    let mut table = class::default_table();
    table.truncate(8);
    for class in &mut table {
        class.weight = Weight::new(1);
    }
    let (mut pool, epoch) = start(Change::Classes(table.clone()));
    let frozen = pool.epoch(epoch);
    let [seventh, eighth] =
        [(1, 7), (2, 8)].map(|(person, class)| pool.prepare(Person(person), epoch, class, 0));
    execute(&mut pool, 0, MeasurerCount::Three).unwrap();
    assert_eq!(pool.record().classes, table);
    assert_eq!(pool.epoch(epoch), frozen);
    pays(&mut pool, &seventh, 10);
    pays(&mut pool, &eighth, 12);
    // In the next one every class earns the same, and the last one is gone.
    let next = pool.run_epoch();
    let claim = pool.prepare(Person(1), next, 7, 0);
    pays(&mut pool, &claim, 1);
    let gone = pool.unproven(Person(2), next, 8, 0);
    is(pool.send_claim(&gone), PoolError::UnknownClass);
}

#[test]
fn p12_a_change_of_parameters_leaves_open_epochs_their_rate_and_their_window() {
    let lower = Parameters {
        rate_cap: 1,
        epoch_seconds: 60,
        claim_window_seconds: 1,
        cooldown_seconds: 2,
        outflow_bps: 1,
        ..parameters()
    };
    let (mut pool, epoch) = start(Change::Parameters(lower));
    let frozen = pool.epoch(epoch);
    let claim = pool.prepare(Person(1), epoch, 7, 0);
    execute(&mut pool, 0, MeasurerCount::Three).unwrap();
    assert_eq!(pool.epoch(epoch), frozen);
    pool.chain.set_time(frozen.claim_until - 1);
    pays(&mut pool, &claim, 10);
    let next = pool.open_next().unwrap();
    let opened = pool.epoch(next);
    assert_eq!(opened.rate, 1);
    assert_eq!(opened.claim_until - opened.starts_at, 61);
    // A shorter window than an open epoch's doesn't move the last one: who leaves still waits for it.
    assert_eq!(
        pool.record().books.last_window,
        frozen.claim_until.max(opened.claim_until)
    );
}
