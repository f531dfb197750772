//! The R1CS circuit (its matrices, evaluated on the assignment that it makes) and the halo2 one (its
//! gates, by the mock prover) both accept or both refuse, for the same statement; and each refusal
//! here is of the statement that was violated.

use ark_bn254::Fr;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{BigInteger, PrimeField, UniformRand};
use proptest::prelude::*;
use rand::Rng;
use veilpool_circuits::claim::sample::{Sample, good_metrics, thresholds};
use veilpool_halo2::claim::{Metric, PublicInputs, Statement, check_native};
use veilpool_primitives::{
    MeasurerSecret, MeasurerSet, OperatorSecret, SchnorrSignature,
    attestation::message,
    claim::fold,
    digits, field,
    measurer_key::torsion_points,
    montgomery,
    schnorr::{self, multiplier},
};
use veilpool_protocol::{
    Bandwidth, BindingBytes, DomainBytes, EpochId, FieldBytes, Latency, Metrics, NullifierBytes,
    RegistryRootBytes, SetHashBytes, Uptime, Zone,
};

use super::common::{bytes, is_of, mock_accepts, r1cs_accepts, rng, sample, witness};

/// Both circuits' verdict, which must be one, and the native one's.
#[track_caller]
fn verdict<const N: usize>(x: Fr, sample: &Sample<N>) -> Result<(), Statement> {
    let here = witness(&sample.witness);
    let native = check_native(&PublicInputs::from_bytes(bytes(x)), &here);
    let r1cs = r1cs_accepts(x, &sample.witness);
    let grid = super::common::grid(x, &here);
    let failures = grid.failures();
    assert_eq!(failures.is_empty(), r1cs, "{failures:?}");
    assert_eq!(mock_accepts(x, &here), r1cs, "halo2's mock prover");
    assert_eq!(native.is_ok(), r1cs);
    native
}

#[track_caller]
fn accepted<const N: usize>(sample: &Sample<N>) {
    assert_eq!(verdict(fold(&sample.witness.claimed), sample), Ok(()));
}

/// Both refuse, and what fails here is of this statement only.
#[track_caller]
fn refused<const N: usize>(sample: &Sample<N>, statement: Statement) {
    let x = fold(&sample.witness.claimed);
    assert_eq!(verdict(x, sample), Err(statement));
    let grid = super::common::grid(x, &witness(&sample.witness));
    for failure in grid.failures() {
        assert!(is_of(&grid, &failure, statement), "{failure:?}");
    }
}

fn plus_one(bytes: FieldBytes) -> FieldBytes {
    field::to_bytes(&(field::from_bytes(bytes) + Fr::from(1u8)))
}

fn sign_again<const N: usize>(sample: &mut Sample<N>) {
    for slot in 0..N {
        sample.attest(slot, good_metrics(), &mut rng(31));
    }
}

/// Runs a check for every number of measurers.
macro_rules! every_n {
    ($check:ident) => {
        $check::<3>();
        $check::<5>();
        $check::<7>();
    };
}

#[test]
fn honest_claims_are_accepted_by_both() {
    fn check<const N: usize>() {
        accepted(&sample::<N>(1));
    }
    every_n!(check);
}

#[test]
fn another_x_is_refused_by_both() {
    fn check<const N: usize>() {
        let sample = sample::<N>(2);
        let x = fold(&sample.witness.claimed) + Fr::from(1u8);
        assert_eq!(verdict(x, &sample), Err(Statement::PublicInputIntegrity));
        // x of another payee.
        let mut other = sample.witness.claimed;
        other.binding = BindingBytes::from_field(plus_one(other.binding.to_field()));
        assert_eq!(
            verdict(fold(&other), &sample),
            Err(Statement::PublicInputIntegrity)
        );
    }
    every_n!(check);
}

