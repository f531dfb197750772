//! What is fuzzed: one function for each parser of bytes that nobody vouches for.
//!
//! A target panics when the parser does, or when something that was accepted doesn't survive being written and read
//! again. Two things drive the targets:
//!
//! * `tests/bounded.rs`, on every run of the tests: a fixed number of [mutations](mutate) of the seeds and of the files in
//!   `corpus/`, the same on every machine. `VEILPOOL_FUZZ_ROUNDS` makes the number another.
//! * the folder `fuzz/` at the top, with libFuzzer, for as long as somebody wants; its README says how. What it finds
//!   goes into `corpus/`, where the test meets it for ever.

#![forbid(unsafe_code)]
#![allow(clippy::panic)] // A target's way to report.

pub mod mutate;
mod seeds;

use ark_serialize::CanonicalSerialize;
use veilpool_iden3::{PowersOfTau, R1cs, RawPtau, RawZkey, Wtns, json};
use veilpool_params::{Manifest, VerifyingKey, load::decode_proving_key};
use veilpool_policy::Policy;
use veilpool_primitives::OperatorSecret;
use veilpool_protocol::{
    CompressedProofBytes, FieldBytes, MeasurerCount, ProofBytes, verifying_key::Status,
};
use veilpool_prover::{ClaimDocument, Proof};

/// A parser with inputs to begin from.
pub struct Target {
    /// Also the folder in `corpus/` and the name for `cargo fuzz run`.
    pub name: &'static str,
    /// Feeds it.
    pub run: fn(&[u8]),
    /// Inputs that are accepted, made here so that they are always of the current formats.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: [Target; 11] = [
    Target {
        name: "zkey",
        run: zkey,
        seeds: seeds::zkey,
    },
    Target {
        name: "wtns",
        run: wtns,
        seeds: seeds::wtns,
    },
    Target {
        name: "r1cs",
        run: r1cs,
        seeds: seeds::r1cs,
    },
    Target {
        name: "ptau",
        run: ptau,
        seeds: seeds::ptau,
    },
    Target {
        name: "snarkjs_json",
        run: snarkjs_json,
        seeds: seeds::snarkjs_json,
    },
    Target {
        name: "proof",
        run: proof,
        seeds: seeds::proof,
    },
    Target {
        name: "verifying_key",
        run: verifying_key,
        seeds: seeds::verifying_key,
    },
    Target {
        name: "proving_key",
        run: proving_key,
        seeds: seeds::proving_key,
    },
    Target {
        name: "claim_document",
        run: claim_document,
        seeds: seeds::claim_document,
    },
    Target {
        name: "manifest",
        run: manifest,
        seeds: seeds::manifest,
    },
    Target {
        name: "policy",
        run: policy,
        seeds: seeds::policy,
    },
];

/// `.zkey`.
pub fn zkey(bytes: &[u8]) {
    let Ok(raw) = RawZkey::parse(bytes) else {
        return;
    };
    // Larger files take long, and have nothing that smaller ones haven't.
    if raw.counts().columns > 1 << 10 || raw.counts().domain > 1 << 10 {
        return;
    }
    let Ok(zkey) = raw.validate_initial() else {
        return;
    };
    let _ = zkey.check_queries();
    let written = match zkey.to_bytes() {
        Ok(written) => written,
        Err(error) => panic!("a key that was read can't be written: {error}"),
    };
    let again = RawZkey::parse(&written).and_then(|raw| raw.validate_initial());
    assert!(again.is_ok_and(|again| again == zkey));
}

/// `.wtns`.
pub fn wtns(bytes: &[u8]) {
    if let Ok(wtns) = Wtns::from_bytes(bytes) {
        let again = Wtns::from_bytes(&wtns.expose_bytes());
        assert!(again.is_ok_and(|again| again.expose_assignment() == wtns.expose_assignment()));
    }
}

/// `.r1cs`.
pub fn r1cs(bytes: &[u8]) {
    if let Ok(r1cs) = R1cs::from_bytes(bytes) {
        let again = R1cs::from_bytes(&r1cs.to_bytes());
        assert!(again.is_ok_and(|again| again == r1cs));
    }
}

