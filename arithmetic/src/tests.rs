//! Small enough for Miri: each algorithm once, on the portable engine.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.
use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, One, PrimeField, Zero};

use crate::{
    curve::{G1, G2},
    engine::{Engine, Lanes, Portable},
    msm::{Bases, Workspace},
    ntt::Domain,
    progress::Token,
    quotient::{Basis, Quotient},
    scalars::Exponents,
    sparse::Sparse,
};

type Scalars = <Portable as Engine>::Fr;

#[test]
fn portable_multiplication_of_a_few_points() {
    let generator = G1Projective::from(G1Affine::generator());
    let points: Vec<G1Affine> = [3u64, 3, 5, 0]
        .map(|k| (generator * Fr::from(k)).into_affine())
        .to_vec();
    // A doubling, an opposite, an identity and a large exponent.
    let scalars = [Fr::one(), Fr::one(), -Fr::from(2u8), Fr::from(9u8)];
    let bases = Bases::<_, G1>::new(Portable, &points, 0, &Token::new()).unwrap();
    let sum = bases
        .multiply(&Exponents::new(&scalars), &Workspace::new(), &Token::new())
        .unwrap();
    assert_eq!(sum, -(generator * Fr::from(4u8)));
    let opposite = [Fr::one(), -Fr::one(), Fr::zero(), Fr::one()];
    let sum = bases
        .multiply(&Exponents::new(&opposite), &Workspace::new(), &Token::new())
        .unwrap();
    assert!(sum.is_zero());

    let generator = G2Affine::generator();
    let bases = Bases::<_, G2>::new(Portable, &[generator, generator], 0, &Token::new()).unwrap();
    let sum = bases
        .multiply(
            &Exponents::new(&[Fr::one(), Fr::from(2u8)]),
            &Workspace::new(),
            &Token::new(),
        )
        .unwrap();
    assert_eq!(sum, G2Projective::from(generator) * Fr::from(3u8));
}

#[test]
fn portable_transforms_there_and_back() {
    let domain = Domain::new(Portable, 64, true).unwrap();
    let mut data = vec![Scalars::EMPTY; 8];
    let value = Fr::from(7u8);
    for block in &mut data {
        Scalars::splat(Portable, &Scalars::encode(&value)).save(block);
    }
    let token = Token::new();
    // A constant: n times its one coefficient, and itself on every coset.
    domain.inverse(&mut data, &token).unwrap();
    domain.odd(&mut data, &token).unwrap();
    let scaled = value * Fr::from(64u8);
    for block in &data {
        let values = Scalars::load(Portable, block).scatter();
        assert!(values.iter().all(|words| Scalars::decode(words) == scaled));
    }
}

#[test]
fn portable_rows_and_quotient() {
    let rows = vec![
        vec![(Fr::from(2u8), 0), (-Fr::one(), 1)],
        vec![(Fr::one(), 1)],
    ];
    let sparse = Sparse::new(Portable, &rows, 2).unwrap();
    let mut out = [[0; 4]; 2];
    let z = [Fr::from(5u8), Fr::from(3u8)];
    sparse.multiply(&z, &mut out, &Token::new()).unwrap();
    assert_eq!(
        out.map(|words| Scalars::decode(&words)),
        [7u8, 3].map(Fr::from)
    );

    // A = 7, 3 and B = 1, 0: P = A·B − C is a multiple of X² − 1, here h·(X² − 1).
    let quotient = Quotient::new(Portable, 2, Basis::OddCoset).unwrap();
    let b = [Scalars::encode(&Fr::one()), [0; 4]];
    let found = quotient.compute(&out, &b, &Token::new()).unwrap();
    // A = 5 + 2X, B = (1 + X)/2, C = (7 + 7X)/2: P = X² − 1, at X² = −1.
    let expected = (-Fr::from(2u8)).into_bigint().0;
    assert_eq!(found, [expected; 2]);
    assert_eq!(
        Fr::from(2u8).inverse().map(|half| half + half),
        Some(Fr::one())
    );
}
