//! Proofs of 128 bytes, as Solana's `alt_bn128_compression` packs points. On the host only: the chain
//! takes 256 bytes, since decompressing there costs 14,000 compute units.

use solana_bn254::compression::prelude::{alt_bn128_g1_decompress_be, alt_bn128_g2_decompress_be};
use veilpool_protocol::{CompressedProofBytes, ProofBytes};

use crate::{VerifyError, put};

/// The 256-byte form of a proof.
///
/// # Errors
/// [`VerifyError::MalformedProof`] when a point can't be decompressed.
pub fn decompress(proof: &CompressedProofBytes) -> Result<ProofBytes, VerifyError> {
    let bytes = proof.as_bytes();
    let (a, rest) = bytes.split_at(32);
    let (b, c) = rest.split_at(64);
    let g1 = |point: &[u8]| {
        let point: &[u8; 32] = point.try_into().map_err(|_| VerifyError::MalformedProof)?;
        alt_bn128_g1_decompress_be(point).map_err(|_| VerifyError::MalformedProof)
    };
    let b: &[u8; 64] = b.try_into().map_err(|_| VerifyError::MalformedProof)?;
    let b = alt_bn128_g2_decompress_be(b).map_err(|_| VerifyError::MalformedProof)?;
    let mut out = [0u8; ProofBytes::LEN];
    put(&mut out, 0, &g1(a)?);
    put(&mut out, 64, &b);
    put(&mut out, 192, &g1(c)?);
    Ok(ProofBytes::new(out))
}
