//! One key prepared for one engine.

use std::time::{Duration, Instant};

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInteger, PrimeField};
use ark_groth16::{Proof, ProvingKey};
use veilpool_arithmetic::{
    curve::{G1, G2},
    engine::{Engine, Lanes},
    msm::{Bases, Workspace},
    progress::{Cancelled, Token},
    quotient::{Basis, Quotient},
    scalars::Exponents,
    secret::Secret,
    sparse::Sparse,
};

use super::Options;
use crate::backend::{
    BackendError, Constraints, PhaseTimings, PrepareError, QuotientBasis, check_assignment,
};

pub(super) struct Prepared<E: Engine> {
    a_rows: Sparse<E>,
    b_rows: Sparse<E>,
    quotient: Quotient<E>,
    a: Bases<E, G1>,
    b_g1: Bases<E, G1>,
    b_g2: Bases<E, G2>,
    l: Bases<E, G1>,
    h: Bases<E, G1>,
    public_columns: usize,
    columns: usize,
}

// Exponents of one proof: the assignment, then 1, r, s, −rs.
const EXTRA: usize = 4;
// What a token is told of: the witness map and the five multiplications.
const STEPS: u32 = 6;

impl<E: Engine> Prepared<E> {
    pub(super) fn new(
        engine: E,
        key: &ProvingKey<Bn254>,
        constraints: Constraints<'_>,
        basis: QuotientBasis,
        options: &Options,
        token: &Token,
    ) -> Result<Self, PrepareError> {
        let columns = constraints.columns();
        let size = constraints.domain()?;
        let quotient_basis = match basis {
            QuotientBasis::OddCoset => Basis::OddCoset,
            QuotientBasis::Coefficients => Basis::Coefficients,
        };
        let quotient = Quotient::new(engine, size, quotient_basis)
            .ok_or(PrepareError::TooLarge(constraints.rows()))?;
        // Points of G2 are twice as large. A query's share of the tables is as large as its points.
        let weigh = |query: &[G1Affine]| query.iter().filter(|point| !point.is_zero()).count();
        let queries = [&key.a_query, &key.b_g1_query, &key.l_query, &key.h_query];
        let [a, b, l, h] = queries.map(|query| weigh(query));
        let total = (a + 3 * b + l + h).max(1) as u128;
        let share = |weight| (options.table_memory as u128 * weight as u128 / total) as usize;
        let g1 =
            |points: &[G1Affine], weight| Bases::<E, G1>::new(engine, points, share(weight), token);
        let g2 =
            |points: &[G2Affine], weight| Bases::<E, G2>::new(engine, points, share(weight), token);
        // One extended query at a time: each is a copy.
        let (none, none_g2) = (G1Affine::zero(), G2Affine::zero());
        let vk = &key.vk;
        // What 1, r, s, −rs multiply.
        let more = [vk.alpha_g1, key.delta_g1, none, none];
        let a_bases = g1(&[&key.a_query[..], &more].concat(), a)?;
        let more = [key.beta_g1, none, key.delta_g1, none];
        let b_g1 = g1(&[&key.b_g1_query[..], &more].concat(), b)?;
        let more = [vk.beta_g2, none_g2, vk.delta_g2, none_g2];
        let b_g2 = g2(&[&key.b_g2_query[..], &more].concat(), 2 * b)?;
        let public = vec![none; constraints.public_columns];
        let more = [none, none, none, key.delta_g1];
        let l_bases = g1(&[&public[..], &key.l_query, &more].concat(), l)?;
        let in_order = |place| {
            let place = quotient.order(place);
            key.h_query.get(place).copied().unwrap_or(none)
        };
        let h_bases = g1(&(0..size).map(in_order).collect::<Vec<_>>(), h)?;
        Ok(Self {
            a_rows: Sparse::new(engine, constraints.a, columns)?,
            b_rows: Sparse::new(engine, constraints.b, columns)?,
            quotient,
            a: a_bases,
            b_g1,
            b_g2,
            l: l_bases,
            h: h_bases,
            public_columns: constraints.public_columns,
            columns,
        })
    }

    pub(super) fn memory(&self) -> usize {
        self.a_rows.memory()
            + self.b_rows.memory()
            + self.quotient.memory()
            + self.a.memory()
            + self.b_g1.memory()
            + self.b_g2.memory()
            + self.l.memory()
            + self.h.memory()
    }

