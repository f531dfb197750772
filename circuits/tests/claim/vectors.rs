//! T8 (attack C7): known answers of circomlibjs (`docs/vectors`), for host and circuit.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use ark_relations::gr1cs::ConstraintSystem;
use serde::Deserialize;
use std::collections::BTreeMap;
use veilpool_circuits::{
    PublicInputs, Witness,
    claim::{Attestation, check_native},
    gadget::poseidon as gadget,
    num::Num,
    synthesizer::Synthesizer,
};
use veilpool_primitives::{
    MeasurerKey, MeasurerSet, OperatorSecret, RegistryTree, SchnorrSignature, attestation::message,
    field, poseidon, schnorr,
};
use veilpool_protocol::{
    BindingBytes, CommitmentBytes, CoordinateBytes, DomainBytes, EpochId, FieldBytes,
    MeasurerKeyBytes, Metrics, SchnorrSignatureBytes, SetHashBytes, Thresholds, attestation::pack,
    claim,
};

use super::common::Assigned;

#[derive(Deserialize)]
struct Vectors {
    poseidon: Vec<Hash>,
    operator: Operator,
    registry: Registry,
    measurer_set: Set,
    attestations: Vec<Signed>,
    metrics: Quadruple,
    claim: Fold,
}

#[derive(Deserialize)]
struct Hash {
    inputs: Vec<String>,
    output: String,
}

#[derive(Deserialize)]
struct Operator {
    sk: String,
    epoch: u32,
    commitment: String,
    subject: String,
    nullifier: String,
}

#[derive(Deserialize)]
struct Registry {
    leaves: Vec<String>,
    index: u32,
    root: String,
    empty_root: String,
}

