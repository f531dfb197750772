//! Witness, proof and verification of a claim, for 3, 5 and 7 measurers.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::claim::{Circuit, PublicInputs, check_native, sample::Sample};
use veilpool_params::default_cache_dir;
use veilpool_protocol::MeasurerCount;
use veilpool_prover::{Prover, prove::assign, sample_inputs, verify};

fn claim(criterion: &mut Criterion) {
    witness::<3>(criterion);
    witness::<5>(criterion);
    witness::<7>(criterion);
    for n in MeasurerCount::ALL {
        let prover = match Prover::load(n, &default_cache_dir(), &mut |_, _| {}) {
            Ok(prover) => prover,
            Err(error) => panic!("{error}"),
        };
        proof(criterion, &prover);
    }
}

fn witness<const N: usize>(criterion: &mut Criterion) {
    let sample = Sample::<N>::generate(&mut ChaCha20Rng::seed_from_u64(1));
    let public = PublicInputs::of(&sample.witness.claimed);
    let mut group = criterion.benchmark_group("claim");
    group.bench_function(BenchmarkId::new("native check", N), |bencher| {
        bencher.iter(|| check_native(black_box(&public), &sample.witness).is_ok());
    });
    group.bench_function(BenchmarkId::new("witness", N), |bencher| {
        bencher.iter(|| assign(&Circuit::new(black_box(public), &sample.witness)).is_ok());
    });
    group.finish();
}

fn proof(criterion: &mut Criterion, prover: &Prover) {
    let n = prover.count().get();
    let Ok(inputs) = sample_inputs(prover.count(), 1) else {
        panic!("the sample is valid")
    };
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut group = criterion.benchmark_group("claim");
    group.sample_size(10);
    group.bench_function(
        BenchmarkId::new("checked, proven and verified", n),
        |bencher| {
            bencher.iter(|| prover.prove(black_box(&inputs), &mut rng).is_ok());
        },
    );
    let proof = match prover.prove(&inputs, &mut rng) {
        Ok(proof) => proof,
        Err(error) => panic!("{error}"),
    };
    let (public, bytes) = (proof.public_input(), proof.to_bytes());
    group.sample_size(50);
    group.bench_function(BenchmarkId::new("verification from bytes", n), |bencher| {
        bencher.iter(|| verify(prover.verifying_key(), black_box(&public), &bytes).is_ok());
    });
    group.finish();
}

criterion_group!(benches, claim);
criterion_main!(benches);
