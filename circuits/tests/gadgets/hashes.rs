use ark_bn254::Fr;
use ark_ff::PrimeField;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::{
    gadget::{
        measurer_set::{self, MeasurerKeyVar},
        operator::{CommitmentVar, NullifierVar, SubjectVar},
        poseidon as gadget,
    },
    num::Num,
};
use veilpool_primitives::{
    Commitment, MeasurerSecret, MeasurerSet, Nullifier, Subject, field, poseidon,
};
use veilpool_protocol::{DomainBytes, EpochId};

use super::mode::{MODES, Mode, System};

fn arb_field() -> impl Strategy<Value = Fr> {
    prop_oneof![
        4 => any::<[u8; 32]>().prop_map(|bytes| Fr::from_be_bytes_mod_order(&bytes)),
        1 => Just(Fr::from(0u8)),
        1 => Just(-Fr::from(1u8)),
    ]
}

#[test]
fn poseidon_costs_what_it_documents() {
    let variable = [213, 240, 261, 297, 321, 354, 381, 402, 417, 459, 465, 504];
    for (index, expected) in variable.into_iter().enumerate() {
        let mut system = System::new(Mode::Witness);
        let mut inputs: Vec<Num> = (0..=index)
            .map(|i| system.num(Fr::from(i as u64)))
            .collect();
        gadget::hash(&mut system.cs, &inputs).unwrap();
        assert_eq!(system.cs.rows(), expected);
        if index == 0 {
            continue;
        }
        inputs[0] = Num::constant(Fr::from(7u8));
        gadget::hash(&mut system.cs, &inputs).unwrap();
        assert_eq!(system.cs.rows(), 2 * expected - 3);
    }
}

#[test]
fn a_hash_of_constants_is_a_constant_and_free() {
    let mut system = System::new(Mode::Constant);
    let inputs = [system.num(Fr::from(1u8)), system.num(Fr::from(2u8))];
    let hash = gadget::hash(&mut system.cs, &inputs).unwrap();
    assert!(hash.is_constant());
    assert_eq!(system.cs.rows(), 0);
    assert_eq!(
        hash.value(),
        Some(poseidon::hash([Fr::from(1u8), Fr::from(2u8)]))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn poseidon_is_the_native_one(a in arb_field(), b in arb_field(), c in arb_field()) {
        for mode in MODES {
            let mut system = System::new(mode);
            let inputs = [a, b, c].map(|value| system.num(value));
            let hash = gadget::hash(&mut system.cs, &inputs).unwrap();
            prop_assert_eq!(hash.value(), Some(poseidon::hash([a, b, c])));
            prop_assert!(system.is_satisfied());
        }
    }

    #[test]
    fn what_an_operator_derives_is_the_native_value(sk in arb_field(), epoch in any::<u32>()) {
        let epoch_id = EpochId::new(epoch);
        for mode in MODES {
            let mut system = System::new(mode);
            let (sk_num, epoch_num) = (system.num(sk), system.num(Fr::from(epoch)));
            let cs = &mut system.cs;
            let commitment = CommitmentVar::derive(cs, &sk_num).unwrap();
            let subject = SubjectVar::derive(cs, &sk_num, &epoch_num).unwrap();
            let nullifier = NullifierVar::derive(cs, &sk_num, &epoch_num).unwrap();
            prop_assert_eq!(commitment.num().value(), Some(Commitment::derive(sk).to_field()));
            prop_assert_eq!(subject.num().value(), Some(Subject::derive(sk, epoch_id).to_field()));
            prop_assert_eq!(nullifier.num().value(), Some(Nullifier::derive(sk, epoch_id).to_field()));
            prop_assert!(system.is_satisfied());
        }
    }

    #[test]
    fn a_measurer_sets_hash_is_the_native_one(seed in any::<u64>(), domain in arb_field(), size in 0usize..3) {
        let n = [3, 5, 7][size];
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let keys: Vec<_> = (0..n).map(|_| MeasurerSecret::generate(rng).key()).collect();
        let expected = MeasurerSet::new(keys.clone())
            .unwrap()
            .hash(DomainBytes::from_field(field::to_bytes(&domain)));
        for mode in MODES {
            let mut system = System::new(mode);
            let domain = system.num(domain);
            let keys: Vec<MeasurerKeyVar> = keys
                .iter()
                .map(|key| MeasurerKeyVar {
                    u: system.num(key.u()),
                    shifted_u: system.num(key.shifted_u()),
                    v: None,
                    shifted_v: None,
                })
                .collect();
            let hash = measurer_set::hash(&mut system.cs, &domain, &keys).unwrap();
            prop_assert_eq!(field::to_bytes(&hash.value().unwrap()), expected.to_field());
            prop_assert!(system.is_satisfied());
        }
    }
}
