//! Operators that leave: their leaf, what they can still claim, and their bond.

use proptest::prelude::*;
use solana_keypair::Keypair;
use solana_signer::Signer;
use veilpool_interface::{
    Deadline, Exit, Operator, PoolError, PoolEvent, address, builder, registry::RegistryPath,
};
use veilpool_primitives::RegistryTree;
use veilpool_program_harness::{
    Holder, PoolOnChain, Receipt, Refusal,
    chain::{GENESIS_TIME, PROGRAM},
    people::{self, Person},
    pool::{BOND, CLAIM_WINDOW_SECONDS, EPOCH_SECONDS, FUNDS},
};
use veilpool_protocol::{
    CommitmentBytes, FieldBytes, MeasurerCount, RegistryNodeBytes, registry::DEPTH,
};

const PERSON: Person = Person(1);
/// How long a bond stays where no epoch is open.
const LOCKED: i64 = (EPOCH_SECONDS + CLAIM_WINDOW_SECONDS) as i64;

fn start() -> (PoolOnChain, Holder) {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    pool.deposit(FUNDS).unwrap();
    let bonder = pool.new_holder(2 * BOND);
    pool.register(Person(0)).unwrap();
    pool.register_as(&bonder, PERSON).unwrap();
    pool.register(Person(2)).unwrap();
    (pool, bonder)
}

fn exit_by(
    pool: &mut PoolOnChain,
    bonder: &Keypair,
    path: RegistryPath,
) -> Result<Receipt, Refusal> {
    let own = bonder.pubkey();
    let exit = builder::exit_operator(&PROGRAM, &pool.pool, &own, &PERSON.commitment(), path);
    pool.chain.send(&[exit], &[bonder])
}

fn release(pool: &mut PoolOnChain, bonder: &Holder) -> Result<Receipt, Refusal> {
    let own = bonder.key.pubkey();
    let (tokens, commitment) = (&bonder.tokens, &PERSON.commitment());
    let release = builder::release_bond(&PROGRAM, &pool.pool, &own, tokens, commitment);
    pool.chain.send(&[release], &[])
}

fn operator(pool: &PoolOnChain) -> Option<Operator> {
    let address = address::operator(&PROGRAM, &pool.pool, &PERSON.commitment()).0;
    pool.chain.read(&address)
}

fn is(answer: Result<impl Sized, Refusal>, expected: PoolError) {
    assert_eq!(answer.map(|_| ()), Err(expected.into()));
}

/// The root of a tree with empty leaves where somebody has left.
fn native_root(people: &[Option<Person>]) -> veilpool_protocol::RegistryRootBytes {
    let empty = CommitmentBytes::from_field(FieldBytes::ZERO);
    let leaves = people
        .iter()
        .map(|person| person.map_or(empty, Person::commitment));
    RegistryTree::from_leaves(leaves).unwrap().root()
}

#[test]
fn who_leaves_has_an_empty_leaf_at_once_and_the_root_is_the_native_trees() {
    let (mut pool, bonder) = start();
    let receipt = pool.exit(&bonder.key, PERSON).unwrap();
    let own = address::bytes(&pool.pool);
    assert_eq!(
        receipt.events(),
        [PoolEvent::Exited {
            pool: own,
            leaf_index: 1
        }]
    );
    let record = pool.record();
    assert_eq!(
        record.registry.root,
        native_root(&[Some(Person(0)), None, Some(Person(2))])
    );
    assert_eq!(record.registry.leaf_count, 3);
    assert_eq!((record.books.operators, record.books.bonded), (2, 3 * BOND));
    let operator = operator(&pool).unwrap();
    assert_eq!(
        operator.exit,
        Some(Exit {
            epoch: record.books.next_epoch,
            release: Deadline {
                at: GENESIS_TIME + LOCKED,
                paused_before: 0
            },
        })
    );
    assert_eq!(operator.bond, BOND);
}

