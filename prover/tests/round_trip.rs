//! Inputs to proof and back (T9).
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_protocol::MeasurerCount;
use veilpool_prover::*;

#[test]
fn quick() {
    for n in MeasurerCount::ALL {
        let prover = Prover::load(n, &veilpool_params::default_cache_dir(), &mut |s, f| {
            println!("{f} {s}")
        })
        .unwrap();
        let inputs = sample_inputs(n, 1).unwrap();
        let proof = prover
            .prove(&inputs, &mut ChaCha20Rng::seed_from_u64(2))
            .unwrap();
        println!("{:?}", proof.timings());
        let dir = std::path::Path::new("/tmp/cc_export");
        std::fs::create_dir_all(dir).unwrap();
        for (name, v) in
            snarkjs::files(prover.verifying_key(), proof.proof(), &proof.public_input())
        {
            std::fs::write(dir.join(name), v.to_string()).unwrap();
        }
    }
}
