//! What a pool's rules must be, wherever they come from, and who may say so.

use solana_program::{account_info::AccountInfo, pubkey::Pubkey};
use veilpool_interface::{Books, Change, Parameters, PoolError, Rules, class};
use veilpool_protocol::{Class, MeasurerCount, MeasurerKeyBytes};

use crate::{accounts, pool};

/// Rules and books of a pool whose authority signs.
pub(crate) fn load(
    program: &Pubkey,
    authority: &AccountInfo<'_>,
    pool_account: &AccountInfo<'_>,
) -> Result<(Box<Rules>, Books), PoolError> {
    let (rules, books) = pool::load_books(program, pool_account)?;
    accounts::check_authority(authority, &rules.authority)?;
    Ok((rules, books))
}

/// A change that could be carried out: asked when it is proposed, and once more when it is carried out.
pub(crate) fn check_change(change: &Change, rules: &Rules, books: &Books) -> Result<(), PoolError> {
    match change {
        Change::Measurers { measurers, .. } => check_measurers(measurers).map(|_| ()),
        Change::Classes(classes) => check_classes(classes),
        Change::Parameters(parameters) => check_parameters(parameters, rules.timelock_seconds),
        Change::Unfreeze if books.frozen => Ok(()),
        Change::Unfreeze => Err(PoolError::NotFrozen),
    }
}

/// Parameters that respect each other and the timelock.
pub(crate) fn check_parameters(
    parameters: &Parameters,
    timelock_seconds: u32,
) -> Result<(), PoolError> {
    if parameters.are_valid(timelock_seconds) {
        Ok(())
    } else {
        Err(PoolError::InvalidParameters)
    }
}

/// A class table.
pub(crate) fn check_classes(classes: &[Class]) -> Result<(), PoolError> {
    if class::is_valid_table(classes) {
        Ok(())
    } else {
        Err(PoolError::InvalidClassTable)
    }
}

/// How many measurers a set has.
pub(crate) fn count(keys: &[MeasurerKeyBytes]) -> Result<MeasurerCount, PoolError> {
    MeasurerCount::try_from(keys.len()).map_err(|_| PoolError::InvalidMeasurerSet)
}

/// Three, five or seven keys; no coordinate zero (such a point is of order two); none twice, by either
/// coordinate. That keys are points of the prime-order subgroup, and the second coordinate that of 2⁶⁴·K, is
/// checked by whoever makes the set, and by clients before they pay in: with one key that is no point, **no**
/// claim of the pool can be proven; one with another second coordinate counts as one of the f that lie.
pub(crate) fn check_measurers(keys: &[MeasurerKeyBytes]) -> Result<MeasurerCount, PoolError> {
    let count = count(keys)?;
    let is_zero = |coordinate: &[u8; 32]| coordinate.iter().all(|byte| *byte == 0);
    // u = u' is no key's: 2⁶⁴·K would be K or −K, of an order that divides 2⁶⁴ ∓ 1.
    if keys.iter().any(|key| {
        is_zero(key.u.as_bytes()) || is_zero(key.shifted_u.as_bytes()) || key.u == key.shifted_u
    }) {
        return Err(PoolError::InvalidMeasurerSet);
    }
    if accounts::has_twins(keys, |a, b| a.u == b.u || a.shifted_u == b.shifted_u) {
        return Err(PoolError::DuplicateMeasurer);
    }
    Ok(count)
}