#[test]
fn a_claim_without_membership_is_refused_by_both() {
    fn check<const N: usize>() {
        let mut wrong_root = sample::<N>(3);
        let root = &mut wrong_root.witness.claimed.registry_root;
        *root = RegistryRootBytes::from_field(plus_one(root.to_field()));
        refused(&wrong_root, Statement::Membership);
        let mut wrong_leaf = sample::<N>(3);
        wrong_leaf.witness.path.index ^= 1;
        refused(&wrong_leaf, Statement::Membership);
        let mut wrong_node = sample::<N>(3);
        wrong_node.witness.path.siblings[4][2] += Fr::from(1u8);
        refused(&wrong_node, Statement::Membership);
        // Nobody's secret, with everything else its own.
        let mut nobody = sample::<N>(3);
        let claim = &mut nobody.witness;
        claim.secret = OperatorSecret::generate(&mut rng(4));
        claim.claimed.nullifier = claim.secret.nullifier(claim.claimed.epoch).to_bytes();
        sign_again(&mut nobody);
        refused(&nobody, Statement::Membership);
    }
    every_n!(check);
}

#[test]
fn another_nullifier_is_refused_by_both() {
    fn check<const N: usize>() {
        let mut sample = sample::<N>(5);
        let nullifier = &mut sample.witness.claimed.nullifier;
        *nullifier = NullifierBytes::from_field(plus_one(nullifier.to_field()));
        refused(&sample, Statement::NullifierIntegrity);
        let claim = &mut sample.witness;
        let next = EpochId::new(claim.claimed.epoch.get().wrapping_add(1));
        claim.claimed.nullifier = claim.secret.nullifier(next).to_bytes();
        refused(&sample, Statement::NullifierIntegrity);
    }
    every_n!(check);
}

#[test]
fn another_set_is_refused_by_both() {
    fn check<const N: usize>() {
        let mut wrong_hash = sample::<N>(6);
        let hash = &mut wrong_hash.witness.claimed.set_hash;
        *hash = SetHashBytes::from_field(plus_one(hash.to_field()));
        refused(&wrong_hash, Statement::MeasurerSetIntegrity);
        for slot in 1..N {
            let mut swapped = sample::<N>(6);
            swapped.witness.measurers.swap(0, slot);
            swapped.witness.attestations.swap(0, slot);
            refused(&swapped, Statement::MeasurerSetIntegrity);
        }
        let mut own = sample::<N>(6);
        own.secrets[N - 1] = MeasurerSecret::generate(&mut rng(7));
        own.witness.measurers[N - 1] = own.secrets[N - 1].key();
        sign_again(&mut own);
        refused(&own, Statement::MeasurerSetIntegrity);
        let mut elsewhere = sample::<N>(6);
        let domain = &mut elsewhere.witness.domain;
        *domain = DomainBytes::from_field(plus_one(domain.to_field()));
        sign_again(&mut elsewhere);
        refused(&elsewhere, Statement::MeasurerSetIntegrity);
    }
    every_n!(check);
}

#[test]
fn a_bad_signature_in_any_slot_is_refused_by_both() {
    fn check<const N: usize>() {
        for slot in 0..N {
            let statement = Statement::AttestationValidity { slot };
            let edit = |edit: &dyn Fn(&mut SchnorrSignature, &mut Metrics)| {
                let mut sample = sample::<N>(8);
                let attestation = sample.witness.attestations[slot].as_mut().unwrap();
                edit(&mut attestation.signature, &mut attestation.metrics);
                refused(&sample, statement);
            };
            edit(&|s, _| s.response += SubgroupScalar::from(1u8));
            edit(&|s, _| s.response = -s.response);
            edit(&|s, _| s.challenge ^= 1);
            edit(&|s, _| s.challenge ^= 1 << 64);
            edit(&|s, _| s.challenge ^= 1 << 127);
            edit(&|_, m| m.bandwidth = Bandwidth::new(60_000));
            edit(&|_, m| m.uptime = Uptime::new(144));
            edit(&|_, m| m.latency = Latency::new(1));

            let mut foreign = sample::<N>(8);
            foreign.witness.attestations[slot] = foreign.witness.attestations[(slot + 1) % N];
            refused(&foreign, statement);
        }
    }
    check::<3>();
    check::<5>();
}

