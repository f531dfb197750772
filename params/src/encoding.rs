//! Curve points as bytes, in the encoding of EIP-197 that Solana's alt_bn128 syscalls take: affine
//! coordinates of 32 bytes, big-endian and canonical; G1 as `x ‖ y`, G2 as `x.c1 ‖ x.c0 ‖ y.c1 ‖
//! y.c0`; the identity as zeros.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, PrimeField};
use veilpool_protocol::proof::{G1_LEN, G2_LEN};

/// Bytes of a coordinate in the base field.
pub const COORDINATE_LEN: usize = 32;

/// Why bytes are not a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPoint {
    /// A coordinate is not less than the base field's order.
    #[error("a coordinate isn't less than the base field's order")]
    NonCanonical,
    /// The curve's equation does not hold.
    #[error("the point isn't on the curve")]
    NotOnCurve,
    /// The point has another order than the group's.
    #[error("the point isn't in the subgroup of prime order")]
    NotInSubgroup,
}

/// G1 to bytes.
#[must_use]
pub fn g1_to_bytes(point: &G1Affine) -> [u8; G1_LEN] {
    let (x, y) = point.xy().unwrap_or_default();
    join([x, y])
}

/// G2 to bytes.
#[must_use]
pub fn g2_to_bytes(point: &G2Affine) -> [u8; G2_LEN] {
    let (x, y) = point.xy().unwrap_or_default();
    join([x.c1, x.c0, y.c1, y.c0])
}

/// Bytes to G1; the identity is accepted.
///
/// # Errors
/// [`InvalidPoint`].
pub fn g1_from_bytes(bytes: &[u8; G1_LEN]) -> Result<G1Affine, InvalidPoint> {
    let [x, y] = split(bytes)?;
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(G1Affine::identity());
    }
    let point = G1Affine::new_unchecked(x, y);
    // G1 has prime order: to be on the curve is to be in the group.
    if point.is_on_curve() {
        Ok(point)
    } else {
        Err(InvalidPoint::NotOnCurve)
    }
}

/// Bytes to G2; the identity is accepted.
///
/// # Errors
/// [`InvalidPoint`].
pub fn g2_from_bytes(bytes: &[u8; G2_LEN]) -> Result<G2Affine, InvalidPoint> {
    let [x1, x0, y1, y0] = split(bytes)?;
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(G2Affine::identity());
    }
    let point = G2Affine::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
    if !point.is_on_curve() {
        return Err(InvalidPoint::NotOnCurve);
    }
    if !point.is_in_correct_subgroup_assuming_on_curve() {
        return Err(InvalidPoint::NotInSubgroup);
    }
    Ok(point)
}

/// A coordinate, big-endian.
#[must_use]
pub fn coordinate_to_bytes(coordinate: &Fq) -> [u8; COORDINATE_LEN] {
    let mut bytes = [0u8; COORDINATE_LEN];
    bytes.copy_from_slice(&coordinate.into_bigint().to_bytes_be());
    bytes
}

fn coordinate_from_bytes(bytes: &[u8]) -> Result<Fq, InvalidPoint> {
    let coordinate = Fq::from_be_bytes_mod_order(bytes);
    if coordinate_to_bytes(&coordinate) == bytes {
        Ok(coordinate)
    } else {
        Err(InvalidPoint::NonCanonical)
    }
}

fn join<const C: usize, const LEN: usize>(coordinates: [Fq; C]) -> [u8; LEN] {
    const { assert!(C * COORDINATE_LEN == LEN) };
    let mut bytes = [0u8; LEN];
    for (slot, coordinate) in bytes.chunks_exact_mut(COORDINATE_LEN).zip(&coordinates) {
        slot.copy_from_slice(&coordinate_to_bytes(coordinate));
    }
    bytes
}

fn split<const C: usize, const LEN: usize>(bytes: &[u8; LEN]) -> Result<[Fq; C], InvalidPoint> {
    const { assert!(C * COORDINATE_LEN == LEN) };
    let mut coordinates = [Fq::default(); C];
    for (slot, chunk) in coordinates
        .iter_mut()
        .zip(bytes.chunks_exact(COORDINATE_LEN))
    {
        *slot = coordinate_from_bytes(chunk)?;
    }
    Ok(coordinates)
}
