//! T3: for every statement a forgery that violates only it. The native check names it, and all
//! failing rows are in its block.

use ark_bn254::Fr;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{BigInteger, PrimeField, UniformRand};
use veilpool_circuits::{
    PublicInputs, Statement,
    claim::{
        Attestation, check_native,
        sample::{Sample, good_metrics},
    },
    gadget::threshold::Metric,
};
use veilpool_primitives::{
    MeasurerKey, MeasurerSecret, MeasurerSet, OperatorSecret, SchnorrSignature,
    attestation::message, digits, field, measurer_key::torsion_points, montgomery, schnorr,
};
use veilpool_protocol::{
    Bandwidth, BindingBytes, DomainBytes, EpochId, FieldBytes, Latency, Metrics, NullifierBytes,
    PublicInputBytes, RegistryRootBytes, SetHashBytes, Uptime, Zone,
};

use super::common::{Assigned, rng, sample};

/// Asserts that the forgery violates this statement only, natively and in the constraints.
#[track_caller]
fn violates<const N: usize>(sample: &Sample<N>, statement: Statement) {
    let public = PublicInputs::of(&sample.witness.claimed);
    assert_eq!(check_native(&public, &sample.witness), Err(statement));
    Assigned::new(public, &sample.witness).assert_violates_only(statement);
}

fn plus_one(bytes: FieldBytes) -> FieldBytes {
    field::to_bytes(&(field::from_bytes(bytes) + Fr::from(1u8)))
}

/// Signs everything again, after subject, epoch or domain have changed.
fn sign_again<const N: usize>(sample: &mut Sample<N>) {
    for slot in 0..N {
        sample.attest(slot, good_metrics(), &mut rng(31));
    }
}

#[test]
fn public_input_integrity() {
    let sample = sample::<3>(30);
    let honest = PublicInputs::of(&sample.witness.claimed);
    let forged = PublicInputs::from_bytes(PublicInputBytes::from_field(plus_one(
        honest.to_bytes().to_field(),
    )));
    assert_eq!(
        check_native(&forged, &sample.witness),
        Err(Statement::PublicInputIntegrity)
    );
    Assigned::new(forged, &sample.witness).assert_violates_only(Statement::PublicInputIntegrity);
}

#[test]
fn i3_the_public_input_of_another_claim_is_refused_field_by_field() {
    // What the chain folds differs in one field from what the prover folded.
    let sample = sample::<3>(30);
    let honest = sample.witness.claimed;
    let mut forgeries = [honest; 7];
    forgeries[0].registry_root =
        RegistryRootBytes::from_field(plus_one(honest.registry_root.to_field()));
    forgeries[1].set_hash = SetHashBytes::from_field(plus_one(honest.set_hash.to_field()));
    forgeries[2].epoch = EpochId::new(honest.epoch.get().wrapping_add(1));
    forgeries[3].thresholds.bandwidth = Bandwidth::new(499);
    forgeries[4].nullifier = NullifierBytes::from_field(plus_one(honest.nullifier.to_field()));
    forgeries[5].binding = BindingBytes::from_field(plus_one(honest.binding.to_field()));
    forgeries[6].thresholds.zone = Zone::new(0);
    for forged in forgeries {
        let public = PublicInputs::of(&forged);
        assert_eq!(
            check_native(&public, &sample.witness),
            Err(Statement::PublicInputIntegrity)
        );
        Assigned::new(public, &sample.witness)
            .assert_violates_only(Statement::PublicInputIntegrity);
    }
}

#[test]
fn membership() {
    let mut wrong_root = sample::<3>(32);
    let root = &mut wrong_root.witness.claimed.registry_root;
    *root = RegistryRootBytes::from_field(plus_one(root.to_field()));
    violates(&wrong_root, Statement::Membership);

    for level in 0..10 {
        let mut wrong_sibling = sample::<3>(32);
        wrong_sibling.witness.path.siblings[level][1] += Fr::from(1u8);
        violates(&wrong_sibling, Statement::Membership);
    }

    let mut wrong_index = sample::<3>(32);
    wrong_index.witness.path.index = 1;
    violates(&wrong_index, Statement::Membership);
}

