//! Tables of the multiples `2^(cGt) · P`.

use rayon::prelude::*;

use crate::{
    curve::{Coordinate, Curve},
    engine::{Engine, Kernel, LANES},
    msm::Plan,
    progress::{Cancelled, Token},
};

/// Points that share an inversion.
const BATCH: usize = 2048;

/// Doubles points so many times: `λ = 3x²/2y, x₃ = λ² − 2x, y₃ = λ(x − x₃) − y`.
struct Double<'a, C: Curve> {
    rows: &'a mut [C::Row],
    times: usize,
}

impl<E: Engine, C: Curve> Kernel<E> for Double<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run(self, engine: E) {
        let blocks = self.rows.len() / LANES;
        let empty = <C::Coordinate<E> as Coordinate>::EMPTY;
        let mut xs = vec![empty; blocks];
        let mut ys = vec![empty; blocks];
        let mut prefixes = vec![empty; blocks];
        for block in 0..blocks {
            let r = &self.rows[block * LANES..][..LANES];
            let [x, y] = C::Coordinate::<E>::xy(
                engine,
                [&r[0], &r[1], &r[2], &r[3], &r[4], &r[5], &r[6], &r[7]],
            );
            x.save(&mut xs[block]);
            y.save(&mut ys[block]);
        }
        for _ in 0..self.times {
            let mut product = C::Coordinate::<E>::one(engine);
            for block in 0..blocks {
                let y = C::Coordinate::<E>::load(engine, &ys[block]);
                product.save(&mut prefixes[block]);
                product = product.mul(y.add(y));
            }
            let mut inverse = product.invert(engine);
            for block in (0..blocks).rev() {
                let x = C::Coordinate::<E>::load(engine, &xs[block]);
                let y = C::Coordinate::<E>::load(engine, &ys[block]);
                let prefix = C::Coordinate::<E>::load(engine, &prefixes[block]);
                let square = x.square();
                let slope = square.add(square).add(square).mul(inverse.mul(prefix));
                inverse = inverse.mul(y.add(y));
                let doubled = slope.square().sub_two(x, x);
                slope.mul_difference(x, doubled).sub(y).save(&mut ys[block]);
                doubled.save(&mut xs[block]);
            }
        }
        for block in 0..blocks {
            let x = C::Coordinate::<E>::load(engine, &xs[block]);
            let y = C::Coordinate::<E>::load(engine, &ys[block]);
            if let Some(rows) = self.rows[block * LANES..].first_chunk_mut() {
                C::Coordinate::<E>::put([x, y], rows);
            }
        }
    }
}

/// Appends the copies that the plan wants after the points that are there.
pub(super) fn extend<E: Engine, C: Curve>(
    engine: E,
    table: &mut Vec<C::Row>,
    plan: &Plan,
    token: &Token,
) -> Result<(), Cancelled> {
    let points = table.len();
    if points == 0 {
        return Ok(());
    }
    table.reserve_exact(points * (plan.copies() - 1));
    let mut copy = table.clone();
    // Full blocks: the last point again.
    copy.resize(points.next_multiple_of(LANES), copy[points - 1]);
    for _ in 1..plan.copies() {
        token.check()?;
        copy.par_chunks_mut(BATCH).for_each(|rows| {
            engine.run(Double::<C> {
                rows,
                times: plan.bits() * plan.groups(),
            });
        });
        table.extend_from_slice(&copy[..points]);
    }
    Ok(())
}
