//! Sums of many groups of points at once, by affine additions that share inversions.
//!
//! ```text
//! λ = (y₂ − y₁)/(x₂ − x₁)   x₃ = λ² − x₁ − x₂   y₃ = λ(x₁ − x₃) − y₁
//! ```
//! The points of a group are added in pairs, then the sums in pairs, and so on; the pairs of all
//! groups of one round form a batch, whose denominators are inverted together: per addition 5
//! products, a square and a share of one inversion. Eight pairs go side by side, and two such
//! blocks with a chain of prefix products each, so that neither waits for the other.
//!
//! **Exceptional pairs.** The plain round is wrong only if some x₂ = x₁, and then the product of
//! all denominators is zero, which is seen before anything is written; the round is done again by
//! the careful variant, which treats doublings, opposite points and the identity lane by lane. Once
//! a round has given an identity, all later rounds of the chunk are careful.

// Indices, not closures: those would be compiled without the engine's instructions.
#![allow(clippy::needless_range_loop)]

use zeroize::Zeroize;

use super::scratch::{BlockOf, Scratch, Segment};
use crate::{
    curve::{Coordinate, Curve},
    engine::{Engine, Kernel, LANES},
};

/// Set in a reference to a point that is to be negated.
pub(super) const NEGATIVE: u32 = 1 << 31;
const IN_POOL: u32 = 1 << 30;
const INDEX: u32 = IN_POOL - 1;
const NONE: u32 = u32::MAX;
/// Most points that a table may hold.
pub(super) const MAX_POINTS: usize = INDEX as usize;
/// Blocks between which a point is asked for and used.
const AHEAD: usize = 4;

/// One group, or a part of one: `key` and the range of its references.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) key: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The sum of a group; negated where the key has [`NEGATIVE`].
pub(super) type Sum<C> = (u32, <C as Curve>::Row);

/// Adds up the points of each group.
pub(super) struct Chunk<'a, E: Engine, C: Curve> {
    pub(super) table: &'a [C::Row],
    pub(super) references: &'a [u32],
    pub(super) groups: &'a [Group],
    pub(super) scratch: &'a mut Scratch<E, C>,
    pub(super) sums: &'a mut Vec<Sum<C>>,
}

/// A batch of pairs: sums go to the pool from `out` on.
struct Round<'a, E: Engine, C: Curve> {
    engine: E,
    table: &'a [C::Row],
    pool: &'a mut [C::Row],
    pairs: &'a [[u32; 2]],
    out: usize,
    denominators: &'a mut [BlockOf<E, C>],
    prefixes: &'a mut [BlockOf<E, C>],
}

impl<E: Engine, C: Curve> Kernel<E> for Chunk<'_, E, C> {
    type Output = ();

    #[inline(always)]
    fn run(self, engine: E) {
        let Self {
            table,
            references,
            groups,
            scratch,
            sums,
        } = self;
        let mut out = 0usize;
        let mut careful = false;
        scratch.segments.clear();
        scratch.pairs.clear();
        for group in groups {
            let list = &references[group.start as usize..group.end as usize];
            let (pairs, rest) = list.as_chunks::<2>();
            scratch.pairs.extend_from_slice(pairs);
            scratch.segments.push(Segment {
                key: group.key,
                first: out as u32,
                count: pairs.len() as u32,
                spare: rest.first().copied().unwrap_or(NONE),
            });
            out += pairs.len();
        }
        // Each round leaves at least one point fewer; blocks are filled up to sixteen pairs.
        let entries = references
            .len()
            .min(groups.iter().map(|g| (g.end - g.start) as usize).sum());
        grow(&mut scratch.pool, entries + 2 * LANES, C::EMPTY);
        let mut start = 0;
        while !scratch.pairs.is_empty() {
            let count = scratch.pairs.len();
            // Full double blocks: the last pair again, its sums are overwritten or ignored.
            let last = scratch.pairs[count - 1];
            scratch
                .pairs
                .resize(count.next_multiple_of(2 * LANES), last);
            let blocks = scratch.pairs.len() / LANES;
            grow(
                &mut scratch.denominators,
                blocks,
                <C::Coordinate<E> as Coordinate>::EMPTY,
            );
            grow(
                &mut scratch.prefixes,
                blocks,
                <C::Coordinate<E> as Coordinate>::EMPTY,
            );
            let mut round = Round::<E, C> {
                engine,
                table,
                pool: &mut scratch.pool,
                pairs: &scratch.pairs,
                out: start,
                denominators: &mut scratch.denominators[..blocks],
                prefixes: &mut scratch.prefixes[..blocks],
            };
            if careful || !round.plain() {
                careful |= round.careful();
            }
            start += count;
            scratch.pairs.clear();
            let mut next = start;
            for segment in &mut scratch.segments {
                let half = segment.count / 2;
                for i in 0..half {
                    let a = IN_POOL | (segment.first + 2 * i);
                    scratch.pairs.push([a, a + 1]);
                }
                let mut made = half;
                if segment.count % 2 == 1 {
                    let last = IN_POOL | (segment.first + segment.count - 1);
                    if segment.spare == NONE {
                        segment.spare = last;
                    } else {
                        scratch.pairs.push([last, segment.spare]);
                        segment.spare = NONE;
                        made += 1;
                    }
                }
                segment.first = next as u32;
                segment.count = made;
                next += made as usize;
            }
        }
        for segment in &scratch.segments {
            // After the last round each group is one point: no pair was left to make.
            let negative = if segment.spare & IN_POOL == 0 {
                segment.spare & NEGATIVE
            } else {
                0
            };
            let sum = *row::<C>(table, &scratch.pool, segment.spare);
            if !careful || !C::is_identity(&sum) {
                sums.push((segment.key | negative, sum));
            }
        }
    }
}

