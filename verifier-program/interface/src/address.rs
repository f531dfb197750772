//! Derived addresses. Each kind of account has exactly one prefix, so that nothing can stand for
//! something else (attack I1: one nullifier, one address).
//!
//! ```text
//! pool      "pool"     ‖ mint ‖ authority        vault     "vault"    ‖ pool
//! bonds     "bonds"    ‖ pool                    operator  "operator" ‖ pool ‖ commitment
//! epoch     "epoch"    ‖ pool ‖ epoch u32 LE     claim     "claim"    ‖ pool ‖ epoch u32 LE ‖ nullifier
//! position  "position" ‖ pool ‖ owner
//! ```

use solana_program::pubkey::Pubkey;
use veilpool_protocol::{AddressBytes, CommitmentBytes, EpochId, NullifierBytes};

/// SPL Token, the only token program that is accepted.
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
    /// Of a position.
    pub const POSITION: &[u8] = b"position";
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

/// The pool of a mint and an authority, with its bump.
#[must_use]
pub fn pool(program: &Pubkey, mint: &Pubkey, authority: &Pubkey) -> (Pubkey, u8) {
    Pubkey::find_program_address(&[seed::POOL, mint.as_ref(), authority.as_ref()], program)
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

/// A liquidity provider's position, with its bump.
#[must_use]
pub fn position(program: &Pubkey, pool: &Pubkey, owner: &Pubkey) -> (Pubkey, u8) {
    Pubkey::find_program_address(&[seed::POSITION, pool.as_ref(), owner.as_ref()], program)
}
