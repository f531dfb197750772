//! Field elements and points as iden3's tools write them; see the crate's doc for the forms.

use std::sync::LazyLock;

use ark_bn254::{Fq, Fq2, Fr, g1, g2};
use ark_ec::{AffineRepr, short_weierstrass::Affine};
use ark_ff::{BigInt, PrimeField};
use rayon::prelude::*;
use veilpool_params::encoding::InvalidPoint;

use crate::{
    container::Cursor,
    error::{InvalidFile, Place},
};

/// Bytes of an element of either field.
pub(crate) const ELEMENT_LEN: usize = 32;
/// Bytes of a point in G1.
pub(crate) const G1_LEN: usize = 2 * ELEMENT_LEN;
/// Bytes of a point in G2.
pub(crate) const G2_LEN: usize = 4 * ELEMENT_LEN;

/// How many points one thread checks at a time.
const CHUNK: usize = 256;

struct Factors<F> {
    r: F,
    r_inverse: F,
}

fn factors<F: PrimeField>() -> Factors<F> {
    let r = F::from(2u64).pow([256]);
    Factors {
        r,
        r_inverse: r.inverse().unwrap_or(F::ZERO),
    }
}

static FQ: LazyLock<Factors<Fq>> = LazyLock::new(factors);
static FR: LazyLock<Factors<Fr>> = LazyLock::new(factors);

/// Order of the scalar field, as headers have it.
pub(crate) fn scalar_order() -> [u8; ELEMENT_LEN] {
    to_bytes(Fr::MODULUS)
}

/// Order of the base field, as headers have it.
pub(crate) fn base_order() -> [u8; ELEMENT_LEN] {
    to_bytes(Fq::MODULUS)
}

fn to_bytes(integer: BigInt<4>) -> [u8; ELEMENT_LEN] {
    let mut bytes = [0; ELEMENT_LEN];
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(integer.0) {
        chunk.copy_from_slice(&limb.to_le_bytes());
    }
    bytes
}

fn from_bytes<F: PrimeField<BigInt = BigInt<4>>>(bytes: &[u8]) -> Option<F> {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        *limb = u64::from_le_bytes(word);
    }
    F::from_bigint(BigInt(limbs))
}

/// Plain form; none when it isn't canonical.
pub(crate) fn scalar_from_plain(bytes: &[u8]) -> Option<Fr> {
    from_bytes(bytes)
}

pub(crate) fn scalar_to_plain(scalar: &Fr) -> [u8; ELEMENT_LEN] {
    to_bytes(scalar.into_bigint())
}

/// Double Montgomery form; none when it isn't canonical.
pub(crate) fn scalar_from_double_montgomery(bytes: &[u8]) -> Option<Fr> {
    from_bytes::<Fr>(bytes).map(|value| value * FR.r_inverse * FR.r_inverse)
}

pub(crate) fn scalar_to_double_montgomery(scalar: &Fr) -> [u8; ELEMENT_LEN] {
    to_bytes((*scalar * FR.r * FR.r).into_bigint())
}

fn coordinate_from_bytes(bytes: &[u8]) -> Result<Fq, InvalidPoint> {
    from_bytes::<Fq>(bytes)
        .map(|value| value * FQ.r_inverse)
        .ok_or(InvalidPoint::NonCanonical)
}

fn coordinate_to_bytes(coordinate: &Fq) -> [u8; ELEMENT_LEN] {
    to_bytes((*coordinate * FQ.r).into_bigint())
}

/// A group whose points stand in these files.
pub(crate) trait Point: AffineRepr {
    /// Bytes of a point.
    const LEN: usize;

    /// Checks canonical form, curve and subgroup; accepts the identity.
    fn from_file(bytes: &[u8]) -> Result<Self, InvalidPoint>;

    fn write(&self, out: &mut Vec<u8>);
}

impl Point for Affine<g1::Config> {
    const LEN: usize = G1_LEN;

