//! Coordinates in Fq² = Fq[u]/(u² + 1).

use super::{Complex, Coordinate, G2Row, invert_lanes, one_words};
use crate::engine::{Engine, LANES, Lanes};

impl<E: Engine> Coordinate for Complex<E> {
    type Engine = E;
    type Row = G2Row;
    type Block = [<E::Fq as Lanes>::Block; 2];
    const EMPTY: Self::Block = [<E::Fq as Lanes>::EMPTY; 2];

    #[inline(always)]
    fn x(engine: E, r: [&G2Row; LANES]) -> Self {
        Self(E::Fq::gather_pair(
            engine,
            [
                &r[0].0[0], &r[1].0[0], &r[2].0[0], &r[3].0[0], &r[4].0[0], &r[5].0[0], &r[6].0[0],
                &r[7].0[0],
            ],
        ))
    }

    #[inline(always)]
    fn xy(engine: E, r: [&G2Row; LANES]) -> [Self; 2] {
        let y = E::Fq::gather_pair(
            engine,
            [
                &r[0].0[1], &r[1].0[1], &r[2].0[1], &r[3].0[1], &r[4].0[1], &r[5].0[1], &r[6].0[1],
                &r[7].0[1],
            ],
        );
        [Self::x(engine, r), Self(y)]
    }

    #[inline(always)]
    fn put(xy: [Self; 2], rows: &mut [G2Row; LANES]) {
        let [a, b, c, d, e, f, g, h] = rows;
        let ([a, i], [b, j], [c, k], [d, l]) = (&mut a.0, &mut b.0, &mut c.0, &mut d.0);
        let ([e, m], [f, n], [g, o], [h, p]) = (&mut e.0, &mut f.0, &mut g.0, &mut h.0);
        E::Fq::scatter_pair(xy[0].0, [a, b, c, d, e, f, g, h]);
        E::Fq::scatter_pair(xy[1].0, [i, j, k, l, m, n, o, p]);
    }

    #[inline(always)]
    fn load(engine: E, block: &Self::Block) -> Self {
        Self([
            E::Fq::load(engine, &block[0]),
            E::Fq::load(engine, &block[1]),
        ])
    }

    #[inline(always)]
    fn save(self, block: &mut Self::Block) {
        let [first, second] = block;
        self.0[0].save(first);
        self.0[1].save(second);
    }

    #[inline(always)]
    fn one(engine: E) -> Self {
        Self([
            E::Fq::splat(engine, &one_words::<E>()),
            E::Fq::splat(engine, &[0; 4]),
        ])
    }

    #[inline(always)]
    fn zero(engine: E) -> Self {
        Self([E::Fq::splat(engine, &[0; 4]), E::Fq::splat(engine, &[0; 4])])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self([self.0[0].add(other.0[0]), self.0[1].add(other.0[1])])
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self([self.0[0].sub(other.0[0]), self.0[1].sub(other.0[1])])
    }

    #[inline(always)]
    fn sub_two(self, a: Self, b: Self) -> Self {
        Self([
            self.0[0].sub_two(a.0[0], b.0[0]),
            self.0[1].sub_two(a.0[1], b.0[1]),
        ])
    }

    #[inline(always)]
    fn signed_difference(a: Self, sign_a: u8, b: Self, sign_b: u8) -> Self {
        Self([
            E::Fq::signed_difference(a.0[0], sign_a, b.0[0], sign_b),
            E::Fq::signed_difference(a.0[1], sign_a, b.0[1], sign_b),
        ])
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(E::Fq::mul_complex(self.0, other.0))
    }

    #[inline(always)]
    fn square(self) -> Self {
        // (a₀ + a₁u)² = (a₀ + a₁)(a₀ − a₁) + 2a₀a₁u
        let [a, b] = self.0;
        Self([a.add(b).mul_difference(a, b), a.add(a).mul(b)])
    }

    #[inline(always)]
    fn mul_difference(self, a: Self, b: Self) -> Self {
        self.mul(a.sub(b))
    }

    #[inline(always)]
    fn select(mask: u8, a: Self, b: Self) -> Self {
        Self([
            E::Fq::select(mask, a.0[0], b.0[0]),
            E::Fq::select(mask, a.0[1], b.0[1]),
        ])
    }

    #[inline(always)]
    fn zeros(self) -> u8 {
        self.0[0].zeros() & self.0[1].zeros()
    }

    #[inline(always)]
    fn invert(self, engine: E) -> Self {
        // 1/(a₀ + a₁u) = (a₀ − a₁u)/(a₀² + a₁²)
        let [a, b] = self.0;
        let norm = invert_lanes(engine, a.square().add(b.square()));
        let zero = E::Fq::splat(engine, &[0; 4]);
        Self([a.mul(norm), norm.mul_difference(zero, b)])
    }
}
