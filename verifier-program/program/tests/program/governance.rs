//! P12: what the authority can change, when, and what it can't reach.

use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_interface::{
    Change, Parameters, PoolError, PoolEvent, Proposal, address, builder, class,
};
use veilpool_program_harness::{
    PoolOnChain, Receipt, Refusal,
    chain::PROGRAM,
    people,
    pool::{EPOCH_SECONDS, TIMELOCK_SECONDS, parameters, verifying_key_digest},
};
use veilpool_protocol::{AddressBytes, MeasurerCount};

pub(crate) const TIMELOCK: i64 = TIMELOCK_SECONDS as i64;

pub(crate) fn is(answer: Result<impl Sized, Refusal>, expected: PoolError) {
    assert_eq!(answer.map(|_| ()), Err(expected.into()));
}

/// The authority proposes.
pub(crate) fn propose(
    pool: &mut PoolOnChain,
    number: u32,
    change: Change,
) -> Result<Receipt, Refusal> {
    propose_by(pool, &people::authority(), number, change)
}

/// A change that changes nothing.
pub(crate) fn table() -> Change {
    Change::Classes(class::default_table())
}

fn propose_by(
    pool: &mut PoolOnChain,
    by: &Keypair,
    number: u32,
    change: Change,
) -> Result<Receipt, Refusal> {
    let propose = builder::propose(&PROGRAM, &pool.pool, &by.pubkey(), number, change);
    pool.chain.send(&[propose], &[by])
}

fn cancel_by(pool: &mut PoolOnChain, by: &Keypair, number: u32) -> Result<Receipt, Refusal> {
    let cancel = builder::cancel_proposal(&PROGRAM, &pool.pool, &by.pubkey(), number);
    pool.chain.send(&[cancel], &[by])
}

/// Anybody executes, with the key of so many measurers.
pub(crate) fn execute(
    pool: &mut PoolOnChain,
    number: u32,
    key: MeasurerCount,
) -> Result<Receipt, Refusal> {
    execute_with(pool, number, &verifying_key_digest(key))
}

pub(crate) fn execute_with(
    pool: &mut PoolOnChain,
    number: u32,
    key: &[u8; 32],
) -> Result<Receipt, Refusal> {
    let proposer = people::authority().pubkey();
    let execute = builder::execute_proposal(&PROGRAM, &pool.pool, &proposer, number, key);
    pool.chain.send(&[execute], &[])
}

/// Proposes, waits and executes.
pub(crate) fn change(pool: &mut PoolOnChain, change: Change) -> Result<Receipt, Refusal> {
    propose(pool, 9, change)?;
    pool.chain.advance(TIMELOCK);
    let count = MeasurerCount::try_from(pool.record().measurers.len()).unwrap();
    execute(pool, 9, count)
}

pub(crate) fn measurers(count: MeasurerCount) -> Change {
    Change::Measurers {
        measurers: people::measurer_keys(count),
        verifying_key: verifying_key_digest(count),
    }
}

pub(crate) fn other_parameters() -> Parameters {
    Parameters {
        bond_amount: 77,
        epoch_seconds: 600,
        claim_window_seconds: 900,
        cooldown_seconds: 1_000,
        challenge_seconds: 50,
        rate_cap: 3,
        outflow_bps: 500,
        hub_fee_cap_bps: 10,
        slash_reward_bps: 1,
        target_utilisation_bps: 9_000,
        min_price: 8,
        max_price: 9,
    }
}

pub(crate) fn start() -> PoolOnChain {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    for count in MeasurerCount::ALL {
        pool.chain.publish_key(count);
    }
    pool
}

#[test]
fn p12_a_change_waits_for_the_timelock_and_then_for_as_long_to_be_carried_out() {
    let start = start();
    let now = start.chain.time();
    let mut pool = start.clone();
    let wanted = Change::Parameters(other_parameters());
    let receipt = propose(&mut pool, 4, wanted.clone()).unwrap();
    let own = address::bytes(&pool.pool);
    assert_eq!(
        receipt.events(),
        [PoolEvent::Proposed {
            pool: own,
            number: 4,
            ready_at: now + TIMELOCK
        }]
    );
    let (address, bump) = address::proposal(&PROGRAM, &pool.pool, 4);
    assert_eq!(
        pool.chain.read::<Proposal>(&address),
        Some(Proposal {
            bump,
            pool: own,
            number: 4,
            proposer: address::bytes(&people::authority().pubkey()),
            ready_at: now + TIMELOCK,
            expires_at: now + 2 * TIMELOCK,
            change: wanted,
        })
    );
    assert!(TIMELOCK >= 2 * i64::from(EPOCH_SECONDS));
    for (time, expected) in [
        (now, Err(PoolError::ProposalNotReady)),
        (now + TIMELOCK - 1, Err(PoolError::ProposalNotReady)),
        (now + TIMELOCK, Ok(())),
        (now + 2 * TIMELOCK - 1, Ok(())),
        (now + 2 * TIMELOCK, Err(PoolError::ProposalExpired)),
        (i64::MAX, Err(PoolError::ProposalExpired)),
        (i64::MIN, Err(PoolError::ProposalNotReady)),
    ] {
        let mut pool = pool.clone();
        pool.chain.set_time(time);
        let answer = execute(&mut pool, 4, MeasurerCount::Three);
        assert_eq!(
            answer.map(|_| ()),
            expected.map_err(Refusal::Pool),
            "{time}"
        );
        let after = pool.record().rules.parameters;
        if expected.is_ok() {
            assert_eq!(after, other_parameters());
        } else {
            assert_eq!(after, parameters());
        }
    }
}

