//! Export for snarkjs (`snarkjs groth16 verify verification_key.json public.json proof.json`), so
//! that a verifier that isn't ours can check a proof. Field elements are decimal strings; points
//! are projective with z = 1; G2 coordinates as `[c0, c1]`.

use ark_bn254::{Fq, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, Field};
use serde_json::{Value, json};
use veilpool_circuits::PublicInputs;
use veilpool_params::VerifyingKey;
use veilpool_protocol::PublicInputBytes;

use crate::proof::Proof;

/// Name of the key's file.
pub const VERIFICATION_KEY_FILE: &str = "verification_key.json";
/// Name of the proof's file.
pub const PROOF_FILE: &str = "proof.json";
/// Name of the public inputs' file.
pub const PUBLIC_FILE: &str = "public.json";

/// Content of `verification_key.json`. `vk_alphabeta_12`, which snarkjs writes too, isn't read by
/// its verifier and is left out.
#[must_use]
pub fn verification_key(key: &VerifyingKey) -> Value {
    let key = key.as_ark();
    json!({
        "protocol": "groth16",
        "curve": "bn128",
        "nPublic": PublicInputs::COUNT,
        "vk_alpha_1": g1(&key.alpha_g1),
        "vk_beta_2": g2(&key.beta_g2),
        "vk_gamma_2": g2(&key.gamma_g2),
        "vk_delta_2": g2(&key.delta_g2),
        "IC": key.gamma_abc_g1.iter().map(g1).collect::<Vec<_>>(),
    })
}

/// Content of `proof.json`.
#[must_use]
pub fn proof(proof: &Proof) -> Value {
    let proof = proof.as_ark();
    json!({
        "protocol": "groth16",
        "curve": "bn128",
        "pi_a": g1(&proof.a),
        "pi_b": g2(&proof.b),
        "pi_c": g1(&proof.c),
    })
}

/// Content of `public.json`.
#[must_use]
pub fn public(public: &PublicInputBytes) -> Value {
    let fields = PublicInputs::from_bytes(*public).to_fields();
    json!(fields.map(|field| field.to_string()))
}

/// The three files by name, for `veilpool export --format snarkjs`.
#[must_use]
pub fn files(
    key: &VerifyingKey,
    proof_: &Proof,
    public_: &PublicInputBytes,
) -> [(&'static str, Value); 3] {
    [
        (VERIFICATION_KEY_FILE, verification_key(key)),
        (PROOF_FILE, proof(proof_)),
        (PUBLIC_FILE, public(public_)),
    ]
}

fn g1(point: &G1Affine) -> Value {
    let (x, y) = point.xy().unwrap_or((Fq::ZERO, Fq::ONE));
    let z = Fq::from(u8::from(!point.is_zero()));
    json!([x.to_string(), y.to_string(), z.to_string()])
}

fn g2(point: &G2Affine) -> Value {
    let (x, y) = point.xy().unwrap_or_default();
    let z = Fq::from(u8::from(!point.is_zero()));
    let y0 = if point.is_zero() { Fq::ONE } else { y.c0 };
    json!([
        [x.c0.to_string(), x.c1.to_string()],
        [y0.to_string(), y.c1.to_string()],
        [z.to_string(), "0"],
    ])
}