#[test]
fn i2_adding_multiples_of_the_subgroups_order_to_a_secret_gives_no_second_nullifier() {
    // sk + i·l for i = 1…7: another commitment, which is in no tree. Everything else is made to fit
    // the new secret.
    let order = Fr::from_be_bytes_mod_order(&SubgroupScalar::MODULUS.to_bytes_be());
    let honest = sample::<3>(33);
    let leaf = honest.witness.secret.commitment().to_bytes();
    for i in 1..=7u8 {
        let mut sample = sample::<3>(33);
        let witness = &mut sample.witness;
        let aliased = witness.secret.expose_scalar() + order * Fr::from(i);
        witness.secret = OperatorSecret::from_field(field::to_bytes(&aliased)).unwrap();
        let nullifier = witness.secret.nullifier(witness.claimed.epoch).to_bytes();
        assert_ne!(nullifier, honest.witness.claimed.nullifier);
        assert_ne!(witness.secret.commitment().to_bytes(), leaf);
        witness.claimed.nullifier = nullifier;
        sign_again(&mut sample);
        violates(&sample, Statement::Membership);
    }
}

#[test]
fn nullifier_integrity() {
    let mut sample = sample::<3>(34);
    let nullifier = &mut sample.witness.claimed.nullifier;
    *nullifier = NullifierBytes::from_field(plus_one(nullifier.to_field()));
    violates(&sample, Statement::NullifierIntegrity);
}

#[test]
fn i1_the_nullifier_of_another_secret_is_refused() {
    let mut sample = sample::<3>(34);
    let epoch = sample.witness.claimed.epoch;
    let other = OperatorSecret::generate(&mut rng(35));
    sample.witness.claimed.nullifier = other.nullifier(epoch).to_bytes();
    violates(&sample, Statement::NullifierIntegrity);
}

#[test]
fn i4_the_nullifier_of_another_epoch_is_refused() {
    let mut sample = sample::<3>(36);
    let next = EpochId::new(sample.witness.claimed.epoch.get().wrapping_add(1));
    sample.witness.claimed.nullifier = sample.witness.secret.nullifier(next).to_bytes();
    violates(&sample, Statement::NullifierIntegrity);
}

#[test]
fn i4_attestations_of_another_epoch_are_refused() {
    // Nullifier and public input are of the next epoch; the signatures are replayed.
    let mut sample = sample::<3>(37);
    let witness = &mut sample.witness;
    witness.claimed.epoch = EpochId::new(witness.claimed.epoch.get().wrapping_add(1));
    witness.claimed.nullifier = witness.secret.nullifier(witness.claimed.epoch).to_bytes();
    let public = PublicInputs::of(&witness.claimed);
    assert_eq!(
        check_native(&public, witness),
        Err(Statement::AttestationValidity { slot: 0 })
    );
    assert!(!Assigned::new(public, witness).is_satisfied());
    // One replayed signature among fresh ones.
    let replayed = sample.witness.attestations[1];
    sign_again(&mut sample);
    sample.witness.attestations[1] = replayed;
    violates(&sample, Statement::AttestationValidity { slot: 1 });
}

#[test]
fn i4_a_measurer_set_of_another_domain_is_refused() {
    // The prover uses signatures of another pool (another domain), the chain's set hash is of this
    // one.
    let mut sample = sample::<3>(38);
    sample.witness.domain = DomainBytes::from_field(plus_one(sample.witness.domain.to_field()));
    sign_again(&mut sample);
    violates(&sample, Statement::MeasurerSetIntegrity);
}

#[test]
fn i4_attestations_of_another_domain_are_refused() {
    let mut sample = sample::<3>(38);
    let honest = sample.witness.domain;
    sample.witness.domain = DomainBytes::from_field(plus_one(honest.to_field()));
    sample.attest(2, good_metrics(), &mut rng(39));
    sample.witness.domain = honest;
    violates(&sample, Statement::AttestationValidity { slot: 2 });
}

