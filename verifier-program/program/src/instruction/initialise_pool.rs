//! Makes a pool with its vaults and its mint of shares.
//!
//! 1. Accounts: flags, programs, mint, derived addresses.
//! 2. Rules: parameters, class table, measurer set (no key or coordinate twice, attack C9).
//! 3. Verifying key: published, for so many measurers (C2, C3).
//! 4. Domain and set hash, which tie proofs to this cluster, program and pool (I4).
//! 5. The pool's account, which exists once (P4).
//! 6. The three vaults and the mint of shares, held by the pool's address.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    Books, Pool, PoolError, Record, Registry, Rules,
    accounts::{INITIALISE_POOL, flags},
    address,
    address::{TOKEN_PROGRAM, seed},
    hashing,
    instruction::InitialisePool,
    reward::FURTHER_DECIMALS,
    state::{MAX_LEN, VERSION},
};
use veilpool_protocol::{AddressBytes, EpochId};

use crate::{accounts, derive, governance, key, pool, record::New, system::Creation, token};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    arguments: InitialisePool,
) -> ProgramResult {
    // 1. Accounts.
    let [
        founder,
        pool,
        mint,
        vault,
        bonds,
        escrow,
        share_mint,
        key_account,
        token_program,
        system_program,
    ] = accounts::take(accounts, const { flags(&INITIALISE_POOL) })?;
    accounts::check_token_program(token_program)?;
    accounts::check_system_program(system_program)?;
    let decimals = token::check_mint(mint)?;
    let pool_seeds = [seed::POOL, mint.key.as_ref(), founder.key.as_ref()];
    let bump = derive::check_new(program, pool, &pool_seeds)?;
    let held = [
        (vault, seed::VAULT),
        (bonds, seed::BONDS),
        (escrow, seed::ESCROW),
        (share_mint, seed::SHARES),
    ];
    let mut bumps = [0; 4];
    for (slot, (account, prefix)) in bumps.iter_mut().zip(held) {
        *slot = derive::check_new(program, account, &[prefix, pool.key.as_ref()])?;
    }

    // 2. Rules.
    let parameters = &arguments.parameters;
    governance::check_parameters(parameters, arguments.timelock_seconds)?;
    if !(parameters.min_price..=parameters.max_price).contains(&arguments.price) {
        return Err(PoolError::InvalidParameters.into());
    }
    governance::check_classes(&arguments.classes)?;
    let count = governance::check_measurers(&arguments.measurers)?;

    // 3. Verifying key.
    let verifying_key =
        key::with_published(program, key_account, None, count, |_, digest| Ok(*digest))?;

    // 4. Domain and set hash.
    let domain = hashing::domain(
        &arguments.genesis_hash,
        &address::bytes(program),
        &address::bytes(pool.key),
    );
    let set_hash = hashing::set_hash(&domain, count, &arguments.measurers)
        .map_err(|_| PoolError::CouldNotVerify)?;

    // 5. The pool's account.
    let record = Box::new(Pool {
        rules: Rules {
            bump,
            founder: address::bytes(founder.key),
            mint: address::bytes(mint.key),
            vault: address::bytes(vault.key),
            bond_vault: address::bytes(bonds.key),
            escrow_vault: address::bytes(escrow.key),
            share_mint: address::bytes(share_mint.key),
            genesis_hash: arguments.genesis_hash,
            domain,
            timelock_seconds: arguments.timelock_seconds,
            authority: arguments.authority,
            next_authority: AddressBytes::new([0; 32]),
            set_hash,
            verifying_key,
            parameters: arguments.parameters,
        },
        books: Books {
            assets: 0,
            reserved: 0,
            shares: 0,
            queued: 0,
            bonded: 0,
            escrowed: 0,
            operators: 0,
            next_epoch: EpochId::new(0),
            latest_ends_at: 0,
            last_window: 0,
            price: arguments.price,
            settled: 0,
            attested: 0,
            next_channel: 0,
            paused_until: 0,
            paused_seconds: 0,
            frozen: false,
            frozen_at: 0,
        },
        measurers: arguments.measurers,
        classes: arguments.classes,
        registry: Registry::empty().ok_or(PoolError::CouldNotVerify)?,
    });
    New {
        accounts,
        payer: founder,
        account: pool,
        seeds: &pool_seeds,
        bump,
        rent_for: MAX_LEN,
    }
    .create(program, accounts::size(&*record), PoolError::AlreadyExists)?;
    accounts::store_at(pool, 0, &[Pool::DISCRIMINATOR, VERSION])?;
    pool::store_rules(pool, &record.rules)?;
    pool::store(pool, &record)?;

    // 6. The three vaults and the mint of shares.
    for ((account, prefix), bump) in held.into_iter().zip(bumps) {
        let is_mint = prefix == seed::SHARES;
        let size = if is_mint {
            token::MINT_LEN
        } else {
            token::HOLDING_LEN
        };
        Creation {
            accounts,
            payer: founder,
            account,
            owner: &TOKEN_PROGRAM,
            size,
            rent_for: size,
            seeds: &[prefix, pool.key.as_ref(), &[bump]],
        }
        .run(PoolError::AlreadyExists)?;
        if is_mint {
            let decimals = decimals
                .checked_add(FURTHER_DECIMALS)
                .ok_or(PoolError::Arithmetic)?;
            token::initialise_mint(accounts, account, decimals, pool.key)?;
        } else {
            token::initialise_holding(accounts, account, mint, pool.key)?;
        }
    }
    Ok(())
}