#[test]
fn i8_epochs_that_were_opened_before_keep_who_leaves_and_later_ones_do_not() {
    let (mut pool, bonder) = start();
    let first = pool.open_next().unwrap();
    let before = pool.epoch(first);
    pool.exit(&bonder.key, PERSON).unwrap();
    assert_eq!(pool.epoch(first), before);
    pool.chain.set_time(before.ends_at);
    let claim = pool.prepare(PERSON, first, 7, 0);
    pool.send_claim(&claim).unwrap();
    assert!(pool.chain.tokens(&claim.payee_tokens) > 0);

    let second = pool.run_epoch();
    assert_eq!(pool.epoch(second).operators, 2);
    assert!(operator(&pool).unwrap().is_in(first, 3));
    assert!(!operator(&pool).unwrap().is_in(second, 3));
    // The best that it can do: a true proof against the root of when it was there.
    let mut late = pool.unproven(PERSON, second, 7, 0);
    let mut pretended = pool.clone();
    pretended.edit_epoch(second, |epoch| epoch.registry_root = before.registry_root);
    let frozen = pretended.frozen[&first].clone();
    pretended.frozen.insert(second, frozen);
    late.arguments.proof = pretended.prove(PERSON, &late, 0);
    pretended.send_claim(&late).unwrap();
    is(pool.send_claim(&late), PoolError::InvalidProof);
    // Those that stayed still claim.
    let claim = pool.prepare(Person(2), second, 7, 0);
    pool.send_claim(&claim).unwrap();
}

#[test]
fn i7_who_registers_in_the_place_of_nobody_gets_no_leaf_of_an_open_epoch() {
    let (mut pool, bonder) = start();
    let epoch = pool.open_next().unwrap();
    pool.exit(&bonder.key, PERSON).unwrap();
    pool.register(Person(9)).unwrap();
    // A leaf that is free is never given to somebody else: the newcomer has one of its own.
    assert_eq!(pool.record().registry.leaf_count, 4);
    assert_eq!(pool.epoch(epoch).leaf_count, 3);
    assert_eq!(pool.record().registry.root, native_root(&pool.people));
}

#[test]
fn a_path_that_does_not_lead_from_the_leaf_to_the_root_is_refused() {
    let (mut pool, bonder) = start();
    let path = pool.path(PERSON).unwrap();
    let old = path.clone();
    pool.register(Person(3)).unwrap();
    let now = pool.path(PERSON).unwrap();
    let foreign = pool.path(Person(2)).unwrap();
    let other = PoolOnChain::with_operators(MeasurerCount::Three, 5);
    let of_another_pool = other.path(PERSON).unwrap();
    let node = RegistryNodeBytes::from_field(FieldBytes::from_u128(5));
    let altered = |change: &dyn Fn(&mut RegistryPath)| {
        let mut path = now.clone();
        change(&mut path);
        path
    };
    let wrong = [
        old,
        foreign,
        of_another_pool,
        altered(&|path| path.nodes[0] = node),
        altered(&|path| path.nodes.reverse()),
        altered(&|path| path.nodes.push(node)),
        altered(&|path| path.nodes.truncate(path.nodes.len() - 1)),
        altered(&|path| path.nodes.clear()),
        altered(&|path| path.given = 0),
        altered(&|path| path.given = u32::MAX),
        altered(&|path| path.given <<= 1),
        // Beyond the tree.
        altered(&|path| path.given |= 1 << (3 * DEPTH)),
        altered(&|path| path.given |= 1 << 31),
        RegistryPath {
            given: 0,
            nodes: Vec::new(),
        },
    ];
    for (index, path) in wrong.into_iter().enumerate() {
        let before = pool.chain.everything();
        let answer = exit_by(&mut pool, &bonder.key, path);
        assert_eq!(
            answer.map(|_| ()),
            Err(PoolError::WrongPath.into()),
            "path {index}"
        );
        assert!(pool.chain.everything() == before);
    }
    exit_by(&mut pool, &bonder.key, now).unwrap();
}

#[test]
fn a_path_that_also_gives_what_is_empty_is_as_good() {
    let (mut pool, bonder) = start();
    let tree = RegistryTree::from_leaves(pool.people.iter().flatten().map(|one| one.commitment()));
    let siblings = tree.unwrap().path(1).unwrap().siblings_to_bytes();
    let all = RegistryPath {
        given: (1 << (3 * DEPTH)) - 1,
        nodes: siblings.into_iter().flatten().collect(),
    };
    // Too long for a transaction of its own; what fits is one that leaves out the higher half.
    let half = RegistryPath {
        given: (1 << 15) - 1,
        nodes: all.nodes[..15].to_vec(),
    };
    exit_by(&mut pool, &bonder.key, half).unwrap();
}

