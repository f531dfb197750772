//! The attack rows of identity and proof: one claim for one nullifier, and no proof for anything else than it
//! was made for.

use solana_account::Account;
use solana_signer::Signer;
use veilpool_interface::{
    Epoch, PoolError, Record, address,
    builder::{self, ClaimAccounts},
    hashing,
    state::Key,
};
use veilpool_program_harness::{
    PoolOnChain,
    binary::Build,
    chain::PROGRAM,
    people::Person,
    pool::{verifying_key, verifying_key_digest},
};
use veilpool_protocol::{AddressBytes, ClassId, MeasurerCount};

use crate::claim::{CLASS, FEE, PERSON, refuses, three};

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
    let (twin_pool, bump) = address::pool(&twin, &pool.mint, &pool.founder);
    let (twin_vault, _) = address::vault(&twin, &twin_pool);
    let epoch = claim.arguments.epoch;
    let (twin_epoch, epoch_bump) = address::epoch(&twin, &twin_pool, epoch);
    let mut record = pool.record();
    record.rules.bump = bump;
    record.rules.vault = address::bytes(&twin_vault);
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
    put(pool.pool, twin_pool, record.encode());
    let epoch_address = address::epoch(&PROGRAM, &pool.pool, epoch).0;
    put(epoch_address, twin_epoch, frozen.encode());
    let relayer = claim.relayer.pubkey();
    // The key is published there as well.
    let digest = verifying_key_digest(MeasurerCount::Three);
    let (twin_key, key_bump) = address::key(&twin, &digest);
    let key = Key {
        bump: key_bump,
        file: verifying_key(MeasurerCount::Three),
    };
    put(address::key(&PROGRAM, &digest).0, twin_key, key.encode());
    let instruction = builder::claim(
        &twin,
        &twin_pool,
        &ClaimAccounts {
            relayer,
            payee_tokens: claim.payee_tokens,
            relayer_tokens: claim.relayer_tokens,
            verifying_key: digest,
        },
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
    let domain = hashing::domain(
        &[0x48; 32],
        &address::bytes(&PROGRAM),
        &address::bytes(&pool.pool),
    );
    let keys = pool.record().measurers;
    let set_hash = hashing::set_hash(&domain, MeasurerCount::Three, &keys).unwrap();
    pool.edit_epoch(claim.arguments.epoch, |epoch| epoch.set_hash = set_hash);
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
    let (moved, bump) = address::pool(&PROGRAM, &other, &pool.founder);
    let mut record = pool.record();
    record.rules.bump = bump;
    record.rules.mint = address::bytes(&other);
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
        &ClaimAccounts {
            relayer: claim.relayer.pubkey(),
            payee_tokens: changed.payee_tokens,
            relayer_tokens: changed.relayer_tokens,
            verifying_key: verifying_key_digest(MeasurerCount::Three),
        },
        claim.arguments.clone(),
    );
    instruction.accounts[5].pubkey = pool.vault();
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
    ahead.frozen.insert(epoch, ahead.people.clone());
    let pretended = Epoch {
        registry_root: root,
        leaf_count: 4,
        operators: 4,
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
