//! Withdrawals: when they are paid, to whom, and out of what.

use solana_signer::Signer;
use veilpool_interface::{PoolError, PoolEvent, Withdrawal, address, builder};
use veilpool_program_harness::{
    Holder, PoolOnChain, Refusal,
    chain::PROGRAM,
    people::{self, Person},
    pool::{CLAIM_WINDOW_SECONDS, COOLDOWN_SECONDS, FUNDS},
};
use veilpool_protocol::MeasurerCount;

const COOLDOWN: i64 = COOLDOWN_SECONDS as i64;

/// Somebody who has deposited all that they had.
pub(crate) fn provider(pool: &mut PoolOnChain, amount: u64) -> Holder {
    let holder = pool.new_holder(amount);
    pool.deposit_as(&holder, amount).unwrap();
    holder
}

pub(crate) fn shares(pool: &PoolOnChain, holder: &Holder) -> u64 {
    pool.chain.tokens(&holder.shares)
}

/// Hands everything in, waits, and has it paid: tokens.
pub(crate) fn leave(pool: &mut PoolOnChain, holder: &Holder) -> u64 {
    let all = shares(pool, holder);
    let before = pool.chain.tokens(&holder.tokens);
    pool.request_withdrawal(holder, 99, all).unwrap();
    pool.chain.advance(COOLDOWN);
    pool.withdraw(holder, 99).unwrap();
    pool.chain.tokens(&holder.tokens) - before
}

pub(crate) fn is(answer: Result<impl Sized, Refusal>, expected: PoolError) {
    assert_eq!(answer.map(|_| ()), Err(expected.into()));
}

/// Closes an epoch whose window has shut.
pub(crate) fn close_epoch(pool: &mut PoolOnChain, epoch: veilpool_protocol::EpochId) {
    let payer = address::pubkey(&pool.epoch(epoch).rent_payer);
    let close = builder::close_epoch(&PROGRAM, &pool.pool, &payer, epoch);
    pool.chain.send(&[close], &[]).unwrap();
}

#[test]
fn a_withdrawal_waits_for_the_cool_down_and_is_paid_what_its_shares_are_worth() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let holder = provider(&mut pool, 1_000_000);
    let part = 400_000_000;
    let now = pool.chain.time();
    let receipt = pool.request_withdrawal(&holder, 7, part).unwrap();
    let ready_at = now + COOLDOWN;
    let own = address::bytes(&pool.pool);
    assert_eq!(
        receipt.events(),
        [PoolEvent::WithdrawalRequested {
            pool: own,
            shares: part,
            ready_at
        }]
    );
    let (address, bump) = address::withdrawal(&PROGRAM, &pool.pool, &holder.key.pubkey(), 7);
    assert_eq!(
        pool.chain.read::<Withdrawal>(&address),
        Some(Withdrawal {
            bump,
            pool: own,
            owner: address::bytes(&holder.key.pubkey()),
            number: 7,
            shares: part,
            worth: 400_000,
            ready_at,
        })
    );
    // The shares are burned, and still count.
    assert_eq!(shares(&pool, &holder), 600_000_000);
    let books = pool.record().books;
    assert_eq!((books.shares, books.queued), (1_000_000_000, part));

    pool.chain.set_time(ready_at - 1);
    is(pool.withdraw(&holder, 7), PoolError::WithdrawalNotReady);
    pool.chain.set_time(ready_at);
    let rent = pool.chain.lamports(&address);
    let lamports = pool.chain.lamports(&holder.key.pubkey());
    let receipt = pool.withdraw(&holder, 7).unwrap();
    // 400 000 000 · 1 000 001 / 1 000 001 000.
    let amount = 400_000;
    assert_eq!(
        receipt.events(),
        [PoolEvent::Withdrawn {
            pool: own,
            amount,
            shares: part
        }]
    );
    assert_eq!(pool.chain.tokens(&holder.tokens), amount);
    assert_eq!(pool.chain.tokens(&pool.vault()), 600_000);
    assert_eq!(
        pool.chain.lamports(&holder.key.pubkey()),
        lamports + rent,
        "the rent goes back"
    );
    let books = pool.record().books;
    assert_eq!(
        (books.assets, books.shares, books.queued),
        (600_000, 600_000_000, 0)
    );
    // It is paid once.
    is(pool.withdraw(&holder, 7), PoolError::WrongOwner);
    // And its number is free again.
    pool.request_withdrawal(&holder, 7, 1).unwrap();
}

