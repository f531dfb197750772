//! Checks of accounts: how they were passed, whose they are, and what they hold.

use core::cell::Ref;

use solana_program::{account_info::AccountInfo, pubkey::Pubkey};
use veilpool_interface::{
    PoolError, Record, Wire,
    accounts::Flag,
    address::TOKEN_PROGRAM,
    builder::SYSTEM_PROGRAM,
    state::{HEAD_LEN, VERSION},
};
use veilpool_protocol::AddressBytes;

/// The accounts of an instruction, when they are as many as it takes, are passed as it takes them, and
/// none comes twice.
pub(crate) fn take<'a, 'info, const N: usize>(
    accounts: &'a [AccountInfo<'info>],
    flags: [Flag; N],
) -> Result<&'a [AccountInfo<'info>; N], PoolError> {
    check(accounts, &flags)?;
    accounts.try_into().map_err(|_| PoolError::TooManyAccounts)
}

#[inline(never)]
fn check(accounts: &[AccountInfo<'_>], flags: &[Flag]) -> Result<(), PoolError> {
    if accounts.len() < flags.len() {
        return Err(PoolError::NotEnoughAccounts);
    }
    if accounts.len() > flags.len() {
        return Err(PoolError::TooManyAccounts);
    }
    for (account, flag) in accounts.iter().zip(flags) {
        if flag.is_signer() && !account.is_signer {
            return Err(PoolError::MissingSignature);
        }
        if flag.is_writable() && !account.is_writable {
            return Err(PoolError::NotWritable);
        }
    }
    if has_twins(accounts, |a, b| a.key == b.key) {
        return Err(PoolError::DuplicateAccount);
    }
    Ok(())
}

/// Whether two of them are the same by some measure.
pub(crate) fn has_twins<T>(mut rest: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    while let Some((first, others)) = rest.split_first() {
        if others.iter().any(|other| same(other, first)) {
            return true;
        }
        rest = others;
    }
    false
}

/// Whether this is the system program.
pub(crate) fn check_system_program(account: &AccountInfo<'_>) -> Result<(), PoolError> {
    check_program(account, &SYSTEM_PROGRAM)
}

/// Whether this is SPL Token.
pub(crate) fn check_token_program(account: &AccountInfo<'_>) -> Result<(), PoolError> {
    check_program(account, &TOKEN_PROGRAM)
}

#[inline(never)]
fn check_program(account: &AccountInfo<'_>, expected: &Pubkey) -> Result<(), PoolError> {
    if account.key == expected {
        Ok(())
    } else {
        Err(PoolError::WrongProgram)
    }
}

/// Whether this is the account of that address.
#[inline(never)]
pub(crate) fn check_address(
    account: &AccountInfo<'_>,
    expected: &AddressBytes,
) -> Result<(), PoolError> {
    if account.key.as_array() == expected.as_bytes() {
        Ok(())
    } else {
        Err(PoolError::WrongAddress)
    }
}

/// Whether this signer has a say: it is the one that is recorded.
#[inline(never)]
pub(crate) fn check_authority(
    signer: &AccountInfo<'_>,
    recorded: &AddressBytes,
) -> Result<(), PoolError> {
    if signer.key.as_array() == recorded.as_bytes() {
        Ok(())
    } else {
        Err(PoolError::WrongAuthority)
    }
}

/// What an account of this program holds.
pub(crate) fn load<T: Record + Wire>(
    program: &Pubkey,
    account: &AccountInfo<'_>,
) -> Result<T, PoolError> {
    let fields = fields(program, account, T::DISCRIMINATOR)?;
    T::whole(&fields)
        .filter(Record::is_consistent)
        .ok_or(PoolError::WrongAccountType)
}

/// What follows discriminator and version in an account of this program.
#[inline(never)]
pub(crate) fn fields<'a>(
    program: &Pubkey,
    account: &'a AccountInfo<'_>,
    discriminator: u8,
) -> Result<Ref<'a, [u8]>, PoolError> {
    if account.owner != program {
        return Err(PoolError::WrongOwner);
    }
    let data = account
        .try_borrow_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    Ref::filter_map(data, |data| match data.split_first_chunk()? {
        ([first, VERSION], fields) if *first == discriminator => Some(fields),
        _ => None,
    })
    .map_err(|_| PoolError::WrongAccountType)
}

/// Writes a record over the whole of an account, which must be of its length.
pub(crate) fn store<T: Record + Wire>(
    account: &AccountInfo<'_>,
    record: &T,
) -> Result<(), PoolError> {
    let mut data = account
        .try_borrow_mut_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    let (head, mut fields) = data
        .split_first_chunk_mut::<HEAD_LEN>()
        .ok_or(PoolError::WrongAccountType)?;
    *head = [T::DISCRIMINATOR, VERSION];
    match record.put(&mut fields) {
        Some(()) if fields.is_empty() => Ok(()),
        _ => Err(PoolError::WrongAccountType),
    }
}

/// Makes the account as long as a record, and writes that over it.
pub(crate) fn resize_and_store<T: Record + Wire>(
    account: &AccountInfo<'_>,
    record: &T,
) -> Result<(), PoolError> {
    account
        .resize(size(record))
        .map_err(|_| PoolError::WrongAccountType)?;
    store(account, record)
}

/// Length of a record's account.
#[allow(clippy::arithmetic_side_effects)] // Records are in memory, which is far smaller.
pub(crate) fn size<T: Record + Wire>(record: &T) -> usize {
    HEAD_LEN + record.size()
}

/// Writes a part of a record over its place in an account.
pub(crate) fn store_at<T: Wire>(
    account: &AccountInfo<'_>,
    at: usize,
    part: &T,
) -> Result<(), PoolError> {
    let mut data = account
        .try_borrow_mut_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    let mut place = data.get_mut(at..).ok_or(PoolError::WrongAccountType)?;
    part.put(&mut place).ok_or(PoolError::WrongAccountType)
}
