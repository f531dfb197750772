//! I9: an operator whose secret is shown loses its bond.

use solana_signer::Signer;
use veilpool_interface::{
    Operator, PoolError, PoolEvent, PoolInstruction, address, builder, registry::RegistryPath,
};
use veilpool_program_harness::{
    Holder, PoolOnChain, Receipt, Refusal,
    chain::PROGRAM,
    people::Person,
    pool::{BOND, CLAIM_WINDOW_SECONDS, EPOCH_SECONDS},
};
use veilpool_protocol::{FieldBytes, MeasurerCount, field::SCALAR_FIELD_ORDER};

const PERSON: Person = Person(1);
/// A quarter, by the rules of tests.
const REWARD: u64 = BOND / 4;

struct Start {
    pool: PoolOnChain,
    bonder: Holder,
    slasher: Holder,
    provider: Holder,
}

fn start() -> Start {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let provider = pool.new_holder(1_000_000);
    pool.deposit_as(&provider, 1_000_000).unwrap();
    pool.register(Person(0)).unwrap();
    let bonder = pool.new_holder(BOND);
    pool.register_as(&bonder, PERSON).unwrap();
    pool.register(Person(2)).unwrap();
    let slasher = pool.new_holder(0);
    Start {
        pool,
        bonder,
        slasher,
        provider,
    }
}

impl Start {
    fn slash(
        &mut self,
        secret: FieldBytes,
        path: Option<RegistryPath>,
    ) -> Result<Receipt, Refusal> {
        let Holder { key, tokens, .. } = &self.slasher;
        let slash = builder::slash_operator(
            &PROGRAM,
            &self.pool.pool,
            &key.pubkey(),
            tokens,
            &PERSON.commitment(),
            secret,
            path,
        );
        self.pool.chain.send(&[slash], &[key])
    }

    fn release(&mut self) -> Result<Receipt, Refusal> {
        let Holder { key, tokens, .. } = &self.bonder;
        let commitment = &PERSON.commitment();
        let release =
            builder::release_bond(&PROGRAM, &self.pool.pool, &key.pubkey(), tokens, commitment);
        self.pool.chain.send(&[release], &[])
    }

    fn operator(&self) -> Operator {
        let address = address::operator(&PROGRAM, &self.pool.pool, &PERSON.commitment()).0;
        self.pool.chain.read(&address).unwrap()
    }

    fn path(&self) -> Option<RegistryPath> {
        self.pool.path(PERSON)
    }

    fn refuses(&mut self, secret: FieldBytes, path: Option<RegistryPath>, expected: PoolError) {
        let before = self.pool.chain.everything();
        assert_eq!(self.slash(secret, path), Err(expected.into()));
        assert!(self.pool.chain.everything() == before);
    }
}

#[test]
fn i9_who_shows_a_secret_gets_a_part_of_the_bond_and_the_pool_the_rest() {
    let mut start = start();
    let path = start.path();
    let before = start.pool.record();
    let receipt = start.slash(PERSON.revealed(), path).unwrap();
    let to_pool = BOND - REWARD;
    assert_eq!(
        receipt.events(),
        [PoolEvent::Slashed {
            pool: address::bytes(&start.pool.pool),
            leaf_index: 1,
            reward: REWARD,
            to_pool,
        }]
    );
    assert_eq!(start.pool.chain.tokens(&start.slasher.tokens), REWARD);
    let after = start.pool.record();
    assert_eq!(after.books.assets, before.books.assets + to_pool);
    assert_eq!(after.books.shares, before.books.shares);
    assert_eq!(after.books.bonded, before.books.bonded - BOND);
    assert_eq!(after.books.operators, 2);
    assert_ne!(after.registry.root, before.registry.root);
    assert_eq!(
        start.pool.chain.tokens(&start.pool.vault()),
        1_000_000 + to_pool
    );
    assert_eq!(start.pool.chain.tokens(&start.pool.bonds()), 2 * BOND);
    // Shares are worth more.
    let all = start.pool.chain.tokens(&start.provider.shares);
    let provider = start.provider.clone();
    start.pool.request_withdrawal(&provider, 0, all).unwrap();
    start.pool.chain.advance(3_000);
    start.pool.withdraw(&provider, 0).unwrap();
    let paid = start.pool.chain.tokens(&provider.tokens);
    assert!((1_000_000 + to_pool - 1..=1_000_000 + to_pool).contains(&paid));
}

