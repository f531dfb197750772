//! Transforms, quotients and sparse products = arkworks' and the definition's.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, FftField, Field, PrimeField, UniformRand};
use ark_poly::{
    DenseUVPolynomial, EvaluationDomain, Polynomial, Radix2EvaluationDomain,
    univariate::DensePolynomial,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use veilpool_arithmetic::{
    engine::{Engine, LANES, Lanes, Portable},
    ntt::{Domain, MIN_SIZE},
    progress::{Cancelled, Token},
    quotient::{Basis, Quotient},
    sparse::{NoSuchColumn, Sparse},
};

use crate::lanes::edges;

type Block<E> = <<E as Engine>::Fr as Lanes>::Block;

fn random(count: usize, seed: u64) -> Vec<Fr> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut all: Vec<Fr> = (0..count).map(|_| Fr::rand(&mut rng)).collect();
    for (value, edge) in all.iter_mut().step_by(3).zip(edges::<Fr>()) {
        *value = edge;
    }
    all
}

fn blocks<E: Engine>(engine: E, values: &[Fr]) -> Vec<Block<E>> {
    let words: Vec<_> = values.iter().map(E::Fr::encode).collect();
    words
        .as_chunks::<LANES>()
        .0
        .iter()
        .map(|rows| {
            let mut block = E::Fr::EMPTY;
            E::Fr::gather(engine, rows.each_ref()).save(&mut block);
            block
        })
        .collect()
}

fn values<E: Engine>(engine: E, blocks: &[Block<E>]) -> Vec<Fr> {
    blocks
        .iter()
        .flat_map(|block| E::Fr::load(engine, block).scatter())
        .map(|words| E::Fr::decode(&words))
        .collect()
}

fn reversed(index: usize, size: usize) -> usize {
    index.reverse_bits() >> (usize::BITS - size.trailing_zeros())
}

fn transforms_agree<E: Engine>(engine: E, size: usize) {
    let token = Token::new();
    let domain = Domain::new(engine, size, true).unwrap();
    let reference = Radix2EvaluationDomain::<Fr>::new(size).unwrap();
    let zeta = Fr::get_root_of_unity(2 * size as u64).unwrap();
    let coset = reference.get_coset(zeta).unwrap();
    let n = Fr::from(size as u64);
    let start = random(size, size as u64);

    let mut data = blocks(engine, &start);
    domain.inverse(&mut data, &token).unwrap();
    let coefficients = reference.ifft(&start);
    let found = values(engine, &data);
    for (index, value) in found.iter().enumerate() {
        assert_eq!(
            *value,
            n * coefficients[reversed(index, size)],
            "inverse, {size}"
        );
    }
    domain.odd(&mut data, &token).unwrap();
    let on_coset: Vec<Fr> = coset.fft(&coefficients).iter().map(|v| n * v).collect();
    assert_eq!(values(engine, &data), on_coset, "odd, {size}");
    domain.back(&mut data, &token).unwrap();
    for (index, value) in values(engine, &data).iter().enumerate() {
        let expected = n.square() * coefficients[reversed(index, size)];
        assert_eq!(*value, expected, "back, {size}");
    }
}

// By polynomial division, not by transforms.
fn quotients_agree<E: Engine>(engine: E, size: usize) {
    let domain = Radix2EvaluationDomain::<Fr>::new(size).unwrap();
    let (a, b) = (random(size, 1), random(size, 2));
    let c: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
    let polynomial = |values: &[Fr]| DensePolynomial::from_coefficients_vec(domain.ifft(values));
    let product = &polynomial(&a) * &polynomial(&b);
    let p = &product - &polynomial(&c);
    let (h, rest) = p.divide_by_vanishing_poly(domain);
    assert!(rest.coeffs.iter().all(|value| *value == Fr::ZERO));
    let words = |values: &[Fr]| -> Vec<_> { values.iter().map(E::Fr::encode).collect() };
    let (a, b) = (words(&a), words(&b));

    let quotient = Quotient::new(engine, size, Basis::OddCoset).unwrap();
    let found = quotient.compute(&a, &b, &Token::new()).unwrap();
    let zeta = Fr::get_root_of_unity(2 * size as u64).unwrap();
    for (j, integer) in found.iter().enumerate() {
        let x = zeta * domain.element(j);
        assert_eq!(*integer, p.evaluate(&x).into_bigint().0, "{size}");
        assert_eq!(quotient.order(j), j);
    }
    let quotient = Quotient::new(engine, size, Basis::Coefficients).unwrap();
    let found = quotient.compute(&a, &b, &Token::new()).unwrap();
    for (place, integer) in found.iter().enumerate() {
        let coefficient = h.coeffs.get(quotient.order(place)).copied();
        let expected = coefficient.unwrap_or(Fr::ZERO).into_bigint().0;
        assert_eq!(*integer, expected, "{size}");
    }
}

