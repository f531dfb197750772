//! Coordinates in Fq.

use super::{Coordinate, G1Row, Plain, invert_lanes, one_words};
use crate::engine::{Engine, LANES, Lanes};

impl<E: Engine> Coordinate for Plain<E> {
    type Engine = E;
    type Row = G1Row;
    type Block = <E::Fq as Lanes>::Block;
    const EMPTY: Self::Block = <E::Fq as Lanes>::EMPTY;

    #[inline(always)]
    fn x(engine: E, r: [&G1Row; LANES]) -> Self {
        Self(E::Fq::gather_first(
            engine,
            [
                &r[0].0, &r[1].0, &r[2].0, &r[3].0, &r[4].0, &r[5].0, &r[6].0, &r[7].0,
            ],
        ))
    }

    #[inline(always)]
    fn xy(engine: E, r: [&G1Row; LANES]) -> [Self; 2] {
        let [x, y] = E::Fq::gather_pair(
            engine,
            [
                &r[0].0, &r[1].0, &r[2].0, &r[3].0, &r[4].0, &r[5].0, &r[6].0, &r[7].0,
            ],
        );
        [Self(x), Self(y)]
    }

    #[inline(always)]
    fn put(xy: [Self; 2], rows: &mut [G1Row; LANES]) {
        let [a, b, c, d, e, f, g, h] = rows;
        E::Fq::scatter_pair(
            [xy[0].0, xy[1].0],
            [
                &mut a.0, &mut b.0, &mut c.0, &mut d.0, &mut e.0, &mut f.0, &mut g.0, &mut h.0,
            ],
        );
    }

    #[inline(always)]
    fn load(engine: E, block: &Self::Block) -> Self {
        Self(E::Fq::load(engine, block))
    }

    #[inline(always)]
    fn save(self, block: &mut Self::Block) {
        self.0.save(block);
    }

    #[inline(always)]
    fn one(engine: E) -> Self {
        Self(E::Fq::splat(engine, &one_words::<E>()))
    }

    #[inline(always)]
    fn zero(engine: E) -> Self {
        Self(E::Fq::splat(engine, &[0; 4]))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0.sub(other.0))
    }

    #[inline(always)]
    fn sub_two(self, a: Self, b: Self) -> Self {
        Self(self.0.sub_two(a.0, b.0))
    }

    #[inline(always)]
    fn signed_difference(a: Self, sign_a: u8, b: Self, sign_b: u8) -> Self {
        Self(E::Fq::signed_difference(a.0, sign_a, b.0, sign_b))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0.mul(other.0))
    }

    #[inline(always)]
    fn square(self) -> Self {
        Self(self.0.square())
    }

    #[inline(always)]
    fn mul_difference(self, a: Self, b: Self) -> Self {
        Self(self.0.mul_difference(a.0, b.0))
    }

    #[inline(always)]
    fn select(mask: u8, a: Self, b: Self) -> Self {
        Self(E::Fq::select(mask, a.0, b.0))
    }

    #[inline(always)]
    fn zeros(self) -> u8 {
        self.0.zeros()
    }

    #[inline(always)]
    fn invert(self, engine: E) -> Self {
        Self(invert_lanes(engine, self.0))
    }
}
