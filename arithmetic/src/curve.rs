//! Points in memory and their coordinates in lanes, the same for G1 and G2.
//!
//! ```text
//! y² = x³ + b over Fq (G1), over Fq² = Fq[u]/(u² + 1) (G2); affine; the identity is written y = 0
//! row = x ‖ y in word form, 64 bytes (G1) or 128 bytes (G2): one or two cache lines
//! ```
//! No point of these curves has y = 0: both groups have an odd order, so no element of order two.

mod complex;
mod plain;

use ark_bn254::{Fq, Fq2, G1Projective, G2Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, One, Zero};
use zeroize::Zeroize;

use crate::{
    engine::{Engine, LANES, Lanes, Words},
    inverse::invert_all,
};

/// G1.
#[derive(Clone, Copy, Debug)]
pub enum G1 {}

/// G2.
#[derive(Clone, Copy, Debug)]
pub enum G2 {}

/// A point of G1 in word form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct G1Row(pub(crate) [u64; 8]);

/// A point of G2 in word form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct G2Row(pub(crate) [[u64; 8]; 2]);

/// A group whose points can be added in lanes.
pub trait Curve: Copy + Send + Sync + 'static {
    /// arkworks' affine points.
    type Affine: AffineRepr<ScalarField = ark_bn254::Fr, Group = Self::Projective>;
    /// arkworks' projective points.
    type Projective: CurveGroup<ScalarField = ark_bn254::Fr, Affine = Self::Affine>;
    /// A point in memory.
    type Row: Copy + Send + Sync + Zeroize + 'static;
    /// Eight coordinates.
    type Coordinate<E: Engine>: Coordinate<Engine = E, Row = Self::Row>;
    /// Zeros, for allocation.
    const EMPTY: Self::Row;

    /// To word form; `None` for the identity.
    fn encode<E: Engine>(point: &Self::Affine) -> Option<Self::Row>;
    /// From word form.
    fn decode<E: Engine>(row: &Self::Row) -> Self::Affine;
    /// Whether this is how the identity is written.
    fn is_identity(row: &Self::Row) -> bool;
}

/// Eight elements of the field that coordinates are in.
pub trait Coordinate: Copy {
    /// Who computes.
    type Engine: Engine;
    /// A point in memory.
    type Row: Copy;
    /// Eight elements in memory.
    type Block: Copy + Send + Sync + Zeroize + 'static;
    /// Zeros, for allocation.
    const EMPTY: Self::Block;

    /// The x of eight points.
    fn x(engine: Self::Engine, rows: [&Self::Row; LANES]) -> Self;
    /// x and y of eight points.
    fn xy(engine: Self::Engine, rows: [&Self::Row; LANES]) -> [Self; 2];
    /// Eight points to memory.
    fn put(xy: [Self; 2], rows: &mut [Self::Row; LANES]);
    /// From memory.
    fn load(engine: Self::Engine, block: &Self::Block) -> Self;
    /// To memory.
    fn save(self, block: &mut Self::Block);
    /// Ones.
    fn one(engine: Self::Engine) -> Self;
    /// Zeros, all words 0.
    fn zero(engine: Self::Engine) -> Self;
    /// Sum.
    #[must_use]
    fn add(self, other: Self) -> Self;
    /// Difference.
    #[must_use]
    fn sub(self, other: Self) -> Self;
    /// `self − a − b`.
    #[must_use]
    fn sub_two(self, a: Self, b: Self) -> Self;
    /// `±a − ±b`.
    #[must_use]
    fn signed_difference(a: Self, sign_a: u8, b: Self, sign_b: u8) -> Self;
    /// Product.
    #[must_use]
    fn mul(self, other: Self) -> Self;
    /// Square.
    #[must_use]
    fn square(self) -> Self;
    /// `self · (a − b)`.
    #[must_use]
    fn mul_difference(self, a: Self, b: Self) -> Self;
    /// `a` in lanes whose bit is set, else `b`.
    #[must_use]
    fn select(mask: u8, a: Self, b: Self) -> Self;
    /// Bits of lanes that are zero.
    #[must_use]
    fn zeros(self) -> u8;
    /// Inverses; of zero, zero.
    #[must_use]
    fn invert(self, engine: Self::Engine) -> Self;
}