#[test]
fn another_nodes_epochs_or_pools_attestation_is_refused_by_both() {
    let sign = |change: &dyn Fn(&mut DomainBytes, &mut EpochId, &mut OperatorSecret)| {
        let mut sample = sample::<3>(9);
        let claim = &sample.witness;
        let (mut domain, mut epoch) = (claim.domain, claim.claimed.epoch);
        let secret = FieldBytes::new(*claim.secret.expose_bytes()).unwrap();
        let mut secret = OperatorSecret::from_field(secret).unwrap();
        change(&mut domain, &mut epoch, &mut secret);
        let subject = secret.subject(claim.claimed.epoch).to_bytes();
        let message = message(&domain, &subject, epoch, &good_metrics());
        let signature = sample.secrets[1].sign(&message, &mut rng(10));
        sample.witness.attestations[1].as_mut().unwrap().signature = signature;
        sample
    };
    accepted(&sign(&|_, _, _| {}));
    let statement = Statement::AttestationValidity { slot: 1 };
    let other_domain = sign(&|domain, _, _| {
        *domain = DomainBytes::from_field(plus_one(domain.to_field()));
    });
    refused(&other_domain, statement);
    let other_epoch = sign(&|_, epoch, _| *epoch = EpochId::new(epoch.get().wrapping_add(1)));
    refused(&other_epoch, statement);
    let other_subject = sign(&|_, _, secret| *secret = OperatorSecret::generate(&mut rng(11)));
    refused(&other_subject, statement);
}

/// A measurer whose secret the test knows takes slot 0. Its secret is negated if its key is to be.
fn known_measurer<const N: usize>(seed: u64) -> (Sample<N>, SubgroupScalar) {
    let mut sample = sample::<N>(seed);
    let entropy = [seed as u8 + 1; 64];
    sample.secrets[0] = MeasurerSecret::from_entropy(&entropy);
    let key = sample.secrets[0].key();
    let mut x = SubgroupScalar::from_be_bytes_mod_order(&entropy);
    if (EdwardsProjective::generator() * x).into_affine() != *key.point() {
        x = -x;
    }
    let claim = &mut sample.witness;
    claim.measurers[0] = key;
    let set = MeasurerSet::new(claim.measurers.to_vec()).unwrap();
    claim.claimed.set_hash = set.hash(claim.domain);
    (sample, x)
}

/// Signs by hand, with whatever rule and shift of the nonce's point.
fn sign_by_hand<const N: usize>(
    sample: &Sample<N>,
    x: SubgroupScalar,
    shift: &EdwardsAffine,
    rule: impl Fn(u32, bool) -> bool,
) -> SchnorrSignature {
    let claim = &sample.witness;
    let epoch = claim.claimed.epoch;
    let subject = claim.secret.subject(epoch).to_bytes();
    let message = message(&claim.domain, &subject, epoch, &good_metrics());
    let rng = &mut rng(13);
    loop {
        let nonce = SubgroupScalar::rand(rng);
        let point = (EdwardsProjective::generator() * nonce + *shift).into_affine();
        let u = montgomery::u(&point).unwrap();
        let hash = schnorr::hash(&message, u, &claim.measurers[0]).into_bigint();
        let challenge = u128::from(hash.0[0]) | u128::from(hash.0[1]) << 64;
        let response = nonce + multiplier(challenge) * x;
        if rule(hash.num_bits(), digits::is_short(&response)) {
            return SchnorrSignature {
                challenge,
                response,
            };
        }
    }
}

#[test]
fn c6_signatures_that_break_a_rule_of_signing_are_refused_by_both() {
    fn check<const N: usize>() {
        let (mut sample, x) = known_measurer::<N>(12);
        let no_shift = torsion_points()[0];
        let statement = Statement::AttestationValidity { slot: 0 };
        sample.attest(0, good_metrics(), &mut rng(14));
        // By the rules, by hand.
        let signature = sign_by_hand(&sample, x, &no_shift, |bits, short| bits <= 253 && short);
        sample.witness.attestations[0].as_mut().unwrap().signature = signature;
        accepted(&sample);
        // h ≥ 2²⁵³: 253 bits of it are not h.
        let signature = sign_by_hand(&sample, x, &no_shift, |bits, short| bits > 253 && short);
        sample.witness.attestations[0].as_mut().unwrap().signature = signature;
        refused(&sample, statement);
        // A response that isn't short.
        let signature = sign_by_hand(&sample, x, &no_shift, |bits, short| bits <= 253 && !short);
        sample.witness.attestations[0].as_mut().unwrap().signature = signature;
        refused(&sample, statement);
    }
    every_n!(check);
}

