//! The pool program: it keeps liquidity, the registry of operators and consumers' channels, opens and closes
//! epochs, and pays claims whose Groth16 proof holds.
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
mod channel;
mod derive;
mod epoch;
mod event;
mod governance;
mod instruction;
mod introspection;
pub mod key;
mod operator;
mod pool;
mod record;
mod security_txt;
mod system;
mod sysvar;
mod token;

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{PoolError, Wire, instruction::tag, registry::RegistryPath};

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
/// [`PoolError`] as a custom error, and those of the token and system programs.
pub fn process(program: &Pubkey, accounts: &[AccountInfo<'_>], data: &[u8]) -> ProgramResult {
    use instruction as to;
    let invalid = PoolError::InvalidInstruction;
    let (tag, rest) = data.split_first().ok_or(invalid)?;
    // Each arm reads its own arguments, where `PoolInstruction::decode`, which does the same, would move whatever is
    // largest about.
    match *tag {
        tag::INITIALISE_POOL => to::initialise_pool::process(program, accounts, arguments(rest)?),
        tag::DEPOSIT => {
            let (amount, min_shares) = arguments(rest)?;
            to::deposit::process(program, accounts, amount, min_shares)
        }
        tag::REGISTER_OPERATOR => {
            to::register_operator::process(program, accounts, arguments(rest)?)
        }
        tag::OPEN_EPOCH => to::open_epoch::process(program, accounts, arguments(rest)?),
        tag::CLAIM => to::claim::process(program, accounts, &arguments(rest)?),
        tag::CLOSE_CLAIM => {
            let () = arguments(rest)?;
            to::close_claim::process(program, accounts)
        }
        tag::CLOSE_EPOCH => {
            let () = arguments(rest)?;
            to::close_epoch::process(program, accounts)
        }
        tag::PUBLISH_KEY => {
            let file = rest.try_into().map_err(|_| invalid)?;
            to::publish_key::process(program, accounts, file)
        }
        tag::REQUEST_WITHDRAWAL => {
            let (number, shares) = arguments(rest)?;
            to::request_withdrawal::process(program, accounts, number, shares)
        }
        tag::WITHDRAW => {
            let () = arguments(rest)?;
            to::withdraw::process(program, accounts)
        }
        tag::EXIT_OPERATOR => to::exit_operator::process(program, accounts, &arguments(rest)?),
        tag::SLASH_OPERATOR => {
            let (secret, path): (_, Option<RegistryPath>) = arguments(rest)?;
            to::slash_operator::process(program, accounts, &secret, path.as_ref())
        }
        tag::RELEASE_BOND => {
            let () = arguments(rest)?;
            to::release_bond::process(program, accounts)
        }
        tag::OPEN_CHANNEL => to::open_channel::process(program, accounts, &arguments(rest)?),
        tag::TOP_UP_CHANNEL => {
            let (amount, expires_at) = arguments(rest)?;
            to::top_up_channel::process(program, accounts, amount, expires_at)
        }
        tag::SETTLE_CHANNEL => to::settle_channel::process(program, accounts, arguments(rest)?),
        tag::CLOSE_CHANNEL => {
            let () = arguments(rest)?;
            to::close_channel::process(program, accounts)
        }
        tag::FINISH_CHANNEL => {
            let () = arguments(rest)?;
            to::finish_channel::process(program, accounts)
        }
        tag::PROPOSE => {
            let (number, change) = arguments(rest)?;
            to::propose::process(program, accounts, number, change)
        }
        tag::CANCEL_PROPOSAL => {
            let () = arguments(rest)?;
            to::cancel_proposal::process(program, accounts)
        }
        tag::EXECUTE_PROPOSAL => {
            let () = arguments(rest)?;
            to::execute_proposal::process(program, accounts)
        }
        tag::PAUSE_CLAIMS => to::pause_claims::process(program, accounts, arguments(rest)?),
        tag::RESUME_CLAIMS => {
            let () = arguments(rest)?;
            to::resume_claims::process(program, accounts)
        }
        tag::PROPOSE_AUTHORITY => {
            to::propose_authority::process(program, accounts, arguments(rest)?)
        }
        tag::ACCEPT_AUTHORITY => {
            let () = arguments(rest)?;
            to::accept_authority::process(program, accounts)
        }
        _ => Err(invalid.into()),
    }
}

/// An instruction's arguments, when these are exactly their bytes.
#[inline(always)]
fn arguments<T: Wire>(bytes: &[u8]) -> Result<T, PoolError> {
    T::whole(bytes).ok_or(PoolError::InvalidInstruction)
}
