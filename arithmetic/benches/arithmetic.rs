//! The parts of a proof by themselves, each engine beside arkworks: `cargo bench -p veilpool-arithmetic`.

use std::hint::black_box;

use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::UniformRand;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_arithmetic::{
    curve::{Curve, G1, G2},
    engine::{Engine, Kernel, LANES, Lanes, Portable},
    msm::{Bases, Workspace},
    progress::Token,
    quotient::{Basis, Quotient},
    scalars::Exponents,
};

const SIZE: usize = 1 << 14;

type Block<E> = <<E as Engine>::Fq as Lanes>::Block;

struct Products<'a, E: Engine>(&'a mut [Block<E>]);

impl<E: Engine> Kernel<E> for Products<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run(self, engine: E) {
        let Some((first, rest)) = self.0.split_first_mut() else {
            return;
        };
        let factor = E::Fq::load(engine, first);
        for block in rest {
            E::Fq::load(engine, block).mul(factor).save(block);
        }
    }
}

fn engine<E: Engine>(criterion: &mut Criterion, engine: E) {
    let mut blocks = vec![E::Fq::EMPTY; 129];
    for block in &mut blocks {
        E::Fq::splat(engine, &[3, 5, 7, 11]).save(block);
    }
    criterion.bench_function(
        &format!("{} products/{}", 128 * LANES, E::NAME),
        |bencher| bencher.iter(|| engine.run(Products::<E>(black_box(&mut blocks)))),
    );
    multiplication::<E, G1>(criterion, engine, "G1");
    multiplication::<E, G2>(criterion, engine, "G2");
    let quotient = Quotient::new(engine, SIZE, Basis::OddCoset);
    if let Some(quotient) = quotient {
        let rows = vec![E::Fr::encode(&Fr::from(12_345u32)); SIZE];
        criterion.bench_function(&format!("quotient of {SIZE}/{}", E::NAME), |bencher| {
            bencher.iter(|| quotient.compute(black_box(&rows), &rows, &Token::new()));
        });
    }
}

fn random<C: Curve>() -> (Vec<C::Affine>, Vec<Fr>) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (mut point, step) = (C::Projective::rand(&mut rng), C::Projective::rand(&mut rng));
    let points: Vec<_> = (0..SIZE)
        .map(|_| {
            point += step;
            point
        })
        .collect();
    let scalars = (0..SIZE).map(|_| Fr::rand(&mut rng)).collect();
    (C::Projective::normalize_batch(&points), scalars)
}

fn multiplication<E: Engine, C: Curve>(criterion: &mut Criterion, engine: E, name: &str) {
    let (points, scalars) = random::<C>();
    let mut group = criterion.benchmark_group(format!("{name} multiplication of {SIZE}"));
    group.sample_size(10);
    for mebibytes in [0, 8, 64] {
        let token = Token::new();
        let Ok(bases) = Bases::<E, C>::new(engine, &points, mebibytes << 20, &token) else {
            continue;
        };
        let workspace = Workspace::new();
        group.bench_function(
            BenchmarkId::new(E::NAME, format!("tables up to {mebibytes} MiB")),
            |bencher| {
                bencher.iter(|| bases.multiply(&Exponents::new(&scalars), &workspace, &token));
            },
        );
    }
    group.finish();
}

fn benches(criterion: &mut Criterion) {
    #[cfg(target_arch = "x86_64")]
    if let Some(found) = veilpool_arithmetic::engine::Ifma::detect() {
        engine(criterion, found);
    }
    engine(criterion, Portable);
    let (points, scalars) = random::<G1>();
    let mut group = criterion.benchmark_group("arkworks");
    group.sample_size(10);
    group.bench_function("G1", |bencher| {
        bencher.iter(|| G1Projective::msm_unchecked(&points, &scalars));
    });
    let (points, _) = random::<G2>();
    group.bench_function("G2", |bencher| {
        bencher.iter(|| G2Projective::msm_unchecked(&points, &scalars));
    });
    if let Some(domain) = Radix2EvaluationDomain::<Fr>::new(SIZE) {
        group.bench_function("three transforms back, three forth", |bencher| {
            bencher.iter(|| {
                for _ in 0..3 {
                    black_box(domain.fft(&domain.ifft(&scalars)));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
