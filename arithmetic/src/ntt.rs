//! Number-theoretic transforms of 2^k ≥ 64 elements, eight elements side by side.
//!
//! ```text
//! ω = ω_n, ζ = ω_{2n}, ζ² = ω
//! inverse:  values on {ωʲ}, in order   →  n · coefficients, in bit-reversed order
//! odd:      coefficients, bit-reversed →  values on {ζωʲ}, in order
//! back:     values on {ζωʲ}, in order  →  n · coefficients, in bit-reversed order
//! ```
//! Decimation in frequency one way and in time the other, so that nothing is ever permuted. The
//! shift by ζ is in the twiddles: a polynomial of size 2m is `f(x) = e(x²) + x·o(x²)`, to be had at
//! `x = ω_{4m}^{1+2j}`, which are the 2m odd powers. The factor n is left to whoever reads the
//! result. Layers between elements at least eight apart are between blocks; the last three are done
//! on eight blocks at a time, transposed. Two layers go in one pass.

use ark_bn254::Fr;
use ark_ff::{FftField, Field, One};
use rayon::prelude::*;

use crate::{
    engine::{Engine, Kernel, LANES, Lanes, Words},
    progress::{Cancelled, Token},
};

type Block<E> = <<E as Engine>::Fr as Lanes>::Block;

/// Blocks that one task of a pass over large data takes.
const TASK: usize = 64;

/// Smallest transform: the last layers take eight blocks.
pub const MIN_SIZE: usize = LANES * LANES;

/// Twiddles of one domain.
pub struct Domain<E: Engine> {
    engine: E,
    size: usize,
    inverse: Twiddles<E>,
    odd: Twiddles<E>,
    back: Option<Twiddles<E>>,
}

/// Those of the layer whose halves have m = 8k elements are `blocks[k..2k]`.
struct Twiddles<E: Engine> {
    blocks: Vec<Block<E>>,
    /// Of halves of one, two and four elements: index m + j.
    last: [Words; LANES],
}

/// What a pass does: the layers of [`Domain`]'s three transforms, one or two at a time.
struct Pass<'a, E: Engine> {
    /// Two or four equal parts.
    parts: Parts<'a, E>,
    twiddles: &'a Twiddles<E>,
    /// Index of the first block of the parts within their whole.
    first: usize,
    /// Blocks of a whole part.
    length: usize,
    direction: Direction,
}

