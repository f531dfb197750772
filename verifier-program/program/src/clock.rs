//! The chain's time.

use solana_program::{clock::Clock, program_error::ProgramError, sysvar::Sysvar};
use veilpool_interface::PoolError;

/// Unix seconds, by the chain's clock.
pub(crate) fn now() -> Result<i64, ProgramError> {
    Ok(Clock::get()?.unix_timestamp)
}

/// `time + seconds`.
pub(crate) fn after(time: i64, seconds: u32) -> Result<i64, PoolError> {
    time.checked_add(i64::from(seconds))
        .ok_or(PoolError::Arithmetic)
}
