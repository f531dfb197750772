//! Bonds an operator and appends its leaf to the registry.
//!
//! | # | flags | account |
//! | --- | --- | --- |
//! | 0 | `sw` | bonder: holds the bond, pays the rent |
//! | 1 | `w` | pool |
//! | 2 | `w` | operator, to be created |
//! | 3 | `w` | bonder's token account |
//! | 4 | `w` | vault of bonds |
//! | 5 | | token program |
//! | 6 | | system program |
//!
//! 1. Accounts: flags, programs, pool, operator's address, token account, vault.
//! 2. Leaf: appended by Poseidon. Open epochs keep the root they were opened with (I7).
//! 3. The operator's account, whose address holds the commitment, so that one is registered once.
//! 4. Bond, bonder to vault.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    Operator, PoolError, Record, address, address::seed, registry::AppendError,
};
use veilpool_protocol::CommitmentBytes;

use crate::{
    accounts::{self, Flag},
    derive, pool,
    system::Creation,
    token,
};

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
    ] = accounts::take(
        accounts,
        [
            Flag::Sign,
            Flag::Write,
            Flag::Write,
            Flag::Write,
            Flag::Write,
            Flag::Read,
            Flag::Read,
        ],
    )?;
    accounts::check_token_program(token_program)?;
    accounts::check_system_program(system_program)?;
    let mut pool = pool::load(program, pool_account)?;
    let seeds = [
        seed::OPERATOR,
        pool_account.key.as_ref(),
        commitment.as_bytes(),
    ];
    let bump = derive::check_new(program, operator, &seeds)?;
    token::check_holding(tokens, pool.mint.as_bytes(), bonder.key.as_array())?;
    accounts::check_address(bonds, pool.bond_vault.as_bytes())?;

    // 2. Leaf.
    let leaf_index = pool
        .registry
        .append(&commitment)
        .map_err(|error| match error {
            AppendError::Full => PoolError::RegistryFull,
            AppendError::Zero => PoolError::ZeroCommitment,
            _ => PoolError::CouldNotVerify,
        })?;
    accounts::store(pool_account, &*pool)?;

    // 3. The operator's account.
    let record = Operator {
        bump,
        pool: address::bytes(pool_account.key),
        commitment,
        leaf_index,
        bond: pool.bond_amount,
        bonder: address::bytes(bonder.key),
    };
    let [prefix, pool_seed, commitment_seed] = seeds;
    Creation {
        payer: bonder,
        account: operator,
        owner: program,
        size: record.encode().len(),
        seeds: &[prefix, pool_seed, commitment_seed, &[bump]],
    }
    .run(PoolError::AlreadyExists)?;
    accounts::store(operator, &record)?;

    // 4. Bond.
    token::transfer(tokens, bonds, bonder, pool.bond_amount, &[])
}