#[test]
fn nobody_leaves_twice_or_is_taken_out_by_somebody_else() {
    let (mut pool, bonder) = start();
    let path = pool.path(PERSON).unwrap();
    let thief = pool.chain.new_person();
    is(
        exit_by(&mut pool, &thief, path.clone()),
        PoolError::WrongAuthority,
    );
    // The pool's authority has no say in it.
    is(
        exit_by(&mut pool, &people::authority(), path.clone()),
        PoolError::WrongAuthority,
    );
    pool.exit(&bonder.key, PERSON).unwrap();
    is(
        exit_by(&mut pool, &bonder.key, path),
        PoolError::OperatorLeft,
    );
    assert_eq!(pool.record().books.operators, 2);
}

#[test]
fn i8_a_bond_is_released_after_the_last_window_that_its_leaf_is_in() {
    let (mut pool, bonder) = start();
    is(release(&mut pool, &bonder), PoolError::OperatorActive);
    let first = pool.run_epoch();
    let second = pool.open_next().unwrap();
    pool.exit(&bonder.key, PERSON).unwrap();
    // Later epochs don't count.
    let shut = pool.epoch(second).claim_until;
    assert!(shut > pool.epoch(first).claim_until);
    pool.chain.set_time(pool.epoch(second).ends_at);
    pool.open_next().unwrap();
    for time in [GENESIS_TIME, shut - 1] {
        pool.chain.set_time(time);
        is(release(&mut pool, &bonder), PoolError::BondLocked);
    }
    pool.chain.set_time(shut);
    let address = address::operator(&PROGRAM, &pool.pool, &PERSON.commitment()).0;
    let own = bonder.key.pubkey();
    let (rent, lamports) = (pool.chain.lamports(&address), pool.chain.lamports(&own));
    let receipt = release(&mut pool, &bonder).unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::BondReleased {
            pool: address::bytes(&pool.pool),
            leaf_index: 1,
            bond: BOND
        }]
    );
    assert_eq!(pool.chain.tokens(&bonder.tokens), 2 * BOND);
    assert_eq!(pool.chain.lamports(&own), lamports + rent);
    assert_eq!(pool.record().books.bonded, 2 * BOND);
    assert_eq!(operator(&pool), None);
    is(release(&mut pool, &bonder), PoolError::WrongOwner);
}

#[test]
fn i8_a_bond_waits_longer_by_as_much_as_claims_are_paused() {
    let authority = people::authority();
    // A pause that begins after the exit, and one that it is in the middle of.
    for ahead in [0, 100] {
        let (mut pool, bonder) = start();
        let epoch = pool.open_next().unwrap();
        let shut = pool.epoch(epoch).claim_until;
        let pause = builder::pause_claims(&PROGRAM, &pool.pool, &authority.pubkey(), 500);
        if ahead == 0 {
            pool.exit(&bonder.key, PERSON).unwrap();
        }
        pool.chain.send(&[pause], &[&authority]).unwrap();
        pool.chain.advance(ahead);
        if ahead > 0 {
            pool.exit(&bonder.key, PERSON).unwrap();
        }
        for time in [shut, shut + 499] {
            pool.chain.set_time(time);
            is(release(&mut pool, &bonder), PoolError::BondLocked);
        }
        pool.chain.set_time(shut + 500);
        release(&mut pool, &bonder).unwrap();
    }
}

#[test]
fn i8_a_bond_is_released_by_anybody_and_to_its_bonder_alone() {
    let (mut pool, bonder) = start();
    pool.exit(&bonder.key, PERSON).unwrap();
    let thief = pool.new_holder(0);
    let commitment = PERSON.commitment();
    let own = bonder.key.pubkey();
    let to = |to: &solana_pubkey::Pubkey, tokens| {
        let mut release = builder::release_bond(&PROGRAM, &pool.pool, &own, tokens, &commitment);
        release.accounts[2].pubkey = *to;
        release
    };
    let wrong = [
        (to(&own, &thief.tokens), PoolError::WrongTokenAccount),
        (
            to(&thief.key.pubkey(), &thief.tokens),
            PoolError::WrongAddress,
        ),
    ];
    for (instruction, expected) in wrong {
        is(pool.chain.send(&[instruction], &[]), expected);
    }
    pool.chain.advance(LOCKED);
    // Another account of the bonder's only where the bonder signs.
    let other = pool.chain.new_tokens(&pool.mint, &own, 0);
    let mut elsewhere = builder::release_bond(&PROGRAM, &pool.pool, &own, &other, &commitment);
    is(
        pool.chain.send(std::slice::from_ref(&elsewhere), &[]),
        PoolError::WrongAddress,
    );
    elsewhere.accounts[2].is_signer = true;
    let mut signed = pool.clone();
    signed.chain.send(&[elsewhere], &[&bonder.key]).unwrap();
    assert_eq!(signed.chain.tokens(&other), BOND);
    release(&mut pool, &bonder).unwrap();
}

