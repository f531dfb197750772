//! P9: more valid claims than operators would mean that somebody forges proofs. Nothing is paid, and claims are
//! frozen until governance has looked.

use solana_signer::Signer;
use veilpool_interface::{Change, Epoch, Pool, PoolError, PoolEvent, address, builder};
use veilpool_program_harness::{
    PoolOnChain, PreparedClaim,
    chain::PROGRAM,
    people::{self, Person},
    pool::{BOND, COOLDOWN_SECONDS, TIMELOCK_SECONDS, verifying_key_digest},
};
use veilpool_protocol::{EpochId, MeasurerCount};

use crate::{
    claim::{refuses, three},
    governance::{execute, is, propose},
};

/// As many claims as operators have been paid, and one more is proven.
fn full() -> (PoolOnChain, PreparedClaim) {
    let (mut pool, claim) = three();
    pool.edit_epoch(claim.arguments.epoch, |epoch| {
        epoch.claims = epoch.operators
    });
    (pool, claim)
}

/// The same after that claim.
fn frozen() -> (PoolOnChain, PreparedClaim) {
    let (mut pool, claim) = full();
    pool.send_claim(&claim).unwrap();
    assert!(pool.record().books.frozen);
    (pool, claim)
}

#[test]
fn p9_one_valid_claim_more_than_operators_pays_nothing_and_freezes_claims() {
    let (mut pool, claim) = full();
    let (pool_before, vault) = (pool.record(), pool.chain.account(&pool.vault()));
    let epoch_before: Epoch = pool.epoch(claim.arguments.epoch);
    let receipt = pool.send_claim(&claim).unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::Frozen {
            pool: address::bytes(&pool.pool),
            epoch: claim.arguments.epoch,
        }]
    );
    let mut expected: Pool = pool_before;
    expected.books.frozen = true;
    expected.books.frozen_at = pool.chain.time();
    assert_eq!(pool.record(), expected);
    assert_eq!(pool.epoch(claim.arguments.epoch), epoch_before);
    assert_eq!(pool.chain.account(&pool.vault()), vault);
    assert_eq!(pool.chain.tokens(&claim.payee_tokens), 0);
    assert_eq!(pool.chain.tokens(&claim.relayer_tokens), 0);
    assert_eq!(
        pool.chain.svm.get_account(&pool.claim_address(&claim)),
        None
    );
}

#[test]
fn p9_a_claim_without_a_proof_freezes_nothing() {
    let (mut pool, mut claim) = full();
    claim.arguments.proof = pool
        .unproven(Person(1), claim.arguments.epoch, 7, 0)
        .arguments
        .proof;
    refuses(&pool, &claim, PoolError::InvalidProof);
    assert!(!pool.record().books.frozen);
}

#[test]
fn p9_an_operator_that_has_left_is_counted_in_the_epochs_that_it_was_in() {
    let (mut pool, claim) = three();
    // Of three operators two have been paid: the third still is, though fewer are in the registry by now.
    pool.edit_epoch(claim.arguments.epoch, |epoch| epoch.claims = 2);
    pool.edit(|pool| pool.books.operators = 1);
    pool.send_claim(&claim).unwrap();
    assert!(!pool.record().books.frozen);
    assert!(pool.chain.tokens(&claim.payee_tokens) > 0);
}

#[test]
fn p9_while_claims_are_frozen_there_are_no_claims_and_no_new_epochs() {
    let (mut pool, claim) = frozen();
    refuses(&pool, &claim, PoolError::ClaimsFrozen);
    // Nor in an epoch that is not full.
    pool.edit_epoch(claim.arguments.epoch, |epoch| epoch.claims = 0);
    refuses(&pool, &claim, PoolError::ClaimsFrozen);
    assert_eq!(pool.open_next(), Err(PoolError::ClaimsFrozen.into()));
}

#[test]
fn p9_while_claims_are_frozen_people_get_their_money_out() {
    let (mut pool, claim) = frozen();
    let holder = pool.new_holder(1_000_000);
    pool.deposit_as(&holder, 1_000_000).unwrap();
    let shares = pool.chain.tokens(&holder.shares);
    pool.request_withdrawal(&holder, 0, shares).unwrap();
    let bonder = pool.new_holder(BOND);
    pool.register_as(&bonder, Person(9)).unwrap();
    pool.exit(&bonder.key, Person(9)).unwrap();
    // The epoch closes as ever, and what it had reserved is free.
    let record = pool.epoch(claim.arguments.epoch);
    pool.chain.set_time(record.claim_until);
    let payer = address::pubkey(&record.rent_payer);
    let close = builder::close_epoch(&PROGRAM, &pool.pool, &payer, EpochId::new(0));
    pool.chain.send(&[close], &[]).unwrap();
    pool.chain.advance(i64::from(COOLDOWN_SECONDS));
    let own = bonder.key.pubkey();
    let commitment = Person(9).commitment();
    let release = builder::release_bond(&PROGRAM, &pool.pool, &own, &bonder.tokens, &commitment);
    pool.chain.send(&[release], &[]).unwrap();
    assert_eq!(pool.chain.tokens(&bonder.tokens), BOND);
    pool.withdraw(&holder, 0).unwrap();
    assert!(pool.chain.tokens(&holder.tokens) >= 999_999);
}

#[test]
fn p9_governance_lifts_the_freeze_after_the_timelock() {
    let (mut pool, claim) = frozen();
    let authority = people::authority();
    let own = authority.pubkey();
    let propose = builder::propose(&PROGRAM, &pool.pool, &own, 0, Change::Unfreeze);
    pool.chain.send(&[propose], &[&authority]).unwrap();
    let digest = verifying_key_digest(MeasurerCount::Three);
    let execute = builder::execute_proposal(&PROGRAM, &pool.pool, &own, 0, &digest);
    assert_eq!(
        pool.chain.send(std::slice::from_ref(&execute), &[]),
        Err(PoolError::ProposalNotReady.into())
    );
    pool.chain.advance(i64::from(TIMELOCK_SECONDS));
    pool.chain.send(&[execute], &[]).unwrap();
    assert!(!pool.record().books.frozen);
    let epoch = pool.run_epoch();
    let next = pool.prepare(Person(1), epoch, 7, 0);
    pool.send_claim(&next).unwrap();
    drop(claim);
}

#[test]
fn p9_a_freeze_is_lifted_only_by_what_was_proposed_after_it() {
    let (mut pool, _) = three();
    is(
        propose(&mut pool, 0, Change::Unfreeze),
        PoolError::NotFrozen,
    );
    let (mut pool, _) = frozen();
    for number in 0..2 {
        propose(&mut pool, number, Change::Unfreeze).unwrap();
    }
    pool.chain.advance(i64::from(TIMELOCK_SECONDS));
    execute(&mut pool, 0, MeasurerCount::Three).unwrap();
    // There is nothing to lift any more,
    is(
        execute(&mut pool, 1, MeasurerCount::Three),
        PoolError::NotFrozen,
    );
    // and a later freeze is another one.
    let now = pool.chain.time();
    pool.edit(|pool| {
        pool.books.frozen = true;
        pool.books.frozen_at = now;
    });
    is(
        execute(&mut pool, 1, MeasurerCount::Three),
        PoolError::NotFrozen,
    );
    assert!(pool.record().books.frozen);
}
