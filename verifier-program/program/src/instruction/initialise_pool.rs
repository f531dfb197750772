//! Makes a pool with its vaults.
//!
//! | # | flags | account |
//! | --- | --- | --- |
//! | 0 | `sw` | authority: pays the rent; part of the pool's address, no power afterwards |
//! | 1 | `w` | pool, to be created |
//! | 2 | | mint, of SPL Token |
//! | 3 | `w` | vault, to be created |
//! | 4 | `w` | vault of bonds, to be created |
//! | 5 | | token program |
//! | 6 | | system program |
//!
//! 1. Accounts: flags, programs, mint, derived addresses.
//! 2. Rules: parameters, class table, measurer set (no key or coordinate twice, attack C9).
//! 3. Verifying key: its points are checked (C2, C3), a development key refused or announced.
//! 4. Domain and set hash, which tie proofs to this cluster, program and pool (I4).
//! 5. The pool's account, which exists once (P4).
//! 6. The two vaults, held by the pool's address.

use solana_program::{
    account_info::AccountInfo, entrypoint::ProgramResult, msg, program_error::ProgramError,
    pubkey::Pubkey,
};
use veilpool_interface::{
    Pool, PoolError, Record, Registry, address,
    address::{TOKEN_PROGRAM, seed},
    class, hashing,
    instruction::InitialisePool,
    reward::BASIS_POINTS,
};
use veilpool_protocol::{EpochId, MeasurerCount, MeasurerKeyBytes};

use crate::{
    accounts::{self, Flag},
    derive, key,
    system::Creation,
    token,
};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    rules: InitialisePool,
) -> ProgramResult {
    // 1. Accounts.
    let [
        authority,
        pool,
        mint,
        vault,
        bonds,
        token_program,
        system_program,
    ] = accounts::take(
        accounts,
        [
            Flag::Sign,
            Flag::Write,
            Flag::Read,
            Flag::Write,
            Flag::Write,
            Flag::Read,
            Flag::Read,
        ],
    )?;
    accounts::check_token_program(token_program)?;
    accounts::check_system_program(system_program)?;
    token::check_mint(mint)?;
    let pool_seeds = [seed::POOL, mint.key.as_ref(), authority.key.as_ref()];
    let bump = derive::check_new(program, pool, &pool_seeds)?;
    let vault_bump = derive::check_new(program, vault, &[seed::VAULT, pool.key.as_ref()])?;
    let bonds_bump = derive::check_new(program, bonds, &[seed::BONDS, pool.key.as_ref()])?;

    // 2. Rules.
    if rules.bond_amount == 0
        || rules.epoch_seconds == 0
        || rules.claim_window_seconds == 0
        || !(1..=BASIS_POINTS).contains(&rules.outflow_bps)
    {
        return Err(PoolError::InvalidParameters.into());
    }
    if !class::is_valid_table(&rules.classes) {
        return Err(PoolError::InvalidClassTable.into());
    }
    let count = check_measurers(&rules.measurers)?;

    // 3. Verifying key.
    let file = key::embedded(count);
    let verifying_key = key::accept_validated(file, count)?;
    if key::is_development(&verifying_key) {
        msg!("DEVELOPMENT verifying key: anybody can forge claims on this pool");
    }

    // 4. Domain and set hash.
    let domain = hashing::domain(
        &rules.genesis_hash,
        &address::bytes(program),
        &address::bytes(pool.key),
    );
    let set_hash = hashing::set_hash(&domain, count, &rules.measurers)
        .map_err(|_| PoolError::CouldNotVerify)?;

    // 5. The pool's account.
    let record = Pool {
        bump,
        authority: address::bytes(authority.key),
        mint: address::bytes(mint.key),
        vault: address::bytes(vault.key),
        bond_vault: address::bytes(bonds.key),
        genesis_hash: rules.genesis_hash,
        domain,
        set_hash,
        verifying_key: key::digest(file),
        bond_amount: rules.bond_amount,
        epoch_seconds: rules.epoch_seconds,
        claim_window_seconds: rules.claim_window_seconds,
        rate_cap: rules.rate_cap,
        outflow_bps: rules.outflow_bps,
        assets: 0,
        reserved: 0,
        shares: 0,
        next_epoch: EpochId::new(0),
        latest_ends_at: 0,
        measurers: rules.measurers,
        classes: rules.classes,
        registry: Registry::empty().ok_or(PoolError::CouldNotVerify)?,
    };
    let [prefix, mint_seed, authority_seed] = pool_seeds;
    Creation {
        payer: authority,
        account: pool,
        owner: program,
        size: record.encode().len(),
        seeds: &[prefix, mint_seed, authority_seed, &[bump]],
    }
    .run(PoolError::AlreadyExists)?;
    accounts::store(pool, &record)?;

    // 6. The two vaults.
    for (account, prefix, bump) in [
        (vault, seed::VAULT, vault_bump),
        (bonds, seed::BONDS, bonds_bump),
    ] {
        Creation {
            payer: authority,
            account,
            owner: &TOKEN_PROGRAM,
            size: token::HOLDING_LEN,
            seeds: &[prefix, pool.key.as_ref(), &[bump]],
        }
        .run(PoolError::AlreadyExists)?;
        token::initialise_holding(account, mint, pool.key)?;
    }
    Ok(())
}

/// Three, five or seven keys; no coordinate zero (such a point is of order two); none twice, by either
/// coordinate. That keys are points of the prime-order subgroup, and the second coordinate that of 2⁶⁴·K, is
/// checked by whoever makes the set, and by clients before they pay in: with one key that is no point, **no**
/// claim of the pool can be proven; one with another second coordinate counts as one of the f that lie.
fn check_measurers(keys: &[MeasurerKeyBytes]) -> Result<MeasurerCount, ProgramError> {
    let count = MeasurerCount::try_from(keys.len()).map_err(|_| PoolError::InvalidMeasurerSet)?;
    let is_zero = |coordinate: &[u8; 32]| coordinate.iter().all(|byte| *byte == 0);
    if keys
        .iter()
        .any(|key| is_zero(key.u.as_bytes()) || is_zero(key.shifted_u.as_bytes()))
    {
        return Err(PoolError::InvalidMeasurerSet.into());
    }
    let mut rest = keys;
    while let Some((first, others)) = rest.split_first() {
        if others
            .iter()
            .any(|other| other.u == first.u || other.shifted_u == first.shifted_u)
        {
            return Err(PoolError::DuplicateMeasurer.into());
        }
        rest = others;
    }
    Ok(count)
}
