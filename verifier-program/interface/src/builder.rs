//! The client: an instruction of each kind, with its accounts filled in. What each account is stands in
//! [`crate::accounts`].
//!
//! ```text
//! pool        initialise_pool, publish_key
//! liquidity   deposit, request_withdrawal, withdraw
//! operators   register_operator, exit_operator, slash_operator, release_bond
//! epochs      open_epoch, claim, close_claim, close_epoch
//! channels    open_channel, top_up_channel, settle_channel, close_channel, finish_channel
//! governance  propose, cancel_proposal, execute_proposal, pause_claims, resume_claims, …_authority
//! ```

mod channels;
mod epochs;
mod governance;
mod liquidity;
mod operators;

pub use channels::*;
pub use epochs::*;
pub use governance::*;
pub use liquidity::*;
pub use operators::*;

use solana_program::{
    hash::hashv,
    instruction::{AccountMeta, Instruction},
    pubkey::Pubkey,
};
use veilpool_protocol::verifying_key;

use crate::{
    accounts::{self, AccountSpec},
    address::{self, TOKEN_PROGRAM},
    instruction::{InitialisePool, PoolInstruction},
};

/// The system program.
pub const SYSTEM_PROGRAM: Pubkey = solana_system_interface::program::ID;

/// An instruction with its accounts' addresses, in the order of their table.
fn build<const N: usize>(
    program: &Pubkey,
    specs: &[AccountSpec; N],
    addresses: [Pubkey; N],
    instruction: &PoolInstruction,
) -> Instruction {
    let accounts = specs
        .iter()
        .zip(addresses)
        .map(|(spec, pubkey)| AccountMeta {
            pubkey,
            is_signer: spec.flag.is_signer(),
            is_writable: spec.flag.is_writable(),
        })
        .collect();
    Instruction {
        program_id: *program,
        accounts,
        data: instruction.encode(),
    }
}

/// Makes a pool, with a verifying key that has been published.
#[must_use]
pub fn initialise_pool(
    program: &Pubkey,
    founder: &Pubkey,
    mint: &Pubkey,
    verifying_key: &[u8; 32],
    rules: InitialisePool,
) -> Instruction {
    let pool = address::pool(program, mint, founder).0;
    build(
        program,
        &accounts::INITIALISE_POOL,
        [
            *founder,
            pool,
            *mint,
            address::vault(program, &pool).0,
            address::bonds(program, &pool).0,
            address::escrow(program, &pool).0,
            address::shares(program, &pool).0,
            address::key(program, verifying_key).0,
            TOKEN_PROGRAM,
            SYSTEM_PROGRAM,
        ],
        &PoolInstruction::InitialisePool(rules),
    )
}

/// Publishes a verifying key.
#[must_use]
pub fn publish_key(
    program: &Pubkey,
    payer: &Pubkey,
    file: &[u8; verifying_key::LEN],
) -> Instruction {
    build(
        program,
        &accounts::PUBLISH_KEY,
        [
            *payer,
            address::key(program, &key_digest(file)).0,
            SYSTEM_PROGRAM,
        ],
        &PoolInstruction::PublishKey { file: *file },
    )
}

/// SHA-256 of a verifying key's file, by which pools and epochs name it.
#[must_use]
pub fn key_digest(file: &[u8]) -> [u8; 32] {
    hashv(&[file]).to_bytes()
}
