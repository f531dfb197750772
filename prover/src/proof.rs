//! Proofs as points and as bytes.
//!
//! 256 bytes: EIP-197 (`params::encoding`), what the chain takes. 128 bytes: the compression of
//! Solana's alt_bn128 syscalls, for everywhere else: the x-coordinate of each point, big-endian
//! (G2: `c1 ‖ c0`), with flags in the two highest bits of the first byte: bit 7 = y is the larger
//! of the two roots, bit 6 unused (it marks infinity in arkworks' form, which Solana writes as
//! zeros).

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use veilpool_params::encoding::{
    InvalidPoint, g1_from_bytes, g1_to_bytes, g2_from_bytes, g2_to_bytes,
};
use veilpool_protocol::{CompressedProofBytes, ProofBytes};

/// A Groth16 proof whose points are in their groups. It says nothing until it is verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof(ark_groth16::Proof<Bn254>);

/// Why bytes are not a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProofBytes {
    /// A point of the proof is none.
    #[error("the proof's point {point}: {source}")]
    Point {
        /// A, B or C.
        point: char,
        /// Why.
        source: InvalidPoint,
    },
    /// A compressed point is none.
    #[error("the compressed proof's point {0} isn't the x-coordinate of a point of its group")]
    Compressed(char),
}

const G1_COMPRESSED: usize = 32;
const G2_COMPRESSED: usize = 64;
const _: () = assert!(2 * G1_COMPRESSED + G2_COMPRESSED == CompressedProofBytes::LEN);

impl Proof {
    /// From arkworks' type, whose points are in their groups unless somebody built them unchecked.
    #[must_use]
    pub const fn new(proof: ark_groth16::Proof<Bn254>) -> Self {
        Self(proof)
    }

    /// arkworks' type.
    #[must_use]
    pub const fn as_ark(&self) -> &ark_groth16::Proof<Bn254> {
        &self.0
    }

    /// From 256 bytes.
    ///
    /// # Errors
    /// [`InvalidProofBytes`].
    pub fn from_bytes(bytes: &ProofBytes) -> Result<Self, InvalidProofBytes> {
        let (a, b, c) = bytes.points();
        let at = |point| move |source| InvalidProofBytes::Point { point, source };
        Ok(Self(ark_groth16::Proof {
            a: g1_from_bytes(a).map_err(at('A'))?,
            b: g2_from_bytes(b).map_err(at('B'))?,
            c: g1_from_bytes(c).map_err(at('C'))?,
        }))
    }

    /// As 256 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> ProofBytes {
        let mut bytes = [0u8; ProofBytes::LEN];
        let (a, rest) = bytes.split_at_mut(64);
        let (b, c) = rest.split_at_mut(128);
        a.copy_from_slice(&g1_to_bytes(&self.0.a));
        b.copy_from_slice(&g2_to_bytes(&self.0.b));
        c.copy_from_slice(&g1_to_bytes(&self.0.c));
        ProofBytes::new(bytes)
    }

    /// From 128 bytes.
    ///
    /// # Errors
    /// [`InvalidProofBytes::Compressed`].
    pub fn from_compressed(bytes: &CompressedProofBytes) -> Result<Self, InvalidProofBytes> {
        let (a, rest) = bytes.as_bytes().split_at(G1_COMPRESSED);
        let (b, c) = rest.split_at(G2_COMPRESSED);
        Ok(Self(ark_groth16::Proof {
            a: decompress::<G1Affine>(a).ok_or(InvalidProofBytes::Compressed('A'))?,
            b: decompress::<G2Affine>(b).ok_or(InvalidProofBytes::Compressed('B'))?,
            c: decompress::<G1Affine>(c).ok_or(InvalidProofBytes::Compressed('C'))?,
        }))
    }

    /// As 128 bytes.
    #[must_use]
    pub fn to_compressed(&self) -> CompressedProofBytes {
        let mut bytes = [0u8; CompressedProofBytes::LEN];
        let (a, rest) = bytes.split_at_mut(G1_COMPRESSED);
        let (b, c) = rest.split_at_mut(G2_COMPRESSED);
        compress(&self.0.a, a);
        compress(&self.0.b, b);
        compress(&self.0.c, c);
        CompressedProofBytes::new(bytes)
    }
}

// arkworks writes little-endian with the flags in the last byte; Solana reverses all of it.
fn compress<P: AffineRepr>(point: &P, out: &mut [u8]) {
    if point.is_zero() {
        out.fill(0);
        return;
    }
    let mut bytes = Vec::with_capacity(out.len());
    if let Err(error) = point.serialize_compressed(&mut bytes) {
        unreachable!("writing to memory doesn't fail: {error}");
    }
    bytes.reverse();
    out.copy_from_slice(&bytes);
}

// Checks curve and subgroup; refuses arkworks' own flag for infinity, so that every point has one
// encoding.
fn decompress<P: AffineRepr>(bytes: &[u8]) -> Option<P> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Some(P::zero());
    }
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let point = P::deserialize_compressed(reversed.as_slice()).ok()?;
    (!point.is_zero()).then_some(point)
}
