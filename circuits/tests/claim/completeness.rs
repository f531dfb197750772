use ark_relations::gr1cs::ConstraintSystem;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::claim::{self, Circuit, PublicInputs, check_native, sample::Sample};

fn go<const N: usize>() {
    let sample = Sample::<N>::generate(&mut ChaCha20Rng::seed_from_u64(1));
    let public = PublicInputs::of(&sample.witness.claimed);
    assert_eq!(check_native(&public, &sample.witness), Ok(()));
    let cs = ConstraintSystem::new_ref();
    let t = std::time::Instant::now();
    let layout = Circuit::new(public, &sample.witness).synthesize(cs.clone()).unwrap();
    println!("{:?}", t.elapsed());
    println!("{:?} {:?}", cs.num_constraints(), layout.blocks());
    let m = claim::matrices(N).unwrap();
    let z = [cs.instance_assignment().unwrap(), cs.witness_assignment().unwrap()].concat();
    let bad = m.failing_rows(&z);
    println!("{} {:?} {:?}", bad.len(), bad.first(), bad.last());
    assert!(bad.is_empty());
    println!("{:?}", claim::info(N));
}
#[test]
fn quick() { go::<3>(); go::<5>(); go::<7>(); }
