//! Registering operators.

use solana_account::Account;
use solana_signer::Signer;
use veilpool_interface::{Operator, PoolError, address, builder};
use veilpool_primitives::RegistryTree;
use veilpool_program_harness::{
    Holder, PoolOnChain, Receipt, Refusal, chain::PROGRAM, people::Person, pool::BOND,
};
use veilpool_protocol::{CommitmentBytes, FieldBytes, MeasurerCount, registry::CAPACITY};

struct Start {
    pool: PoolOnChain,
    bonder: Holder,
}

fn start() -> Start {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let bonder = pool.new_holder(3 * BOND);
    Start { pool, bonder }
}

impl Start {
    fn register(&mut self, commitment: CommitmentBytes) -> Result<Receipt, Refusal> {
        let Holder { key, tokens, .. } = &self.bonder;
        let own = key.pubkey();
        let register =
            builder::register_operator(&PROGRAM, &self.pool.pool, &own, tokens, commitment);
        self.pool.chain.send(&[register], &[key])
    }
}

#[test]
fn every_leaf_on_chain_gives_the_root_of_the_native_tree() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let mut tree = RegistryTree::default();
    // Past the first nodes of two levels.
    for person in 0..22 {
        pool.register(Person(person)).unwrap();
        tree.append(Person(person).commitment()).unwrap();
        let registry = pool.record().registry;
        assert_eq!(registry.leaf_count, u32::from(person) + 1);
        assert_eq!(registry.root, tree.root());
    }
    assert_eq!(pool.chain.tokens(&pool.bonds()), 22 * BOND);
    let books = pool.record().books;
    assert_eq!(
        (books.assets, books.bonded, books.operators),
        (0, 22 * BOND, 22)
    );
}

#[test]
fn an_operators_account_says_who_bonded_what() {
    let mut start = start();
    start.register(Person(5).commitment()).unwrap();
    start.register(Person(6).commitment()).unwrap();
    let (address, bump) = address::operator(&PROGRAM, &start.pool.pool, &Person(6).commitment());
    let operator: Operator = start.pool.chain.read(&address).unwrap();
    assert_eq!(
        operator,
        Operator {
            bump,
            pool: address::bytes(&start.pool.pool),
            commitment: Person(6).commitment(),
            leaf_index: 1,
            bond: BOND,
            bonder: address::bytes(&start.bonder.key.pubkey()),
            exit: None,
        }
    );
    assert_eq!(start.pool.chain.tokens(&start.bonder.tokens), BOND);
}

#[test]
fn p4_a_commitment_is_registered_once() {
    let mut start = start();
    start.register(Person(0).commitment()).unwrap();
    assert_eq!(
        start.register(Person(0).commitment()),
        Err(PoolError::AlreadyExists.into())
    );
    assert_eq!(start.pool.record().registry.leaf_count, 1);
}

#[test]
fn a_commitment_of_zero_is_refused() {
    let zero = CommitmentBytes::from_field(FieldBytes::ZERO);
    assert_eq!(
        start().register(zero),
        Err(PoolError::ZeroCommitment.into())
    );
}

#[test]
fn a_full_registry_takes_nobody() {
    let mut start = start();
    start.pool.edit(|pool| pool.registry.leaf_count = CAPACITY);
    assert_eq!(
        start.register(Person(0).commitment()),
        Err(PoolError::RegistryFull.into())
    );
    start
        .pool
        .edit(|pool| pool.registry.leaf_count = CAPACITY - 1);
    start.register(Person(0).commitment()).unwrap();
    assert_eq!(start.pool.record().registry.leaf_count, CAPACITY);
}

#[test]
fn a_bond_that_is_not_there_is_the_token_programs_refusal() {
    let mut start = start();
    let holder = start.bonder.key.pubkey();
    start.bonder.tokens = start
        .pool
        .chain
        .new_tokens(&start.pool.mint, &holder, BOND - 1);
    assert_eq!(
        start.register(Person(0).commitment()),
        Err(Refusal::Custom(1))
    );
    assert_eq!(start.pool.record().registry.leaf_count, 0);
}

#[test]
fn p1_lamports_sent_ahead_do_not_stop_an_operator_from_registering() {
    for lamports in [1, 100_000_000] {
        let mut start = start();
        let commitment = Person(0).commitment();
        let address = address::operator(&PROGRAM, &start.pool.pool, &commitment).0;
        let account = Account {
            lamports,
            ..Account::default()
        };
        start.pool.chain.set(&address, account);
        start.register(commitment).unwrap();
        let operator: Operator = start.pool.chain.read(&address).unwrap();
        assert_eq!(operator.commitment, commitment);
    }
}
