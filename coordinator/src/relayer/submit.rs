//! The one transaction that a relayer signs: it builds it itself, from a checked claim.
//!
//! ```text
//! compute budget · create the payee's token account unless it is there · claim
//! ```
//! Its only signer is the relayer, who pays fee and rent; no key of the operator is in it (attack L2).

use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use spl_associated_token_account_interface::{
    address::get_associated_token_address, instruction::create_associated_token_account_idempotent,
};
use veilpool_interface::{
    address::{self, TOKEN_PROGRAM},
    builder::{self, ClaimAccounts},
};

use super::check::{Checked, Terms};

/// Compute budget of the claim with the payee's new account.
pub const CLAIM_UNITS: u32 = 250_000;
/// Compute budget of making a token account.
pub const ACCOUNT_UNITS: u32 = 60_000;

/// A holder's token account.
#[must_use]
pub fn token_account(holder: &Pubkey, mint: &Pubkey) -> Pubkey {
    get_associated_token_address(holder, mint)
}

/// Makes a holder's token account unless it is there.
#[must_use]
pub fn create_token_account(payer: &Pubkey, holder: &Pubkey, mint: &Pubkey) -> Instruction {
    create_associated_token_account_idempotent(payer, holder, mint, &TOKEN_PROGRAM)
}

/// The transaction's instructions, but for the compute budget's.
#[must_use]
pub fn instructions(terms: &Terms, mint: &Pubkey, claim: &Checked) -> [Instruction; 2] {
    let payee = address::pubkey(&claim.arguments.payout);
    let accounts = ClaimAccounts {
        relayer: terms.relayer,
        payee_tokens: token_account(&payee, mint),
        relayer_tokens: token_account(&terms.relayer, mint),
        verifying_key: claim.verifying_key,
    };
    [
        create_token_account(&terms.relayer, &payee, mint),
        builder::claim(
            &terms.program,
            &terms.pool,
            &accounts,
            claim.arguments.clone(),
        ),
    ]
}