#[test]
fn measurer_set_integrity() {
    fn check<const N: usize>() {
        let mut wrong_hash = sample::<N>(40);
        let hash = &mut wrong_hash.witness.claimed.set_hash;
        *hash = SetHashBytes::from_field(plus_one(hash.to_field()));
        violates(&wrong_hash, Statement::MeasurerSetIntegrity);

        // Two measurers change places, with their attestations.
        for slot in 1..N {
            let mut swapped = sample::<N>(40);
            swapped.witness.measurers.swap(0, slot);
            swapped.witness.attestations.swap(0, slot);
            violates(&swapped, Statement::MeasurerSetIntegrity);
        }

        // A measurer of the prover's own making.
        let mut own = sample::<N>(40);
        own.secrets[N - 1] = sample::<N>(41).secrets.swap_remove(0);
        own.witness.measurers[N - 1] = own.secrets[N - 1].key();
        sign_again(&mut own);
        violates(&own, Statement::MeasurerSetIntegrity);
    }
    check::<3>();
    check::<5>();
    check::<7>();
}

#[test]
fn c9_a_measurer_that_takes_two_slots_is_refused() {
    let mut sample = sample::<5>(42);
    sample.witness.measurers[1] = sample.witness.measurers[0];
    sample.witness.attestations[1] = sample.witness.attestations[0];
    violates(&sample, Statement::MeasurerSetIntegrity);
    // A set in which a key stands twice can't be made; a key's negative is the same key.
    let mut keys = sample.witness.measurers.to_vec();
    assert!(MeasurerSet::new(keys.clone()).is_err());
    keys[1] = MeasurerKey::new(-*keys[0].point()).unwrap();
    assert!(MeasurerSet::new(keys).is_err());
    // Should such a set exist, the native check refuses it before a proof is made, whatever its hash.
    sample.witness.claimed.set_hash = SetHashBytes::from_field(FieldBytes::ZERO);
    let public = PublicInputs::of(&sample.witness.claimed);
    assert_eq!(
        check_native(&public, &sample.witness),
        Err(Statement::MeasurerSetIntegrity)
    );
}

#[test]
fn attestation_validity() {
    fn check<const N: usize>() {
        for slot in 0..N {
            let statement = Statement::AttestationValidity { slot };
            let edit = |edit: &dyn Fn(&mut Attestation)| {
                let mut sample = sample::<N>(43);
                edit(sample.witness.attestations[slot].as_mut().unwrap());
                violates(&sample, statement);
            };
            edit(&|a| a.signature.response += SubgroupScalar::from(1u8));
            edit(&|a| a.signature.challenge ^= 1);
            edit(&|a| a.signature.challenge ^= 1 << 127);
            // Better figures than were signed.
            edit(&|a| a.metrics.bandwidth = Bandwidth::new(60_000));
            edit(&|a| a.metrics.uptime = Uptime::new(144));
            edit(&|a| a.metrics.latency = Latency::new(1));

            // Signed by another measurer of the set.
            let mut foreign = sample::<N>(43);
            foreign.witness.attestations[slot] = foreign.witness.attestations[(slot + 1) % N];
            violates(&foreign, statement);
        }
    }
    check::<3>();
    check::<5>();
}

#[test]
fn m1_figures_that_no_measurer_signed_are_refused() {
    // All measurers saw too little; the node writes better figures over theirs.
    let mut sample = sample::<5>(44);
    let seen = Metrics {
        bandwidth: Bandwidth::new(100),
        ..good_metrics()
    };
    for slot in 0..5 {
        sample.attest(slot, seen, &mut rng(45));
    }
    violates(
        &sample,
        Statement::Thresholds {
            metric: Metric::Bandwidth,
        },
    );
    for attestation in sample.witness.attestations.iter_mut().flatten() {
        attestation.metrics.bandwidth = Bandwidth::new(700);
    }
    let public = PublicInputs::of(&sample.witness.claimed);
    assert_eq!(
        check_native(&public, &sample.witness),
        Err(Statement::AttestationValidity { slot: 0 })
    );
    let assigned = Assigned::new(public, &sample.witness);
    for row in assigned.failing_rows() {
        assert!((0..5).any(|slot| {
            assigned
                .layout
                .contains(Statement::AttestationValidity { slot }, row)
        }));
    }
    assert!(!assigned.is_satisfied());
}

