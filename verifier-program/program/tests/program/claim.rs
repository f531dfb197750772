//! Claims: what is paid, and the attack rows of identity and proof.

use solana_account::Account;
use solana_signer::Signer;
use veilpool_interface::{Claim, Epoch, Pool, PoolError, address, builder, hashing};
use veilpool_program_harness::{
    PoolOnChain, Refusal,
    binary::Build,
    chain::PROGRAM,
    people::Person,
    pool::{CLAIM_WINDOW_SECONDS, PreparedClaim},
};
use veilpool_protocol::{AddressBytes, ClassId, EpochId, MeasurerCount, ProofBytes};

/// 50 Mbit/s at 99 %: weight 10.
const CLASS: u8 = 7;
const WEIGHT: u64 = 10;
const FEE: u64 = 1_000;
const PERSON: Person = Person(1);

fn start(count: MeasurerCount) -> (PoolOnChain, PreparedClaim) {
    let mut pool = PoolOnChain::with_operators(count, 3);
    let epoch = pool.run_epoch();
    let claim = pool.prepare(PERSON, epoch, CLASS, FEE);
    (pool, claim)
}

fn three() -> (PoolOnChain, PreparedClaim) {
    start(MeasurerCount::Three)
}

fn refuses(pool: &PoolOnChain, claim: &PreparedClaim, expected: PoolError) {
    let mut pool = pool.clone();
    assert_eq!(pool.send_claim(claim), Err(expected.into()));
}

