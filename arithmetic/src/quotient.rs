//! What is multiplied with the h query, from the rows of A·z and B·z.
//!
//! ```text
//! C = A ∘ B on {ωʲ};  P = A·B − C as polynomials;  P(ζωʲ) for the odd coset's query, or
//! h = P/(Xⁿ − 1), which is P/(−2) on the odd coset, by its coefficients
//! ```
//! For an assignment that satisfies the constraints A∘B is C·z, so the matrix C isn't needed. Three
//! transforms back and three forth (one more for coefficients). The transforms leave factors n,
//! which are taken away once, at the end: with c scaled by n beforehand everything has n².
//!
//! Folding C's part into the l query, `lᵢ − cᵢ(τ)(τⁿ − 1)/(−2δ)`, would save two of the six
//! transforms. It isn't done: `.zkey` files have l as it is, and to fold theirs takes transforms
//! over the group, which cost more than all the proofs that a node ever makes would save.

use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rayon::prelude::*;

use crate::{
    engine::{Engine, Kernel, LANES, Lanes, Words},
    ntt::{Domain, MIN_SIZE},
    progress::{Cancelled, Token},
    secret::Secret,
};

type Block<E> = <<E as Engine>::Fr as Lanes>::Block;

/// Blocks of one task.
const TASK: usize = 256;

/// What the h query is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Values of P on the odd coset, in order.
    OddCoset,
    /// Coefficients of h, in the order of [`Quotient::order`].
    Coefficients,
}

/// Prepared for one size of domain.
pub struct Quotient<E: Engine> {
    engine: E,
    size: usize,
    basis: Basis,
    /// `None` where the domain is too small for lanes.
    domain: Option<Domain<E>>,
}

/// One step on blocks of the same places.
enum Step<'a, E: Engine> {
    /// Rows to lanes; c = n·a·b.
    Load {
        a: (&'a [Words], &'a mut [Block<E>]),
        b: (&'a [Words], &'a mut [Block<E>]),
        c: &'a mut [Block<E>],
        factor: Words,
    },
    /// a := factor · (a·b − c).
    Combine {
        a: &'a mut [Block<E>],
        b: &'a [Block<E>],
        c: &'a [Block<E>],
        factor: Words,
    },
    /// To integers.
    Finish {
        a: &'a [Block<E>],
        out: &'a mut [Words],
    },
}

impl<E: Engine> Kernel<E> for Step<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run(self, engine: E) {
        match self {
            Step::Load {
                a: (a_rows, a),
                b: (b_rows, b),
                c,
                factor,
            } => {
                let factor = E::Fr::splat(engine, &factor);
                let rows = a_rows.as_chunks::<LANES>().0;
                let rows = rows.iter().zip(b_rows.as_chunks::<LANES>().0);
                let blocks = a.iter_mut().zip(b).zip(c);
                for ((a_words, b_words), ((a, b), c)) in rows.zip(blocks) {
                    let x = E::Fr::gather(engine, a_words.each_ref());
                    let y = E::Fr::gather(engine, b_words.each_ref());
                    x.save(a);
                    y.save(b);
                    x.mul(y).mul(factor).save(c);
                }
            }
            Step::Combine { a, b, c, factor } => {
                let factor = E::Fr::splat(engine, &factor);
                for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
                    let product = E::Fr::load(engine, a).mul(E::Fr::load(engine, b));
                    factor
                        .mul_difference(product, E::Fr::load(engine, c))
                        .save(a);
                }
            }
            Step::Finish { a, out } => {
                for (a, out) in a.iter().zip(out.as_chunks_mut::<LANES>().0) {
                    *out = E::Fr::load(engine, a).integers();
                }
            }
        }
    }
}

impl<E: Engine> Quotient<E> {
    /// For a domain of `size`, a power of two; `None` if the field has no such domain.
    #[must_use]
    pub fn new(engine: E, size: usize, basis: Basis) -> Option<Self> {
        let domain = if size < MIN_SIZE {
            Radix2EvaluationDomain::<Fr>::new(2 * size)?;
            None
        } else {
            Some(Domain::new(engine, size, basis == Basis::Coefficients)?)
        };
        size.is_power_of_two().then_some(Self {
            engine,
            size,
            basis,
            domain,
        })
    }

