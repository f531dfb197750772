//! Bonds an operator and appends its leaf to the registry. A transaction may hold several of these.
//!
//! 1. Accounts: flags, programs, pool, operator's address, token account, vault of bonds.
//! 2. Leaf: appended by Poseidon. Open epochs keep the root they were opened with (I7).
//! 3. The operator's account, whose address holds the commitment, so that one is registered once.
//! 4. Books.
//! 5. Bond, bonder to vault.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    Operator, PoolError, PoolEvent,
    accounts::{REGISTER_OPERATOR, flags},
    address,
    address::seed,
    registry::AppendError,
};
use veilpool_protocol::CommitmentBytes;

use crate::{accounts, derive, event, pool, record::New, token};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    commitment: CommitmentBytes,
) -> ProgramResult {
    // 1. Accounts.
    let [
        bonder,
        pool_account,
        operator,
        tokens,
        bonds,
        token_program,
        system_program,
    ] = accounts::take(accounts, const { flags(&REGISTER_OPERATOR) })?;
    accounts::check_token_program(token_program)?;
    accounts::check_system_program(system_program)?;
    let mut pool = pool::load(program, pool_account)?;
    let seeds: [&[u8]; 3] = [
        seed::OPERATOR,
        pool_account.key.as_ref(),
        commitment.as_bytes(),
    ];
    let bump = derive::check_new(program, operator, &seeds)?;
    token::check_holding(tokens, &pool.rules.mint, &address::bytes(bonder.key))?;
    accounts::check_address(bonds, &pool.rules.bond_vault)?;

    // 2. Leaf.
    let leaf_index = pool
        .registry
        .append(&commitment)
        .map_err(|error| match error {
            AppendError::Full => PoolError::RegistryFull,
            AppendError::Zero => PoolError::ZeroCommitment,
            _ => PoolError::CouldNotVerify,
        })?;

    // 3. The operator's account.
    let bond = pool.rules.parameters.bond_amount;
    let record = Operator {
        bump,
        pool: address::bytes(pool_account.key),
        commitment,
        leaf_index,
        bond,
        bonder: address::bytes(bonder.key),
        exit: None,
    };
    New {
        accounts,
        payer: bonder,
        account: operator,
        seeds: &seeds,
        bump,
        // So that leaving needs no further rent.
        rent_for: Operator::MAX_LEN,
    }
    .run(program, &record, PoolError::AlreadyExists)?;

    // 4. Books.
    let books = &mut pool.books;
    books.bonded = books
        .bonded
        .checked_add(bond)
        .ok_or(PoolError::Arithmetic)?;
    books.operators = books
        .operators
        .checked_add(1)
        .ok_or(PoolError::Arithmetic)?;
    pool::store(pool_account, &pool)?;
    event::emit(&PoolEvent::Registered {
        pool: record.pool,
        leaf_index,
        bond,
    });

    // 5. Bond.
    token::transfer(accounts, tokens, bonds, bonder, bond, &[])
}
