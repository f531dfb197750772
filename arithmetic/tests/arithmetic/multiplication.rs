//! Multiplication = arkworks', whatever the plan.

use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, UniformRand};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use veilpool_arithmetic::{
    curve::{Curve, G1, G2},
    engine::{Engine, Portable},
    msm::{Bases, Workspace},
    progress::{Cancelled, Token},
    scalars::Exponents,
};

use crate::lanes::edges;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn points<C: Curve>(count: usize, seed: u64) -> Vec<C::Affine> {
    let mut rng = rng(seed);
    let mut point = C::Projective::rand(&mut rng);
    let step = C::Projective::rand(&mut rng);
    let all: Vec<_> = (0..count)
        .map(|_| {
            point += step;
            point
        })
        .collect();
    C::Projective::normalize_batch(&all)
}

fn expected<C: Curve>(points: &[C::Affine], scalars: &[Fr]) -> C::Projective
where
    C::Projective: VariableBaseMSM<MulBase = C::Affine>,
{
    C::Projective::msm_unchecked(points, scalars)
}

fn agree<E: Engine, C: Curve>(engine: E, points: &[C::Affine], scalars: &[Fr], what: &str)
where
    C::Projective: VariableBaseMSM<MulBase = C::Affine>,
{
    let row = size_of::<C::Row>();
    for memory in [0, points.len() * row * 3, usize::MAX / 2] {
        let bases = Bases::<E, C>::new(engine, points, memory, &Token::new()).unwrap();
        let sum = bases
            .multiply(&Exponents::new(scalars), &Workspace::new(), &Token::new())
            .unwrap();
        assert_eq!(
            sum.into_affine(),
            expected::<C>(points, scalars).into_affine(),
            "{what}, {}, {:?}",
            E::NAME,
            bases.plan()
        );
    }
}

fn every_case<E: Engine, C: Curve>(engine: E)
where
    C::Projective: VariableBaseMSM<MulBase = C::Affine>,
{
    let mut rng = rng(1);
    let identity = C::Affine::zero();
    for count in [0, 1, 2, 7, 8, 9, 16, 17, 100, 400] {
        let bases = points::<C>(count, 2);
        let scalars: Vec<Fr> = (0..count).map(|_| Fr::rand(&mut rng)).collect();
        agree::<E, C>(engine, &bases, &scalars, "random");
        agree::<E, C>(engine, &bases, &vec![Fr::ZERO; count], "all zero");
        agree::<E, C>(engine, &bases, &vec![Fr::from(1u8); count], "all one");
        agree::<E, C>(engine, &bases, &vec![-Fr::from(1u8); count], "all −1");
        let bits: Vec<Fr> = (0..count).map(|_| Fr::from(rng.r#gen::<bool>())).collect();
        agree::<E, C>(engine, &bases, &bits, "bits");
        let small: Vec<Fr> = (0..count)
            .map(|_| Fr::from(rng.r#gen::<u16>()) - Fr::from(1u16 << 15))
            .collect();
        agree::<E, C>(engine, &bases, &small, "small");
        agree::<E, C>(engine, &vec![identity; count], &scalars, "identities");
    }
    let edges = edges::<Fr>();
    agree::<E, C>(engine, &points::<C>(edges.len(), 3), &edges, "edges");
    for scalar in &edges {
        agree::<E, C>(engine, &points::<C>(1, 4), &[*scalar], "one edge");
    }

    // Equal points with equal scalars are doubled, again and again; opposite ones cancel.
    let point = points::<C>(1, 5)[0];
    let opposite = (-C::Projective::from(point)).into_affine();
    for count in [2, 3, 16, 100] {
        let scalar = Fr::rand(&mut rng);
        let mut bases = vec![point; count];
        agree::<E, C>(engine, &bases, &vec![scalar; count], "equal");
        for (index, base) in bases.iter_mut().enumerate() {
            if index % 2 == 1 {
                *base = opposite;
            }
        }
        agree::<E, C>(engine, &bases, &vec![scalar; count], "opposite");
        let signed: Vec<Fr> = (0..count)
            .map(|i| if i % 2 == 1 { scalar } else { -scalar })
            .collect();
        agree::<E, C>(engine, &bases, &signed, "opposite with opposite scalars");
        agree::<E, C>(engine, &vec![point; count], &signed, "opposite scalars");
    }
    // A mixture: few points and few scalars, so that a bucket has all cases among others.
    let some = points::<C>(3, 6);
    let choice = [
        Fr::rand(&mut rng),
        Fr::from(1u8),
        -Fr::from(1u8),
        Fr::from(5u8),
    ];
    for _ in 0..8 {
        let bases: Vec<C::Affine> = (0..300)
            .map(|_| match rng.gen_range(0..5) {
                0 => identity,
                1 => (-C::Projective::from(some[rng.gen_range(0..3)])).into_affine(),
                _ => some[rng.gen_range(0..3)],
            })
            .collect();
        let scalars: Vec<Fr> = (0..300).map(|_| choice[rng.gen_range(0..4)]).collect();
        agree::<E, C>(engine, &bases, &scalars, "mixture");
    }
    // P, 2P, 3P, …: sums of pairs meet points that are there already.
    let multiples: Vec<C::Projective> = (1..=64u64)
        .map(|k| C::Projective::from(point) * Fr::from(k))
        .collect();
    let multiples = C::Projective::normalize_batch(&multiples);
    agree::<E, C>(engine, &multiples, &[Fr::from(3u8); 64], "multiples");
}

#[test]
fn portable_g1_multiplication_is_arkworks() {
    every_case::<_, G1>(Portable);
}

#[test]
fn portable_g2_multiplication_is_arkworks() {
    every_case::<_, G2>(Portable);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn ifma_multiplication_is_arkworks_where_the_machine_has_it() {
    if let Some(engine) = veilpool_arithmetic::engine::Ifma::detect() {
        every_case::<_, G1>(engine);
        every_case::<_, G2>(engine);
    }
}

#[test]
fn scalars_that_are_missing_count_as_zero_and_others_are_not_looked_at() {
    let bases = points::<G1>(10, 7);
    let scalars: Vec<Fr> = (1..=20u64).map(Fr::from).collect();
    let prepared = Bases::<_, G1>::new(Portable, &bases, 0, &Token::new()).unwrap();
    for count in [0, 4, 10, 20] {
        let sum = prepared
            .multiply(
                &Exponents::new(&scalars[..count]),
                &Workspace::new(),
                &Token::new(),
            )
            .unwrap();
        let used = count.min(10);
        assert_eq!(sum, expected::<G1>(&bases[..used], &scalars[..used]));
    }
}

#[test]
fn a_group_larger_than_a_chunk_is_added_up_in_parts() {
    let bases = points::<G1>(40_000, 8);
    let scalars = vec![Fr::from(1u8); 40_000];
    agree::<_, G1>(Portable, &bases, &scalars, "one bucket");
}

#[test]
fn a_cancelled_multiplication_gives_no_point() {
    let token = Token::new();
    let prepared = Bases::<_, G1>::new(Portable, &points::<G1>(10, 9), 0, &token).unwrap();
    token.cancel();
    let result = prepared.multiply(
        &Exponents::new(&[Fr::from(3u8); 10]),
        &Workspace::new(),
        &token,
    );
    assert_eq!(result, Err(Cancelled));
}