    pub(super) fn prove(
        &self,
        assignment: &[Fr],
        r: Fr,
        s: Fr,
        token: &Token,
    ) -> Result<(Proof<Bn254>, PhaseTimings), BackendError> {
        check_assignment(assignment, self.columns)?;
        token.expect(STEPS);
        let mut timings = PhaseTimings::default();
        let mut exponents = Exponents::with_capacity(assignment.len() + EXTRA);
        exponents.extend(assignment);
        exponents.extend(&[Fr::from(1u8), r, s, -r * s]);

        let (g1, g2) = (Workspace::new(), Workspace::new());
        let PhaseTimings {
            witness_map,
            a: a_time,
            b_g1: b_g1_time,
            b_g2: b_g2_time,
            l: l_time,
            h: h_time,
            assembly,
        } = &mut timings;
        let (h, (b_g2, (a, (l, b_g1)))) = rayon::join(
            || {
                let start = Instant::now();
                let integers = self.quotient_of(assignment, token)?;
                *witness_map = start.elapsed();
                token.step()?;
                timed(h_time, token, || {
                    self.h
                        .multiply(&Exponents::from_integers(integers), &g1, token)
                })
            },
            || {
                rayon::join(
                    || {
                        timed(b_g2_time, token, || {
                            self.b_g2.multiply(&exponents, &g2, token)
                        })
                    },
                    || {
                        rayon::join(
                            || timed(a_time, token, || self.a.multiply(&exponents, &g1, token)),
                            || {
                                rayon::join(
                                    || {
                                        timed(l_time, token, || {
                                            self.l.multiply(&exponents, &g1, token)
                                        })
                                    },
                                    || {
                                        timed(b_g1_time, token, || {
                                            self.b_g1.multiply(&exponents, &g1, token)
                                        })
                                    },
                                )
                            },
                        )
                    },
                )
            },
        );
        let (a, b_g1, b_g2, l, h) = (a?, b_g1?, b_g2?, l?, h?);
        token.check()?;
        let start = Instant::now();
        let c = l + h + two_multiples(a, s, b_g1, r);
        let proof = Proof {
            a: a.into_affine(),
            b: b_g2.into_affine(),
            c: c.into_affine(),
        };
        *assembly = start.elapsed();
        Ok((proof, timings))
    }

    fn quotient_of(&self, assignment: &[Fr], token: &Token) -> Result<Vec<[u64; 4]>, BackendError> {
        let size = self.quotient.size();
        let mut a = Secret::new([0; 4], size);
        let mut b = Secret::new([0; 4], size);
        self.a_rows.multiply(assignment, &mut a, token)?;
        self.b_rows.multiply(assignment, &mut b, token)?;
        // One row more for each public column, so that no two of them are multiples of each other.
        let public = &assignment[..self.public_columns];
        for (row, value) in a[self.a_rows.rows()..].iter_mut().zip(public) {
            *row = E::Fr::encode(value);
        }
        Ok(self.quotient.compute(&a, &b, token)?)
    }
}

fn timed<T>(
    time: &mut Duration,
    token: &Token,
    f: impl FnOnce() -> Result<T, Cancelled>,
) -> Result<T, BackendError> {
    let start = Instant::now();
    let result = f()?;
    *time = start.elapsed();
    token.step()?;
    Ok(result)
}

/// `s·P + r·Q` with shared doublings.
fn two_multiples(p: G1Projective, s: Fr, q: G1Projective, r: Fr) -> G1Projective {
    let both = p + q;
    let (s, r) = (s.into_bigint(), r.into_bigint());
    let mut sum = <G1Projective as AdditiveGroup>::ZERO;
    for bit in (0..Fr::MODULUS_BIT_SIZE as usize).rev() {
        sum.double_in_place();
        match (s.get_bit(bit), r.get_bit(bit)) {
            (true, true) => sum += both,
            (true, false) => sum += p,
            (false, true) => sum += q,
            (false, false) => {}
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, G1Projective};
    use ark_ec::PrimeGroup;
    use ark_ff::{One, Zero};

    use super::two_multiples;

    #[test]
    fn two_multiples_are_the_sum_of_multiples() {
        let p = G1Projective::generator();
        let q = p * Fr::from(77u8);
        for s in [Fr::zero(), Fr::one(), -Fr::one(), Fr::from(12_345u32)] {
            for r in [Fr::zero(), Fr::one(), -Fr::one(), -Fr::from(99u8)] {
                assert_eq!(two_multiples(p, s, q, r), p * s + q * r);
                assert_eq!(two_multiples(p, s, -p, r), p * (s - r));
            }
        }
    }
}