#[test]
fn m1_another_nodes_attestations_are_refused() {
    let mut sample = sample::<3>(46);
    let witness = &sample.witness;
    let (epoch, domain) = (witness.claimed.epoch, witness.domain);
    let thief = OperatorSecret::generate(&mut rng(47))
        .subject(epoch)
        .to_bytes();
    let stolen = message(&domain, &thief, epoch, &good_metrics());
    let signature = sample.secrets[0].sign(&stolen, &mut rng(48));
    sample.witness.attestations[0].as_mut().unwrap().signature = signature;
    violates(&sample, Statement::AttestationValidity { slot: 0 });
}

#[test]
fn thresholds() {
    fn check<const N: usize>() {
        for metric in Metric::ALL {
            let mut metrics = good_metrics();
            match metric {
                Metric::Bandwidth => metrics.bandwidth = Bandwidth::new(499),
                Metric::Uptime => metrics.uptime = Uptime::new(139),
                Metric::Latency => metrics.latency = Latency::new(81),
                Metric::Zone => metrics.zone = Zone::new(2),
            }
            // f + 1 of 2f + 1 fail this one metric, wherever they stand.
            for start in 0..N {
                let mut sample = sample::<N>(49);
                for i in 0..=N / 2 {
                    sample.attest((start + i) % N, metrics, &mut rng(50));
                }
                violates(&sample, Statement::Thresholds { metric });
            }
        }
    }
    check::<3>();
    check::<5>();
}

#[test]
fn thresholds_are_asked_of_each_metric_by_itself() {
    // Each metric fails for another single measurer: a majority passes each.
    let mut sample = sample::<5>(51);
    let edits: [fn(&mut Metrics); 4] = [
        |m| m.bandwidth = Bandwidth::new(0),
        |m| m.uptime = Uptime::new(0),
        |m| m.latency = Latency::new(999),
        |m| m.zone = Zone::new(0),
    ];
    for (slot, edit) in edits.into_iter().enumerate() {
        let mut metrics = good_metrics();
        edit(&mut metrics);
        sample.attest(slot, metrics, &mut rng(52));
    }
    let public = PublicInputs::of(&sample.witness.claimed);
    assert_eq!(check_native(&public, &sample.witness), Ok(()));
    assert!(Assigned::new(public, &sample.witness).is_satisfied());
}

#[test]
fn binding() {
    // No input violates it: only an edited assignment does.
    let sample = sample::<3>(53);
    let mut assigned = Assigned::of(&sample.witness);
    let [square] = assigned.columns("binding²")[..] else {
        panic!("one column is the square");
    };
    assigned.z[square] += Fr::from(1u8);
    assigned.assert_violates_only(Statement::Binding);
}

#[test]
fn c2_the_binding_can_not_be_changed_without_a_row_that_breaks() {
    let sample = sample::<3>(53);
    let mut assigned = Assigned::of(&sample.witness);
    let [binding] = assigned.columns("binding")[..] else {
        panic!("one column is the binding");
    };
    assigned.z[binding] += Fr::from(1u8);
    let rows = assigned.failing_rows();
    for statement in [Statement::PublicInputIntegrity, Statement::Binding] {
        assert!(
            rows.iter()
                .any(|row| assigned.layout.contains(statement, *row))
        );
    }
}

