//! Derived addresses by the hash itself, which costs a fifth of the runtime's own derivation.
//!
//! ```text
//! address = SHA-256(seeds ‖ bump ‖ program ‖ "ProgramDerivedAddress"), the largest bump that leaves the curve
//! ```
//! The results are those of `Pubkey::find_program_address`, which clients use (every test of the program
//! passes through both). For an account that exists the recorded bump was found here, so that the hash alone
//! decides; for one that is to be created the runtime derives the address once more when it signs.

use solana_program::{account_info::AccountInfo, hash::hashv, pubkey::Pubkey};
use veilpool_interface::PoolError;

/// What the runtime hashes last.
const MARKER: &[u8] = b"ProgramDerivedAddress";
/// Seeds, bump, program and marker.
const MAX_PARTS: usize = 7;

/// The address for a bump, whether on the curve or not.
fn hash(program: &Pubkey, seeds: &[&[u8]], bump: u8) -> Option<Pubkey> {
    let bump = [bump];
    let tail: [&[u8]; 3] = [&bump, program.as_ref(), MARKER];
    let len = seeds.len().checked_add(tail.len())?;
    let mut parts: [&[u8]; MAX_PARTS] = [&[]; MAX_PARTS];
    let parts = parts.get_mut(..len)?;
    for (part, source) in parts.iter_mut().zip(seeds.iter().chain(&tail)) {
        *part = source;
    }
    Some(Pubkey::new_from_array(hashv(parts).to_bytes()))
}

#[cfg(target_os = "solana")]
fn is_on_curve(address: &Pubkey) -> bool {
    const EDWARDS: u64 = 0;
    // SAFETY: the syscall reads the address's 32 bytes, and writes nothing.
    let code = unsafe {
        solana_define_syscall::definitions::sol_curve_validate_point(
            EDWARDS,
            address.as_ref().as_ptr(),
            core::ptr::null_mut(),
        )
    };
    code == 0
}

#[cfg(not(target_os = "solana"))]
fn is_on_curve(address: &Pubkey) -> bool {
    address.is_on_curve()
}

/// The address and its canonical bump.
pub(crate) fn find(program: &Pubkey, seeds: &[&[u8]]) -> Option<(Pubkey, u8)> {
    (0..=u8::MAX).rev().find_map(|bump| {
        let address = hash(program, seeds, bump)?;
        (!is_on_curve(&address)).then_some((address, bump))
    })
}

/// Whether an account to be created stands at its derived address; its bump.
pub(crate) fn check_new(
    program: &Pubkey,
    account: &AccountInfo<'_>,
    seeds: &[&[u8]],
) -> Result<u8, PoolError> {
    match find(program, seeds) {
        Some((address, bump)) if address == *account.key => Ok(bump),
        _ => Err(PoolError::WrongAddress),
    }
}

/// Whether an account that exists stands at the address of its recorded bump.
pub(crate) fn check(
    program: &Pubkey,
    account: &AccountInfo<'_>,
    seeds: &[&[u8]],
    bump: u8,
) -> Result<(), PoolError> {
    match hash(program, seeds, bump) {
        Some(address) if address == *account.key => Ok(()),
        _ => Err(PoolError::WrongAddress),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn addresses_are_those_of_the_runtime(program: [u8; 32], a: [u8; 32], b: [u8; 4]) {
            let program = Pubkey::new_from_array(program);
            let seeds: [&[u8]; 4] = [b"claim", &a, &b, &a];
            prop_assert_eq!(find(&program, &seeds), Some(Pubkey::find_program_address(&seeds, &program)));
        }
    }
}
