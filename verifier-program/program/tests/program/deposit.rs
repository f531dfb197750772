//! Deposits.

use spl_token_interface::state::AccountState;
use veilpool_interface::{PoolError, builder};
use veilpool_program_harness::{Holder, PoolOnChain, Receipt, Refusal, chain::PROGRAM};
use veilpool_protocol::MeasurerCount;

use solana_signer::Signer;

struct Start {
    pool: PoolOnChain,
    depositor: Holder,
}

fn start() -> Start {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let depositor = pool.new_holder(1_000);
    Start { pool, depositor }
}

impl Start {
    fn deposit(&mut self, amount: u64) -> Result<Receipt, Refusal> {
        self.pool.deposit_as(&self.depositor, amount)
    }

    fn deposit_for(&mut self, amount: u64, min_shares: u64) -> Result<Receipt, Refusal> {
        let Holder {
            key,
            tokens,
            shares,
        } = &self.depositor;
        let own = key.pubkey();
        let pool = self.pool.pool;
        let deposit = builder::deposit(&PROGRAM, &pool, &own, tokens, shares, amount, min_shares);
        self.pool.chain.send(&[deposit], &[key])
    }

    fn shares(&self) -> u64 {
        self.pool.chain.tokens(&self.depositor.shares)
    }
}

#[test]
fn a_deposit_moves_tokens_and_gives_shares() {
    let mut start = start();
    start.deposit(100).unwrap();
    start.deposit(50).unwrap();
    let books = start.pool.record().books;
    assert_eq!((books.assets, books.reserved, books.queued), (150, 0, 0));
    // 100 · 1000 / 1, then 50 · (100000 + 1000) / (100 + 1).
    assert_eq!(books.shares, 150_000);
    assert_eq!(start.shares(), 150_000);
    assert_eq!(start.pool.chain.tokens(&start.pool.vault()), 150);
    assert_eq!(start.pool.chain.tokens(&start.depositor.tokens), 850);
}

#[test]
fn a_deposit_of_nothing_and_one_too_small_for_a_share_are_refused() {
    let mut start = start();
    assert_eq!(start.deposit(0), Err(PoolError::ZeroAmount.into()));
    start.pool.edit(|pool| pool.books.assets = 2_000_000);
    assert_eq!(start.deposit(5), Err(PoolError::ZeroAmount.into()));
    assert_eq!(start.deposit_for(5, 1), Err(PoolError::ZeroAmount.into()));
}

#[test]
fn a_deposit_that_earns_fewer_shares_than_asked_for_is_refused() {
    let mut start = start();
    assert_eq!(
        start.deposit_for(100, 100_001),
        Err(PoolError::TooFewShares.into())
    );
    assert_eq!(
        start.deposit_for(100, u64::MAX),
        Err(PoolError::TooFewShares.into())
    );
    assert_eq!(start.pool.record().books.shares, 0);
    start.deposit_for(100, 100_000).unwrap();
}

#[test]
fn more_than_the_depositor_has_is_the_token_programs_refusal() {
    let mut start = start();
    // SPL Token's own number for insufficient funds.
    for amount in [1_001, u64::MAX / 2_000] {
        assert_eq!(start.deposit(amount), Err(Refusal::Custom(1)));
    }
    assert_eq!(start.pool.record().books.assets, 0);
}

#[test]
fn p5_a_deposit_whose_shares_do_not_fit_is_refused() {
    let mut start = start();
    for amount in [u64::MAX / 1_000 + 1, u64::MAX] {
        assert_eq!(start.deposit(amount), Err(PoolError::Arithmetic.into()));
    }
}

#[test]
fn p6_a_donation_to_the_vault_moves_no_share_price() {
    let mut start = start();
    start.deposit(100).unwrap();
    let (vault, mint, pool) = (start.pool.vault(), start.pool.mint, start.pool.pool);
    let chain = &mut start.pool.chain;
    chain.set_tokens(&vault, &mint, &pool, 1_000_100, AccountState::Initialized);
    start.deposit(100).unwrap();
    let books = start.pool.record().books;
    assert_eq!((books.assets, books.shares), (200, 200_000));
}