#[test]
fn i9_who_is_slashed_is_in_no_later_epoch_and_in_no_longer_than_its_last_one() {
    let mut start = start();
    let first = start.pool.open_next().unwrap();
    let path = start.path();
    start.slash(PERSON.revealed(), path).unwrap();
    start.pool.has_left(PERSON);
    let shut = start.pool.epoch(first).claim_until;
    start.pool.chain.set_time(shut - 1);
    assert_eq!(start.release(), Err(PoolError::BondLocked.into()));
    start.pool.chain.set_time(shut);
    let second = start.pool.open_next().unwrap();
    assert_eq!(start.pool.epoch(second).operators, 2);
    // The account's rent goes back to the bonder, and no bond.
    let own = start.bonder.key.pubkey();
    let before = start.pool.chain.lamports(&own);
    let receipt = start.release().unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::BondReleased {
            pool: address::bytes(&start.pool.pool),
            leaf_index: 1,
            bond: 0
        }]
    );
    assert_eq!(start.pool.chain.tokens(&start.bonder.tokens), 0);
    assert!(start.pool.chain.lamports(&own) > before);
}

#[test]
fn i9_another_secret_slashes_nobody() {
    let mut start = start();
    for secret in [
        Person(0).revealed(),
        PERSON.commitment().to_field(),
        FieldBytes::ZERO,
        FieldBytes::from_u128(1),
    ] {
        let path = start.path();
        start.refuses(secret, path, PoolError::WrongSecret);
    }
}

#[test]
fn i9_a_secret_that_is_not_canonical_is_an_invalid_instruction() {
    let mut start = start();
    // sk + r is the same element, and another 32 bytes.
    let mut aliased = *PERSON.revealed().as_bytes();
    let mut carry = 0u16;
    for (byte, order) in aliased.iter_mut().zip(SCALAR_FIELD_ORDER).rev() {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    let Holder { key, tokens, .. } = &start.slasher;
    let mut slash = builder::slash_operator(
        &PROGRAM,
        &start.pool.pool,
        &key.pubkey(),
        tokens,
        &PERSON.commitment(),
        PERSON.revealed(),
        start.pool.path(PERSON),
    );
    slash.data[1..33].copy_from_slice(&aliased);
    assert!(PoolInstruction::decode(&slash.data).is_err());
    assert_eq!(
        start.pool.chain.send(&[slash], &[key]),
        Err(PoolError::InvalidInstruction.into())
    );
}

#[test]
fn i9_there_is_nothing_to_slash_twice() {
    let mut start = start();
    let path = start.path();
    start.slash(PERSON.revealed(), path.clone()).unwrap();
    for path in [None, path] {
        start.refuses(PERSON.revealed(), path, PoolError::NothingToSlash);
    }
    // Nor does it leave again.
    let own = start.bonder.key.pubkey();
    let path = RegistryPath {
        given: 0,
        nodes: Vec::new(),
    };
    let exit = builder::exit_operator(&PROGRAM, &start.pool.pool, &own, &PERSON.commitment(), path);
    assert_eq!(
        start.pool.chain.send(&[exit], &[&start.bonder.key]),
        Err(PoolError::OperatorLeft.into())
    );
}

#[test]
fn i9_who_has_left_is_slashed_until_its_bond_is_released() {
    for path_is_given in [false, true] {
        let mut start = start();
        let path = start.path().filter(|_| path_is_given);
        let bonder = start.bonder.key.insecure_clone();
        start.pool.exit(&bonder, PERSON).unwrap();
        let root = start.pool.record().registry.root;
        let exit = start.operator().exit;
        start.slash(PERSON.revealed(), path).unwrap();
        assert_eq!(start.pool.record().registry.root, root);
        assert_eq!(start.pool.record().books.operators, 2);
        assert_eq!((start.operator().exit, start.operator().bond), (exit, 0));
        start
            .pool
            .chain
            .advance(i64::from(EPOCH_SECONDS + CLAIM_WINDOW_SECONDS));
        start.release().unwrap();
        assert_eq!(start.pool.chain.tokens(&start.bonder.tokens), 0);
        start.refuses(PERSON.revealed(), None, PoolError::WrongOwner);
    }
}

#[test]
fn i9_without_the_path_of_a_leaf_that_is_there_nobody_is_slashed() {
    let mut start = start();
    let mut other = start.path().unwrap();
    other.nodes.reverse();
    let foreign = start.pool.path(Person(0));
    for path in [None, Some(other), foreign] {
        start.refuses(PERSON.revealed(), path, PoolError::WrongPath);
    }
}

#[test]
fn p5_a_reward_is_rounded_down_and_the_rest_is_the_pools() {
    for (bond, bps, reward) in [
        (1, 9_999, 0),
        (7, 5_000, 3),
        (BOND, 0, 0),
        (BOND, 9_999, 4_999),
    ] {
        let mut start = start();
        let address = address::operator(&PROGRAM, &start.pool.pool, &PERSON.commitment()).0;
        let mut operator = start.operator();
        operator.bond = bond;
        start.pool.chain.write(&address, &operator);
        start
            .pool
            .edit(|pool| pool.rules.parameters.slash_reward_bps = bps);
        let path = start.path();
        start.slash(PERSON.revealed(), path).unwrap();
        assert_eq!(start.pool.chain.tokens(&start.slasher.tokens), reward);
        let assets = start.pool.record().books.assets;
        assert_eq!(assets, 1_000_000 + bond - reward);
    }
}
