//! Claims: what is paid, to whom, and when.

use solana_account::Account;
use solana_signer::Signer;
use veilpool_interface::{Books, Claim, Epoch, Pool, PoolError, PoolEvent, address, price};
use veilpool_program_harness::{
    PoolOnChain, PreparedClaim, Refusal, binary::Build, chain::PROGRAM, people::Person,
    pool::CLAIM_WINDOW_SECONDS,
};
use veilpool_protocol::{ClassId, EpochId, MeasurerCount, ProofBytes};

/// 50 Mbit/s at 99 %: weight 10.
pub(crate) const CLASS: u8 = 7;
const WEIGHT: u64 = 10;
pub(crate) const FEE: u64 = 1_000;
pub(crate) const PERSON: Person = Person(1);

fn start(count: MeasurerCount) -> (PoolOnChain, PreparedClaim) {
    let mut pool = PoolOnChain::with_operators(count, 3);
    let epoch = pool.run_epoch();
    let claim = pool.prepare(PERSON, epoch, CLASS, FEE);
    (pool, claim)
}

pub(crate) fn three() -> (PoolOnChain, PreparedClaim) {
    start(MeasurerCount::Three)
}

pub(crate) fn refuses(pool: &PoolOnChain, claim: &PreparedClaim, expected: PoolError) {
    let mut pool = pool.clone();
    assert_eq!(pool.send_claim(claim), Err(expected.into()));
}

fn is_paid(count: MeasurerCount) {
    let (mut pool, claim) = start(count);
    let epoch = claim.arguments.epoch;
    let (before, books) = (pool.epoch(epoch), pool.record());
    let vault = pool.chain.tokens(&pool.vault());
    let receipt = pool.send_claim(&claim).unwrap();
    let reward = WEIGHT * before.rate;
    assert!(reward > FEE);
    assert_eq!(
        receipt.events(),
        [PoolEvent::Claimed {
            pool: address::bytes(&pool.pool),
            epoch,
            class: ClassId::new(CLASS),
            reward,
            fee: FEE,
        }]
    );
    assert_eq!(pool.chain.tokens(&claim.payee_tokens), reward - FEE);
    assert_eq!(pool.chain.tokens(&claim.relayer_tokens), FEE);
    assert_eq!(pool.chain.tokens(&pool.vault()), vault - reward);
    assert_eq!(
        pool.epoch(epoch),
        Epoch {
            claims: 1,
            reserved: before.reserved - reward,
            ..before.clone()
        }
    );
    assert_eq!(
        pool.record(),
        Pool {
            books: Books {
                assets: books.books.assets - reward,
                reserved: books.books.reserved - reward,
                attested: price::shown(&before.classes[usize::from(CLASS)].thresholds),
                ..books.books
            },
            ..books
        }
    );
    let (address, bump) = address::claim(&PROGRAM, &pool.pool, epoch, &claim.arguments.nullifier);
    assert_eq!(
        pool.chain.read::<Claim>(&address),
        Some(Claim {
            bump,
            pool: address::bytes(&pool.pool),
            epoch,
            nullifier: claim.arguments.nullifier,
            claim_until: before.deadline(),
            rent_payer: address::bytes(&claim.relayer.pubkey()),
        })
    );
}

#[test]
fn a_claim_before_three_measurers_is_paid() {
    is_paid(MeasurerCount::Three);
}

#[test]
fn a_claim_before_five_measurers_is_paid() {
    is_paid(MeasurerCount::Five);
}

#[test]
fn a_claim_before_seven_measurers_is_paid() {
    is_paid(MeasurerCount::Seven);
}

#[test]
fn a_lower_class_may_be_claimed_and_earns_less() {
    let (mut pool, claim) = three();
    let mut lower = pool.prepare(PERSON, claim.arguments.epoch, 0, 0);
    lower.arguments.max_fee = 0;
    pool.send_claim(&lower).unwrap();
    let rate = pool.epoch(claim.arguments.epoch).rate;
    assert_eq!(pool.chain.tokens(&lower.payee_tokens), rate);
    assert_eq!(pool.chain.tokens(&lower.relayer_tokens), 0);
}

#[test]
fn claims_are_taken_from_the_epochs_end_until_its_window_shuts() {
    let (pool, claim) = three();
    let ends_at = pool.epoch(claim.arguments.epoch).ends_at;
    let shut = ends_at + i64::from(CLAIM_WINDOW_SECONDS);
    for (time, expected) in [
        (ends_at - 1, Err(PoolError::EpochNotEnded)),
        (ends_at, Ok(())),
        (shut - 1, Ok(())),
        (shut, Err(PoolError::ClaimWindowShut)),
        (i64::MAX, Err(PoolError::ClaimWindowShut)),
    ] {
        let mut pool = pool.clone();
        pool.chain.set_time(time);
        assert_eq!(
            pool.send_claim(&claim).map(|_| ()),
            expected.map_err(Refusal::Pool),
            "at {time}"
        );
    }
}

