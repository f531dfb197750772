//! The form of the export. `docs/vectors/snarkjs/check.js` has snarkjs itself accept an export, and
//! refuse it with any public input changed.

use veilpool_primitives::field;
use veilpool_protocol::MeasurerCount;
use veilpool_prover::snarkjs::{files, public};

use super::common::{proof, prover};

#[test]
fn the_export_has_the_points_as_decimal_strings() {
    let key = prover(MeasurerCount::Three).verifying_key();
    let [(_, key_json), (_, proof_json), (_, public_json)] =
        files(key, proof().proof(), &proof().public_input());
    let ark = proof().proof().as_ark();
    assert_eq!(proof_json["pi_a"][0], ark.a.x.to_string());
    assert_eq!(proof_json["pi_a"][2], "1");
    assert_eq!(proof_json["pi_b"][0][0], ark.b.x.c0.to_string());
    assert_eq!(proof_json["pi_b"][0][1], ark.b.x.c1.to_string());
    assert_eq!(proof_json["pi_b"][1][0], ark.b.y.c0.to_string());
    assert_eq!(proof_json["pi_b"][2], serde_json::json!(["1", "0"]));
    assert_eq!(proof_json["pi_c"][1], ark.c.y.to_string());
    assert_eq!(key_json["nPublic"], 1);
    assert_eq!(key_json["IC"].as_array().unwrap().len(), 2);
    for json in [&key_json, &proof_json] {
        assert_eq!(json["protocol"], "groth16");
        assert_eq!(json["curve"], "bn128");
    }
    assert_eq!(
        key_json["vk_delta_2"][1][1],
        key.as_ark().delta_g2.y.c1.to_string()
    );
    let x = field::from_bytes(proof().public_input().to_field());
    assert_eq!(public_json, serde_json::json!([x.to_string()]));
    assert_eq!(public_json, public(&proof().public_input()));
}
