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
    engine::{Engine, LANES, Lanes, Words},
    progress::{Cancelled, Token},
};

mod pass;

use pass::{Direction, Parts, Pass, Whole, quarters};

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