#[test]
fn p5_a_fee_above_the_limit_or_the_reward_is_refused() {
    let (mut pool, claim) = three();
    let mut above = claim.clone();
    above.arguments.fee = FEE + 1;
    refuses(&pool, &above, PoolError::FeeTooHigh);
    let reward = WEIGHT * pool.epoch(claim.arguments.epoch).rate;
    for (fee, expected) in [(reward + 1, Err(PoolError::FeeTooHigh)), (reward, Ok(()))] {
        let claim = pool.prepare(PERSON, claim.arguments.epoch, CLASS, fee);
        let mut pool = pool.clone();
        assert_eq!(
            pool.send_claim(&claim).map(|_| ()),
            expected.map_err(Refusal::Pool)
        );
        if expected.is_ok() {
            assert_eq!(pool.chain.tokens(&claim.payee_tokens), 0);
            assert_eq!(pool.chain.tokens(&claim.relayer_tokens), reward);
        }
    }
}

#[test]
fn a_class_that_is_not_in_the_table_is_refused() {
    let (pool, claim) = three();
    for class in [9, 16, u8::MAX] {
        let mut unknown = claim.clone();
        unknown.arguments.class = ClassId::new(class);
        refuses(&pool, &unknown, PoolError::UnknownClass);
    }
}

#[test]
fn bytes_that_are_no_proof_are_refused() {
    let (pool, claim) = three();
    let honest = *claim.arguments.proof.as_bytes();
    for at in (0..256).step_by(16) {
        let mut bytes = honest;
        bytes[at] ^= 1;
        let mut changed = claim.clone();
        changed.arguments.proof = ProofBytes::new(bytes);
        refuses(&pool, &changed, PoolError::MalformedProof);
    }
    // Points, but the wrong ones: infinity everywhere, and A and C exchanged.
    let mut exchanged = honest;
    exchanged[..64].copy_from_slice(&honest[192..]);
    exchanged[192..].copy_from_slice(&honest[..64]);
    for bytes in [[0; 256], exchanged] {
        let mut changed = claim.clone();
        changed.arguments.proof = ProofBytes::new(bytes);
        refuses(&pool, &changed, PoolError::InvalidProof);
    }
}

#[test]
fn c3_the_release_build_pays_no_claim_of_a_development_key() {
    let (mut pool, claim) = three();
    pool.chain.add_program(PROGRAM, Build::Release);
    refuses(&pool, &claim, PoolError::DevelopmentKey);
}

#[test]
fn p1_lamports_sent_ahead_do_not_stop_a_claim() {
    let (pool, claim) = three();
    let address = pool.claim_address(&claim);
    let rent = {
        let mut pool = pool.clone();
        pool.send_claim(&claim).unwrap();
        pool.chain.lamports(&address)
    };
    for lamports in [1, rent - 1, rent, rent + 1, 1_000_000_000] {
        let mut pool = pool.clone();
        let account = Account {
            lamports,
            ..Account::default()
        };
        pool.chain.set(&address, account);
        let before = pool.chain.lamports(&claim.relayer.pubkey());
        pool.send_claim(&claim).unwrap();
        assert!(pool.chain.read::<Claim>(&address).is_some());
        assert_eq!(pool.chain.lamports(&address), lamports.max(rent));
        let paid = before - pool.chain.lamports(&claim.relayer.pubkey());
        assert_eq!(paid, rent.saturating_sub(lamports));
    }
}

#[test]
fn l2_no_key_of_the_operator_is_in_the_claims_transaction() {
    let (pool, claim) = three();
    let instruction = pool.claim_instruction(&claim);
    let signers: Vec<_> = instruction
        .accounts
        .iter()
        .filter(|meta| meta.is_signer)
        .collect();
    assert_eq!(signers.len(), 1);
    assert_eq!(signers[0].pubkey, claim.relayer.pubkey());
    let commitment = PERSON.commitment();
    let operator = address::operator(&PROGRAM, &pool.pool, &commitment).0;
    assert!(
        instruction
            .accounts
            .iter()
            .all(|meta| meta.pubkey != operator)
    );
    assert!(
        !instruction
            .data
            .windows(32)
            .any(|window| window == commitment.as_bytes())
    );
}

#[test]
fn an_epoch_that_was_never_opened_has_no_claims() {
    let (mut pool, claim) = three();
    let mut unopened = claim.clone();
    unopened.arguments.epoch = EpochId::new(1);
    assert_eq!(
        pool.send_claim(&unopened),
        Err(PoolError::WrongOwner.into())
    );
}