/// [`Coordinate`] of G1.
#[derive(Clone, Copy)]
pub struct Plain<E: Engine>(E::Fq);

/// [`Coordinate`] of G2.
#[derive(Clone, Copy)]
pub struct Complex<E: Engine>([E::Fq; 2]);

impl Zeroize for G1Row {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Zeroize for G2Row {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

fn words<E: Engine>(a: &Fq, b: &Fq) -> [u64; 8] {
    let ([a, b, c, d], [e, f, g, h]) = (E::Fq::encode(a), E::Fq::encode(b));
    [a, b, c, d, e, f, g, h]
}

fn elements<E: Engine>(row: &[u64; 8]) -> [Fq; 2] {
    let [a, b, c, d, e, f, g, h] = *row;
    [E::Fq::decode(&[a, b, c, d]), E::Fq::decode(&[e, f, g, h])]
}

fn one_words<E: Engine>() -> Words {
    E::Fq::encode(&Fq::one())
}

impl Curve for G1 {
    type Affine = ark_bn254::G1Affine;
    type Projective = G1Projective;
    type Row = G1Row;
    type Coordinate<E: Engine> = Plain<E>;
    const EMPTY: G1Row = G1Row([0; 8]);

    fn encode<E: Engine>(point: &Self::Affine) -> Option<G1Row> {
        point.xy().map(|(x, y)| G1Row(words::<E>(&x, &y)))
    }

    fn decode<E: Engine>(row: &G1Row) -> Self::Affine {
        if Self::is_identity(row) {
            return Self::Affine::zero();
        }
        let [x, y] = elements::<E>(&row.0);
        Self::Affine::new_unchecked(x, y)
    }

    fn is_identity(row: &G1Row) -> bool {
        row.0[4..] == [0; 4]
    }
}

impl Curve for G2 {
    type Affine = ark_bn254::G2Affine;
    type Projective = G2Projective;
    type Row = G2Row;
    type Coordinate<E: Engine> = Complex<E>;
    const EMPTY: G2Row = G2Row([[0; 8]; 2]);

    fn encode<E: Engine>(point: &Self::Affine) -> Option<G2Row> {
        point
            .xy()
            .map(|(x, y)| G2Row([words::<E>(&x.c0, &x.c1), words::<E>(&y.c0, &y.c1)]))
    }

    fn decode<E: Engine>(row: &G2Row) -> Self::Affine {
        if Self::is_identity(row) {
            return Self::Affine::zero();
        }
        let [x, y] = row.0.each_ref().map(|half| {
            let [c0, c1] = elements::<E>(half);
            Fq2::new(c0, c1)
        });
        Self::Affine::new_unchecked(x, y)
    }

    fn is_identity(row: &G2Row) -> bool {
        row.0[1] == [0; 8]
    }
}

/// Inverses of eight elements of Fq, by one inversion.
#[inline(always)]
fn invert_lanes<E: Engine>(engine: E, value: E::Fq) -> E::Fq {
    let inverses = invert_all::<E::Fq>(&value.scatter());
    E::Fq::gather(
        engine,
        [
            &inverses[0],
            &inverses[1],
            &inverses[2],
            &inverses[3],
            &inverses[4],
            &inverses[5],
            &inverses[6],
            &inverses[7],
        ],
    )
}

/// Running weighted sum `Σ i · pointᵢ`, points given from the highest weight down to weight 1.
pub(crate) fn weighted_sum<C: Curve>(
    descending: impl Iterator<Item = C::Projective>,
) -> C::Projective {
    let (mut running, mut total) = (C::Projective::zero(), C::Projective::zero());
    for point in descending {
        running += point;
        total += running;
    }
    total
}

/// `2^times · point`.
pub(crate) fn double_times<C: Curve>(mut point: C::Projective, times: usize) -> C::Projective {
    for _ in 0..times {
        point.double_in_place();
    }
    point
}
