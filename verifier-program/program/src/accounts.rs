//! Checks of accounts: how they were passed, whose they are, and what they hold.

use borsh::BorshSerialize;
use solana_program::{account_info::AccountInfo, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, Record, address::TOKEN_PROGRAM, builder::SYSTEM_PROGRAM, state::VERSION,
};

/// How an instruction takes an account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    /// Only looked at.
    Read,
    /// `w`: changed.
    Write,
    /// `sw`: signs, and is changed.
    Sign,
}

/// The accounts of an instruction, when they are as many as it takes, are passed as it takes them, and
/// none comes twice.
pub(crate) fn take<'a, 'info, const N: usize>(
    accounts: &'a [AccountInfo<'info>],
    flags: [Flag; N],
) -> Result<&'a [AccountInfo<'info>; N], PoolError> {
    if accounts.len() < N {
        return Err(PoolError::NotEnoughAccounts);
    }
    let taken: &[AccountInfo<'info>; N] = accounts
        .try_into()
        .map_err(|_| PoolError::TooManyAccounts)?;
    for (account, flag) in taken.iter().zip(flags) {
        if flag == Flag::Sign && !account.is_signer {
            return Err(PoolError::MissingSignature);
        }
        if flag != Flag::Read && !account.is_writable {
            return Err(PoolError::NotWritable);
        }
    }
    let mut rest = taken.as_slice();
    while let Some((first, others)) = rest.split_first() {
        if others.iter().any(|other| other.key == first.key) {
            return Err(PoolError::DuplicateAccount);
        }
        rest = others;
    }
    Ok(taken)
}

/// Whether this is the system program.
pub(crate) fn check_system_program(account: &AccountInfo<'_>) -> Result<(), PoolError> {
    check_program(account, &SYSTEM_PROGRAM)
}

/// Whether this is SPL Token.
pub(crate) fn check_token_program(account: &AccountInfo<'_>) -> Result<(), PoolError> {
    check_program(account, &TOKEN_PROGRAM)
}

fn check_program(account: &AccountInfo<'_>, expected: &Pubkey) -> Result<(), PoolError> {
    if account.key == expected {
        Ok(())
    } else {
        Err(PoolError::WrongProgram)
    }
}

/// Whether this is the account of that address.
pub(crate) fn check_address(account: &AccountInfo<'_>, expected: &[u8]) -> Result<(), PoolError> {
    if account.key.as_ref() == expected {
        Ok(())
    } else {
        Err(PoolError::WrongAddress)
    }
}

/// What an account of this program holds.
pub(crate) fn load<T: Record>(program: &Pubkey, account: &AccountInfo<'_>) -> Result<T, PoolError> {
    if account.owner != program {
        return Err(PoolError::WrongOwner);
    }
    let data = account
        .try_borrow_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    T::decode(&data).map_err(|_| PoolError::WrongAccountType)
}

/// Writes a record over the whole of an account, which must be of its length.
pub(crate) fn store<T: Record>(account: &AccountInfo<'_>, record: &T) -> Result<(), PoolError> {
    let mut data = account
        .try_borrow_mut_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    let (head, mut fields) = data
        .split_first_chunk_mut::<2>()
        .ok_or(PoolError::WrongAccountType)?;
    *head = [T::DISCRIMINATOR, VERSION];
    record
        .serialize(&mut fields)
        .map_err(|_| PoolError::WrongAccountType)?;
    if fields.is_empty() {
        Ok(())
    } else {
        Err(PoolError::WrongAccountType)
    }
}

/// Writes a part of a record over its place in an account.
pub(crate) fn store_at<T: BorshSerialize>(
    account: &AccountInfo<'_>,
    at: usize,
    part: &T,
) -> Result<(), PoolError> {
    let mut data = account
        .try_borrow_mut_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    let mut place = data.get_mut(at..).ok_or(PoolError::WrongAccountType)?;
    part.serialize(&mut place)
        .map_err(|_| PoolError::WrongAccountType)
}