#[test]
fn c5_nonces_with_a_torsion_component_are_refused_by_both() {
    let (mut sample, x) = known_measurer::<3>(15);
    let statement = Statement::AttestationValidity { slot: 0 };
    for (i, torsion) in torsion_points().iter().enumerate() {
        let signature = sign_by_hand(&sample, x, torsion, |bits, short| bits <= 253 && short);
        sample.attest(0, good_metrics(), &mut rng(14));
        sample.witness.attestations[0].as_mut().unwrap().signature = signature;
        if i == 0 {
            accepted(&sample);
        } else {
            refused(&sample, statement);
        }
    }
}

#[test]
fn a_nonce_that_is_the_identity_is_refused_by_both() {
    let (mut sample, x) = known_measurer::<3>(16);
    for challenge in [0, 1, u128::MAX, 1 << 64] {
        let mut response = multiplier(challenge) * x;
        sample.attest(0, good_metrics(), &mut rng(14));
        let attestation = sample.witness.attestations[0].as_mut().unwrap();
        attestation.signature = SchnorrSignature {
            challenge,
            response,
        };
        refused(&sample, Statement::AttestationValidity { slot: 0 });
        // And s·B = −m·K.
        response = -response;
        let attestation = sample.witness.attestations[0].as_mut().unwrap();
        attestation.signature.response = response;
        refused(&sample, Statement::AttestationValidity { slot: 0 });
    }
}

#[test]
fn c8_absent_slots_count_as_failing_for_both() {
    fn check<const N: usize>() {
        for start in 0..N {
            let mut sample = sample::<N>(17);
            for missing in 0..N {
                if missing <= N / 2 {
                    accepted(&sample);
                } else {
                    let metric = Metric::Bandwidth;
                    let x = fold(&sample.witness.claimed);
                    assert_eq!(verdict(x, &sample), Err(Statement::Thresholds { metric }));
                }
                sample.witness.attestations[(start + missing) % N] = None;
            }
        }
    }
    check::<3>();
    check::<5>();
}

fn missed_by_one(metric: Metric) -> Metrics {
    let mut metrics = exactly();
    match metric {
        Metric::Bandwidth => metrics.bandwidth = Bandwidth::new(thresholds().bandwidth.get() - 1),
        Metric::Uptime => metrics.uptime = Uptime::new(thresholds().uptime.get() - 1),
        Metric::Latency => metrics.latency = Latency::new(thresholds().latency.get() + 1),
        Metric::Zone => metrics.zone = Zone::new(thresholds().zone.get() + 1),
    }
    metrics
}

fn exactly() -> Metrics {
    let thresholds = thresholds();
    Metrics {
        bandwidth: thresholds.bandwidth,
        uptime: thresholds.uptime,
        latency: thresholds.latency,
        zone: thresholds.zone,
    }
}

#[test]
fn a_threshold_missed_by_one_is_refused_by_both_and_one_that_is_met_accepted() {
    fn check<const N: usize>() {
        let mut met = sample::<N>(18);
        for slot in 0..N {
            met.attest(slot, exactly(), &mut rng(19));
        }
        accepted(&met);
        for metric in Metric::ALL {
            let mut sample = sample::<N>(18);
            for failing in 0..=N / 2 {
                accepted(&sample);
                sample.attest((failing * 2) % N, missed_by_one(metric), &mut rng(19));
            }
            refused(&sample, Statement::Thresholds { metric });
        }
    }
    every_n!(check);
}