    fn from_file(bytes: &[u8]) -> Result<Self, InvalidPoint> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(Self::identity());
        }
        let (x, y) = bytes.split_at(ELEMENT_LEN.min(bytes.len()));
        let point = Self::new_unchecked(coordinate_from_bytes(x)?, coordinate_from_bytes(y)?);
        // G1 has prime order: to be on the curve is to be in the group.
        if point.is_on_curve() {
            Ok(point)
        } else {
            Err(InvalidPoint::NotOnCurve)
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (x, y) = self.xy().unwrap_or_default();
        for coordinate in [x, y] {
            out.extend_from_slice(&coordinate_to_bytes(&coordinate));
        }
    }
}

impl Point for Affine<g2::Config> {
    const LEN: usize = G2_LEN;

    fn from_file(bytes: &[u8]) -> Result<Self, InvalidPoint> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(Self::identity());
        }
        let mut coordinates = [Fq::default(); 4];
        for (coordinate, chunk) in coordinates.iter_mut().zip(bytes.chunks(ELEMENT_LEN)) {
            *coordinate = coordinate_from_bytes(chunk)?;
        }
        let [x0, x1, y0, y1] = coordinates;
        let point = Self::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
        if !point.is_on_curve() {
            return Err(InvalidPoint::NotOnCurve);
        }
        if !point.is_in_correct_subgroup_assuming_on_curve() {
            return Err(InvalidPoint::NotInSubgroup);
        }
        Ok(point)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (x, y) = self.xy().unwrap_or_default();
        for coordinate in [x.c0, x.c1, y.c0, y.c1] {
            out.extend_from_slice(&coordinate_to_bytes(&coordinate));
        }
    }
}

/// As a file has it.
pub(crate) fn point_to_bytes<P: Point>(point: &P) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(P::LEN);
    point.write(&mut bytes);
    bytes
}

/// The next point, `index` being only for the error.
pub(crate) fn read_point<P: Point>(cursor: &mut Cursor<'_>, index: u64) -> Result<P, InvalidFile> {
    let place = cursor.place;
    P::from_file(cursor.take(P::LEN as u64)?).map_err(|source| InvalidFile::Point {
        place,
        index,
        source,
    })
}

/// All points of bytes that hold nothing else; the error is that of the first that is wrong.
pub(crate) fn read_points<P: Point>(bytes: &[u8], place: Place) -> Result<Vec<P>, InvalidFile> {
    let chunk = |(at, bytes): (usize, &[u8])| -> Result<Vec<P>, InvalidFile> {
        bytes
            .chunks(P::LEN)
            .enumerate()
            .map(|(index, bytes)| {
                P::from_file(bytes).map_err(|source| InvalidFile::Point {
                    place,
                    index: (at * CHUNK + index) as u64,
                    source,
                })
            })
            .collect()
    };
    let len = CHUNK * P::LEN;
    let parts: Vec<_> = if bytes.len() > len {
        bytes.par_chunks(len).enumerate().map(chunk).collect()
    } else {
        bytes.chunks(len).enumerate().map(chunk).collect()
    };
    let mut points = Vec::with_capacity(bytes.len() / P::LEN);
    for part in parts {
        points.append(&mut part?);
    }
    Ok(points)
}

/// Refuses identities.
pub(crate) fn no_identity<P: Point>(points: &[P], place: Place) -> Result<(), InvalidFile> {
    match points.iter().position(AffineRepr::is_zero) {
        None => Ok(()),
        Some(index) => Err(InvalidFile::Identity {
            place,
            index: index as u64,
        }),
    }
}

/// The size of an element and the field's order, as headers begin.
pub(crate) fn read_order(
    cursor: &mut Cursor<'_>,
    order: [u8; ELEMENT_LEN],
    expected: &'static str,
) -> Result<(), InvalidFile> {
    let len = cursor.u32()?;
    if len as usize != ELEMENT_LEN {
        return Err(cursor.number("bytes of a field element", ELEMENT_LEN, len));
    }
    let found: [u8; ELEMENT_LEN] = cursor.array()?;
    if found == order {
        return Ok(());
    }
    Err(InvalidFile::Prime {
        place: cursor.place,
        expected,
        found: found
            .iter()
            .rev()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    })
}

/// Name of the scalar field's order in errors.
pub(crate) const SCALAR_ORDER_NAME: &str = "the order r of the scalar field";
/// Name of the base field's order in errors.
pub(crate) const BASE_ORDER_NAME: &str = "the order q of the base field";
