//! The chain's clock and rent, read by the bytes that are needed. The published getters decode the
//! sysvars' addresses from base58 at run time, which costs more than the rest of such a step.

use solana_program::{pubkey::Pubkey, rent::Rent, sysvar};
use veilpool_interface::PoolError;

/// In the clock's account: after slot, start of the epoch, epoch, and epoch of the leader schedule.
const CLOCK_TIMESTAMP: u64 = 4 * 8;
const CLOCK: Pubkey = sysvar::clock::ID;
const RENT: Pubkey = sysvar::rent::ID;

/// Unix seconds, by the chain's clock.
#[inline(never)]
pub(crate) fn now() -> Result<i64, PoolError> {
    read(&CLOCK, CLOCK_TIMESTAMP).map(i64::from_le_bytes)
}

/// `time + seconds`.
pub(crate) fn after(time: i64, seconds: u32) -> Result<i64, PoolError> {
    time.checked_add(i64::from(seconds))
        .ok_or(PoolError::Arithmetic)
}

/// What an account of a length must hold.
pub(crate) fn minimum_balance(size: usize) -> Result<u64, PoolError> {
    let [lamports_per_byte, exemption_threshold]: [[u8; 8]; 2] = [read(&RENT, 0)?, read(&RENT, 8)?];
    #[allow(deprecated)] // The threshold is still 2 on some clusters.
    let rent = Rent {
        lamports_per_byte: u64::from_le_bytes(lamports_per_byte),
        exemption_threshold,
        burn_percent: 0,
    };
    rent.try_minimum_balance(size).ok_or(PoolError::Arithmetic)
}

#[cfg(target_os = "solana")]
#[inline(never)]
fn read(id: &Pubkey, offset: u64) -> Result<[u8; 8], PoolError> {
    let mut out = [0u8; 8];
    // SAFETY: the syscall reads the address's 32 bytes and writes the 8 bytes of `out`.
    let code = unsafe {
        solana_define_syscall::definitions::sol_get_sysvar(
            id.as_ref().as_ptr(),
            out.as_mut_ptr(),
            offset,
            8,
        )
    };
    if code == 0 {
        Ok(out)
    } else {
        Err(PoolError::CouldNotVerify)
    }
}

// There is no chain elsewhere.
#[cfg(not(target_os = "solana"))]
fn read(_id: &Pubkey, _offset: u64) -> Result<[u8; 8], PoolError> {
    Err(PoolError::CouldNotVerify)
}
