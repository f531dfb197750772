//! Pauses and the hand-over of the authority.

use solana_keypair::Keypair;
use solana_signer::Signer;
use veilpool_interface::{PoolError, PoolEvent, address, builder};
use veilpool_program_harness::{
    PoolOnChain, Receipt, Refusal,
    chain::PROGRAM,
    people::{self, Person},
    pool::{BOND, EPOCH_SECONDS, TIMELOCK_SECONDS, verifying_key_digest},
};
use veilpool_protocol::{AddressBytes, MeasurerCount};

use crate::{
    claim::three,
    governance::{TIMELOCK, is, table},
};

fn pause(pool: &mut PoolOnChain, seconds: u32) -> Result<Receipt, Refusal> {
    let authority = people::authority();
    let pause = builder::pause_claims(&PROGRAM, &pool.pool, &authority.pubkey(), seconds);
    pool.chain.send(&[pause], &[&authority])
}

fn resume(pool: &mut PoolOnChain) -> Result<Receipt, Refusal> {
    let authority = people::authority();
    let resume = builder::resume_claims(&PROGRAM, &pool.pool, &authority.pubkey());
    pool.chain.send(&[resume], &[&authority])
}

#[test]
fn p12_a_pause_is_bounded_by_the_timelock() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    for seconds in [0, TIMELOCK_SECONDS + 1, u32::MAX] {
        is(pause(&mut pool, seconds), PoolError::PauseRefused);
    }
    let until = pool.chain.time() + TIMELOCK;
    let receipt = pause(&mut pool, TIMELOCK_SECONDS).unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::Paused {
            pool: address::bytes(&pool.pool),
            until
        }]
    );
    let books = pool.record().books;
    assert_eq!(
        (books.paused_until, books.paused_seconds),
        (until, TIMELOCK_SECONDS)
    );
}

#[test]
fn p12_claims_are_open_for_as_long_as_the_timelock_between_two_pauses() {
    for resumed in [false, true] {
        let mut pool = PoolOnChain::empty(MeasurerCount::Three);
        pause(&mut pool, 100).unwrap();
        is(pause(&mut pool, 1), PoolError::PauseRefused);
        pool.chain.advance(60);
        is(pause(&mut pool, 1), PoolError::PauseRefused);
        if resumed {
            resume(&mut pool).unwrap();
        } else {
            pool.chain.advance(40);
        }
        pool.chain.advance(TIMELOCK - 1);
        is(pause(&mut pool, 1), PoolError::PauseRefused);
        pool.chain.advance(1);
        pause(&mut pool, 7).unwrap();
        let passed = if resumed { 60 } else { 100 };
        assert_eq!(pool.record().books.paused_seconds, passed + 7);
    }
}

#[test]
fn p12_claims_wait_while_they_are_paused_and_windows_last_longer_by_as_much() {
    let (mut pool, claim) = three();
    let epoch = claim.arguments.epoch;
    let shut = pool.epoch(epoch).claim_until;
    pause(&mut pool, 500).unwrap();
    is(pool.send_claim(&claim), PoolError::ClaimsPaused);
    pool.chain.advance(499);
    is(pool.send_claim(&claim), PoolError::ClaimsPaused);
    pool.chain.advance(1);
    pool.clone().send_claim(&claim).unwrap();
    // After the original end, and to the last second.
    for time in [shut, shut + 499] {
        let mut pool = pool.clone();
        pool.chain.set_time(time);
        pool.send_claim(&claim).unwrap();
    }
    pool.chain.set_time(shut + 500);
    is(pool.send_claim(&claim), PoolError::ClaimWindowShut);
}

#[test]
fn p12_a_pause_that_ends_early_moves_windows_only_by_what_has_passed_of_it() {
    let (mut pool, claim) = three();
    let shut = pool.epoch(claim.arguments.epoch).claim_until;
    pause(&mut pool, 500).unwrap();
    pool.chain.advance(200);
    let now = pool.chain.time();
    let receipt = resume(&mut pool).unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::Paused {
            pool: address::bytes(&pool.pool),
            until: now
        }]
    );
    is(resume(&mut pool), PoolError::NotPaused);
    pool.chain.set_time(shut + 200);
    is(pool.send_claim(&claim), PoolError::ClaimWindowShut);
    pool.chain.set_time(shut + 199);
    pool.send_claim(&claim).unwrap();
}

