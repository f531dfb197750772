//! T11: a stored proof of each version of the circuit still verifies with the key stored beside it,
//! and the current version's key is the embedded one.

use std::{fs, path::PathBuf};

use serde::Deserialize;
use veilpool_circuits::{PublicInputs, claim::VERSION};
use veilpool_params::{ON_CHAIN_VERIFYING_KEYS, VerifyingKey};
use veilpool_protocol::{CompressedProofBytes, ProofBytes, PublicInputBytes, claim};
use veilpool_prover::{Proof, verify};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Frozen {
    version: u32,
    claimed: claim::PublicInputs,
    public_input: PublicInputBytes,
    proof: ProofBytes,
    compressed: CompressedProofBytes,
    verifying_key: String,
}

#[test]
fn every_frozen_proof_still_verifies() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/frozen");
    let mut current = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let frozen: Frozen = serde_json::from_str(&text).unwrap();
        let bytes: Vec<u8> = (0..frozen.verifying_key.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&frozen.verifying_key[i..i + 2], 16).unwrap())
            .collect();
        let key = VerifyingKey::from_on_chain_bytes(&bytes).unwrap();
        assert_eq!(verify(&key, &frozen.public_input, &frozen.proof), Ok(()));
        assert_eq!(
            PublicInputs::of(&frozen.claimed).to_bytes(),
            frozen.public_input
        );
        let decompressed = Proof::from_compressed(&frozen.compressed).unwrap();
        assert_eq!(decompressed.to_bytes(), frozen.proof);
        if frozen.version == VERSION {
            current += 1;
            assert!(ON_CHAIN_VERIFYING_KEYS.contains(&bytes.as_slice()));
        }
    }
    assert_eq!(current, 3, "one frozen proof for each number of measurers");
}
