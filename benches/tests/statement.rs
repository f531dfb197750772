//! The circom circuit that we are compared with states the same as ours: on claims that hold and on forged ones both
//! accept, or both refuse for the corresponding reason.
//!
//! Ours is asked by `check_native`, which the circuits' own tests hold to the constraints; circom's by computing the
//! witness, which stops at the first assertion that fails.

#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use veilpool_benches::{
    peers::{
        Depth, Install, Package,
        inputs::circom_input,
        setup::{compile, witness},
    },
    progress::Silent,
};
use veilpool_circuits::{
    PublicInputs, Statement,
    claim::{
        check_native,
        sample::{Sample, good_metrics},
    },
    gadget::threshold::Metric,
};
use veilpool_params::default_cache_dir;
use veilpool_protocol::{
    Bandwidth, EpochId, Latency, Metrics, NullifierBytes, RegistryRootBytes, SetHashBytes, Uptime,
    Zone, registry::DEPTH,
};

const SOURCE: &str = include_str!("../peers/circuits/claim.circom");

struct Circom {
    install: Install,
    stem: String,
    folder: tempfile::TempDir,
}

impl Circom {
    fn claim(n: usize) -> Self {
        let peers = default_cache_dir().join("../peers");
        fs::create_dir_all(&peers).unwrap();
        let install = Install::ready(Package::Circom, &peers, &mut Silent).unwrap();
        let (stem, _) = compile(&install, n, Depth(DEPTH), &mut Silent).unwrap();
        Self {
            install,
            stem,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The public input that circom's witness has, or what fails.
    fn run(&self, input: &Value) -> Result<String, String> {
        let path = |name: &str| -> PathBuf { self.folder.path().join(name) };
        fs::write(path("input.json"), input.to_string()).unwrap();
        let wasm = self.install.path(&format!("{}.wasm", self.stem));
        let made = witness(&self.install, &wasm, &path("input.json"), &path("w.wtns"));
        if let Err(error) = made {
            let text = error.to_string();
            return Err(failed(&text));
        }
        let [from, to] = ["w.wtns", "w.json"].map(|name| path(name).display().to_string());
        self.install
            .snarkjs(&["wtns", "export", "json", &from, &to])
            .unwrap();
        let values: Vec<String> =
            serde_json::from_slice(&fs::read(path("w.json")).unwrap()).unwrap();
        // Column 0 is 1; the public one follows.
        Ok(values[1].clone())
    }

    fn agrees<const N: usize>(
        &self,
        case: &str,
        sample: &Sample<N>,
        expected: Result<(), (Statement, &[&str])>,
    ) {
        let public = PublicInputs::of(&sample.witness.claimed);
        let ours = check_native(&public, &sample.witness);
        let theirs = self.run(&circom_input(&sample.witness).unwrap());
        match expected {
            Ok(()) => {
                assert_eq!(ours, Ok(()), "{case}");
                let [x] = public.to_fields();
                assert_eq!(theirs, Ok(x.to_string()), "{case}: x");
            }
            Err((statement, lines)) => {
                assert_eq!(ours, Err(statement), "{case}");
                let line = theirs.unwrap_err();
                assert!(lines.contains(&line.as_str()), "{case}: {line}");
            }
        }
    }
}

// The innermost line of our source that snarkjs names; library templates are further in.
fn failed(text: &str) -> String {
    for frame in text.split("Error in template ").skip(1) {
        let (template, rest) = frame.split_once(" line: ").unwrap();
        let (template, _) = template.rsplit_once('_').unwrap();
        if SOURCE.contains(&format!("template {template}(")) {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let line = SOURCE.lines().nth(number.parse::<usize>().unwrap() - 1);
            return line.unwrap().trim().to_owned();
        }
    }
    panic!("no assertion of ours failed: {text}");
}

const MEMBERSHIP: &[&str] = &["registry.root === registryRoot;"];
const NULLIFIER: &[&str] = &["tag.out === nullifier;"];
const SET: &[&str] = &["set.out === setHash;"];
// Another hash is at least 2^253 in one case of three.
const SIGNATURE: &[&str] = &["low.out === c;", "bits.in <== present * hash.out;"];
const MAJORITY: &[&str] = &["enough[i].out === 1;"];

fn sample<const N: usize>(seed: u64) -> (Sample<N>, ChaCha20Rng) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (Sample::generate(&mut rng), rng)
}

fn claims_that_hold<const N: usize>() {
    let circom = Circom::claim(N);
    let (mut sample, mut rng) = sample::<N>(1);
    circom.agrees("all slots", &sample, Ok(()));
    // Another zone than the class's in a slot, and a slot that only just passes.
    let other_zone = Metrics {
        zone: Zone::new(9),
        ..good_metrics()
    };
    sample.attest(0, other_zone, &mut rng);
    let thresholds = sample.witness.claimed.thresholds;
    let boundary = Metrics {
        bandwidth: thresholds.bandwidth,
        uptime: thresholds.uptime,
        latency: thresholds.latency,
        zone: thresholds.zone,
    };
    sample.attest(1, boundary, &mut rng);
    circom.agrees("at the thresholds", &sample, Ok(()));
    // Exactly f + 1 slots, the last ones.
    for slot in 0..N / 2 {
        sample.witness.attestations[slot] = None;
    }
    if N > 3 {
        circom.agrees("a bare majority", &sample, Ok(()));
    }
    let (mut sample, mut rng) = crate::sample::<N>(2);
    sample.witness.claimed.thresholds.zone = Zone::new(0);
    for slot in 0..N {
        let metrics = Metrics {
            zone: Zone::new(slot as u8),
            bandwidth: Bandwidth::new(u16::MAX),
            latency: Latency::new(0),
            ..good_metrics()
        };
        sample.attest(slot, metrics, &mut rng);
    }
    circom.agrees("any zone, extreme metrics", &sample, Ok(()));
}

fn forged_claims<const N: usize>() {
    let circom = Circom::claim(N);
    let digest = || veilpool_protocol::FieldBytes::from_digest(&[7; 32]);

    let (mut forged, _) = sample::<N>(3);
    forged.witness.claimed.registry_root = RegistryRootBytes::from_field(digest());
    circom.agrees("root", &forged, Err((Statement::Membership, MEMBERSHIP)));

    let (mut forged, _) = sample::<N>(3);
    forged.witness.claimed.nullifier = NullifierBytes::from_field(digest());
    let statement = Statement::NullifierIntegrity;
    circom.agrees("nullifier", &forged, Err((statement, NULLIFIER)));

    let (mut forged, _) = sample::<N>(3);
    forged.witness.claimed.set_hash = SetHashBytes::from_field(digest());
    circom.agrees("set", &forged, Err((Statement::MeasurerSetIntegrity, SET)));

    let (mut forged, _) = sample::<N>(3);
    let slot = N - 1;
    let statement = Statement::AttestationValidity { slot };
    forged.witness.attestations[slot]
        .as_mut()
        .unwrap()
        .metrics
        .uptime = Uptime::new(144);
    circom.agrees(
        "metrics that nobody signed",
        &forged,
        Err((statement, SIGNATURE)),
    );

    // Signed by another measurer of the set.
    let (mut forged, _) = sample::<N>(3);
    forged.witness.attestations[slot] = forged.witness.attestations[0];
    circom.agrees("another's signature", &forged, Err((statement, SIGNATURE)));

    // Signed for another epoch: the nullifier is that epoch's, the attestations aren't.
    let (mut forged, _) = sample::<N>(3);
    let epoch = EpochId::new(forged.witness.claimed.epoch.get() ^ 1);
    forged.witness.claimed.epoch = epoch;
    forged.witness.claimed.nullifier = forged.witness.secret.nullifier(epoch).to_bytes();
    let statement = Statement::AttestationValidity { slot: 0 };
    circom.agrees(
        "an older epoch's attestations",
        &forged,
        Err((statement, SIGNATURE)),
    );

    // f slots pass, whether the others are absent or below.
    let (mut forged, mut rng) = sample::<N>(3);
    for slot in 0..=N / 2 {
        forged.witness.attestations[slot] = None;
    }
    let statement = |metric| Statement::Thresholds { metric };
    let expected = Err((statement(Metric::Bandwidth), MAJORITY));
    circom.agrees("a minority", &forged, expected);
    for (metric, below) in [
        (
            Metric::Bandwidth,
            Metrics {
                bandwidth: Bandwidth::new(499),
                ..good_metrics()
            },
        ),
        (
            Metric::Uptime,
            Metrics {
                uptime: Uptime::new(139),
                ..good_metrics()
            },
        ),
        (
            Metric::Latency,
            Metrics {
                latency: Latency::new(81),
                ..good_metrics()
            },
        ),
        (
            Metric::Zone,
            Metrics {
                zone: Zone::new(4),
                ..good_metrics()
            },
        ),
    ] {
        for slot in 0..N {
            let metrics = if slot <= N / 2 { below } else { good_metrics() };
            forged.attest(slot, metrics, &mut rng);
        }
        circom.agrees(
            "a majority below",
            &forged,
            Err((statement(metric), MAJORITY)),
        );
    }
}

#[test]
fn both_circuits_accept_claims_that_hold_with_3_measurers() {
    claims_that_hold::<3>();
}

#[test]
fn both_circuits_accept_claims_that_hold_with_5_measurers() {
    claims_that_hold::<5>();
}

#[test]
fn both_circuits_accept_claims_that_hold_with_7_measurers() {
    claims_that_hold::<7>();
}

#[test]
fn both_circuits_refuse_forged_claims_with_3_measurers() {
    forged_claims::<3>();
}

#[test]
fn both_circuits_refuse_forged_claims_with_5_measurers() {
    forged_claims::<5>();
}

#[test]
fn both_circuits_refuse_forged_claims_with_7_measurers() {
    forged_claims::<7>();
}

/// What the types of our side can't say: values that circom's circuit has to refuse by itself.
#[test]
fn the_circom_circuit_refuses_values_out_of_range() {
    let circom = Circom::claim(3);
    let (sample, _) = sample::<3>(4);
    let valid = circom_input(&sample.witness).unwrap();
    circom.run(&valid).unwrap();
    let refused = |pointer: &str, value: Value, line: &str| {
        let mut input = valid.clone();
        *input.pointer_mut(pointer).unwrap() = value;
        assert_eq!(circom.run(&input), Err(line.to_owned()), "{pointer}");
    };
    refused("/x", json!("1"), "fold.out === x;");
    refused("/binding", json!("1"), "fold.out === x;");
    refused(
        "/present/0",
        json!("2"),
        "present[j] * (present[j] - 1) === 0;",
    );
    refused(
        "/selected/0",
        json!([0, 0, 2, 0]),
        "selected[level][i] * (selected[level][i] - 1) === 0;",
    );
    refused("/selected/0", json!([1, 0, 1, 0]), "sum === 1;");
    refused("/selected/0", json!([0, 1, 0, 0]), "child === node[level];");
    refused("/keys/0", json!(["1", "2"]), "onCurve[j].y <== keys[j][1];");
}