fn is_paid(count: MeasurerCount) {
    let (mut pool, claim) = start(count);
    let epoch = claim.arguments.epoch;
    let (before, books) = (pool.epoch(epoch), pool.record());
    let vault = pool.chain.tokens(&pool.vault());
    pool.send_claim(&claim).unwrap();
    let reward = WEIGHT * before.rate;
    assert!(reward > FEE);
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
            assets: books.assets - reward,
            reserved: books.reserved - reward,
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
            claim_until: before.claim_until,
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
fn i1_one_identity_claims_once_in_an_epoch() {
    let (mut pool, claim) = three();
    let epoch = claim.arguments.epoch;
    pool.send_claim(&claim).unwrap();
    refuses(&pool, &claim, PoolError::AlreadyClaimed);
    // Another payee, class and relayer, with a proof of its own.
    let other = pool.prepare(PERSON, epoch, 0, 5);
    refuses(&pool, &other, PoolError::AlreadyClaimed);
    // Somebody else may still claim, and the same operator in the next epoch.
    let neighbour = pool.prepare(Person(2), epoch, CLASS, FEE);
    pool.send_claim(&neighbour).unwrap();
    let next = pool.run_epoch();
    let again = pool.prepare(PERSON, next, CLASS, FEE);
    pool.send_claim(&again).unwrap();
}

#[test]
fn i5_a_rerandomised_proof_is_no_second_claim() {
    let (mut pool, claim) = three();
    let mut second = claim.clone();
    second.arguments.proof = pool.prove(PERSON, &claim, 1);
    assert_ne!(second.arguments.proof, claim.arguments.proof);
    // It is a valid proof: in the place of the first it is paid.
    pool.clone().send_claim(&second).unwrap();
    pool.send_claim(&claim).unwrap();
    refuses(&pool, &second, PoolError::AlreadyClaimed);
}

#[test]
fn i4_a_proof_of_another_epoch_is_refused() {
    let (mut pool, claim) = three();
    let next = pool.run_epoch();
    // With the old nullifier, and with the new one.
    for nullifier in [claim.arguments.nullifier, PERSON.nullifier(next)] {
        let mut replayed = claim.clone();
        replayed.arguments.epoch = next;
        replayed.arguments.nullifier = nullifier;
        refuses(&pool, &replayed, PoolError::InvalidProof);
    }
}

#[test]
fn i4_a_proof_for_another_pool_is_refused() {
    let (pool, claim) = three();
    // The same operators, measurers, token and epoch, on the same chain.
    let mut other = PoolOnChain::on(pool.chain.clone(), MeasurerCount::Three);
    other.deposit(1_000_000).unwrap();
    for person in 0..3 {
        other.register(Person(person)).unwrap();
    }
    other.run_epoch();
    let mut replayed = claim.clone();
    let relayer = claim.relayer.pubkey();
    let payout = address::pubkey(&claim.arguments.payout);
    replayed.payee_tokens = other.chain.new_tokens(&other.mint, &payout, 0);
    replayed.relayer_tokens = other.chain.new_tokens(&other.mint, &relayer, 0);
    refuses(&other, &replayed, PoolError::InvalidProof);
}

#[test]
fn i4_a_proof_for_another_program_is_refused() {
    let (mut pool, claim) = three();
    // All of the pool's accounts, as another program would have them.
    let twin = pool.chain.new_key().pubkey();
    pool.chain.add_program(twin, Build::Development);
    let (twin_pool, bump) = address::pool(&twin, &pool.mint, &pool.authority);
    let (twin_vault, _) = address::vault(&twin, &twin_pool);
    let epoch = claim.arguments.epoch;
    let (twin_epoch, epoch_bump) = address::epoch(&twin, &twin_pool, epoch);
    let record = Pool {
        bump,
        vault: address::bytes(&twin_vault),
        ..pool.record()
    };
    let frozen = Epoch {
        bump: epoch_bump,
        pool: address::bytes(&twin_pool),
        ..pool.epoch(epoch)
    };
    let mut put = |from, to, data| {
        let account = Account {
            data,
            owner: twin,
            ..pool.chain.account(&from)
        };
        pool.chain.set(&to, account);
    };
    use veilpool_interface::Record as _;
    put(pool.pool, twin_pool, record.encode());
    let epoch_address = address::epoch(&PROGRAM, &pool.pool, epoch).0;
    put(epoch_address, twin_epoch, frozen.encode());
    let relayer = claim.relayer.pubkey();
    let instruction = builder::claim(
        &twin,
        &twin_pool,
        &relayer,
        &claim.payee_tokens,
        &claim.relayer_tokens,
        claim.arguments.clone(),
    );
    assert_eq!(
        pool.chain.send(&[instruction], &[&claim.relayer]),
        Err(PoolError::InvalidProof.into())
    );
}

#[test]
fn i4_a_proof_for_another_cluster_is_refused() {
    let (mut pool, claim) = three();
    // The same pool on a cluster with another genesis: its domain is another, and so is its set hash.
    let mut epoch = pool.epoch(claim.arguments.epoch);
    let domain = hashing::domain(
        &[0x48; 32],
        &address::bytes(&PROGRAM),
        &address::bytes(&pool.pool),
    );
    let keys = pool.record().measurers;
    epoch.set_hash = hashing::set_hash(&domain, MeasurerCount::Three, &keys).unwrap();
    let address = pool.epoch_address(claim.arguments.epoch);
    pool.chain.write(&address, &epoch);
    refuses(&pool, &claim, PoolError::InvalidProof);
}

#[test]
fn i6_a_claim_with_any_field_of_its_binding_changed_is_refused() {
    let (mut pool, claim) = three();
    let thief = pool.chain.new_person();
    let thiefs_tokens = pool.chain.new_tokens(&pool.mint, &thief.pubkey(), 0);

    // Payee.
    let mut changed = claim.clone();
    changed.arguments.payout = AddressBytes::new(thief.pubkey().to_bytes());
    changed.payee_tokens = thiefs_tokens;
    refuses(&pool, &changed, PoolError::InvalidProof);
    // Class: each other one of the table.
    for class in (0..9).filter(|class| *class != CLASS) {
        let mut changed = claim.clone();
        changed.arguments.class = ClassId::new(class);
        refuses(&pool, &changed, PoolError::InvalidProof);
    }
    // Relayer.
    let mut changed = claim.clone();
    changed.relayer = thief.insecure_clone();
    changed.relayer_tokens = thiefs_tokens;
    refuses(&pool, &changed, PoolError::InvalidProof);
    // Fee limit.
    for max_fee in [0, FEE - 1, FEE + 1, u64::MAX] {
        let mut changed = claim.clone();
        changed.arguments.max_fee = max_fee;
        changed.arguments.fee = changed.arguments.fee.min(max_fee);
        refuses(&pool, &changed, PoolError::InvalidProof);
    }
    // Nullifier.
    let mut changed = claim.clone();
    changed.arguments.nullifier = Person(2).nullifier(claim.arguments.epoch);
    refuses(&pool, &changed, PoolError::InvalidProof);
    // The fee itself is free up to its limit.
    let mut cheaper = claim.clone();
    cheaper.arguments.fee = 1;
    pool.clone().send_claim(&cheaper).unwrap();
    pool.send_claim(&claim).unwrap();
}

#[test]
fn i6_a_claim_for_a_pool_of_another_mint_is_refused() {
    let (mut pool, claim) = three();
    // As if the pool's record named another token: nothing else is different.
    let other = pool.chain.new_mint();
    let payout = address::pubkey(&claim.arguments.payout);
    let mut changed = claim.clone();
    changed.payee_tokens = pool.chain.new_tokens(&other, &payout, 0);
    changed.relayer_tokens = pool.chain.new_tokens(&other, &claim.relayer.pubkey(), 0);
    let (moved, bump) = address::pool(&PROGRAM, &other, &pool.authority);
    let record = Pool {
        bump,
        mint: address::bytes(&other),
        ..pool.record()
    };
    let account = pool.chain.account(&pool.pool);
    pool.chain.set(&moved, account);
    pool.chain.write(&moved, &record);
    let (epoch, bump) = address::epoch(&PROGRAM, &moved, claim.arguments.epoch);
    let frozen = Epoch {
        bump,
        pool: address::bytes(&moved),
        ..pool.epoch(claim.arguments.epoch)
    };
    let account = pool
        .chain
        .account(&pool.epoch_address(claim.arguments.epoch));
    pool.chain.set(&epoch, account);
    pool.chain.write(&epoch, &frozen);
    let mut instruction = builder::claim(
        &PROGRAM,
        &moved,
        &claim.relayer.pubkey(),
        &changed.payee_tokens,
        &changed.relayer_tokens,
        claim.arguments.clone(),
    );
    instruction.accounts[4].pubkey = pool.vault();
    assert_eq!(
        pool.chain.send(&[instruction], &[&claim.relayer]),
        Err(PoolError::InvalidProof.into())
    );
}

#[test]
fn i7_who_registers_after_an_epoch_opened_has_no_claim_in_it() {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    let epoch = pool.open_next().unwrap();
    let before = pool.epoch(epoch);
    pool.register(Person(9)).unwrap();
    assert_eq!(pool.epoch(epoch), before, "what an epoch froze stays");
    assert_ne!(pool.record().registry.root, before.registry_root);
    pool.chain.set_time(before.ends_at);
    // The best that the newcomer can do: a true proof against the pool's root of today.
    let mut claim = pool.unproven(Person(9), epoch, CLASS, FEE);
    let address = pool.epoch_address(epoch);
    let root = pool.record().registry.root;
    let mut ahead = pool.clone();
    let pretended = Epoch {
        registry_root: root,
        leaf_count: 4,
        ..before
    };
    ahead.chain.write(&address, &pretended);
    claim.arguments.proof = ahead.prove(Person(9), &claim, 0);
    ahead.send_claim(&claim).unwrap();
    refuses(&pool, &claim, PoolError::InvalidProof);
    // In the next epoch it is one of the operators.
    let next = pool.run_epoch();
    let claim = pool.prepare(Person(9), next, CLASS, FEE);
    pool.send_claim(&claim).unwrap();
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
fn p9_there_are_never_more_claims_than_leaves() {
    let (mut pool, claim) = three();
    let address = pool.epoch_address(claim.arguments.epoch);
    let full = Epoch {
        claims: 3,
        ..pool.epoch(claim.arguments.epoch)
    };
    pool.chain.write(&address, &full);
    refuses(&pool, &claim, PoolError::ClaimsExceedLeaves);
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
fn an_epoch_of_another_verifying_key_is_refused() {
    let (mut pool, claim) = three();
    let address = pool.epoch_address(claim.arguments.epoch);
    let other = Epoch {
        verifying_key: [9; 32],
        ..pool.epoch(claim.arguments.epoch)
    };
    pool.chain.write(&address, &other);
    refuses(&pool, &claim, PoolError::VerifyingKeyChanged);
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