fn grow<T: Copy + Zeroize>(memory: &mut Vec<T>, size: usize, empty: T) {
    if memory.len() < size {
        // A new place, so that the old one can be overwritten before it is given back.
        let mut larger = Vec::with_capacity(size);
        larger.resize(size, empty);
        core::mem::swap(memory, &mut larger);
        larger.zeroize();
    }
}

#[inline(always)]
fn row<'a, C: Curve>(table: &'a [C::Row], pool: &'a [C::Row], reference: u32) -> &'a C::Row {
    let from = if reference & IN_POOL == 0 {
        table
    } else {
        pool
    };
    &from[(reference & INDEX) as usize]
}

/// What the careful variant knows of a block.
struct Cases<T> {
    /// x₁, y₁, x₂, y₂ with signs applied.
    points: [T; 4],
    /// The first point is the identity.
    first: u8,
    /// The second is.
    second: u8,
    /// They are equal and not the identity.
    equal: u8,
    /// They are opposite and not the identity.
    opposite: u8,
}

impl<E: Engine, C: Curve> Round<'_, E, C> {
    #[inline(always)]
    fn rows(&self, block: usize, side: usize) -> [&C::Row; LANES] {
        let pairs = &self.pairs[block * LANES..][..LANES];
        [
            row::<C>(self.table, self.pool, pairs[0][side]),
            row::<C>(self.table, self.pool, pairs[1][side]),
            row::<C>(self.table, self.pool, pairs[2][side]),
            row::<C>(self.table, self.pool, pairs[3][side]),
            row::<C>(self.table, self.pool, pairs[4][side]),
            row::<C>(self.table, self.pool, pairs[5][side]),
            row::<C>(self.table, self.pool, pairs[6][side]),
            row::<C>(self.table, self.pool, pairs[7][side]),
        ]
    }

    /// Bits of the lanes whose point is to be negated.
    #[inline(always)]
    fn signs(&self, block: usize, side: usize) -> u8 {
        let mut mask = 0;
        for lane in 0..LANES {
            mask |= ((self.pairs[block * LANES + lane][side] >> 31) as u8) << lane;
        }
        mask
    }

    #[inline(always)]
    fn ask_for(&self, block: usize) {
        if let Some(pairs) = self.pairs.get(block * LANES..(block + 1) * LANES) {
            for pair in pairs {
                self.engine
                    .prefetch(row::<C>(self.table, self.pool, pair[0]));
                self.engine
                    .prefetch(row::<C>(self.table, self.pool, pair[1]));
            }
        }
    }

    /// The inverses of two products.
    #[inline(always)]
    fn invert(&self, [a, b]: [C::Coordinate<E>; 2]) -> [C::Coordinate<E>; 2] {
        let both = a.mul(b).invert(self.engine);
        [both.mul(b), both.mul(a)]
    }

    #[inline(always)]
    fn store(&mut self, block: usize, sum: [C::Coordinate<E>; 2]) {
        let at = self.out + block * LANES;
        // The pool has room for full blocks.
        if let Some(rows) = self.pool[at..].first_chunk_mut() {
            C::Coordinate::<E>::put(sum, rows);
        }
    }

    /// False, with nothing written, if some pair is exceptional.
    #[inline(always)]
    fn plain(&mut self) -> bool {
        let blocks = self.denominators.len();
        let one = C::Coordinate::<E>::one(self.engine);
        let mut products = [one; 2];
        for block in 0..AHEAD {
            self.ask_for(block);
        }
        for block in (0..blocks).step_by(2) {
            for chain in 0..2 {
                let at = block + chain;
                self.ask_for(at + AHEAD);
                let x1 = C::Coordinate::<E>::x(self.engine, self.rows(at, 0));
                let x2 = C::Coordinate::<E>::x(self.engine, self.rows(at, 1));
                let denominator = x2.sub(x1);
                products[chain].save(&mut self.prefixes[at]);
                denominator.save(&mut self.denominators[at]);
                products[chain] = products[chain].mul(denominator);
            }
        }
        if products[0].mul(products[1]).zeros() != 0 {
            return false;
        }
        let mut inverses = self.invert(products);
        for block in (0..blocks).step_by(2).rev() {
            let mut slopes = [one; 2];
            for chain in 0..2 {
                let at = block + chain;
                let denominator = C::Coordinate::<E>::load(self.engine, &self.denominators[at]);
                let prefix = C::Coordinate::<E>::load(self.engine, &self.prefixes[at]);
                slopes[chain] = inverses[chain].mul(prefix);
                inverses[chain] = inverses[chain].mul(denominator);
            }
            let mut sums = [[one; 2]; 2];
            for chain in 0..2 {
                let at = block + chain;
                let [x1, y1] = C::Coordinate::<E>::xy(self.engine, self.rows(at, 0));
                let [x2, y2] = C::Coordinate::<E>::xy(self.engine, self.rows(at, 1));
                let (sign1, sign2) = (self.signs(at, 0), self.signs(at, 1));
                let slope =
                    C::Coordinate::<E>::signed_difference(y2, sign2, y1, sign1).mul(slopes[chain]);
                let x = slope.square().sub_two(x1, x2);
                let y = C::Coordinate::<E>::signed_difference(
                    slope.mul_difference(x1, x),
                    0,
                    y1,
                    sign1,
                );
                sums[chain] = [x, y];
            }
            self.store(block, sums[0]);
            self.store(block + 1, sums[1]);
        }
        true
    }

    #[inline(always)]
    fn cases(&self, block: usize) -> Cases<C::Coordinate<E>> {
        let zero = C::Coordinate::<E>::zero(self.engine);
        let [x1, y1] = C::Coordinate::<E>::xy(self.engine, self.rows(block, 0));
        let [x2, y2] = C::Coordinate::<E>::xy(self.engine, self.rows(block, 1));
        let y1 = C::Coordinate::<E>::signed_difference(y1, self.signs(block, 0), zero, 0);
        let y2 = C::Coordinate::<E>::signed_difference(y2, self.signs(block, 1), zero, 0);
        let (first, second) = (y1.zeros(), y2.zeros());
        let same_x = x2.sub(x1).zeros() & !first & !second;
        let equal = same_x & y2.sub(y1).zeros();
        Cases {
            points: [x1, y1, x2, y2],
            first,
            second,
            equal,
            opposite: same_x & !equal,
        }
    }

    /// The complete addition; true if some sum is the identity.
    #[inline(always)]
    fn careful(&mut self) -> bool {
        let blocks = self.denominators.len();
        let one = C::Coordinate::<E>::one(self.engine);
        let zero = C::Coordinate::<E>::zero(self.engine);
        let mut products = [one; 2];
        for block in 0..blocks {
            let cases = self.cases(block);
            let [x1, y1, x2, _] = cases.points;
            let mut denominator = C::Coordinate::<E>::select(cases.equal, y1.add(y1), x2.sub(x1));
            let none = cases.first | cases.second | cases.opposite;
            denominator = C::Coordinate::<E>::select(none, one, denominator);
            products[block % 2].save(&mut self.prefixes[block]);
            denominator.save(&mut self.denominators[block]);
            products[block % 2] = products[block % 2].mul(denominator);
        }
        let mut inverses = self.invert(products);
        let mut identity = false;
        for block in (0..blocks).rev() {
            let cases = self.cases(block);
            let [x1, y1, x2, y2] = cases.points;
            let denominator = C::Coordinate::<E>::load(self.engine, &self.denominators[block]);
            let prefix = C::Coordinate::<E>::load(self.engine, &self.prefixes[block]);
            let inverse = inverses[block % 2].mul(prefix);
            inverses[block % 2] = inverses[block % 2].mul(denominator);
            let square = x1.square();
            let tangent = square.add(square).add(square);
            let slope = C::Coordinate::<E>::select(cases.equal, tangent, y2.sub(y1)).mul(inverse);
            let x = slope.square().sub_two(x1, x2);
            let y = slope.mul_difference(x1, x).sub(y1);
            let mut sum = [x, y];
            for (value, (a, b)) in sum.iter_mut().zip([(x1, x2), (y1, y2)]) {
                *value = C::Coordinate::<E>::select(cases.second, a, *value);
                *value = C::Coordinate::<E>::select(cases.first, b, *value);
                // The identity is written with zeros, not with another multiple of p.
                let none = cases.opposite | cases.first & cases.second;
                *value = C::Coordinate::<E>::select(none, zero, *value);
                identity |= none != 0;
            }
            self.store(block, sum);
        }
        identity
    }
}
