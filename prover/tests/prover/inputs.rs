//! The claim's document.

use proptest::prelude::*;
use veilpool_primitives::{MeasurerSetError, OperatorSecret};
use veilpool_protocol::MeasurerCount;
use veilpool_prover::{ClaimDocument, ClaimInputs, InputError, sample_inputs};

use super::common::rng;

fn secret() -> OperatorSecret {
    OperatorSecret::generate(&mut rng(5))
}

fn document() -> ClaimDocument {
    sample_inputs(MeasurerCount::Five, 6).unwrap().to_document()
}

fn error(document: &ClaimDocument) -> InputError {
    match document.validate(secret()) {
        Ok(_) => panic!("the document was accepted"),
        Err(error) => error,
    }
}

fn assert_no_secret(_: &ClaimInputs) {}

#[test]
fn a_document_survives_its_json() {
    for n in MeasurerCount::ALL {
        let inputs = sample_inputs(n, 7).unwrap();
        let document = inputs.to_document();
        let json = document.to_json();
        assert_eq!(ClaimDocument::parse(&json).unwrap(), document);
        let again = document.validate(secret()).unwrap();
        assert_eq!(again.to_document(), document);
        assert_eq!(again.public_inputs(), inputs.public_inputs());
        assert_no_secret(&again);
    }
}

#[test]
fn l7_a_document_does_not_contain_the_secret_nor_what_only_it_gives() {
    use veilpool_circuits::claim::sample::Sample;
    let sample = Sample::<3>::generate(&mut rng(8));
    let witness = &sample.witness;
    let json = sample_inputs(MeasurerCount::Three, 8)
        .unwrap()
        .to_document()
        .to_json();
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    // The same sample: the generator is seeded alike.
    assert!(json.contains(&hex(witness.claimed.nullifier.as_bytes())));
    assert!(!json.contains(&hex(witness.secret.expose_bytes().as_slice())));
    let subject = witness.secret.subject(witness.claimed.epoch).to_bytes();
    assert!(!json.contains(&hex(subject.as_bytes())));
    let commitment = witness.secret.commitment().to_bytes();
    assert!(!json.contains(&hex(commitment.as_bytes())));
}

#[test]
fn a_wrong_document_is_refused_with_the_reason() {
    let mut fewer_slots = document();
    fewer_slots.attestations.pop();
    assert_eq!(
        error(&fewer_slots),
        InputError::SlotCount {
            attestations: 4,
            measurers: 5
        }
    );

    let mut fewer_measurers = document();
    fewer_measurers.measurers.pop();
    assert!(matches!(
        error(&fewer_measurers),
        InputError::Measurers(MeasurerSetError::Count(_))
    ));

    let mut twice = document();
    twice.measurers[3] = twice.measurers[1];
    assert_eq!(
        error(&twice),
        InputError::Measurers(MeasurerSetError::Duplicate {
            first: 1,
            second: 3
        })
    );

    let mut off_curve = document();
    off_curve.measurers[2].shifted_u = off_curve.measurers[1].shifted_u;
    assert!(matches!(
        error(&off_curve),
        InputError::Measurers(MeasurerSetError::Key { slot: 2, .. })
    ));

    let mut short_path = document();
    short_path.path.siblings.pop();
    assert_eq!(error(&short_path), InputError::PathDepth(9));

    let mut far = document();
    far.path.index = 1 << 20;
    assert_eq!(error(&far), InputError::PathIndex(1 << 20));

    let mut bad_response = document();
    let attestation = bad_response.attestations[4].as_mut().unwrap();
    attestation.schnorr = veilpool_protocol::SchnorrSignatureBytes::new([0xff; 48]);
    assert_eq!(error(&bad_response), InputError::Signature { slot: 4 });
}

#[test]
fn malformed_json_is_refused() {
    let json = document().to_json();
    for wrong in [
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        json.replacen("\"domain\"", "\"domian\"", 1),
        json.replacen("\"epoch\": ", "\"epoch\": -", 1),
        format!("{json} x"),
        json.replacen('{', "{\"secret\": 1,", 1),
        json.replacen("\"path\"", "\"path\": null, \"path\"", 1),
    ] {
        assert!(matches!(
            ClaimDocument::parse(&wrong),
            Err(InputError::Malformed(_))
        ));
    }
    // A field element that isn't canonical.
    let root = document().claimed.registry_root;
    let digits: String = root
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let aliased = json.replacen(&digits, &"f".repeat(64), 1);
    assert_ne!(aliased, json);
    assert!(matches!(
        ClaimDocument::parse(&aliased),
        Err(InputError::Malformed(_))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,300}") {
        let _ = ClaimDocument::parse(&text);
    }

    #[test]
    fn no_edit_of_a_document_makes_validation_panic(at in any::<prop::sample::Index>(), byte in 0x20u8..0x7f, cut in any::<bool>()) {
        let mut json = document().to_json().into_bytes();
        let index = at.index(json.len());
        if cut {
            json.truncate(index);
        } else {
            json[index] = byte;
        }
        if let Ok(parsed) = ClaimDocument::parse(std::str::from_utf8(&json).unwrap()) {
            let _ = parsed.validate(secret());
        }
    }
}
