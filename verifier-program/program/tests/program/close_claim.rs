//! Closing claims.

use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_system_interface::instruction as system;
use veilpool_interface::{PoolError, address, builder, builder::SYSTEM_PROGRAM};
use veilpool_program_harness::{PoolOnChain, PreparedClaim, chain::PROGRAM, people::Person};
use veilpool_protocol::MeasurerCount;

const PERSON: Person = Person(1);

/// A claim that has been paid, and whose window has shut.
fn start() -> (PoolOnChain, PreparedClaim) {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    let epoch = pool.run_epoch();
    let claim = pool.prepare(PERSON, epoch, 7, 1_000);
    pool.send_claim(&claim).unwrap();
    let shut = pool.epoch(epoch).claim_until;
    pool.chain.set_time(shut);
    (pool, claim)
}

fn close(pool: &PoolOnChain, claim: &PreparedClaim, payer: &Pubkey) -> Instruction {
    let arguments = &claim.arguments;
    builder::close_claim(
        &PROGRAM,
        &pool.pool,
        payer,
        arguments.epoch,
        &arguments.nullifier,
    )
}

#[test]
fn p2_all_lamports_go_back_to_who_paid_the_rent_whoever_closes() {
    let (mut pool, claim) = start();
    let (address, payer) = (pool.claim_address(&claim), claim.relayer.pubkey());
    let (rent, before) = (pool.chain.lamports(&address), pool.chain.lamports(&payer));
    assert!(rent > 0);
    let close = close(&pool, &claim, &payer);
    // Nobody signs but a stranger who pays the fee.
    pool.chain.send(&[close], &[]).unwrap();
    assert_eq!(pool.chain.lamports(&payer), before + rent);
    assert_eq!(pool.chain.lamports(&address), 0);
    assert!(
        pool.chain
            .svm
            .get_account(&address)
            .is_none_or(|account| account.data.is_empty() && account.owner == SYSTEM_PROGRAM)
    );
}

#[test]
fn p2_the_rent_goes_to_nobody_but_the_recorded_payer() {
    let (mut pool, claim) = start();
    let thief = pool.chain.new_person().pubkey();
    let close = close(&pool, &claim, &thief);
    assert_eq!(
        pool.chain.send(&[close], &[]),
        Err(PoolError::WrongAddress.into())
    );
}

#[test]
fn p2_a_claim_is_not_closed_before_its_window_shuts() {
    let (mut pool, claim) = start();
    let shut = pool.epoch(claim.arguments.epoch).claim_until;
    pool.chain.set_time(shut - 1);
    let close = close(&pool, &claim, &claim.relayer.pubkey());
    assert_eq!(
        pool.chain.send(std::slice::from_ref(&close), &[]),
        Err(PoolError::ClaimWindowOpen.into())
    );
    pool.chain.set_time(shut);
    pool.chain.send(&[close], &[]).unwrap();
}

#[test]
fn p2_a_claim_revived_in_the_same_transaction_is_no_record_and_opens_no_second_claim() {
    let (mut pool, claim) = start();
    let address = pool.claim_address(&claim);
    let reviver = pool.chain.new_person();
    let close = close(&pool, &claim, &claim.relayer.pubkey());
    let rent = pool.chain.lamports(&address);
    let revive = system::transfer(&reviver.pubkey(), &address, rent);
    pool.chain
        .send(&[close.clone(), revive.clone()], &[&reviver])
        .unwrap();
    let account = pool.chain.account(&address);
    assert_eq!(account.lamports, rent);
    assert_eq!(account.owner, SYSTEM_PROGRAM);
    assert!(account.data.is_empty());
    // It can't be closed again to draw the lamports out, nor can the nullifier be claimed again.
    assert_eq!(
        pool.chain.send(&[close], &[]),
        Err(PoolError::WrongOwner.into())
    );
    assert_eq!(
        pool.send_claim(&claim),
        Err(PoolError::ClaimWindowShut.into())
    );
}

#[test]
fn p2_a_close_a_claim_and_a_revival_in_one_transaction_pay_nothing_twice() {
    let (mut pool, claim) = start();
    let close = close(&pool, &claim, &claim.relayer.pubkey());
    let again = pool.claim_instruction(&claim);
    let before = pool.chain.tokens(&claim.payee_tokens);
    assert_eq!(
        pool.chain.send(&[close.clone(), again], &[&claim.relayer]),
        Err(PoolError::ClaimWindowShut.into())
    );
    assert_eq!(
        pool.chain.send(&[close.clone(), close], &[]),
        Err(PoolError::WrongOwner.into())
    );
    assert_eq!(pool.chain.tokens(&claim.payee_tokens), before);
}

#[test]
fn a_claim_can_be_closed_after_its_epoch() {
    let (mut pool, claim) = start();
    let epoch = claim.arguments.epoch;
    let payer = address::pubkey(&pool.epoch(epoch).rent_payer);
    let close_epoch = builder::close_epoch(&PROGRAM, &pool.pool, &payer, epoch);
    let close_claim = close(&pool, &claim, &claim.relayer.pubkey());
    pool.chain.send(&[close_epoch], &[]).unwrap();
    pool.chain.send(&[close_claim], &[]).unwrap();
}
