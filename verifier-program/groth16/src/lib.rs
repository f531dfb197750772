//! Groth16 verification over bytes: the same code on the chain, by syscalls, and on the host.
//!
//! ```text
//! e(−A, B) · e(α, β) · e(IC₀ + x·IC₁, γ) · e(C, δ) = 1
//! ```
//! One public input x (Groth, EUROCRYPT 2016, with the check turned to a product of pairings).
//! Points are in EIP-197's encoding. Steps: scalar < r (I3), then the input's point, then one pairing
//! product, which also checks that A, B and C are points of the curves and B of the subgroup.
//! [`VerifyingKey::validate`] refuses unsafe keys (C2, C3); it is done once, when a pool is made.

#![cfg_attr(not(target_os = "solana"), forbid(unsafe_code))]

#[cfg(not(target_os = "solana"))]
pub mod compression;
mod group;
pub mod key;

#[cfg(not(target_os = "solana"))]
pub use compression::decompress;
pub use key::{KeyError, VerifyingKey};

use veilpool_protocol::{ProofBytes, PublicInputBytes, field};

/// Modulus p of the base field, big-endian.
const BASE_FIELD_ORDER: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d,
    0x97, 0x81, 0x6a, 0x91, 0x68, 0x71, 0xca, 0x8d, 0x3c, 0x20, 0x8c, 0x16, 0xd8, 0x7c, 0xfd, 0x47,
];

/// One pair of a pairing product.
pub(crate) const PAIR: usize = 192;

/// Why a proof is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The public input is not less than the scalar field's order (attack I3).
    #[error("the public input is not less than the scalar field's order: encode it canonically")]
    ScalarNotCanonical,
    /// A, B or C is not a point of its curve.
    #[error(
        "the proof's bytes are not points of the curves: send the prover's 256 bytes unchanged"
    )]
    MalformedProof,
    /// The pairing product is not one.
    #[error("the proof does not hold for this public input")]
    PairingFalse,
    /// A group operation failed on a validated key: the runtime lacks it.
    #[error("verification could not be carried out: the runtime refused a group operation")]
    Unavailable,
}

/// Verifies a proof of one public input with a key that has been validated.
///
/// # Errors
/// [`VerifyError`].
pub fn verify(
    key: &VerifyingKey<'_>,
    input: &PublicInputBytes,
    proof: &ProofBytes,
) -> Result<(), VerifyError> {
    verify_scalar(key, input.as_bytes(), proof)
}

/// The same for a scalar of any origin.
///
/// # Errors
/// [`VerifyError`].
#[inline(never)]
pub fn verify_scalar(
    key: &VerifyingKey<'_>,
    scalar: &[u8; 32],
    proof: &ProofBytes,
) -> Result<(), VerifyError> {
    // 1. One encoding for each scalar.
    if !field::is_canonical(scalar) {
        return Err(VerifyError::ScalarNotCanonical);
    }
    // 2. The input's point.
    let [ic0, ic1] = key.layout().ic;
    let mut product = [0u8; 96];
    put(&mut product, 0, ic1);
    put(&mut product, 64, scalar);
    let scaled = group::multiply(&product).ok_or(VerifyError::Unavailable)?;
    let mut sum = [0u8; 128];
    put(&mut sum, 0, ic0);
    put(&mut sum, 64, &scaled);
    let point = group::add(&sum).ok_or(VerifyError::Unavailable)?;
    // 3. Four pairings.
    let (a, b, c) = proof.points();
    let negated = negate(a).ok_or(VerifyError::MalformedProof)?;
    let mut pairs = [0u8; 4 * PAIR];
    let key = key.layout();
    put(&mut pairs, 0, &negated);
    put(&mut pairs, 64, b);
    put(&mut pairs, PAIR, key.alpha);
    put(&mut pairs, PAIR + 64, key.beta);
    put(&mut pairs, 2 * PAIR, &point);
    put(&mut pairs, 2 * PAIR + 64, key.gamma);
    put(&mut pairs, 3 * PAIR, c);
    put(&mut pairs, 3 * PAIR + 64, key.delta);
    // The key's points are valid, so a refusal is the proof's fault.
    match group::pairing_is_one(&pairs) {
        None => Err(VerifyError::MalformedProof),
        Some(false) => Err(VerifyError::PairingFalse),
        Some(true) => Ok(()),
    }
}

/// Copies `bytes` to `at`; what would not fit is cut, which the fixed lengths here rule out.
pub(crate) fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(slot) = out.get_mut(at..at + bytes.len()) {
        slot.copy_from_slice(bytes);
    }
}

/// `(x, p − y)`; `None` when y is not less than p. Infinity (0, 0) stays.
fn negate(point: &[u8; 64]) -> Option<[u8; 64]> {
    let mut out = *point;
    let (_, y) = out.split_at_mut(32);
    if *y >= BASE_FIELD_ORDER[..] {
        return None;
    }
    if y.iter().all(|byte| *byte == 0) {
        return Some(out);
    }
    let mut borrow = false;
    let (limbs, _) = y.as_chunks_mut::<8>();
    let (moduli, _) = BASE_FIELD_ORDER.as_chunks::<8>();
    for (limb, modulus) in limbs.iter_mut().zip(moduli).rev() {
        let (difference, first) =
            u64::from_be_bytes(*modulus).overflowing_sub(u64::from_be_bytes(*limb));
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        borrow = first || second;
        *limb = difference.to_be_bytes();
    }
    Some(out)
}
