//! What shares are worth, and what nobody can do to it (attacks P5, P6).

use proptest::prelude::*;
use solana_signer::Signer;
use spl_token_interface::{instruction as token, state::AccountState};
use veilpool_interface::{address::TOKEN_PROGRAM, reward};
use veilpool_program_harness::{
    Holder, PoolOnChain, Refusal, people::Person, pool::COOLDOWN_SECONDS,
};
use veilpool_protocol::MeasurerCount;

use crate::liquidity::{close_epoch, leave, provider, shares};

#[test]
fn rewards_lower_the_price_of_shares_for_all_alike() {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    let early = provider(&mut pool, 1_000_000);
    let epoch = pool.run_epoch();
    let claim = pool.prepare(Person(1), epoch, 7, 0);
    let before = pool.record().books;
    pool.send_claim(&claim).unwrap();
    let reward = pool.chain.tokens(&claim.payee_tokens);
    assert!(reward > 0);
    pool.chain.set_time(pool.epoch(epoch).claim_until);
    close_epoch(&mut pool, epoch);
    let late = provider(&mut pool, 1_000_000);
    assert!(shares(&pool, &late) > shares(&pool, &early));
    let paid = leave(&mut pool, &early);
    // Its part of the loss, rounded against it.
    let lost = u128::from(reward) * 1_000_000 / u128::from(before.assets);
    let expected = 1_000_000 - u64::try_from(lost).unwrap();
    assert!(
        (expected - 2..=expected).contains(&paid),
        "{paid}, {expected}"
    );
    assert!((999_998..=1_000_000).contains(&leave(&mut pool, &late)));
}

#[test]
fn p6_the_first_depositor_gains_nothing_by_a_donation() {
    for donation in [1_000_000u64, 1 << 40] {
        let mut pool = PoolOnChain::empty(MeasurerCount::Three);
        let thief = provider(&mut pool, 1);
        let vault = pool.vault();
        let donor = pool.new_holder(donation);
        let donate = token::transfer(
            &TOKEN_PROGRAM,
            &donor.tokens,
            &vault,
            &donor.key.pubkey(),
            &[],
            donation,
        )
        .unwrap();
        pool.chain.send(&[donate], &[&donor.key]).unwrap();
        // The books don't count it.
        let victim = provider(&mut pool, 1_000_000);
        assert_eq!(shares(&pool, &victim), 1_000_000_000);
        assert_eq!(leave(&mut pool, &victim), 1_000_000);
        assert!(leave(&mut pool, &thief) <= 1);
    }
}

#[test]
fn p6_the_first_depositor_loses_by_inflating_through_revenue_which_anybody_can_pay_in() {
    // Revenue raises the price: who pays it in to inflate the first share loses most of it to nobody.
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let thief = provider(&mut pool, 1);
    let revenue = 10_000_000u64;
    pool.edit(|pool| pool.books.assets += revenue);
    let (vault, mint, own) = (pool.vault(), pool.mint, pool.pool);
    let state = AccountState::Initialized;
    pool.chain
        .set_tokens(&vault, &mint, &own, 1 + revenue, state);
    let victim = provider(&mut pool, 1_000_000);
    let back = leave(&mut pool, &victim);
    let stolen = leave(&mut pool, &thief);
    let lost = 1_000_000 - back;
    assert!(stolen < (revenue + lost) * 51 / 100, "{stolen}");
    assert!(lost < revenue / 1_000, "{lost}");
}

#[test]
fn p6_shares_that_are_burned_directly_at_the_token_program_move_nothing() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let thief = provider(&mut pool, 1_000_000);
    let honest = provider(&mut pool, 1_000_000);
    let before = pool.record();
    let burn = token::burn(
        &TOKEN_PROGRAM,
        &thief.shares,
        &pool.share_mint(),
        &thief.key.pubkey(),
        &[],
        999_999_999,
    )
    .unwrap();
    pool.chain.send(&[burn], &[&thief.key]).unwrap();
    assert_eq!(pool.record(), before);
    let victim = provider(&mut pool, 1_000_000);
    assert_eq!(shares(&pool, &victim), 1_000_000_000);
    assert_eq!(leave(&mut pool, &victim), 1_000_000);
    // What was burned is gone: one share is left to its owner, and nobody has gained.
    assert_eq!(leave(&mut pool, &thief), 0);
    assert_eq!(leave(&mut pool, &honest), 1_000_000);
}

#[test]
fn shares_can_be_given_away_and_are_paid_to_who_hands_them_in() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let giver = provider(&mut pool, 1_000_000);
    let taker = pool.new_holder(0);
    let all = shares(&pool, &giver);
    let give = token::transfer(
        &TOKEN_PROGRAM,
        &giver.shares,
        &taker.shares,
        &giver.key.pubkey(),
        &[],
        all,
    )
    .unwrap();
    pool.chain.send(&[give], &[&giver.key]).unwrap();
    assert_eq!(
        pool.request_withdrawal(&giver, 0, 1),
        Err(Refusal::Custom(1))
    );
    assert_eq!(leave(&mut pool, &taker), 1_000_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn p5_whoever_deposits_and_withdraws_gains_nothing_and_others_lose_nothing(
        first in 1..1u64 << 40, amount in 1..1u64 << 40, profit in 0..1u64 << 40, part in 1..=100u64,
    ) {
        let mut pool = PoolOnChain::empty(MeasurerCount::Three);
        let other = provider(&mut pool, first);
        pool.edit(|pool| pool.books.assets += profit);
        let (vault, mint, own) = (pool.vault(), pool.mint, pool.pool);
        let state = AccountState::Initialized;
        pool.chain.set_tokens(&vault, &mint, &own, first + profit, state);
        let worth = |pool: &PoolOnChain| {
            let books = pool.record().books;
            reward::assets_for(shares(pool, &other), books.shares, books.assets).unwrap()
        };
        let before = worth(&pool);
        let holder = pool.new_holder(amount);
        let deposited = pool.deposit_as(&holder, amount);
        prop_assume!(deposited.is_ok());
        let handed_in = (u128::from(shares(&pool, &holder)) * u128::from(part) / 100).max(1);
        pool.request_withdrawal(&holder, 0, u64::try_from(handed_in).unwrap()).unwrap();
        pool.chain.advance(COOLDOWN_SECONDS.into());
        pool.withdraw(&holder, 0).unwrap();
        let rest = leave_all(&mut pool, &holder);
        prop_assert!(rest <= amount);
        prop_assert!(worth(&pool) >= before);
        prop_assert!(pool.chain.tokens(&vault) >= pool.record().books.assets);
    }
}

/// What somebody has after everything that is left has been handed in.
fn leave_all(pool: &mut PoolOnChain, holder: &Holder) -> u64 {
    if shares(pool, holder) > 0 {
        leave(pool, holder);
    }
    pool.chain.tokens(&holder.tokens)
}
