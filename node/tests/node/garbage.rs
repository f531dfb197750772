//! Whatever measurers and relayers answer, there is a named reason, and no panic.

use std::sync::Arc;

use axum::{Router, body::Body, http::StatusCode, routing::any};
use proptest::prelude::*;
use tokio::net::TcpListener;
use veilpool_node::{
    claim::{Action, Event, Phase},
    http::{FetchError, Http, interpret},
    measurers::{AttestationFault, Measurer, check},
    relayers::Relayer,
};
use veilpool_primitives::{InvalidAttestation, MeasurerSet};
use veilpool_protocol::{
    AddressBytes, EdSignatureBytes, EpochId, SchnorrSignatureBytes, Uptime,
    api::{EdKeyBytes, SignedAttestation},
};

use crate::town::{EPOCH, Manner, Town, claimant, secret, subject};

fn own(town: &Town) -> SignedAttestation {
    town.sign(1, secret(1).subject(EPOCH).to_bytes())
}

fn judge(town: &Town, signed: &SignedAttestation) -> Result<usize, AttestationFault> {
    let set = MeasurerSet::from_bytes(&town.pool.measurers).unwrap();
    let subject = secret(1).subject(EPOCH).to_bytes();
    check(signed, &set, &town.pool.rules.domain, EPOCH, &subject)
}

#[test]
fn m1_every_fault_of_an_attestation_has_its_name() {
    let town = Town::new();
    let good = own(&town);
    assert_eq!(judge(&town, &good), Ok(1));
    let edit = |change: fn(&mut SignedAttestation)| {
        let mut signed = own(&town);
        change(&mut signed);
        judge(&town, &signed).unwrap_err()
    };
    assert_eq!(
        edit(|it| it.epoch = EpochId::new(6)),
        AttestationFault::Epoch {
            found: EpochId::new(6),
            expected: EPOCH
        }
    );
    assert_eq!(
        edit(|it| it.subject = subject(9)),
        AttestationFault::Subject
    );
    assert_eq!(
        edit(|it| std::mem::swap(&mut it.attestation_key.u, &mut it.attestation_key.shifted_u)),
        AttestationFault::UnknownMeasurer
    );
    assert_eq!(
        edit(|it| it.attestation.metrics.uptime = Uptime::new(144)),
        AttestationFault::Signature(InvalidAttestation::Schnorr)
    );
    assert_eq!(
        edit(|it| it.attestation.schnorr = SchnorrSignatureBytes::new([0xff; 48])),
        AttestationFault::Signature(InvalidAttestation::MalformedSchnorr)
    );
    assert_eq!(
        edit(|it| it.attestation.ed25519 = EdSignatureBytes::new([1; 64])),
        AttestationFault::Signature(InvalidAttestation::Ed25519)
    );
    // A y-coordinate that no point has.
    let mut no_point = [0; 32];
    no_point[0] = 2;
    let mut signed = own(&town);
    signed.ed25519_key = EdKeyBytes::new(no_point);
    assert_eq!(
        judge(&town, &signed),
        Err(AttestationFault::MalformedEd25519Key)
    );
    // Another measurer's values under this one's key.
    let mut signed = own(&town);
    signed.attestation_key = town.sign(2, signed.subject).attestation_key;
    assert_eq!(
        judge(&town, &signed),
        Err(AttestationFault::Signature(InvalidAttestation::Schnorr))
    );
}

#[tokio::test]
async fn a_measurer_that_lies_is_asked_again_and_left_out_in_the_end() {
    let town = Arc::new(Town::new());
    let mut lie = own(&town);
    lie.attestation.metrics.uptime = Uptime::new(144);
    town.behave(1, Manner::Says(Box::new(lie)));
    // The same key twice is one measurer.
    town.behave(
        2,
        Manner::Says(Box::new(town.sign(0, secret(1).subject(EPOCH).to_bytes()))),
    );
    let claimant = claimant(&town, town.settings(), 1);
    let mut record = town.record();
    record.apply(Event::Ended).unwrap();
    let now = record.ends_at * 1_000;
    let (events, troubles) = claimant
        .perform(Action::Collect, &record, now)
        .await
        .unwrap();
    assert_eq!(troubles.len(), 1);
    assert!(
        troubles[0]
            .what
            .starts_with("measurer-1 gave an attestation that isn't taken: the Schnorr signature"),
        "{}",
        troubles[0].what
    );
    for event in events {
        record.apply(event).unwrap();
    }
    let faults: Vec<_> = record
        .answers
        .iter()
        .filter_map(|it| it.outcome.clone().err())
        .collect();
    assert_eq!(
        faults,
        ["it has the key of measurer-0: list each measurer once"]
    );
    assert_eq!(claimant.next(&record, now), Action::Collect);
    assert_eq!(record.phase, Phase::Measured);
}

