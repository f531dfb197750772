//! Closing epochs.

use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_system_interface::instruction as system;
use veilpool_interface::{PoolError, address, builder, builder::SYSTEM_PROGRAM};
use veilpool_program_harness::{PoolOnChain, Refusal, chain::PROGRAM, people::Person};
use veilpool_protocol::{EpochId, MeasurerCount};

const FIRST: EpochId = EpochId::new(0);

/// An epoch whose claim window has shut without claims, and the payer of its rent.
fn start() -> (PoolOnChain, Pubkey) {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    assert_eq!(pool.open_next(), Ok(FIRST));
    let epoch = pool.epoch(FIRST);
    pool.chain.set_time(epoch.claim_until);
    let payer = address::pubkey(&epoch.rent_payer);
    (pool, payer)
}

fn close(pool: &PoolOnChain, payer: &Pubkey) -> Instruction {
    builder::close_epoch(&PROGRAM, &pool.pool, payer, FIRST)
}

fn send(pool: &mut PoolOnChain, payer: &Pubkey) -> Result<(), Refusal> {
    let close = close(pool, payer);
    pool.chain.send(&[close], &[]).map(|_| ())
}

#[test]
fn p7_closing_an_epoch_releases_what_was_not_claimed_and_nothing_else() {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    let first = pool.run_epoch();
    let claim = pool.prepare(Person(0), first, 7, 0);
    pool.send_claim(&claim).unwrap();
    let second = pool.open_next().unwrap();
    let (before, opened) = (pool.record().books, pool.epoch(first));
    pool.chain.set_time(opened.claim_until);
    send(&mut pool, &address::pubkey(&opened.rent_payer)).unwrap();
    let after = pool.record().books;
    assert_eq!(after.reserved, pool.epoch(second).reserved);
    assert_eq!(after.reserved, before.reserved - opened.reserved);
    assert_eq!(after.assets, before.assets);
}

#[test]
fn p2_all_lamports_go_back_to_who_paid_the_rent_whoever_closes() {
    let (mut pool, payer) = start();
    let address = pool.epoch_address(FIRST);
    let (rent, before) = (pool.chain.lamports(&address), pool.chain.lamports(&payer));
    send(&mut pool, &payer).unwrap();
    assert_eq!(pool.chain.lamports(&payer), before + rent);
    assert_eq!(pool.chain.lamports(&address), 0);
    assert_eq!(pool.record().books.reserved, 0);
}

#[test]
fn p2_the_rent_goes_to_nobody_but_the_recorded_payer() {
    let (mut pool, _) = start();
    let thief = pool.chain.new_person().pubkey();
    assert_eq!(send(&mut pool, &thief), Err(PoolError::WrongAddress.into()));
}

#[test]
fn p2_an_epoch_is_not_closed_before_its_window_shuts() {
    let (mut pool, payer) = start();
    let shut = pool.epoch(FIRST).claim_until;
    pool.chain.set_time(shut - 1);
    assert_eq!(
        send(&mut pool, &payer),
        Err(PoolError::ClaimWindowOpen.into())
    );
    pool.chain.set_time(shut);
    send(&mut pool, &payer).unwrap();
}

#[test]
fn p2_an_epoch_revived_in_the_same_transaction_is_no_record_and_is_not_opened_again() {
    let (mut pool, payer) = start();
    let address = pool.epoch_address(FIRST);
    let reviver = pool.chain.new_person();
    let rent = pool.chain.lamports(&address);
    let close = close(&pool, &payer);
    let revive = system::transfer(&reviver.pubkey(), &address, rent);
    pool.chain
        .send(&[close.clone(), revive], &[&reviver])
        .unwrap();
    let account = pool.chain.account(&address);
    assert_eq!(account.owner, SYSTEM_PROGRAM);
    assert!(account.data.is_empty());
    assert_eq!(
        pool.chain.send(&[close], &[]),
        Err(PoolError::WrongOwner.into())
    );
    let open = builder::open_epoch(&PROGRAM, &pool.pool, &reviver.pubkey(), FIRST);
    assert_eq!(
        pool.chain.send(&[open], &[&reviver]),
        Err(PoolError::WrongEpoch.into())
    );
    // The next one opens as ever.
    assert_eq!(pool.open_next(), Ok(EpochId::new(1)));
}
