//! Registering operators.

use solana_account::Account;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::state::AccountState;
use veilpool_interface::{Operator, Pool, PoolError, address, address::TOKEN_PROGRAM, builder};
use veilpool_primitives::RegistryTree;
use veilpool_program_harness::{
    PoolOnChain, Receipt, Refusal, chain::PROGRAM, people::Person, pool::BOND,
};
use veilpool_protocol::{CommitmentBytes, FieldBytes, MeasurerCount, registry::CAPACITY};

use crate::{
    accounts::{Honest, Wrong, row},
    initialise_pool::token_2022,
};

struct Start {
    pool: PoolOnChain,
    bonder: Keypair,
    tokens: Pubkey,
}

fn start() -> Start {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let (bonder, tokens) = pool.new_holder(3 * BOND);
    Start {
        pool,
        bonder,
        tokens,
    }
}

impl Start {
    fn register(&mut self, commitment: CommitmentBytes) -> Result<Receipt, Refusal> {
        let key = self.bonder.pubkey();
        let register =
            builder::register_operator(&PROGRAM, &self.pool.pool, &key, &self.tokens, commitment);
        self.pool.chain.send(&[register], &[&self.bonder])
    }

    fn honest(&self) -> Honest {
        let key = self.bonder.pubkey();
        Honest {
            chain: self.pool.chain.clone(),
            instruction: builder::register_operator(
                &PROGRAM,
                &self.pool.pool,
                &key,
                &self.tokens,
                Person(0).commitment(),
            ),
            signers: vec![self.bonder.insecure_clone()],
        }
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
    assert_eq!(pool.record().assets, 0);
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
            bonder: address::bytes(&start.bonder.pubkey()),
        }
    );
    assert_eq!(start.pool.chain.tokens(&start.tokens), BOND);
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
    let mut record: Pool = start.pool.record();
    record.registry.leaf_count = CAPACITY;
    start.pool.chain.write(&start.pool.pool, &record);
    assert_eq!(
        start.register(Person(0).commitment()),
        Err(PoolError::RegistryFull.into())
    );
    record.registry.leaf_count = CAPACITY - 1;
    start.pool.chain.write(&start.pool.pool, &record);
    start.register(Person(0).commitment()).unwrap();
    assert_eq!(start.pool.record().registry.leaf_count, CAPACITY);
}

#[test]
fn a_bond_that_is_not_there_is_the_token_programs_refusal() {
    let mut start = start();
    let holder = start.bonder.pubkey();
    start.tokens = start
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

#[test]
fn p3_each_wrong_account_of_register_operator_has_its_code() {
    let mut start = start();
    let other_pool = PoolOnChain::on(start.pool.chain.clone(), MeasurerCount::Three);
    start.pool.chain = other_pool.chain.clone();
    let mint = start.pool.mint;
    let own = start.bonder.pubkey();
    let chain = &mut start.pool.chain;
    let stranger = chain.new_person().pubkey();
    let strangers_tokens = chain.new_tokens(&mint, &stranger, BOND);
    let other_mints_tokens = chain.new_tokens(&other_pool.mint, &own, BOND);
    let frozen = chain.new_key().pubkey();
    chain.set_tokens(&frozen, &mint, &own, BOND, AccountState::Frozen);
    let pool_bytes = chain.account(&start.pool.pool).data;
    let other_operator = address::operator(&PROGRAM, &start.pool.pool, &Person(1).commitment()).0;
    let elsewhere = address::operator(&PROGRAM, &other_pool.pool, &Person(0).commitment()).0;
    start.honest().refuses(vec![
        row(
            1,
            "another pool",
            Wrong::Other(other_pool.pool),
            PoolError::WrongAddress,
        ),
        row(
            1,
            "copy of the pool",
            Wrong::Elsewhere,
            PoolError::WrongAddress,
        ),
        row(
            1,
            "pool of another program",
            Wrong::Owner(TOKEN_PROGRAM),
            PoolError::WrongOwner,
        ),
        row(
            1,
            "epoch's type as pool",
            Wrong::Data([&[2], &pool_bytes[1..]].concat()),
            PoolError::WrongAccountType,
        ),
        row(
            1,
            "pool with a trailing byte",
            Wrong::Data([&pool_bytes[..], &[0]].concat()),
            PoolError::WrongAccountType,
        ),
        row(1, "no pool", Wrong::Absent, PoolError::WrongOwner),
        row(
            2,
            "another operator's address",
            Wrong::Other(other_operator),
            PoolError::WrongAddress,
        ),
        row(
            2,
            "the operator of another pool",
            Wrong::Other(elsewhere),
            PoolError::WrongAddress,
        ),
        row(
            2,
            "operator held by another program",
            Wrong::Owner(TOKEN_PROGRAM),
            PoolError::WrongOwner,
        ),
        row(
            2,
            "operator that exists",
            Wrong::Owner(PROGRAM),
            PoolError::AlreadyExists,
        ),
        row(
            3,
            "somebody else's tokens",
            Wrong::Other(strangers_tokens),
            PoolError::WrongTokenAccount,
        ),
        row(
            3,
            "tokens of another mint",
            Wrong::Other(other_mints_tokens),
            PoolError::WrongMint,
        ),
        row(
            3,
            "frozen tokens",
            Wrong::Other(frozen),
            PoolError::WrongTokenAccount,
        ),
        row(
            3,
            "tokens of another program",
            Wrong::Owner(token_2022()),
            PoolError::WrongOwner,
        ),
        row(3, "no tokens", Wrong::Absent, PoolError::WrongOwner),
        row(
            4,
            "vault as vault of bonds",
            Wrong::Other(start.pool.vault()),
            PoolError::WrongAddress,
        ),
        row(
            4,
            "bonds of another pool",
            Wrong::Other(other_pool.bonds()),
            PoolError::WrongAddress,
        ),
        row(
            4,
            "somebody's tokens as vault of bonds",
            Wrong::Other(strangers_tokens),
            PoolError::WrongAddress,
        ),
        row(
            5,
            "another token program",
            Wrong::Other(token_2022()),
            PoolError::WrongProgram,
        ),
        row(
            6,
            "another system program",
            Wrong::Other(PROGRAM),
            PoolError::WrongProgram,
        ),
    ]);
}

#[test]
fn p4_register_operator_refuses_missing_signatures_read_only_accounts_duplicates_and_other_numbers()
{
    let honest = start().honest();
    honest.refuses_other_flags_and_duplicates();
    honest.refuses_other_numbers_of_accounts();
}
