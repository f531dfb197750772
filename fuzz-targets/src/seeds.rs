//! Inputs that are accepted, from a circuit of one row, `z₁·z₂ = z₃`.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{Field, UniformRand};
use ark_groth16::{Groth16, ProvingKey};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};
use ark_serialize::CanonicalSerialize;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::matrices::Matrices;
use veilpool_iden3::{PowersOfTau, R1cs, Wtns, json, zkey};
use veilpool_params::{MANIFEST, ON_CHAIN_VERIFYING_KEYS, OddCoset, VERIFYING_KEYS};
use veilpool_protocol::MeasurerCount;
use veilpool_prover::{Proof, sample_inputs};

struct Product;

impl ConstraintSynthesizer<Fr> for Product {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let c = cs.new_input_variable(|| Ok(Fr::from(6u64)))?;
        let a = cs.new_witness_variable(|| Ok(Fr::from(2u64)))?;
        let b = cs.new_witness_variable(|| Ok(Fr::from(3u64)))?;
        cs.enforce_r1cs_constraint(|| a.into(), || b.into(), || c.into())
    }
}

fn key() -> Option<ProvingKey<Bn254>> {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let [alpha, beta, gamma, delta] = core::array::from_fn(|_| Fr::rand(rng));
    Groth16::<Bn254, OddCoset>::generate_parameters_with_qap(
        Product,
        alpha,
        beta,
        gamma,
        delta,
        G1Projective::generator(),
        G2Projective::generator(),
        rng,
    )
    .ok()
}

fn matrices() -> Option<Matrices> {
    Matrices::of(Product).ok()
}

fn ark_proof() -> ark_groth16::Proof<Bn254> {
    ark_groth16::Proof {
        a: G1Affine::generator(),
        b: G2Affine::generator(),
        c: (G1Affine::generator() * Fr::from(3u64)).into_affine(),
    }
}

pub(crate) fn zkey() -> Vec<Vec<u8>> {
    let written = key().zip(matrices()).and_then(|(key, matrices)| {
        let contributions = zkey::Contributions::default();
        zkey::write(&key, &matrices.abc, matrices.public_columns, &contributions).ok()
    });
    Vec::from_iter(written)
}

pub(crate) fn wtns() -> Vec<Vec<u8>> {
    let values = [1u64, 6, 2, 3].map(Fr::from).to_vec();
    let wtns = Wtns::new(values.into());
    Vec::from_iter(wtns.map(|wtns| wtns.expose_bytes().to_vec()))
}

pub(crate) fn r1cs() -> Vec<Vec<u8>> {
    let r1cs = matrices().and_then(|matrices| R1cs::new(&matrices));
    Vec::from_iter(r1cs.map(|r1cs| r1cs.to_bytes()))
}

pub(crate) fn ptau() -> Vec<Vec<u8>> {
    let [tau, alpha, beta] = [5u64, 7, 11].map(Fr::from);
    let g1 = |scalar: Fr| (G1Affine::generator() * scalar).into_affine();
    let g2 = |scalar: Fr| (G2Affine::generator() * scalar).into_affine();
    let powers = PowersOfTau {
        tau_g1: vec![g1(Fr::ONE), g1(tau), g1(tau * tau)],
        tau_g2: vec![g2(Fr::ONE), g2(tau)],
        alpha_tau_g1: vec![g1(alpha), g1(alpha * tau)],
        beta_tau_g1: vec![g1(beta), g1(beta * tau)],
        beta_g2: g2(beta),
    };
    Vec::from_iter(powers.to_bytes())
}

pub(crate) fn snarkjs_json() -> Vec<Vec<u8>> {
    let texts = [
        json::proof(&ark_proof()),
        json::public(&[Fr::from(6u64), -Fr::ONE]),
    ];
    let key = key().map(|key| json::verifying_key(&key.vk));
    texts
        .into_iter()
        .chain(key)
        .map(|text| text.to_string().into_bytes())
        .collect()
}

pub(crate) fn proof() -> Vec<Vec<u8>> {
    let proof = Proof::new(ark_proof());
    vec![
        proof.to_bytes().as_bytes().to_vec(),
        proof.to_compressed().as_bytes().to_vec(),
    ]
}

pub(crate) fn verifying_key() -> Vec<Vec<u8>> {
    [ON_CHAIN_VERIFYING_KEYS[0], VERIFYING_KEYS[0]]
        .map(<[u8]>::to_vec)
        .to_vec()
}

pub(crate) fn proving_key() -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    let written = key().map(|key| key.serialize_uncompressed(&mut bytes));
    Vec::from_iter(
        written
            .is_some_and(|written| written.is_ok())
            .then_some(bytes),
    )
}

pub(crate) fn claim_document() -> Vec<Vec<u8>> {
    MeasurerCount::ALL
        .into_iter()
        .filter_map(|n| sample_inputs(n, 1).ok())
        .map(|inputs| inputs.to_document().to_json().into_bytes())
        .collect()
}

pub(crate) fn manifest() -> Vec<Vec<u8>> {
    vec![MANIFEST.as_bytes().to_vec()]
}

pub(crate) fn policy() -> Vec<Vec<u8>> {
    const EXAMPLE: &str = include_str!("../../docs/policy.example.toml");
    const EXIT: &str = "[ports.tcp]\nallow = [80, \"1000-2000\"]\n[destinations]\n\
        refuse = [\"198.7.6.0/24\"]\nallow = [\"10.0.5.3:4000\", \"[fd00:1::/64]:443-445\"]\n";
    const ENTRY: &str = "mode = \"entry\"\nexits = [\"198.7.6.5:51820\", \"[2a00:9::7]:51820\"]\n";
    [EXAMPLE, EXIT, ENTRY]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}
