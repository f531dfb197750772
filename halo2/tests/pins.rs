//! Universal parameters and verifying keys are those of the manifest.

#![allow(clippy::unwrap_used)]

use veilpool_halo2::{
    UniversalParameters,
    claim::Circuit as Claim,
    listing::Circuit as Listing,
    manifest::{MANIFEST, Manifest, Status},
    relation::Relation,
    system::VerifyingKeys,
    universal::Origin,
};

fn universal() -> UniversalParameters {
    UniversalParameters::development(Manifest::embedded().unwrap().universal.k).unwrap()
}

#[test]
fn the_universal_parameters_are_pinned_and_say_that_they_are_for_development() {
    let pinned = Manifest::embedded().unwrap().universal;
    let universal = universal();
    assert_eq!(hex::encode(universal.fingerprint()), pinned.fingerprint);
    assert_eq!(pinned.status, Status::Dev);
    assert_eq!(universal.origin(), Origin::Development);
    assert!(MANIFEST.contains("ANYBODY CAN FORGE"));
}

#[test]
fn every_verifying_key_is_pinned() {
    fn check<R: Relation>(universal: &UniversalParameters, blank: &R) {
        let manifest = Manifest::embedded().unwrap();
        let pinned = manifest.find(&R::name()).unwrap();
        let keys = VerifyingKeys::new(universal, blank).unwrap();
        assert_eq!(hex::encode(keys.fingerprint()), pinned.fingerprint);
        assert_eq!(keys.proof_len(), pinned.proof);
        assert_eq!(R::K, pinned.k);
    }
    let universal = universal();
    check(&universal, &Listing::blank());
    check(&universal, &Claim::<3>::blank());
    check(&universal, &Claim::<5>::blank());
    check(&universal, &Claim::<7>::blank());
    assert_eq!(Manifest::embedded().unwrap().keys.len(), 4);
}

#[test]
fn the_manifest_survives_its_encoding_and_refuses_what_it_does_not_know() {
    let manifest = Manifest::embedded().unwrap();
    let text = manifest.to_toml().unwrap();
    assert_eq!(text, MANIFEST);
    assert_eq!(Manifest::parse(&text), Ok(manifest));
    // Past the header, which has some of these words too.
    let text = &text[text.find("[universal]").unwrap()..];
    for (from, to) in [
        ("status = \"dev\"", "status = \"best\""),
        ("proof = ", "proofs = "),
        ("k = ", "k = -"),
        ("[universal]", "[universe]"),
    ] {
        assert!(Manifest::parse(&text.replacen(from, to, 1)).is_err());
    }
    assert!(Manifest::parse(&text[..text.len() / 2]).is_err());
}
