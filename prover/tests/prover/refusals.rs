//! A claim that doesn't hold gives the statement that fails; and a proof made of it all the same is
//! refused.

use veilpool_circuits::gadget::threshold::Metric;
use veilpool_primitives::OperatorSecret;
use veilpool_protocol::{Bandwidth, EpochId, MeasurerCount, NullifierBytes};
use veilpool_prover::{
    ClaimDocument, ClaimInputs, ProveError, Statement, VerifyError, sample_inputs, verify,
};

use super::common::{prover, rng};

const N: MeasurerCount = MeasurerCount::Three;
const SEED: u64 = 21;

/// The sample with its document edited.
fn edited(edit: impl FnOnce(&mut ClaimDocument)) -> ClaimInputs {
    let mut document = sample_inputs(N, SEED).unwrap().to_document();
    edit(&mut document);
    document.validate(own_secret()).unwrap()
}

/// The sample's secret, drawn again from its seed.
fn own_secret() -> OperatorSecret {
    OperatorSecret::generate(&mut rng(SEED))
}

fn refused(inputs: &ClaimInputs, expected: Statement) {
    match prover(N).prove(inputs, &mut rng(22)) {
        Err(ProveError::Statement(statement)) => assert_eq!(statement, expected),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a false claim was proven"),
    }
    let forged = prover(N)
        .prove_without_checks(inputs, &mut rng(23))
        .unwrap();
    assert_eq!(
        verify(
            prover(N).verifying_key(),
            &forged.public_input,
            &forged.proof.to_bytes()
        ),
        Err(VerifyError::Invalid)
    );
}

#[test]
fn the_unedited_sample_is_proven() {
    assert!(prover(N).prove(&edited(|_| {}), &mut rng(22)).is_ok());
    let unchecked = prover(N)
        .prove_without_checks(&edited(|_| {}), &mut rng(23))
        .unwrap();
    let (public, bytes) = (unchecked.public_input, unchecked.proof.to_bytes());
    assert_eq!(verify(prover(N).verifying_key(), &public, &bytes), Ok(()));
}

#[test]
fn m1_figures_changed_by_the_node_are_refused() {
    let inputs = edited(|document| {
        for attestation in document.attestations.iter_mut().flatten() {
            attestation.metrics.bandwidth = Bandwidth::new(60_000);
        }
    });
    refused(&inputs, Statement::AttestationValidity { slot: 0 });
}

#[test]
fn m2_a_class_that_only_a_minority_attests_is_refused() {
    let inputs = edited(|document| {
        document.attestations[0] = None;
        document.attestations[2] = None;
    });
    let metric = Metric::Bandwidth;
    refused(&inputs, Statement::Thresholds { metric });
}

#[test]
fn i1_a_second_nullifier_for_one_operator_and_epoch_is_refused() {
    let inputs = edited(|document| {
        let other = OperatorSecret::generate(&mut rng(24));
        document.claimed.nullifier = other.nullifier(document.claimed.epoch).to_bytes();
    });
    refused(&inputs, Statement::NullifierIntegrity);
}

#[test]
fn i4_a_claim_moved_to_the_next_epoch_is_refused() {
    let inputs = edited(|document| {
        let next = EpochId::new(document.claimed.epoch.get().wrapping_add(1));
        document.claimed.epoch = next;
        document.claimed.nullifier = own_secret().nullifier(next).to_bytes();
    });
    refused(&inputs, Statement::AttestationValidity { slot: 0 });
}

#[test]
fn i7_an_operator_that_is_not_in_the_frozen_registry_is_refused() {
    let mut document = sample_inputs(N, SEED).unwrap().to_document();
    let newcomer = OperatorSecret::generate(&mut rng(25));
    document.claimed.nullifier = newcomer.nullifier(document.claimed.epoch).to_bytes();
    refused(&document.validate(newcomer).unwrap(), Statement::Membership);
}

#[test]
fn i6_a_proof_does_not_verify_with_another_binding() {
    let inputs = edited(|_| {});
    let proof = prover(N).prove(&inputs, &mut rng(26)).unwrap();
    let mut claimed = *inputs.claimed();
    claimed.binding =
        veilpool_protocol::BindingBytes::from_field(NullifierBytes::to_field(claimed.nullifier));
    let public = veilpool_circuits::PublicInputs::of(&claimed).to_bytes();
    assert_eq!(
        verify(prover(N).verifying_key(), &public, &proof.to_bytes()),
        Err(VerifyError::Invalid)
    );
}

#[test]
fn a_claim_for_another_number_of_measurers_is_named() {
    let inputs = sample_inputs(MeasurerCount::Five, 27).unwrap();
    match prover(N).prove(&inputs, &mut rng(28)) {
        Err(ProveError::MeasurerCount { inputs, prover }) => assert_eq!((inputs, prover), (5, 3)),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("five measurers were proven with the circuit for three"),
    }
}
