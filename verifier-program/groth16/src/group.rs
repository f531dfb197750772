//! Addition, multiplication and pairing on BN254, big-endian: syscalls on the chain, the code behind
//! them on the host. Each returns `None` when an input is not a point. SIMD-0129 names the operations.

pub(crate) const G1: usize = 64;

#[cfg(target_os = "solana")]
mod syscall {
    use solana_define_syscall::definitions::sol_alt_bn128_group_op;

    pub(super) fn run<const OUT: usize>(operation: u64, input: &[u8]) -> Option<[u8; OUT]> {
        let mut out = [0u8; OUT];
        // SAFETY: the syscall reads `len` bytes and writes the operation's result, which is `OUT` bytes.
        let code = unsafe {
            sol_alt_bn128_group_op(
                operation,
                input.as_ptr(),
                input.len() as u64,
                out.as_mut_ptr(),
            )
        };
        (code == 0).then_some(out)
    }
}

#[cfg(target_os = "solana")]
pub(crate) fn add(input: &[u8; 2 * G1]) -> Option<[u8; G1]> {
    syscall::run(0, input)
}

#[cfg(target_os = "solana")]
pub(crate) fn multiply(input: &[u8; G1 + 32]) -> Option<[u8; G1]> {
    syscall::run(2, input)
}

#[cfg(target_os = "solana")]
fn pairing(input: &[u8]) -> Option<[u8; 32]> {
    syscall::run(3, input)
}

#[cfg(not(target_os = "solana"))]
pub(crate) fn add(input: &[u8; 2 * G1]) -> Option<[u8; G1]> {
    solana_bn254::prelude::alt_bn128_g1_addition_be(input)
        .ok()?
        .try_into()
        .ok()
}

#[cfg(not(target_os = "solana"))]
pub(crate) fn multiply(input: &[u8; G1 + 32]) -> Option<[u8; G1]> {
    solana_bn254::prelude::alt_bn128_g1_multiplication_be(input)
        .ok()?
        .try_into()
        .ok()
}

#[cfg(not(target_os = "solana"))]
fn pairing(input: &[u8]) -> Option<[u8; 32]> {
    solana_bn254::prelude::alt_bn128_pairing_be(input)
        .ok()?
        .try_into()
        .ok()
}

/// Whether the product of pairings is one.
pub(crate) fn pairing_is_one(pairs: &[u8]) -> Option<bool> {
    let out = pairing(pairs)?;
    let (last, rest) = out.split_last()?;
    Some(*last == 1 && rest.iter().all(|byte| *byte == 0))
}