async fn serve(status: StatusCode, body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = any(move || {
        let body = body.clone();
        async move { (status, Body::from(body)) }
    });
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

#[tokio::test]
async fn oversized_truncated_and_foreign_answers_have_their_names() {
    let town = Town::new();
    let http = Http::new().unwrap();
    let subject = secret(1).subject(EPOCH).to_bytes();
    let ask = async |status, body| {
        let url = serve(status, body).await;
        let measurer = Measurer::new(http.clone(), url.clone());
        (
            measurer.attestation(EPOCH, &subject).await.unwrap_err(),
            url,
        )
    };
    let whole = serde_json::to_vec(&own(&town)).unwrap();
    let (error, url) = ask(StatusCode::OK, vec![b' '; 65 << 10]).await;
    assert_eq!(error, FetchError::TooLarge { url });
    for body in [
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], b"x"].concat(),
        b"<html>".to_vec(),
        Vec::new(),
    ] {
        let (error, at) = ask(StatusCode::OK, body).await;
        assert!(
            matches!(&error, FetchError::Malformed { url, .. } if *url == at),
            "{error}"
        );
        assert!(error.is_temporary());
    }
    // Redirects aren't followed.
    let (error, _) = ask(StatusCode::FOUND, Vec::new()).await;
    assert!(
        matches!(error, FetchError::Malformed { reason, .. } if reason == "status 302 without a reason")
    );
    // Not less than the field's order.
    let text = String::from_utf8(whole).unwrap();
    let x = hex::encode(town.sign(1, subject).attestation_key.u.as_bytes());
    let (error, _) = ask(
        StatusCode::OK,
        text.replace(&x, &"f".repeat(64)).into_bytes(),
    )
    .await;
    assert!(matches!(error, FetchError::Malformed { reason, .. } if reason.contains("order")));

    let elsewhere = br#"{"version":"1","relayer":"PLACE","pool":"PLACE","fee":1}"#;
    let body = String::from_utf8_lossy(elsewhere).replace("PLACE", &"07".repeat(32));
    let url = serve(StatusCode::OK, body.into_bytes()).await;
    let info = Relayer::new(http, url.clone())
        .info(&AddressBytes::new([8; 32]))
        .await;
    assert_eq!(
        info,
        Err(FetchError::Malformed {
            url,
            reason: "it serves another pool".into()
        })
    );
}

#[tokio::test]
async fn a_server_that_isnt_there_is_named_without_the_path() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let subject = secret(1).subject(EPOCH).to_bytes();
    let measurer = Measurer::new(Http::new().unwrap(), url.clone());
    let error = measurer.attestation(EPOCH, &subject).await.unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, FetchError::Unreachable { .. }));
    assert!(
        said.starts_with(&format!("{url} can't be reached (")),
        "{said}"
    );
    assert!(
        !said.contains(&hex::encode(subject.as_bytes())) && !said.contains("attestations"),
        "{said}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_edit_of_an_attestation_is_taken(at in 0usize..2_000, to: u8) {
        let town = Town::new();
        let mut body = serde_json::to_vec(&own(&town)).unwrap();
        let at = at % body.len();
        prop_assume!(body[at] != to);
        body[at] = to;
        if let Ok(signed) = interpret::<SignedAttestation>("u", 200, &body) {
            // White space may be changed for white space; nothing else may be.
            prop_assert!(signed == own(&town) || judge(&town, &signed).is_err());
        }
    }

    #[test]
    fn no_truncation_of_an_attestation_is_taken(cut in 0usize..2_000) {
        let town = Town::new();
        let body = serde_json::to_vec(&own(&town)).unwrap();
        let cut = cut % body.len();
        prop_assert!(interpret::<SignedAttestation>("u", 200, &body[..cut]).is_err());
    }
}
