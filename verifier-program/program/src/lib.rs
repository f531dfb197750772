//! The pool program: it keeps the registry of operators, opens and closes epochs, and pays claims
//! whose Groth16 proof holds.
//!
//! Thin on purpose: encodings, addresses, hashes and arithmetic are in `interface`, verification in
//! `groth16`, both shared with the programs off chain. Here is the order of checks, one file for each
//! instruction. Nothing is taken from the caller that the program can know itself: bumps, public inputs,
//! amounts.
//!
//! Every instruction checks its accounts in the same order, so that a wrong account has one answer:
//! number, signatures, writability, duplicates; then programs; then each account in turn, by owner, type,
//! derived or recorded address, and for token accounts mint, state and holder. Then what it asks for.

#![cfg_attr(not(target_os = "solana"), forbid(unsafe_code))]
#![warn(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod accounts;
mod derive;
mod epoch;
mod instruction;
pub mod key;
mod pool;
mod system;
mod sysvar;
mod token;

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::PoolInstruction;

// 128-bit arithmetic, where the compiler's own is wrong.
#[cfg(all(target_os = "solana", target_arch = "bpf"))]
use veilpool_sbf_builtins as _;

#[cfg(target_os = "solana")]
mod entrypoint {
    // The macro asks for features that this crate has no use for.
    #![allow(unexpected_cfgs)]
    use super::process;
    solana_program::entrypoint!(process);
}

/// Carries out one instruction.
///
/// # Errors
/// [`veilpool_interface::PoolError`] as a custom error, and those of the token and system programs.
pub fn process(program: &Pubkey, accounts: &[AccountInfo<'_>], data: &[u8]) -> ProgramResult {
    match PoolInstruction::decode(data)? {
        PoolInstruction::InitialisePool(rules) => {
            instruction::initialise_pool::process(program, accounts, rules)
        }
        PoolInstruction::Deposit { amount } => {
            instruction::deposit::process(program, accounts, amount)
        }
        PoolInstruction::RegisterOperator { commitment } => {
            instruction::register_operator::process(program, accounts, commitment)
        }
        PoolInstruction::OpenEpoch { epoch } => {
            instruction::open_epoch::process(program, accounts, epoch)
        }
        PoolInstruction::Claim(arguments) => {
            instruction::claim::process(program, accounts, &arguments)
        }
        PoolInstruction::CloseClaim { epoch, nullifier } => {
            instruction::close_claim::process(program, accounts, epoch, &nullifier)
        }
        PoolInstruction::CloseEpoch { epoch } => {
            instruction::close_epoch::process(program, accounts, epoch)
        }
    }
}
