//! The pool's account, whole and by its head.
//!
//! Most instructions need only the fields before the measurers, and only change numbers there. They
//! read and write that part of the account in place, which spares decoding 2 kB of keys, classes and
//! registry.

use borsh::{BorshDeserialize, BorshSerialize};
use solana_program::{account_info::AccountInfo, pubkey::Pubkey};
use veilpool_interface::{Pool, PoolError, Record, address::seed, state::VERSION};
use veilpool_protocol::{AddressBytes, DomainBytes, EpochId, SetHashBytes};

use crate::{accounts, derive};

/// The first fields of [`Pool`], in its order; a test holds them to it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct PoolHead {
    pub(crate) bump: u8,
    pub(crate) authority: AddressBytes,
    pub(crate) mint: AddressBytes,
    pub(crate) vault: AddressBytes,
    pub(crate) bond_vault: AddressBytes,
    pub(crate) genesis_hash: [u8; 32],
    pub(crate) domain: DomainBytes,
    pub(crate) set_hash: SetHashBytes,
    pub(crate) verifying_key: [u8; 32],
    pub(crate) bond_amount: u64,
    pub(crate) epoch_seconds: u32,
    pub(crate) claim_window_seconds: u32,
    pub(crate) rate_cap: u64,
    pub(crate) outflow_bps: u16,
    pub(crate) assets: u64,
    pub(crate) reserved: u64,
    pub(crate) shares: u128,
    pub(crate) next_epoch: EpochId,
    pub(crate) latest_ends_at: i64,
}

/// The whole pool, at its derived address.
pub(crate) fn load(program: &Pubkey, account: &AccountInfo<'_>) -> Result<Box<Pool>, PoolError> {
    let pool: Box<Pool> = Box::new(accounts::load(program, account)?);
    check_address(program, account, &pool.mint, &pool.authority, pool.bump)?;
    Ok(pool)
}

/// The pool's head, at its derived address.
pub(crate) fn load_head(
    program: &Pubkey,
    account: &AccountInfo<'_>,
) -> Result<Box<PoolHead>, PoolError> {
    if account.owner != program {
        return Err(PoolError::WrongOwner);
    }
    let data = account
        .try_borrow_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    let (head, mut fields) = data
        .split_first_chunk::<2>()
        .ok_or(PoolError::WrongAccountType)?;
    if *head != [Pool::DISCRIMINATOR, VERSION] {
        return Err(PoolError::WrongAccountType);
    }
    let pool = PoolHead::deserialize(&mut fields).map_err(|_| PoolError::WrongAccountType)?;
    check_address(program, account, &pool.mint, &pool.authority, pool.bump)?;
    Ok(Box::new(pool))
}

/// Writes the head over the account's.
pub(crate) fn store_head(account: &AccountInfo<'_>, pool: &PoolHead) -> Result<(), PoolError> {
    let mut data = account
        .try_borrow_mut_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    let (_, mut fields) = data
        .split_first_chunk_mut::<2>()
        .ok_or(PoolError::WrongAccountType)?;
    pool.serialize(&mut fields)
        .map_err(|_| PoolError::WrongAccountType)
}

fn check_address(
    program: &Pubkey,
    account: &AccountInfo<'_>,
    mint: &AddressBytes,
    authority: &AddressBytes,
    bump: u8,
) -> Result<(), PoolError> {
    let seeds: [&[u8]; 3] = [seed::POOL, mint.as_bytes(), authority.as_bytes()];
    derive::check(program, account, &seeds, bump)
}
