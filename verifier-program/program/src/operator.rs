//! What leaving and being slashed have in common.

use veilpool_interface::{
    Deadline, Exit, Operator, Pool, PoolError,
    registry::{RegistryPath, RemoveError},
};

use crate::sysvar;

/// Takes an operator out of the registry. Its leaf is in all epochs that were opened before now.
pub(crate) fn remove(
    pool: &mut Pool,
    operator: &mut Operator,
    path: &RegistryPath,
) -> Result<(), PoolError> {
    pool.registry
        .remove(operator.leaf_index, &operator.commitment, path)
        .map_err(|error| match error {
            RemoveError::WrongPath => PoolError::WrongPath,
            _ => PoolError::CouldNotVerify,
        })?;
    let parameters = &pool.rules.parameters;
    let books = &mut pool.books;
    books.operators = books
        .operators
        .checked_sub(1)
        .ok_or(PoolError::Arithmetic)?;
    let now = sysvar::now()?;
    let paused_before = books.paused(now);
    let last_window = books
        .last_window
        .checked_add(i64::from(paused_before))
        .ok_or(PoolError::Arithmetic)?;
    operator.exit = Some(Exit {
        epoch: books.next_epoch,
        release: Deadline {
            // At least as long as an epoch with the leaf would have taken, though there be none: one bond can't be
            // put in and taken out until the registry is full.
            at: sysvar::after(now, parameters.epoch_seconds)
                .and_then(|end| sysvar::after(end, parameters.claim_window_seconds))?
                .max(last_window),
            paused_before,
        },
    });
    Ok(())
}