#[test]
fn c5_a_nonce_point_with_a_torsion_component_is_refused() {
    // Measurer 0 hashes R + T for each of the eight points T of order dividing 8; only T = O gives
    // a signature.
    let entropy = [7u8; 64];
    let torsion = torsion_points();
    assert_eq!(torsion.len(), 8);
    for (i, torsion) in torsion.iter().enumerate() {
        let mut sample = sample::<3>(54);
        sample.secrets[0] = MeasurerSecret::from_entropy(&entropy);
        let witness = &mut sample.witness;
        witness.measurers[0] = sample.secrets[0].key();
        let set = MeasurerSet::new(witness.measurers.to_vec()).unwrap();
        witness.claimed.set_hash = set.hash(witness.domain);
        let epoch = witness.claimed.epoch;
        let subject = witness.secret.subject(epoch).to_bytes();
        let message = message(&witness.domain, &subject, epoch, &good_metrics());
        witness.attestations[0] = Some(Attestation {
            metrics: good_metrics(),
            signature: sign_over_shifted_nonce(
                &message,
                scalar_of(&entropy),
                &witness.measurers[0],
                torsion,
            ),
        });
        if i == 0 {
            assert!(Assigned::of(&sample.witness).is_satisfied());
        } else {
            violates(&sample, Statement::AttestationValidity { slot: 0 });
        }
    }
}

/// The scalar that a secret holds, with the sign that makes v(K) even.
fn scalar_of(entropy: &[u8; 64]) -> SubgroupScalar {
    let x = SubgroupScalar::from_be_bytes_mod_order(entropy);
    let point = (EdwardsProjective::generator() * x).into_affine();
    if point == *MeasurerSecret::from_entropy(entropy).key().point() {
        x
    } else {
        -x
    }
}

fn sign_over_shifted_nonce(
    message: &schnorr::Message,
    x: SubgroupScalar,
    key: &MeasurerKey,
    torsion: &EdwardsAffine,
) -> SchnorrSignature {
    let rng = &mut rng(56);
    loop {
        let nonce = SubgroupScalar::rand(rng);
        let shifted = (EdwardsProjective::generator() * nonce + *torsion).into_affine();
        let Some(u) = montgomery::u(&shifted) else {
            continue;
        };
        let hash = schnorr::hash(message, u, key).into_bigint();
        let challenge = u128::from(hash.0[0]) | u128::from(hash.0[1]) << 64;
        let response = nonce + schnorr::multiplier(challenge) * x;
        if hash.num_bits() > 253 || !digits::is_short(&response) {
            continue;
        }
        return SchnorrSignature {
            challenge,
            response,
        };
    }
}

#[test]
fn c5_a_key_with_a_torsion_component_is_no_key() {
    let sample = sample::<3>(55);
    let key = *sample.witness.measurers[0].point();
    for (i, torsion) in torsion_points().iter().enumerate() {
        let shifted = (key + torsion).into_affine();
        assert_eq!(MeasurerKey::new(shifted).is_ok(), i == 0);
        assert!(MeasurerKey::new(*torsion).is_err());
    }
}

#[test]
fn c6_a_hash_of_254_bits_is_refused() {
    // A signer that doesn't draw its nonce anew leaves h ≥ 2²⁵³, of which 253 bits are not h.
    let entropy = [8u8; 64];
    let x = scalar_of(&entropy);
    let mut sample = sample::<3>(57);
    sample.secrets[0] = MeasurerSecret::from_entropy(&entropy);
    let witness = &mut sample.witness;
    witness.measurers[0] = sample.secrets[0].key();
    let set = MeasurerSet::new(witness.measurers.to_vec()).unwrap();
    witness.claimed.set_hash = set.hash(witness.domain);
    let epoch = witness.claimed.epoch;
    let subject = witness.secret.subject(epoch).to_bytes();
    let message = message(&witness.domain, &subject, epoch, &good_metrics());
    let rng = &mut rng(58);
    let signature = loop {
        let nonce = SubgroupScalar::rand(rng);
        let point = (EdwardsProjective::generator() * nonce).into_affine();
        let u = montgomery::u(&point).unwrap();
        let hash = schnorr::hash(&message, u, &witness.measurers[0]).into_bigint();
        let challenge = u128::from(hash.0[0]) | u128::from(hash.0[1]) << 64;
        let response = nonce + schnorr::multiplier(challenge) * x;
        if hash.num_bits() == 254 && digits::is_short(&response) {
            break SchnorrSignature {
                challenge,
                response,
            };
        }
    };
    witness.attestations[0] = Some(Attestation {
        metrics: good_metrics(),
        signature,
    });
    violates(&sample, Statement::AttestationValidity { slot: 0 });
}
