//! Verifying keys: published once, with their points checked, at an address that holds their hash.

use solana_program::{account_info::AccountInfo, hash::hashv, pubkey::Pubkey};
use veilpool_groth16::VerifyingKey;
use veilpool_interface::{Key, PoolError, Record, address::seed, state::VERSION};
use veilpool_protocol::{
    MeasurerCount,
    verifying_key::{LEN, Status},
};

use crate::derive;

/// Whether this build takes keys of a development setup.
const ACCEPTS_DEVELOPMENT_KEYS: bool = cfg!(feature = "accept-development-keys");

/// What pools and epochs record of a key.
#[must_use]
pub fn digest(file: &[u8]) -> [u8; 32] {
    hashv(&[file]).to_bytes()
}

/// A key whose layout is right and whose status this build takes.
///
/// # Errors
/// [`PoolError::InvalidVerifyingKey`], [`PoolError::DevelopmentKey`].
pub fn accept(file: &[u8]) -> Result<VerifyingKey<'_>, PoolError> {
    let key = VerifyingKey::parse(file).map_err(|_| PoolError::InvalidVerifyingKey)?;
    if is_development(&key) && !ACCEPTS_DEVELOPMENT_KEYS {
        return Err(PoolError::DevelopmentKey);
    }
    Ok(key)
}

/// The same, with its points checked: done once, when a key is published (attacks C2, C3).
///
/// # Errors
/// [`PoolError::InvalidVerifyingKey`], [`PoolError::DevelopmentKey`].
pub fn accept_validated(file: &[u8]) -> Result<VerifyingKey<'_>, PoolError> {
    let key = accept(file)?;
    key.validate().map_err(|_| PoolError::InvalidVerifyingKey)?;
    Ok(key)
}

/// Whether anybody can forge claims for this key.
#[must_use]
pub fn is_development(key: &VerifyingKey<'_>) -> bool {
    key.layout().status == Status::Development
}

/// Hands the published key to `use_it`, for so many measurers.
///
/// # Errors
/// Those of accounts; [`PoolError::VerifyingKeyChanged`] when it is another key than `expected`;
/// [`PoolError::InvalidVerifyingKey`] for another number of measurers; [`PoolError::DevelopmentKey`].
pub(crate) fn with_published<T>(
    program: &Pubkey,
    account: &AccountInfo<'_>,
    expected: Option<&[u8; 32]>,
    count: MeasurerCount,
    use_it: impl FnOnce(&VerifyingKey<'_>, &[u8; 32]) -> Result<T, PoolError>,
) -> Result<T, PoolError> {
    if account.owner != program {
        return Err(PoolError::WrongOwner);
    }
    let data = account
        .try_borrow_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    let ([discriminator, version, bump], file) = data
        .split_first_chunk::<3>()
        .ok_or(PoolError::WrongAccountType)?;
    if [*discriminator, *version] != [Key::DISCRIMINATOR, VERSION] || file.len() != LEN {
        return Err(PoolError::WrongAccountType);
    }
    let computed;
    let digest = match expected {
        Some(expected) => expected,
        None => {
            computed = digest(file);
            &computed
        }
    };
    // The address holds the hash of what was written there, so the hash need not be computed again.
    derive::check(program, account, &[seed::KEY, digest], *bump)?;
    let key = accept(file)?;
    if key.layout().n != count {
        return Err(PoolError::InvalidVerifyingKey);
    }
    use_it(&key, digest)
}