#[test]
fn p12_a_change_is_carried_out_once_and_the_rent_goes_to_who_proposed_it() {
    let mut pool = start();
    let own = people::authority().pubkey();
    let before = pool.chain.lamports(&own);
    propose(&mut pool, 0, table()).unwrap();
    assert!(pool.chain.lamports(&own) < before);
    is(propose(&mut pool, 0, table()), PoolError::AlreadyExists);
    pool.chain.advance(TIMELOCK);
    let receipt = execute(&mut pool, 0, MeasurerCount::Three).unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::Executed {
            pool: address::bytes(&pool.pool),
            number: 0
        }]
    );
    assert_eq!(pool.chain.lamports(&own), before);
    is(
        execute(&mut pool, 0, MeasurerCount::Three),
        PoolError::WrongOwner,
    );
    propose(&mut pool, 0, table()).unwrap();
}

#[test]
fn p12_a_proposal_is_taken_back_at_any_time() {
    for wait in [0, TIMELOCK, 2 * TIMELOCK] {
        let mut pool = start();
        let own = people::authority().pubkey();
        let before = pool.chain.lamports(&own);
        propose(&mut pool, 0, table()).unwrap();
        pool.chain.advance(wait);
        let receipt = cancel_by(&mut pool, &people::authority(), 0).unwrap();
        assert_eq!(
            receipt.events(),
            [PoolEvent::ProposalCancelled {
                pool: address::bytes(&pool.pool),
                number: 0
            }]
        );
        assert_eq!(pool.chain.lamports(&own), before);
        is(
            execute(&mut pool, 0, MeasurerCount::Three),
            PoolError::WrongOwner,
        );
    }
}

#[test]
fn p12_nobody_else_proposes_cancels_pauses_resumes_or_hands_over() {
    let mut pool = start();
    let stranger = pool.chain.new_person();
    let own = stranger.pubkey();
    is(
        propose_by(&mut pool, &stranger, 0, table()),
        PoolError::WrongAuthority,
    );
    propose(&mut pool, 0, table()).unwrap();
    is(
        cancel_by(&mut pool, &stranger, 0),
        PoolError::WrongAuthority,
    );
    for instruction in [
        builder::pause_claims(&PROGRAM, &pool.pool, &own, 1),
        builder::resume_claims(&PROGRAM, &pool.pool, &own),
        builder::propose_authority(&PROGRAM, &pool.pool, &own, address::bytes(&own)),
        builder::accept_authority(&PROGRAM, &pool.pool, &own),
    ] {
        is(
            pool.chain.send(&[instruction], &[&stranger]),
            PoolError::WrongAuthority,
        );
    }
    // Who made the pool has no power either.
    let founder = pool.founder;
    let by_founder = builder::propose(&PROGRAM, &pool.pool, &founder, 1, table());
    is(
        pool.chain.send_as_if_signed(&[by_founder]),
        PoolError::WrongAuthority,
    );
}

#[test]
fn p12_a_change_does_not_move_money_and_a_proposal_of_another_pool_is_refused() {
    let mut pool = start();
    pool.deposit(1_000_000).unwrap();
    let mut other = PoolOnChain::on(pool.chain.clone(), MeasurerCount::Three);
    propose(&mut other, 0, table()).unwrap();
    pool.chain = other.chain.clone();
    pool.chain.advance(TIMELOCK);
    let own = people::authority().pubkey();
    let digest = verifying_key_digest(MeasurerCount::Three);
    let mut execute = builder::execute_proposal(&PROGRAM, &pool.pool, &own, 0, &digest);
    execute.accounts[1].pubkey = address::proposal(&PROGRAM, &other.pool, 0).0;
    is(pool.chain.send(&[execute], &[]), PoolError::WrongAddress);
    let vaults = |pool: &PoolOnChain| {
        [pool.vault(), pool.bonds(), pool.escrow()].map(|one| pool.chain.account(&one))
    };
    let before = vaults(&pool);
    change(&mut pool, measurers(MeasurerCount::Three)).unwrap();
    assert_eq!(vaults(&pool), before);
}

/// Where a multisig's program would sign: off the curve.
fn multisig() -> Pubkey {
    let program = Pubkey::from_str_const("SQDS4ep65T869zMMBKyuUq6aD6EgTu8psMjkvj52pCf");
    let (address, _) = Pubkey::find_program_address(&[b"multisig", b"vault"], &program);
    assert!(!address.is_on_curve());
    address
}

#[test]
fn p12_the_authority_may_be_an_address_that_a_multisigs_program_signs_for() {
    let mut pool = start();
    let vault = multisig();
    pool.chain.svm.airdrop(&vault, 1_000_000_000).unwrap();
    pool.edit(|pool| pool.rules.next_authority = AddressBytes::new(vault.to_bytes()));
    let accept = builder::accept_authority(&PROGRAM, &pool.pool, &vault);
    pool.chain.send_as_if_signed(&[accept]).unwrap();
    let rent_of = pool.chain.lamports(&vault);
    let propose = builder::propose(&PROGRAM, &pool.pool, &vault, 0, table());
    pool.chain.send_as_if_signed(&[propose]).unwrap();
    let pause = builder::pause_claims(&PROGRAM, &pool.pool, &vault, 10);
    pool.chain.send_as_if_signed(&[pause]).unwrap();
    let resume = builder::resume_claims(&PROGRAM, &pool.pool, &vault);
    pool.chain.send_as_if_signed(&[resume]).unwrap();
    let cancel = builder::cancel_proposal(&PROGRAM, &pool.pool, &vault, 0);
    pool.chain.send_as_if_signed(&[cancel]).unwrap();
    assert_eq!(pool.chain.lamports(&vault), rent_of);
}
