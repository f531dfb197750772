//! A claim as an input of the circom circuit (`benches/peers/circuits/claim.circom`).
//!
//! ```text
//! circomlib writes BabyJubJub as 168700·x² + y² = 1 + 168696·x²·y²:   x_circomlib = x / √168700, the same y
//! ```
//! An absent slot has values 0, c = 0 and s = 1.

use anyhow::Context;
use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ed_on_bn254::EdwardsAffine;
use ark_ff::{Field, One, PrimeField};
use serde_json::{Value, json};
use veilpool_circuits::claim::{PublicInputs, Witness};
use veilpool_primitives::field;
use veilpool_protocol::{FieldBytes, Metrics, SchnorrSignatureBytes, Thresholds};

/// The input, as snarkjs takes it. The operator's secret is in it: for invented claims only.
///
/// # Errors
/// A key that is the identity.
pub fn circom_input<const N: usize>(witness: &Witness<N>) -> anyhow::Result<Value> {
    let claimed = &witness.claimed;
    let [x] = PublicInputs::of(claimed).to_fields();
    let root = square_root()?;
    let mut keys = Vec::with_capacity(N);
    let mut high = Vec::with_capacity(N);
    for key in &witness.measurers {
        let point: EdwardsAffine = *key.point();
        keys.push([decimal(&(point.x / root)), decimal(&point.y)]);
        high.push(decimal(&montgomery_u(
            &point.mul_bigint([0, 1]).into_affine(),
        )?));
    }

    let leaf = witness.secret.commitment().to_field();
    let children = witness.path.children(leaf).0;
    let index = witness.path.index as usize;
    let selected: Vec<[u8; 4]> = (0..children.len())
        .map(|level| core::array::from_fn(|i| u8::from((index >> (2 * level)) & 3 == i)))
        .collect();

    let slots: Vec<Slot> = witness
        .attestations
        .iter()
        .map(|attestation| {
            attestation.map_or_else(Slot::absent, |attestation| {
                Slot::present(&attestation.metrics, &attestation.signature.to_bytes())
            })
        })
        .collect();
    let of = |part: fn(&Slot) -> &Value| slots.iter().map(part).cloned().collect::<Vec<_>>();

    Ok(json!({
        "x": decimal(&x),
        "registryRoot": element(claimed.registry_root.to_field()),
        "setHash": element(claimed.set_hash.to_field()),
        "epoch": claimed.epoch.get().to_string(),
        "thresholds": thresholds(&claimed.thresholds),
        "nullifier": element(claimed.nullifier.to_field()),
        "binding": element(claimed.binding.to_field()),
        "sk": decimal(&witness.secret.expose_scalar()),
        "children": children.map(|level| level.map(|child| decimal(&child))),
        "selected": selected,
        "domain": element(witness.domain.to_field()),
        "keys": keys,
        "keysHighU": high,
        "present": of(|slot| &slot.present),
        "values": of(|slot| &slot.values),
        "c": of(|slot| &slot.challenge),
        "s": of(|slot| &slot.response),
    }))
}

struct Slot {
    present: Value,
    values: Value,
    challenge: Value,
    response: Value,
}

impl Slot {
    fn absent() -> Self {
        Self {
            present: json!("0"),
            values: json!(["0", "0", "0", "0"]),
            challenge: json!("0"),
            response: json!("1"),
        }
    }

    // A signature's bytes are c (16, big-endian), s (32, big-endian).
    fn present(metrics: &Metrics, signature: &SchnorrSignatureBytes) -> Self {
        let bytes: &[u8] = signature.as_bytes();
        let (challenge, response) = bytes.split_at(16);
        Self {
            present: json!("1"),
            values: json!([
                metrics.bandwidth.get().to_string(),
                metrics.uptime.get().to_string(),
                metrics.latency.get().to_string(),
                metrics.zone.get().to_string(),
            ]),
            challenge: json!(decimal(&Fr::from_be_bytes_mod_order(challenge))),
            response: json!(decimal(&Fr::from_be_bytes_mod_order(response))),
        }
    }
}

fn thresholds(thresholds: &Thresholds) -> [String; 4] {
    [
        thresholds.bandwidth.get().to_string(),
        thresholds.uptime.get().to_string(),
        thresholds.latency.get().to_string(),
        thresholds.zone.get().to_string(),
    ]
}

// The smaller of the two roots; which one doesn't matter, but the base in the circuit has this one.
fn square_root() -> anyhow::Result<Fr> {
    let root = Fr::from(168_700u32).sqrt().context("168700 is a square")?;
    Ok(root.min(-root))
}

// (1 + y)/(1 − y).
fn montgomery_u(point: &EdwardsAffine) -> anyhow::Result<Fr> {
    let inverse = (Fr::one() - point.y)
        .inverse()
        .context("a measurer's key is the identity")?;
    Ok((Fr::one() + point.y) * inverse)
}

fn element(bytes: FieldBytes) -> String {
    decimal(&field::from_bytes(bytes))
}

fn decimal(element: &Fr) -> String {
    element.into_bigint().to_string()
}