    /// Size of the domain.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Bytes of twiddles.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.domain.as_ref().map_or(0, Domain::memory)
    }

    /// The point of the h query that belongs to a place of the result.
    #[must_use]
    pub fn order(&self, place: usize) -> usize {
        match (self.basis, &self.domain) {
            (Basis::Coefficients, Some(_)) if self.size > 1 => {
                place.reverse_bits() >> (usize::BITS - self.size.trailing_zeros())
            }
            _ => place,
        }
    }

    /// Integers in `[0, r)` to multiply the h query with, from A·z and B·z in word form, one for
    /// each element of the domain.
    ///
    /// # Errors
    /// [`Cancelled`].
    ///
    /// # Panics
    /// If there are not as many rows as the domain is large.
    pub fn compute(
        &self,
        a: &[Words],
        b: &[Words],
        token: &Token,
    ) -> Result<Vec<Words>, Cancelled> {
        assert!(a.len() == self.size && b.len() == self.size);
        match &self.domain {
            Some(domain) => self.in_lanes(domain, a, b, token),
            None => Ok(self.one_by_one(a, b)),
        }
    }

    fn in_lanes(
        &self,
        domain: &Domain<E>,
        a_rows: &[Words],
        b_rows: &[Words],
        token: &Token,
    ) -> Result<Vec<Words>, Cancelled> {
        let blocks = self.size / LANES;
        let engine = self.engine;
        let size = Fr::from(self.size as u64);
        let invert = |value: Fr| value.inverse().unwrap_or_default();
        let [mut a, mut b, mut c] = [(); 3].map(|()| Secret::new(<E::Fr as Lanes>::EMPTY, blocks));
        let factor = E::Fr::encode(&size);
        a.par_chunks_mut(TASK)
            .zip(b.par_chunks_mut(TASK))
            .zip(c.par_chunks_mut(TASK))
            .zip(
                a_rows
                    .par_chunks(TASK * LANES)
                    .zip(b_rows.par_chunks(TASK * LANES)),
            )
            .for_each(|(((a, b), c), (a_rows, b_rows))| {
                engine.run(Step::Load {
                    a: (a_rows, a),
                    b: (b_rows, b),
                    c,
                    factor,
                });
            });
        [&mut a, &mut b, &mut c]
            .into_par_iter()
            .try_for_each(|values| {
                domain.inverse(values, token)?;
                domain.odd(values, token)
            })?;
        let factor = match self.basis {
            Basis::OddCoset => invert(size.square()),
            // −2 of the division, and another n of the way to coefficients.
            Basis::Coefficients => invert(-size.square() * size * Fr::from(2u8)),
        };
        let factor = E::Fr::encode(&factor);
        a.par_chunks_mut(TASK)
            .zip(b.par_chunks(TASK))
            .zip(c.par_chunks(TASK))
            .for_each(|((a, b), c)| engine.run(Step::Combine { a, b, c, factor }));
        if self.basis == Basis::Coefficients {
            domain.back(&mut a, token)?;
        }
        let mut out = vec![[0; 4]; self.size];
        out.par_chunks_mut(TASK * LANES)
            .zip(a.par_chunks(TASK))
            .for_each(|(out, a)| engine.run(Step::Finish { a, out }));
        Ok(out)
    }

    // The same by arkworks' transforms: for circuits of a few rows.
    fn one_by_one(&self, a: &[Words], b: &[Words]) -> Vec<Words> {
        use ark_ff::{FftField, PrimeField};
        let decode = |rows: &[Words]| -> Secret<Fr> {
            let values: Vec<Fr> = rows.iter().map(E::Fr::decode).collect();
            values.into()
        };
        let Some(domain) = Radix2EvaluationDomain::<Fr>::new(self.size) else {
            return Vec::new();
        };
        let Some(coset) =
            Fr::get_root_of_unity(2 * self.size as u64).and_then(|zeta| domain.get_coset(zeta))
        else {
            return Vec::new();
        };
        let extend = |values: &[Fr]| -> Secret<Fr> { coset.fft(&domain.ifft(values)).into() };
        let (a, b) = (decode(a), decode(b));
        let c: Secret<Fr> = a
            .iter()
            .zip(b.iter())
            .map(|(a, b)| *a * b)
            .collect::<Vec<_>>()
            .into();
        let (a, b, c) = (extend(&a), extend(&b), extend(&c));
        let mut h: Vec<Fr> = a
            .iter()
            .zip(b.iter())
            .zip(c.iter())
            .map(|((a, b), c)| *a * b - c)
            .collect();
        if self.basis == Basis::Coefficients {
            h = coset.ifft(&h);
            let factor = (-Fr::from(2u8)).inverse().unwrap_or_default();
            h.iter_mut().for_each(|value| *value *= factor);
        }
        let h: Secret<Fr> = h.into();
        debug_assert!(h.len() == self.size || h.iter().all(Fr::is_zero));
        h.iter().map(|value| value.into_bigint().0).collect()
    }
}