#[test]
fn a_withdrawal_of_nothing_more_than_there_is_or_a_number_that_waits_is_refused() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let holder = provider(&mut pool, 1_000);
    let all = shares(&pool, &holder);
    is(
        pool.request_withdrawal(&holder, 0, 0),
        PoolError::ZeroAmount,
    );
    for amount in [all + 1, u64::MAX] {
        // SPL Token's own number for insufficient funds.
        let answer = pool.request_withdrawal(&holder, 0, amount);
        assert_eq!(answer, Err(Refusal::Custom(1)));
    }
    pool.request_withdrawal(&holder, 0, 1).unwrap();
    is(
        pool.request_withdrawal(&holder, 0, 1),
        PoolError::AlreadyExists,
    );
    pool.request_withdrawal(&holder, u32::MAX, all - 1).unwrap();
    pool.chain.advance(COOLDOWN);
    // One share of a thousandth of a unit is worth nothing, and is paid nothing.
    pool.withdraw(&holder, 0).unwrap();
    assert_eq!(pool.chain.tokens(&holder.tokens), 0);
    pool.withdraw(&holder, u32::MAX).unwrap();
    assert!(pool.chain.tokens(&holder.tokens) <= 1_000);
}

#[test]
fn a_withdrawal_is_paid_by_anybody_and_to_nobody_but_its_owner() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let holder = provider(&mut pool, 1_000_000);
    let thief = pool.new_holder(0);
    pool.request_withdrawal(&holder, 0, 1_000_000_000).unwrap();
    pool.chain.advance(COOLDOWN);
    let own = holder.key.pubkey();
    let to = |owner, tokens| {
        let mut withdraw = builder::withdraw(&PROGRAM, &pool.pool, &own, 0, tokens);
        withdraw.accounts[2].pubkey = owner;
        withdraw
    };
    let instructions = [
        (to(own, &thief.tokens), PoolError::WrongTokenAccount),
        (
            to(thief.key.pubkey(), &thief.tokens),
            PoolError::WrongAddress,
        ),
        (
            to(thief.key.pubkey(), &holder.tokens),
            PoolError::WrongAddress,
        ),
    ];
    for (instruction, expected) in instructions {
        is(pool.chain.send(&[instruction], &[]), expected);
    }
    // Any other account of the owner's only where the owner signs: it may have an authority of its own.
    let other = pool.chain.new_tokens(&pool.mint, &own, 5);
    let mut withdraw = builder::withdraw(&PROGRAM, &pool.pool, &own, 0, &other);
    is(
        pool.chain.send(std::slice::from_ref(&withdraw), &[]),
        PoolError::WrongAddress,
    );
    withdraw.accounts[2].is_signer = true;
    pool.clone()
        .chain
        .send(&[withdraw], &[&holder.key])
        .unwrap();
    // Nobody signs but who pays the fee.
    pool.withdraw(&holder, 0).unwrap();
    assert!(pool.chain.tokens(&holder.tokens) > 999_990);
}

#[test]
fn p8_a_withdrawal_that_is_asked_for_while_claims_are_open_waits_until_the_last_window_shuts() {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    let holder = provider(&mut pool, 1_000_000);
    let epoch = pool.open_next().unwrap();
    let shut = pool.epoch(epoch).claim_until;
    assert!(shut > pool.chain.time() + COOLDOWN);
    pool.request_withdrawal(&holder, 0, 1_000).unwrap();
    pool.chain.set_time(shut - 1);
    is(pool.withdraw(&holder, 0), PoolError::WithdrawalNotReady);
    pool.chain.set_time(shut);
    pool.withdraw(&holder, 0).unwrap();
}

#[test]
fn p8_what_open_epochs_have_reserved_is_out_of_reach_until_they_close() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let holder = provider(&mut pool, FUNDS);
    pool.register(Person(0)).unwrap();
    pool.edit(|pool| {
        pool.rules.parameters.outflow_bps = 10_000;
        pool.rules.parameters.rate_cap = u64::MAX;
    });
    let epoch = pool.open_next().unwrap();
    let reserved = pool.record().books.reserved;
    assert!(reserved > FUNDS - 12);
    let all = shares(&pool, &holder);
    pool.request_withdrawal(&holder, 0, all).unwrap();
    pool.chain.set_time(pool.epoch(epoch).claim_until);
    let before = pool.chain.everything();
    is(pool.withdraw(&holder, 0), PoolError::InsufficientLiquidity);
    assert!(pool.chain.everything() == before);
    close_epoch(&mut pool, epoch);
    pool.withdraw(&holder, 0).unwrap();
    assert_eq!(pool.chain.tokens(&holder.tokens), FUNDS);
    // Nothing is left, and the pool goes on.
    let books = pool.record().books;
    assert_eq!((books.assets, books.shares), (0, 0));
    provider(&mut pool, 5);
}