#[test]
fn there_is_nothing_to_resume_where_nothing_is_paused() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    is(resume(&mut pool), PoolError::NotPaused);
    pause(&mut pool, 10).unwrap();
    pool.chain.advance(10);
    is(resume(&mut pool), PoolError::NotPaused);
}

#[test]
fn p12_a_window_never_shuts_during_a_pause_and_nothing_of_it_is_closed() {
    let (mut pool, claim) = three();
    let epoch = claim.arguments.epoch;
    let record = pool.epoch(epoch);
    pool.send_claim(&claim).unwrap();
    let (relayer, rent) = (claim.relayer.pubkey(), address::pubkey(&record.rent_payer));
    let nullifier = &claim.arguments.nullifier;
    let closing = [
        builder::close_claim(&PROGRAM, &pool.pool, &relayer, epoch, nullifier),
        builder::close_epoch(&PROGRAM, &pool.pool, &rent, epoch),
    ];
    let bonder = pool.new_holder(BOND);
    pool.register_as(&bonder, Person(9)).unwrap();
    pool.exit(&bonder.key, Person(9)).unwrap();
    let own = bonder.key.pubkey();
    let commitment = Person(9).commitment();
    let release = builder::release_bond(&PROGRAM, &pool.pool, &own, &bonder.tokens, &commitment);
    // It begins in the window's last second.
    pool.chain.set_time(record.claim_until - 1);
    pause(&mut pool, TIMELOCK_SECONDS).unwrap();
    for wait in [1, TIMELOCK - 3, 1] {
        pool.chain.advance(wait);
        for close in &closing {
            is(
                pool.chain.send(std::slice::from_ref(close), &[]),
                PoolError::ClaimWindowOpen,
            );
        }
        is(
            pool.chain.send(std::slice::from_ref(&release), &[]),
            PoolError::BondLocked,
        );
    }
    // The last second is still there: another operator claims.
    let last = pool.prepare(Person(2), epoch, 7, 0);
    assert_eq!(pool.chain.time(), pool.record().books.paused_until - 1);
    is(pool.send_claim(&last), PoolError::ClaimsPaused);
    pool.chain.advance(1);
    pool.send_claim(&last).unwrap();
    pool.chain.advance(1);
    let [close_claim, close_epoch] = closing;
    for instruction in [close_claim, close_epoch] {
        pool.chain.send(&[instruction], &[]).unwrap();
    }
    // The bond stays as long as a further epoch would have taken.
    pool.chain.advance(i64::from(EPOCH_SECONDS));
    pool.chain.send(&[release], &[]).unwrap();
}

#[test]
fn p12_an_epoch_that_was_opened_during_a_pause_lasts_longer_by_what_is_left_of_it() {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    pause(&mut pool, 1_000).unwrap();
    pool.chain.advance(300);
    let epoch = pool.open_next().unwrap();
    let record = pool.epoch(epoch);
    assert_eq!(record.paused_before, 300);
    pool.chain.set_time(record.ends_at);
    let claim = pool.prepare(Person(1), epoch, 7, 0);
    for (time, expected) in [
        (record.claim_until + 699, Ok(())),
        (record.claim_until + 700, Err(PoolError::ClaimWindowShut)),
    ] {
        let mut pool = pool.clone();
        pool.chain.set_time(time);
        let answer = pool.send_claim(&claim).map(|_| ());
        assert_eq!(answer, expected.map_err(Refusal::Pool));
    }
}

fn hand_over(pool: &mut PoolOnChain, by: &Keypair, to: AddressBytes) -> Result<Receipt, Refusal> {
    let propose = builder::propose_authority(&PROGRAM, &pool.pool, &by.pubkey(), to);
    pool.chain.send(&[propose], &[by])
}