#[derive(Deserialize)]
struct Set {
    domain: String,
    keys: Vec<Key>,
    set_hash: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Key {
    u: String,
    shifted_u: String,
}

#[derive(Deserialize)]
struct Signed {
    packed: String,
    nonce_u: String,
    hash: String,
    challenge: String,
    response: String,
}

#[derive(Deserialize)]
struct Quadruple {
    bandwidth: u16,
    uptime: u16,
    latency: u16,
    zone: u8,
}

#[derive(Deserialize)]
struct Fold {
    thresholds: Quadruple,
    thresholds_packed: String,
    binding: String,
    folded: BTreeMap<String, String>,
}

fn vectors() -> Vectors {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/vectors/vectors.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(text: &str) -> FieldBytes {
    let mut bytes = [0u8; 32];
    hex::decode_to_slice(text, &mut bytes).unwrap();
    FieldBytes::new(bytes).unwrap()
}

fn element(text: &str) -> Fr {
    field::from_bytes(bytes(text))
}

fn operator(vectors: &Vectors) -> OperatorSecret {
    OperatorSecret::from_field(bytes(&vectors.operator.sk)).unwrap()
}

fn keys(vectors: &Vectors) -> Vec<MeasurerKey> {
    let keys = vectors.measurer_set.keys.iter();
    keys.map(|key| {
        MeasurerKey::from_bytes(&MeasurerKeyBytes {
            u: CoordinateBytes::from_field(bytes(&key.u)),
            shifted_u: CoordinateBytes::from_field(bytes(&key.shifted_u)),
        })
        .unwrap()
    })
    .collect()
}

fn metrics(vectors: &Vectors) -> Metrics {
    let m = &vectors.metrics;
    Metrics {
        bandwidth: veilpool_protocol::Bandwidth::new(m.bandwidth),
        uptime: veilpool_protocol::Uptime::new(m.uptime),
        latency: veilpool_protocol::Latency::new(m.latency),
        zone: veilpool_protocol::Zone::new(m.zone),
    }
}

fn tree(vectors: &Vectors) -> RegistryTree {
    let leaves = vectors.registry.leaves.iter();
    RegistryTree::from_leaves(leaves.map(|leaf| CommitmentBytes::from_field(bytes(leaf)))).unwrap()
}

#[test]
fn c7_poseidon_of_one_to_twelve_inputs_on_host_and_in_circuit() {
    fn on_host(inputs: &[Fr]) -> Fr {
        macro_rules! by_length {
            ($($n:literal)*) => {
                match inputs.len() {
                    $($n => poseidon::hash::<$n>(inputs.try_into().unwrap()),)*
                    other => panic!("{other} inputs"),
                }
            };
        }
        by_length!(1 2 3 4 5 6 7 8 9 10 11 12)
    }
    let vectors = vectors();
    assert_eq!(vectors.poseidon.len(), 36);
    for vector in vectors.poseidon {
        let inputs: Vec<Fr> = vector.inputs.iter().map(|input| element(input)).collect();
        let expected = element(&vector.output);
        assert_eq!(on_host(&inputs), expected);

        let cs = ConstraintSystem::new_ref();
        let synthesizer = &mut Synthesizer::new(cs.clone());
        let columns: Vec<Num> = inputs
            .iter()
            .map(|input| synthesizer.witness("input", Some(*input)).unwrap())
            .collect();
        let output = gadget::hash(synthesizer, &columns).unwrap();
        assert_eq!(output.value(), Some(expected));
        assert!(cs.is_satisfied().unwrap());
    }
}

#[test]
fn c7_commitment_subject_and_nullifier() {
    let vectors = vectors();
    let secret = operator(&vectors);
    let epoch = EpochId::new(vectors.operator.epoch);
    assert_eq!(
        secret.commitment().to_field(),
        element(&vectors.operator.commitment)
    );
    assert_eq!(
        secret.subject(epoch).to_field(),
        element(&vectors.operator.subject)
    );
    assert_eq!(
        secret.nullifier(epoch).to_field(),
        element(&vectors.operator.nullifier)
    );
}

#[test]
fn c7_the_registrys_root() {
    let vectors = vectors();
    let tree = tree(&vectors);
    assert_eq!(tree.root().to_field(), bytes(&vectors.registry.root));
    assert_eq!(
        RegistryTree::default().root().to_field(),
        bytes(&vectors.registry.empty_root)
    );
    assert_eq!(
        tree.find(operator(&vectors).commitment().to_bytes()),
        Some(vectors.registry.index)
    );
}

#[test]
fn c7_the_hash_of_measurer_sets() {
    let vectors = vectors();
    let domain = DomainBytes::from_field(bytes(&vectors.measurer_set.domain));
    for n in [3, 5, 7] {
        let set = MeasurerSet::new(keys(&vectors)[..n].to_vec()).unwrap();
        let expected = &vectors.measurer_set.set_hash[&n.to_string()];
        assert_eq!(set.hash(domain).to_field(), bytes(expected));
    }
}

fn signature(signed: &Signed) -> SchnorrSignature {
    let mut bytes = [0u8; SchnorrSignatureBytes::LEN];
    hex::decode_to_slice(&signed.challenge, &mut bytes[..16]).unwrap();
    hex::decode_to_slice(&signed.response, &mut bytes[16..]).unwrap();
    SchnorrSignature::from_bytes(&SchnorrSignatureBytes::new(bytes)).unwrap()
}

#[test]
fn c7_attestations_verify_and_hash_alike() {
    let vectors = vectors();
    let epoch = EpochId::new(vectors.operator.epoch);
    let subject = operator(&vectors).subject(epoch).to_bytes();
    let domain = DomainBytes::from_field(bytes(&vectors.measurer_set.domain));
    let message = message(&domain, &subject, epoch, &metrics(&vectors));
    assert_eq!(vectors.attestations.len(), 7);
    for (key, signed) in keys(&vectors).iter().zip(&vectors.attestations) {
        assert_eq!(pack(epoch, &metrics(&vectors)), bytes(&signed.packed));
        assert_eq!(key.verify(&message, &signature(signed)), Ok(()));
        let hash = schnorr::hash(&message, element(&signed.nonce_u), key);
        assert_eq!(hash, element(&signed.hash));
        assert_eq!(
            hash.into_bigint().0[..2],
            [
                signature(signed).challenge as u64,
                (signature(signed).challenge >> 64) as u64,
            ]
        );
    }
}

#[test]
fn c7_a_whole_claim_made_elsewhere_satisfies_the_circuit() {
    fn check<const N: usize>() {
        let vectors = vectors();
        let secret = operator(&vectors);
        let epoch = EpochId::new(vectors.operator.epoch);
        let thresholds = &vectors.claim.thresholds;
        let claimed = claim::PublicInputs {
            registry_root: tree(&vectors).root(),
            set_hash: SetHashBytes::from_field(bytes(
                &vectors.measurer_set.set_hash[&N.to_string()],
            )),
            epoch,
            thresholds: Thresholds {
                bandwidth: veilpool_protocol::Bandwidth::new(thresholds.bandwidth),
                uptime: veilpool_protocol::Uptime::new(thresholds.uptime),
                latency: veilpool_protocol::Latency::new(thresholds.latency),
                zone: veilpool_protocol::Zone::new(thresholds.zone),
            },
            nullifier: secret.nullifier(epoch).to_bytes(),
            binding: BindingBytes::from_field(bytes(&vectors.claim.binding)),
        };
        assert_eq!(
            claimed.thresholds.pack(),
            bytes(&vectors.claim.thresholds_packed)
        );
        let public = PublicInputs::of(&claimed);
        assert_eq!(
            public.to_bytes().to_field(),
            bytes(&vectors.claim.folded[&N.to_string()])
        );
        let keys = keys(&vectors);
        let witness = Witness::<N> {
            claimed,
            secret,
            path: tree(&vectors).path(vectors.registry.index).unwrap(),
            domain: DomainBytes::from_field(bytes(&vectors.measurer_set.domain)),
            measurers: core::array::from_fn(|slot| keys[slot]),
            attestations: core::array::from_fn(|slot| {
                Some(Attestation {
                    metrics: metrics(&vectors),
                    signature: signature(&vectors.attestations[slot]),
                })
            }),
        };
        assert_eq!(check_native(&public, &witness), Ok(()));
        assert!(Assigned::new(public, &witness).is_satisfied());
    }
    check::<3>();
    check::<5>();
    check::<7>();
}