#[test]
fn i8_the_bond_is_that_of_when_it_was_paid_in_whatever_it_is_by_now() {
    let (mut pool, bonder) = start();
    pool.edit(|pool| pool.rules.parameters.bond_amount = 3 * BOND);
    pool.exit(&bonder.key, PERSON).unwrap();
    pool.chain.advance(LOCKED);
    release(&mut pool, &bonder).unwrap();
    assert_eq!(pool.chain.tokens(&bonder.tokens), 2 * BOND);
    assert_eq!(pool.record().books.bonded, 2 * BOND);
}

#[test]
fn i8_one_bond_is_not_put_in_and_taken_out_until_the_registry_is_full() {
    let (mut pool, bonder) = start();
    pool.exit(&bonder.key, PERSON).unwrap();
    is(release(&mut pool, &bonder), PoolError::BondLocked);
    pool.chain.advance(LOCKED - 1);
    is(release(&mut pool, &bonder), PoolError::BondLocked);
    pool.chain.advance(1);
    release(&mut pool, &bonder).unwrap();
}

#[test]
fn p4_a_commitment_is_registered_again_only_after_its_bond_was_released() {
    let (mut pool, bonder) = start();
    let epoch = pool.open_next().unwrap();
    pool.exit(&bonder.key, PERSON).unwrap();
    is(pool.register_as(&bonder, PERSON), PoolError::AlreadyExists);
    pool.chain.set_time(pool.epoch(epoch).claim_until);
    release(&mut pool, &bonder).unwrap();
    pool.register_as(&bonder, PERSON).unwrap();
    assert_eq!(operator(&pool).unwrap().leaf_index, 3);
    let next = pool.run_epoch();
    let claim = pool.prepare(PERSON, next, 7, 0);
    pool.send_claim(&claim).unwrap();
}

#[test]
fn a_transaction_holds_several_registrations() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let bonder = pool.new_holder(6 * BOND);
    let own = bonder.key.pubkey();
    let people: Vec<Person> = (0..6).map(Person).collect();
    let register: Vec<_> = people
        .iter()
        .map(|person| {
            let tokens = &bonder.tokens;
            let commitment = person.commitment();
            builder::register_operator(&PROGRAM, &pool.pool, &own, tokens, commitment)
        })
        .collect();
    pool.chain.send(&register, &[&bonder.key]).unwrap();
    let people: Vec<_> = people.into_iter().map(Some).collect();
    assert_eq!(pool.record().registry.root, native_root(&people));
    assert_eq!(pool.record().books.operators, 6);
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 40, ..ProptestConfig::with_cases(12) })]
    #[test]
    fn whoever_comes_and_goes_the_root_is_the_native_trees(
        steps in proptest::collection::vec((any::<bool>(), any::<proptest::sample::Index>(), any::<bool>()), 40..120),
    ) {
        let mut pool = PoolOnChain::empty(MeasurerCount::Three);
        let bonder = pool.new_holder(200 * BOND);
        for (leaves, which, recent) in steps {
            let present: Vec<Person> = pool.people.iter().flatten().copied().collect();
            let newcomer = Person(u8::try_from(pool.people.len()).unwrap());
            if leaves && !present.is_empty() || newcomer.0 >= 80 {
                if present.is_empty() {
                    break;
                }
                // Often one of the last, whose nodes are in the frontier.
                let from = if recent { present.len().saturating_sub(5) } else { 0 };
                let person = present[from + which.index(present.len() - from)];
                pool.exit(&bonder.key, person).unwrap();
            } else {
                pool.register_as(&bonder, newcomer).unwrap();
            }
            let record = pool.record();
            prop_assert_eq!(record.registry.root, native_root(&pool.people));
            let operators = pool.people.iter().flatten().count();
            prop_assert_eq!(record.books.operators as usize, operators);
        }
        // And every node of the frontier is still right: whoever comes next is appended to the same tree.
        pool.register_as(&bonder, Person(90)).unwrap();
        prop_assert_eq!(pool.record().registry.root, native_root(&pool.people));
    }
}
