//! T6: the order of public inputs, in the instance and inside the fold.

use ark_bn254::Fr;
use ark_ff::One;
use veilpool_circuits::{PublicInputs, Statement};
use veilpool_primitives::{field, poseidon};
use veilpool_protocol::{PublicInputBytes, claim::FOLDED};

use super::common::{Assigned, sample};

#[test]
fn the_instance_is_one_and_the_folded_public_input() {
    let sample = sample::<5>(80);
    let public = PublicInputs::of(&sample.witness.claimed);
    let assigned = Assigned::new(public, &sample.witness);
    assert_eq!(assigned.matrices.public_columns, 1 + PublicInputs::COUNT);
    assert_eq!(PublicInputs::COUNT, 1);
    assert_eq!(assigned.z[0], Fr::one());
    assert_eq!(assigned.z[1], public.to_fields()[0]);
    assert_eq!(
        assigned.z[1],
        poseidon::hash(sample.witness.claimed.fold_inputs().map(field::from_bytes))
    );
}

#[test]
fn the_fold_has_each_field_at_its_index() {
    let sample = sample::<3>(81);
    let claimed = &sample.witness.claimed;
    let inputs = claimed.fold_inputs();
    assert_eq!(inputs.len(), FOLDED + 1);
    assert_eq!(
        field::from_bytes(inputs[0]),
        Fr::from(veilpool_protocol::tag::CLAIM)
    );
    assert_eq!(inputs[1], claimed.registry_root.to_field());
    assert_eq!(inputs[2], claimed.set_hash.to_field());
    assert_eq!(field::from_bytes(inputs[3]), Fr::from(claimed.epoch.get()));
    assert_eq!(inputs[4], claimed.thresholds.pack());
    assert_eq!(inputs[5], claimed.nullifier.to_field());
    assert_eq!(inputs[6], claimed.binding.to_field());
}

#[test]
fn swapping_any_two_folded_fields_breaks_public_input_integrity() {
    let sample = sample::<3>(82);
    let inputs = sample.witness.claimed.fold_inputs().map(field::from_bytes);
    for i in 0..=FOLDED {
        for j in 0..i {
            let mut swapped = inputs;
            swapped.swap(i, j);
            let folded = field::to_bytes(&poseidon::hash(swapped));
            let public = PublicInputs::from_bytes(PublicInputBytes::from_field(folded));
            Assigned::new(public, &sample.witness)
                .assert_violates_only(Statement::PublicInputIntegrity);
        }
    }
}