/// `.ptau`.
pub fn ptau(bytes: &[u8]) {
    let Ok(raw) = RawPtau::parse(bytes) else {
        return;
    };
    let power = raw.power().min(6);
    let Ok(powers) = raw.powers(power) else {
        return;
    };
    let _ = powers.check_ratios();
    if let Ok(Some(basis)) = raw.lagrange(power) {
        let _ = powers.check_lagrange(&basis);
    }
    let written = powers.to_bytes().unwrap_or_default();
    let again = RawPtau::parse(&written).and_then(|raw| raw.powers(power));
    assert!(again.is_ok_and(|again: PowersOfTau| again == powers));
}

/// The three JSON files of snarkjs.
pub fn snarkjs_json(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(key) = json::parse_verifying_key(text) {
        let again = json::parse_verifying_key(&json::verifying_key(&key).to_string());
        assert_eq!(again, Ok(key));
    }
    if let Ok(proof) = json::parse_proof(text) {
        let again = json::parse_proof(&json::proof(&proof).to_string());
        assert_eq!(again, Ok(proof));
    }
    if let Ok(public) = json::parse_public(text) {
        let again = json::parse_public(&json::public(&public).to_string());
        assert_eq!(again, Ok(public));
    }
}

/// 256 bytes, and 128.
pub fn proof(bytes: &[u8]) {
    if let Ok(array) = <[u8; ProofBytes::LEN]>::try_from(bytes) {
        let encoded = ProofBytes::new(array);
        if let Ok(proof) = Proof::from_bytes(&encoded) {
            assert!(proof.to_bytes() == encoded, "a proof with two encodings");
            let compressed = proof.to_compressed();
            assert!(Proof::from_compressed(&compressed).is_ok_and(|again| again == proof));
        }
    }
    if let Ok(array) = <[u8; CompressedProofBytes::LEN]>::try_from(bytes) {
        let encoded = CompressedProofBytes::new(array);
        if let Ok(proof) = Proof::from_compressed(&encoded) {
            assert!(
                proof.to_compressed() == encoded,
                "a compressed proof with two encodings"
            );
            assert!(Proof::from_bytes(&proof.to_bytes()).is_ok_and(|again| again == proof));
        }
    }
}

/// The on-chain form, and arkworks'.
pub fn verifying_key(bytes: &[u8]) {
    if let Ok(key) = VerifyingKey::from_on_chain_bytes(bytes) {
        assert!(key.to_on_chain_bytes() == bytes, "a key with two encodings");
    }
    let context = (MeasurerCount::Five, Status::Development, [7; 32]);
    if let Ok(key) = VerifyingKey::from_ark_bytes(bytes, context.0, context.1, context.2) {
        let again =
            VerifyingKey::from_ark_bytes(&key.to_ark_bytes(), context.0, context.1, context.2);
        assert_eq!(again, Ok(key));
    }
}

/// arkworks' uncompressed form, whose points aren't checked (files have a pinned hash).
pub fn proving_key(bytes: &[u8]) {
    if let Ok(key) = decode_proving_key(bytes) {
        assert_eq!(key.uncompressed_size(), bytes.len());
    }
}

/// A claim without its secret.
pub fn claim_document(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    let Ok(document) = ClaimDocument::parse(text) else {
        return;
    };
    let Some(secret) = OperatorSecret::from_field(FieldBytes::from_u128(7)) else {
        panic!("seven isn't zero");
    };
    if let Ok(inputs) = document.validate(secret) {
        let again = inputs.to_document().to_json();
        assert!(ClaimDocument::parse(&again).is_ok());
    }
}

/// `manifest.toml`.
pub fn manifest(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(manifest) = Manifest::parse(text) {
        let written = manifest.to_toml().unwrap_or_default();
        assert!(Manifest::parse(&written).is_ok_and(|again| again == manifest));
    }
}

/// An exit policy's file.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(policy) = Policy::parse(text) {
        assert!(Policy::parse(&policy.to_toml()).is_ok_and(|again| again == policy));
    }
}