enum Parts<'a, E: Engine> {
    Two([&'a mut [Block<E>]; 2]),
    Four([&'a mut [Block<E>]; 4]),
}

/// Of decimation: down from large halves to small ones, or up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Down,
    Up,
}

/// All layers of a transform on data that fits a cache.
struct Whole<'a, E: Engine> {
    values: &'a mut [Block<E>],
    twiddles: &'a Twiddles<E>,
    direction: Direction,
}

impl<E: Engine> Twiddles<E> {
    /// The twiddles of the layer with halves of m elements are `factor · ratioʲ`, j < m.
    fn new(engine: E, size: usize, of_layer: impl Fn(usize) -> (Fr, Fr)) -> Self {
        let mut blocks = vec![E::Fr::EMPTY; size / LANES];
        let mut last = [[0; 4]; LANES];
        let mut m = 1;
        while m < size {
            let (mut value, ratio) = of_layer(m);
            let mut words = Vec::with_capacity(m);
            for _ in 0..m {
                words.push(E::Fr::encode(&value));
                value *= ratio;
            }
            if m < LANES {
                last[m..2 * m].copy_from_slice(&words);
            }
            for (block, w) in blocks[m / LANES..]
                .iter_mut()
                .zip(words.as_chunks::<LANES>().0)
            {
                E::Fr::gather(engine, w.each_ref()).save(block);
            }
            m *= 2;
        }
        Self { blocks, last }
    }
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
fn halves<T>(whole: &mut [T]) -> [&mut [T]; 2] {
    let (a, b) = whole.split_at_mut(whole.len() / 2);
    [a, b]
}

#[inline(always)]
fn quarters<T>(whole: &mut [T]) -> [&mut [T]; 4] {
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

impl<E: Engine> Domain<E> {
    /// Of `size` elements, a power of two of at least [`MIN_SIZE`]; `None` if it is none, or the field
    /// has no such root of unity. `with_back` if [`Domain::back`] will be used.
    #[must_use]
    pub fn new(engine: E, size: usize, with_back: bool) -> Option<Self> {
        if !size.is_power_of_two() || size < MIN_SIZE {
            return None;
        }
        let zeta = Fr::get_root_of_unity(2 * size as u64)?;
        // The root of unity of order 2m.
        let root = |m: usize| zeta.pow([(size / m) as u64]);
        let quarter_root = |m: usize| zeta.pow([(size / (2 * m)) as u64]);
        let inverse = |value: Fr| value.inverse().unwrap_or_default();
        let inverse_twiddles = Twiddles::new(engine, size, |m| (Fr::one(), inverse(root(m))));
        let odd = Twiddles::new(engine, size, |m| (quarter_root(m), root(m)));
        let back = with_back.then(|| {
            Twiddles::new(engine, size, |m| {
                (inverse(quarter_root(m)), inverse(root(m)))
            })
        });
        Some(Self {
            engine,
            size,
            inverse: inverse_twiddles,
            odd,
            back,
        })
    }

    /// Elements.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Bytes of twiddles.
    #[must_use]
    pub fn memory(&self) -> usize {
        let tables = if self.back.is_some() { 3 } else { 2 };
        tables * self.size / LANES * size_of::<Block<E>>()
    }

    /// See the module.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn inverse(&self, values: &mut [Block<E>], token: &Token) -> Result<(), Cancelled> {
        self.transform(values, &self.inverse, Direction::Down, token)
    }

    /// See the module.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn odd(&self, values: &mut [Block<E>], token: &Token) -> Result<(), Cancelled> {
        self.transform(values, &self.odd, Direction::Up, token)
    }

    /// See the module.
    ///
    /// # Errors
    /// [`Cancelled`].
    ///
    /// # Panics
    /// If the domain was made without.
    pub fn back(&self, values: &mut [Block<E>], token: &Token) -> Result<(), Cancelled> {
        let back = self.back.as_ref();
        let twiddles = back.expect("the domain was made with the way back");
        self.transform(values, twiddles, Direction::Down, token)
    }

    // The two outermost layers in tasks of a few blocks, then each quarter by itself.
    fn transform(
        &self,
        values: &mut [Block<E>],
        twiddles: &Twiddles<E>,
        direction: Direction,
        token: &Token,
    ) -> Result<(), Cancelled> {
        assert_eq!(
            values.len() * LANES,
            self.size,
            "as many values as the domain has"
        );
        token.check()?;
        if values.len() < 4 * TASK {
            self.engine.run(Whole {
                values,
                twiddles,
                direction,
            });
            return Ok(());
        }
        if direction == Direction::Down {
            self.outer(values, twiddles, direction);
            token.check()?;
        }
        let quarter = values.len() / 4;
        values.par_chunks_exact_mut(quarter).for_each(|values| {
            self.engine.run(Whole {
                values,
                twiddles,
                direction,
            });
        });
        if direction == Direction::Up {
            token.check()?;
            self.outer(values, twiddles, direction);
        }
        Ok(())
    }

    fn outer(&self, values: &mut [Block<E>], twiddles: &Twiddles<E>, direction: Direction) {
        let length = values.len() / 4;
        let [a, b, c, d] = quarters(values);
        a.par_chunks_mut(TASK)
            .zip(b.par_chunks_mut(TASK))
            .zip(c.par_chunks_mut(TASK))
            .zip(d.par_chunks_mut(TASK))
            .enumerate()
            .for_each(|(task, (((a, b), c), d))| {
                self.engine.run(Pass {
                    parts: Parts::Four([a, b, c, d]),
                    twiddles,
                    first: task * TASK,
                    length,
                    direction,
                });
            });
    }
}