fn sparse_agrees<E: Engine>(engine: E, rows: usize, columns: usize, longest: usize) {
    let mut rng = ChaCha20Rng::seed_from_u64(rows as u64);
    let vector = random(columns, 5);
    let choice = random(6, 6);
    let matrix: Vec<Vec<(Fr, usize)>> = (0..rows)
        .map(|_| {
            (0..rng.gen_range(0..=longest))
                .map(|_| {
                    let coefficient = match rng.gen_range(0..4) {
                        0 => Fr::ONE,
                        1 => -Fr::ONE,
                        2 => Fr::ZERO,
                        _ => choice[rng.gen_range(0..choice.len())],
                    };
                    (coefficient, rng.gen_range(0..columns))
                })
                .collect()
        })
        .collect();
    let sparse = Sparse::new(engine, &matrix, columns).unwrap();
    let mut out = vec![[0; 4]; rows + 3];
    sparse.multiply(&vector, &mut out, &Token::new()).unwrap();
    for (row, words) in matrix.iter().zip(&out) {
        let expected: Fr = row.iter().map(|(c, column)| *c * vector[*column]).sum();
        assert_eq!(E::Fr::decode(words), expected);
    }
    assert_eq!(out[rows..], [[0; 4]; 3], "nothing else is written");
}

fn engine_agrees<E: Engine>(engine: E) {
    for k in [6, 7, 8, 9, 10, 11, 12, 13] {
        transforms_agree(engine, 1 << k);
    }
    for size in [1, 2, 4, 8, 32, 64, 128, 1024] {
        quotients_agree(engine, size);
    }
    for (rows, columns, longest) in [(0, 1, 0), (1, 1, 1), (7, 5, 3), (9, 30, 12), (300, 50, 400)] {
        sparse_agrees(engine, rows, columns, longest);
    }
}

#[test]
fn portable_transforms_are_arkworks() {
    engine_agrees(Portable);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn ifma_transforms_are_arkworks_where_the_machine_has_them() {
    if let Some(engine) = veilpool_arithmetic::engine::Ifma::detect() {
        engine_agrees(engine);
    }
}

#[test]
fn a_domain_that_the_field_or_the_lanes_do_not_have_is_refused() {
    for size in [0, 1, MIN_SIZE / 2, MIN_SIZE + 1, 3 * MIN_SIZE] {
        assert!(Domain::new(Portable, size, false).is_none(), "{size}");
    }
    for size in [0, 3, 100] {
        assert!(
            Quotient::new(Portable, size, Basis::OddCoset).is_none(),
            "{size}"
        );
    }
}

#[test]
fn a_term_of_a_column_that_is_not_there_is_refused() {
    let rows = vec![vec![(Fr::ONE, 2)], vec![(Fr::ONE, 3)]];
    assert!(Sparse::new(Portable, &rows, 4).is_ok());
    assert_eq!(
        Sparse::new(Portable, &rows, 3).err(),
        Some(NoSuchColumn {
            column: 3,
            columns: 3
        })
    );
}

#[test]
fn a_cancelled_transform_gives_an_error() {
    let token = Token::new();
    token.cancel();
    let quotient = Quotient::new(Portable, 64, Basis::OddCoset).unwrap();
    let rows = vec![[0; 4]; 64];
    assert_eq!(quotient.compute(&rows, &rows, &token), Err(Cancelled));
    let sparse = Sparse::new(Portable, &[vec![(Fr::ONE, 0)]], 1).unwrap();
    let result = sparse.multiply(&[Fr::ONE], &mut [[0; 4]], &token);
    assert_eq!(result, Err(Cancelled));
}
