//! Groth16 proofs over BN254 as bytes.

byte_array! {
    /// A Groth16 proof `A (64) ‖ B (128) ‖ C (64)` in the encoding of EIP-197: affine coordinates,
    /// 32 bytes big-endian each, G1 as `x ‖ y`, G2 as `x.c1 ‖ x.c0 ‖ y.c1 ‖ y.c0`. A is *not* negated.
    ProofBytes, 256
}
byte_array! {
    /// The same proof, compressed as Solana's `alt_bn128_compression` does it: `A (32) ‖ B (64) ‖ C (32)`.
    CompressedProofBytes, 128
}

/// Length of an uncompressed G1 point.
pub const G1_LEN: usize = 64;
/// Length of an uncompressed G2 point.
pub const G2_LEN: usize = 128;

const _: () = assert!(ProofBytes::LEN == 2 * G1_LEN + G2_LEN);

impl ProofBytes {
    /// A, B and C.
    #[must_use]
    pub fn points(&self) -> (&[u8; G1_LEN], &[u8; G2_LEN], &[u8; G1_LEN]) {
        let (a, rest) = self.as_bytes().split_first_chunk().expect("256 bytes");
        let (b, rest) = rest.split_first_chunk().expect("192 bytes");
        let (c, _) = rest.split_first_chunk().expect("64 bytes");
        (a, b, c)
    }
}