#[test]
fn p8_an_epoch_leaves_room_for_who_waits_to_withdraw() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let leaving = provider(&mut pool, 400_000_000);
    let staying = provider(&mut pool, 600_000_000);
    pool.register(Person(0)).unwrap();
    pool.edit(|pool| {
        pool.rules.parameters.outflow_bps = 10_000;
        pool.rules.parameters.rate_cap = u64::MAX;
    });
    let all = shares(&pool, &leaving);
    pool.request_withdrawal(&leaving, 0, all).unwrap();
    let epoch = pool.open_next().unwrap();
    let record = pool.epoch(epoch);
    assert_eq!(record.rate, 600_000_000 / 12);
    // It is paid while the epoch that was opened after it is still open, and all claims can still be paid.
    pool.chain.advance(COOLDOWN);
    assert!(pool.chain.time() < record.claim_until);
    pool.withdraw(&leaving, 0).unwrap();
    assert_eq!(pool.chain.tokens(&leaving.tokens), 400_000_000);
    let claim = pool.prepare(Person(0), epoch, 8, 0);
    pool.send_claim(&claim).unwrap();
    assert_eq!(pool.chain.tokens(&claim.payee_tokens), 600_000_000);
    assert_eq!(leave(&mut pool, &staying), 0);
}

#[test]
fn p8_when_all_want_to_leave_epochs_pay_nothing_and_everybody_is_paid() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let holders: Vec<Holder> = (1..=3)
        .map(|part| provider(&mut pool, part * 1_000_003))
        .collect();
    pool.register(Person(0)).unwrap();
    for holder in &holders {
        let all = shares(&pool, holder);
        pool.request_withdrawal(holder, 0, all).unwrap();
    }
    let epoch = pool.open_next().unwrap();
    assert_eq!(pool.epoch(epoch).rate, 0);
    pool.chain.advance(COOLDOWN);
    for (holder, part) in holders.iter().zip(1..) {
        pool.withdraw(holder, 0).unwrap();
        let paid = pool.chain.tokens(&holder.tokens);
        assert!(part * 1_000_003 - paid <= 1, "{paid}");
    }
}

#[test]
fn withdrawals_go_on_while_claims_are_paused() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let holder = provider(&mut pool, 1_000_000);
    let authority = people::authority();
    let pause = builder::pause_claims(&PROGRAM, &pool.pool, &authority.pubkey(), 3_600);
    pool.chain.send(&[pause], &[&authority]).unwrap();
    let all = shares(&pool, &holder);
    pool.request_withdrawal(&holder, 0, all).unwrap();
    pool.chain.advance(COOLDOWN);
    assert!(pool.chain.time() < pool.record().books.paused_until);
    pool.withdraw(&holder, 0).unwrap();
    assert_eq!(pool.chain.tokens(&holder.tokens), 1_000_000);
}

#[test]
fn p8_a_pause_moves_the_last_window_of_withdrawals_that_are_asked_for_after_it() {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 1);
    let holder = provider(&mut pool, 1_000_000);
    let epoch = pool.open_next().unwrap();
    let shut = pool.epoch(epoch).claim_until;
    let authority = people::authority();
    let pause = builder::pause_claims(&PROGRAM, &pool.pool, &authority.pubkey(), 500);
    pool.chain.send(&[pause], &[&authority]).unwrap();
    pool.chain.advance(500);
    pool.request_withdrawal(&holder, 0, 1_000).unwrap();
    pool.chain.set_time(shut + 499);
    is(pool.withdraw(&holder, 0), PoolError::WithdrawalNotReady);
    pool.chain.set_time(shut + 500);
    pool.withdraw(&holder, 0).unwrap();
    assert!(i64::from(CLAIM_WINDOW_SECONDS) < COOLDOWN);
}

#[test]
fn p8_who_waits_bears_losses_and_earns_nothing() {
    for (assets, expected) in [
        (2_000_000, 400_000),
        (1_000_000, 400_000),
        (500_000, 200_000),
    ] {
        let mut pool = PoolOnChain::empty(MeasurerCount::Three);
        let holder = provider(&mut pool, 1_000_000);
        pool.request_withdrawal(&holder, 0, 400_000_000).unwrap();
        let (vault, mint, own) = (pool.vault(), pool.mint, pool.pool);
        let state = spl_token_interface::state::AccountState::Initialized;
        pool.edit(|pool| pool.books.assets = assets);
        pool.chain.set_tokens(&vault, &mint, &own, assets, state);
        pool.chain.advance(COOLDOWN);
        pool.withdraw(&holder, 0).unwrap();
        assert_eq!(pool.chain.tokens(&holder.tokens), expected);
        assert_eq!(pool.record().books.assets, assets - expected);
    }
}
