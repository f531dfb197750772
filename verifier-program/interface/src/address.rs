//! Derived addresses. Each kind of account has exactly one prefix, so that nothing can stand for
//! something else (attack I1: one nullifier, one address).
//!
//! ```text
//! pool       "pool"       ‖ mint ‖ founder           vault   "vault"   ‖ pool
//! bonds      "bonds"      ‖ pool                     escrow  "escrow"  ‖ pool
//! shares     "shares"     ‖ pool                     key     "key"     ‖ SHA-256 of the verifying key
//! operator   "operator"   ‖ pool ‖ commitment        epoch   "epoch"   ‖ pool ‖ epoch u32 LE
//! claim      "claim"      ‖ pool ‖ epoch u32 LE ‖ nullifier
//! withdrawal "withdrawal" ‖ pool ‖ owner ‖ number u32 LE
//! channel    "channel"    ‖ pool ‖ consumer ‖ hub
//! proposal   "proposal"   ‖ pool ‖ number u32 LE
//! ```

use solana_program::pubkey::Pubkey;
use veilpool_protocol::{AddressBytes, CommitmentBytes, EpochId, NullifierBytes};

/// SPL Token, the only token program that is accepted: Token-2022's extensions (transfer fees, hooks, permanent
/// delegates, pausing) would let somebody else change what a vault holds.
pub const TOKEN_PROGRAM: Pubkey =
    Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

/// First seed of each kind of address.
pub mod seed {
    /// Of a pool.
    pub const POOL: &[u8] = b"pool";
    /// Of a pool's token vault.
    pub const VAULT: &[u8] = b"vault";
    /// Of a pool's vault of bonds.
    pub const BONDS: &[u8] = b"bonds";
    /// Of an operator.
    pub const OPERATOR: &[u8] = b"operator";
    /// Of an epoch.
    pub const EPOCH: &[u8] = b"epoch";
    /// Of a claim.
    pub const CLAIM: &[u8] = b"claim";
    /// Of a pool's vault of channels.
    pub const ESCROW: &[u8] = b"escrow";
    /// Of the mint of a pool's shares.
    pub const SHARES: &[u8] = b"shares";
    /// Of a verifying key.
    pub const KEY: &[u8] = b"key";
    /// Of a withdrawal.
    pub const WITHDRAWAL: &[u8] = b"withdrawal";
    /// Of a channel.
    pub const CHANNEL: &[u8] = b"channel";
    /// Of a proposal.
    pub const PROPOSAL: &[u8] = b"proposal";
}

/// As the chain's own type.
#[must_use]
pub fn pubkey(address: &AddressBytes) -> Pubkey {
    Pubkey::new_from_array(*address.as_bytes())
}

/// As the protocol's type.
#[must_use]
pub fn bytes(address: &Pubkey) -> AddressBytes {
    AddressBytes::new(address.to_bytes())
}

/// The pool of a mint and a founder, with its bump.
#[must_use]
pub fn pool(program: &Pubkey, mint: &Pubkey, founder: &Pubkey) -> (Pubkey, u8) {
    Pubkey::find_program_address(&[seed::POOL, mint.as_ref(), founder.as_ref()], program)
}

/// The pool's token vault, with its bump.
#[must_use]
pub fn vault(program: &Pubkey, pool: &Pubkey) -> (Pubkey, u8) {
    Pubkey::find_program_address(&[seed::VAULT, pool.as_ref()], program)
}

/// The pool's vault of bonds, with its bump.
#[must_use]
pub fn bonds(program: &Pubkey, pool: &Pubkey) -> (Pubkey, u8) {
    Pubkey::find_program_address(&[seed::BONDS, pool.as_ref()], program)
}

/// An operator, with its bump.
#[must_use]
pub fn operator(program: &Pubkey, pool: &Pubkey, commitment: &CommitmentBytes) -> (Pubkey, u8) {
    Pubkey::find_program_address(
        &[seed::OPERATOR, pool.as_ref(), commitment.as_bytes()],
        program,
    )
}

/// An epoch, with its bump.
#[must_use]
pub fn epoch(program: &Pubkey, pool: &Pubkey, epoch: EpochId) -> (Pubkey, u8) {
    let number = epoch.get().to_le_bytes();
    Pubkey::find_program_address(&[seed::EPOCH, pool.as_ref(), &number], program)
}

/// A claim, with its bump.
#[must_use]
pub fn claim(
    program: &Pubkey,
    pool: &Pubkey,
    epoch: EpochId,
    nullifier: &NullifierBytes,
) -> (Pubkey, u8) {
    let number = epoch.get().to_le_bytes();
    Pubkey::find_program_address(
        &[seed::CLAIM, pool.as_ref(), &number, nullifier.as_bytes()],
        program,
    )
}

/// The pool's vault of channels, with its bump.
#[must_use]
pub fn escrow(program: &Pubkey, pool: &Pubkey) -> (Pubkey, u8) {
    Pubkey::find_program_address(&[seed::ESCROW, pool.as_ref()], program)
}

/// The mint of the pool's shares, with its bump.
#[must_use]
pub fn shares(program: &Pubkey, pool: &Pubkey) -> (Pubkey, u8) {
    Pubkey::find_program_address(&[seed::SHARES, pool.as_ref()], program)
}

/// A verifying key by the SHA-256 of its file, with its bump.
#[must_use]
pub fn key(program: &Pubkey, digest: &[u8; 32]) -> (Pubkey, u8) {
    Pubkey::find_program_address(&[seed::KEY, digest], program)
}

/// A withdrawal, with its bump.
#[must_use]
pub fn withdrawal(program: &Pubkey, pool: &Pubkey, owner: &Pubkey, number: u32) -> (Pubkey, u8) {
    let number = number.to_le_bytes();
    Pubkey::find_program_address(
        &[seed::WITHDRAWAL, pool.as_ref(), owner.as_ref(), &number],
        program,
    )
}

/// A channel, with its bump.
#[must_use]
pub fn channel(program: &Pubkey, pool: &Pubkey, consumer: &Pubkey, hub: &Pubkey) -> (Pubkey, u8) {
    Pubkey::find_program_address(
        &[
            seed::CHANNEL,
            pool.as_ref(),
            consumer.as_ref(),
            hub.as_ref(),
        ],
        program,
    )
}

/// A proposal, with its bump.
#[must_use]
pub fn proposal(program: &Pubkey, pool: &Pubkey, number: u32) -> (Pubkey, u8) {
    let number = number.to_le_bytes();
    Pubkey::find_program_address(&[seed::PROPOSAL, pool.as_ref(), &number], program)
}