fn accept(pool: &mut PoolOnChain, by: &Keypair) -> Result<Receipt, Refusal> {
    let accept = builder::accept_authority(&PROGRAM, &pool.pool, &by.pubkey());
    pool.chain.send(&[accept], &[by])
}

#[test]
fn p12_the_authority_changes_hands_when_the_other_side_accepts() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let [next, stranger] = [pool.chain.new_person(), pool.chain.new_person()];
    let to = address::bytes(&next.pubkey());
    let receipt = hand_over(&mut pool, &people::authority(), to).unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::AuthorityProposed {
            pool: address::bytes(&pool.pool),
            authority: to
        }]
    );
    assert_eq!(
        pool.record().rules.authority,
        address::bytes(&people::authority().pubkey()),
        "a wrong address costs nothing"
    );
    is(accept(&mut pool, &stranger), PoolError::WrongAuthority);
    is(
        accept(&mut pool, &people::authority()),
        PoolError::WrongAuthority,
    );
    pause(&mut pool, 1).unwrap();
    let receipt = accept(&mut pool, &next).unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::AuthorityChanged {
            pool: address::bytes(&pool.pool),
            authority: to
        }]
    );
    let rules = pool.record().rules;
    assert_eq!(rules.authority, to);
    assert_eq!(rules.next_authority, AddressBytes::new([0; 32]));
    is(accept(&mut pool, &next), PoolError::WrongAuthority);
    // The old one has no say any more, the new one has.
    is(
        hand_over(&mut pool, &people::authority(), to),
        PoolError::WrongAuthority,
    );
    let propose = builder::propose(&PROGRAM, &pool.pool, &next.pubkey(), 0, table());
    pool.chain.send(&[propose], &[&next]).unwrap();
}

#[test]
fn p12_a_hand_over_is_taken_back_by_zeros_and_replaced_by_another() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let [first, second] = [pool.chain.new_person(), pool.chain.new_person()];
    let authority = people::authority();
    hand_over(&mut pool, &authority, address::bytes(&first.pubkey())).unwrap();
    hand_over(&mut pool, &authority, AddressBytes::new([0; 32])).unwrap();
    is(accept(&mut pool, &first), PoolError::WrongAuthority);
    // Zeros are the system program's address, which signs nothing: not even when nobody looks.
    let zeros = builder::accept_authority(&PROGRAM, &pool.pool, &builder::SYSTEM_PROGRAM);
    let mut unsigned = zeros.clone();
    unsigned.accounts[0].is_signer = false;
    is(
        pool.chain.send(&[unsigned], &[]),
        PoolError::MissingSignature,
    );
    hand_over(&mut pool, &authority, address::bytes(&first.pubkey())).unwrap();
    hand_over(&mut pool, &authority, address::bytes(&second.pubkey())).unwrap();
    is(accept(&mut pool, &first), PoolError::WrongAuthority);
    accept(&mut pool, &second).unwrap();
}

#[test]
fn p12_proposals_of_an_old_authority_are_the_new_ones_to_cancel() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let next = pool.chain.new_person();
    let authority = people::authority();
    let propose = builder::propose(&PROGRAM, &pool.pool, &authority.pubkey(), 5, table());
    pool.chain.send(&[propose], &[&authority]).unwrap();
    hand_over(&mut pool, &authority, address::bytes(&next.pubkey())).unwrap();
    accept(&mut pool, &next).unwrap();
    let cancel = |by: &Keypair| builder::cancel_proposal(&PROGRAM, &pool.pool, &by.pubkey(), 5);
    let (old, new) = (cancel(&authority), cancel(&next));
    // Nor is it carried out any more.
    let mut later = pool.clone();
    later.chain.advance(i64::from(TIMELOCK_SECONDS));
    let key = verifying_key_digest(MeasurerCount::Three);
    let execute = builder::execute_proposal(&PROGRAM, &pool.pool, &authority.pubkey(), 5, &key);
    is(later.chain.send(&[execute], &[]), PoolError::WrongAuthority);
    is(
        pool.chain.send(&[old], &[&authority]),
        PoolError::WrongAuthority,
    );
    pool.chain.send(&[new], &[&next]).unwrap();
}
