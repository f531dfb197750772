//! Layers of transforms, one or two at a time.

use super::{Block, Twiddles};
use crate::engine::{Engine, Kernel, LANES, Lanes};

/// What a pass does: the layers of [`Domain`]'s three transforms, one or two at a time.
pub(super) struct Pass<'a, E: Engine> {
    /// Two or four equal parts.
    pub(super) parts: Parts<'a, E>,
    pub(super) twiddles: &'a Twiddles<E>,
    /// Index of the first block of the parts within their whole.
    pub(super) first: usize,
    /// Blocks of a whole part.
    pub(super) length: usize,
    pub(super) direction: Direction,
}

pub(super) enum Parts<'a, E: Engine> {
    Two([&'a mut [Block<E>]; 2]),
    Four([&'a mut [Block<E>]; 4]),
}

/// Of decimation: down from large halves to small ones, or up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Down,
    Up,
}

/// All layers of a transform on data that fits a cache.
pub(super) struct Whole<'a, E: Engine> {
    pub(super) values: &'a mut [Block<E>],
    pub(super) twiddles: &'a Twiddles<E>,
    pub(super) direction: Direction,
}

/// `(a + b, (a − b)·w)`.
#[inline(always)]
fn down<L: Lanes>(a: L, b: L, w: L) -> [L; 2] {
    [a.add(b), w.mul_difference(a, b)]
}

/// `(a + b·w, a − b·w)`.
#[inline(always)]
fn up<L: Lanes>(a: L, b: L, w: L) -> [L; 2] {
    let b = b.mul(w);
    [a.add(b), a.sub(b)]
}

impl<E: Engine> Kernel<E> for Pass<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run(self, engine: E) {
        let Self {
            parts,
            twiddles,
            first,
            length,
            direction,
        } = self;
        let blocks = &twiddles.blocks;
        match parts {
            Parts::Two([a, b]) => {
                let wide = &blocks[length + first..];
                for ((a, b), w) in a.iter_mut().zip(b).zip(wide) {
                    let (x, y) = (E::Fr::load(engine, a), E::Fr::load(engine, b));
                    let w = E::Fr::load(engine, w);
                    let [x, y] = match direction {
                        Direction::Down => down(x, y, w),
                        Direction::Up => up(x, y, w),
                    };
                    x.save(a);
                    y.save(b);
                }
            }
            Parts::Four([a, b, c, d]) => {
                // Halves of two parts, and of one part.
                let wide = &blocks[2 * length + first..];
                let wider = &blocks[3 * length + first..];
                let narrow = &blocks[length + first..];
                for i in 0..a.len() {
                    let mut w = E::Fr::load(engine, &a[i]);
                    let mut x = E::Fr::load(engine, &b[i]);
                    let mut y = E::Fr::load(engine, &c[i]);
                    let mut z = E::Fr::load(engine, &d[i]);
                    let s = E::Fr::load(engine, &wide[i]);
                    let t = E::Fr::load(engine, &wider[i]);
                    let u = E::Fr::load(engine, &narrow[i]);
                    match direction {
                        Direction::Down => {
                            [w, y] = down(w, y, s);
                            [x, z] = down(x, z, t);
                            [w, x] = down(w, x, u);
                            [y, z] = down(y, z, u);
                        }
                        Direction::Up => {
                            [w, x] = up(w, x, u);
                            [y, z] = up(y, z, u);
                            [w, y] = up(w, y, s);
                            [x, z] = up(x, z, t);
                        }
                    }
                    w.save(&mut a[i]);
                    x.save(&mut b[i]);
                    y.save(&mut c[i]);
                    z.save(&mut d[i]);
                }
            }
        }
    }
}

/// The layers within eight blocks.
#[inline(always)]
fn last_layers<E: Engine>(
    engine: E,
    values: &mut [Block<E>],
    twiddles: &Twiddles<E>,
    direction: Direction,
) {
    let mut w = [E::Fr::splat(engine, &[0; 4]); LANES];
    for (w, words) in w.iter_mut().zip(&twiddles.last) {
        *w = E::Fr::splat(engine, words);
    }
    for eight in values.as_chunks_mut::<LANES>().0 {
        let mut v = [w[0]; LANES];
        for (v, block) in v.iter_mut().zip(&*eight) {
            *v = E::Fr::load(engine, block);
        }
        v = E::Fr::transpose(v);
        match direction {
            Direction::Down => {
                for m in [4, 2, 1] {
                    for start in (0..LANES).step_by(2 * m) {
                        for j in 0..m {
                            let (a, b) = (start + j, start + j + m);
                            [v[a], v[b]] = down(v[a], v[b], w[m + j]);
                        }
                    }
                }
            }
            Direction::Up => {
                for m in [1, 2, 4] {
                    for start in (0..LANES).step_by(2 * m) {
                        for j in 0..m {
                            let (a, b) = (start + j, start + j + m);
                            [v[a], v[b]] = up(v[a], v[b], w[m + j]);
                        }
                    }
                }
            }
        }
        v = E::Fr::transpose(v);
        for (v, block) in v.iter().zip(eight) {
            v.save(block);
        }
    }
}

#[inline(always)]
pub(super) fn halves<T>(whole: &mut [T]) -> [&mut [T]; 2] {
    let (a, b) = whole.split_at_mut(whole.len() / 2);
    [a, b]
}

#[inline(always)]
pub(super) fn quarters<T>(whole: &mut [T]) -> [&mut [T]; 4] {
    let [first, second] = halves(whole);
    let ([a, b], [c, d]) = (halves(first), halves(second));
    [a, b, c, d]
}

impl<E: Engine> Kernel<E> for Whole<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run(self, engine: E) {
        let Self {
            values,
            twiddles,
            direction,
        } = self;
        let total = values.len();
        if direction == Direction::Up {
            last_layers(engine, values, twiddles, direction);
        }
        // Sizes of what one pass takes; two layers each, and one layer on the smallest if their
        // number is odd.
        let odd = total.trailing_zeros() % 2 == 1;
        let passes = total.trailing_zeros().div_ceil(2);
        for pass in 0..passes {
            let pass = match direction {
                Direction::Down => pass,
                Direction::Up => passes - 1 - pass,
            };
            let size = total >> (2 * pass);
            for whole in values.chunks_exact_mut(size) {
                let two = odd && pass == passes - 1;
                Pass {
                    length: if two { size / 2 } else { size / 4 },
                    parts: if two {
                        Parts::Two(halves(whole))
                    } else {
                        Parts::Four(quarters(whole))
                    },
                    twiddles,
                    first: 0,
                    direction,
                }
                .run(engine);
            }
        }
        if direction == Direction::Down {
            last_layers(engine, values, twiddles, direction);
        }
    }
}