#[test]
fn extreme_metrics_and_thresholds_are_judged_alike() {
    let extremes = [0u16, 1, 2, 32_767, 32_768, 65_534, 65_535];
    let rng = &mut rng(20);
    for round in 0..24 {
        let mut sample = sample::<3>(21);
        let mut pick = || extremes[rng.gen_range(0..extremes.len())];
        let thresholds = &mut sample.witness.claimed.thresholds;
        thresholds.bandwidth = Bandwidth::new(pick());
        thresholds.uptime = Uptime::new(pick());
        thresholds.latency = Latency::new(pick());
        thresholds.zone = Zone::new(if round % 2 == 0 { 0 } else { pick() as u8 });
        for slot in 0..3 {
            let metrics = Metrics {
                bandwidth: Bandwidth::new(pick()),
                uptime: Uptime::new(pick()),
                latency: Latency::new(pick()),
                zone: Zone::new(pick() as u8),
            };
            sample.attest(slot, metrics, &mut super::common::rng(22));
        }
        let _ = verdict(fold(&sample.witness.claimed), &sample);
    }
}

/// Something that may be done to a claim.
#[derive(Clone, Copy, Debug)]
enum Change {
    Nothing,
    Absent(usize),
    Metrics(usize, u16, u16, u16, u8),
    Response(usize, u64),
    Challenge(usize, u8),
    Foreign(usize),
    Path(usize),
    Epoch,
}

fn arb_change() -> impl Strategy<Value = Change> {
    let slot = 0usize..7;
    prop_oneof![
        3 => Just(Change::Nothing),
        3 => slot.clone().prop_map(Change::Absent),
        8 => (slot.clone(), 498u16..503, 138u16..143, 78u16..83, 2u8..5)
            .prop_map(|(slot, b, u, l, z)| Change::Metrics(slot, b, u, l, z)),
        1 => (slot.clone(), 1u64..).prop_map(|(slot, by)| Change::Response(slot, by)),
        1 => (slot.clone(), 0u8..128).prop_map(|(slot, bit)| Change::Challenge(slot, bit)),
        1 => slot.prop_map(Change::Foreign),
        1 => (0usize..10).prop_map(Change::Path),
        1 => Just(Change::Epoch),
    ]
}

fn apply<const N: usize>(sample: &mut Sample<N>, change: Change) {
    let rng = &mut rng(23);
    let attested = |sample: &mut Sample<N>, slot: usize| sample.witness.attestations[slot % N];
    match change {
        Change::Nothing => {}
        Change::Absent(slot) => sample.witness.attestations[slot % N] = None,
        Change::Metrics(slot, b, u, l, z) => {
            let metrics = Metrics {
                bandwidth: Bandwidth::new(b),
                uptime: Uptime::new(u),
                latency: Latency::new(l),
                zone: Zone::new(z),
            };
            sample.attest(slot % N, metrics, rng);
        }
        Change::Response(slot, by) => {
            if let Some(mut attestation) = attested(sample, slot) {
                attestation.signature.response += SubgroupScalar::from(by);
                sample.witness.attestations[slot % N] = Some(attestation);
            }
        }
        Change::Challenge(slot, bit) => {
            if let Some(mut attestation) = attested(sample, slot) {
                attestation.signature.challenge ^= 1 << bit;
                sample.witness.attestations[slot % N] = Some(attestation);
            }
        }
        Change::Foreign(slot) => {
            sample.witness.attestations[slot % N] = attested(sample, slot + 1);
        }
        Change::Path(level) => {
            sample.witness.path.siblings[level][0] += Fr::from(1u8);
        }
        Change::Epoch => {
            let claim = &mut sample.witness;
            claim.claimed.epoch = EpochId::new(claim.claimed.epoch.get().wrapping_add(1));
            claim.claimed.nullifier = claim.secret.nullifier(claim.claimed.epoch).to_bytes();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn random_claims_are_judged_alike(seed in any::<u64>(), changes in proptest::collection::vec(arb_change(), 0..5)) {
        fn check<const N: usize>(seed: u64, changes: &[Change]) {
            let mut sample = sample::<N>(seed);
            for change in changes {
                apply(&mut sample, *change);
            }
            let _ = verdict(fold(&sample.witness.claimed), &sample);
        }
        check::<3>(seed, &changes);
        check::<5>(seed, &changes);
        check::<7>(seed, &changes);
    }
}
