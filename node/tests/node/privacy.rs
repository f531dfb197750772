//! What leaves the node, and what stays in its state.

use std::{os::unix::fs::PermissionsExt, sync::Arc};

use veilpool_interface::address;
use veilpool_node::{
    claim::{Action, ClaimRecord, Event, Phase, inputs::payout},
    store::{DATABASE, LOCK, Store, StoreError},
};
use veilpool_tunnel::{PublicKey, StaticSecret};

use crate::town::{EPOCH, SHUT, Town, TownClaimant, claimant, secret};

/// Up to a phase.
async fn advance(claimant: &TownClaimant, record: &mut ClaimRecord, to: Phase) {
    let mut now = 0;
    while record.phase != to {
        let action = claimant.next(record, now);
        if let Action::Wait(until) = action {
            now = until;
        }
        let (events, _) = claimant.perform(action, record, now).await.unwrap();
        for event in events {
            record.apply(event).unwrap();
        }
    }
}

/// Everything of the operator that must not be seen, in the forms in which it could be.
pub(crate) fn secrets(town: &Town) -> Vec<(&'static str, Vec<u8>)> {
    let secret = secret(1);
    let pool = address::bytes(&town.pool_address);
    let wireguard = secret.derive_key("wireguard", &pool, EPOCH);
    let public = PublicKey::from(&StaticSecret::from(*wireguard)).to_bytes();
    vec![
        ("sk", secret.expose_bytes().to_vec()),
        ("the WireGuard secret", wireguard.to_vec()),
        (
            "the payout secret",
            secret.payout_key(&pool, EPOCH).to_bytes().to_vec(),
        ),
        (
            "the commitment",
            secret.commitment().to_bytes().as_bytes().to_vec(),
        ),
        (
            "the subject",
            secret.subject(EPOCH).to_bytes().as_bytes().to_vec(),
        ),
        ("the WireGuard key", public.to_vec()),
    ]
}

pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

fn assert_absent(haystack: &[u8], name: &str, needle: &[u8]) {
    assert!(!contains(haystack, needle), "{name} is in it");
    let hexadecimal = hex::encode(needle);
    assert!(
        !contains(haystack, hexadecimal.as_bytes()),
        "{name} is in it as text"
    );
}

#[tokio::test]
async fn l2_a_claim_names_no_key_of_the_operator_but_payout_and_nullifier() {
    let town = Arc::new(Town::new());
    let claimant = claimant(&town, town.settings(), 1);
    let mut record = town.record();
    advance(&claimant, &mut record, Phase::Paid).await;
    let request = town.ledger.lock().unwrap().requests[0].clone();
    let body = serde_json::to_vec(&request).unwrap();
    for (name, value) in secrets(&town) {
        assert_absent(&body, name, &value);
    }
    let pool = address::bytes(&town.pool_address);
    assert_eq!(request.payout, payout(&secret(1), &pool, EPOCH));
    assert_eq!(request.nullifier, secret(1).nullifier(EPOCH).to_bytes());
}

#[tokio::test]
async fn l4_all_leaves_are_asked_for_and_the_path_is_made_here() {
    let town = Arc::new(Town::new());
    let claimant = claimant(&town, town.settings(), 1);
    let mut record = town.record();
    advance(&claimant, &mut record, Phase::Proven).await;
    assert_eq!(town.ledger.lock().unwrap().leaves_asked, [EPOCH]);
}

#[tokio::test]
async fn l4_leaves_that_lead_to_another_root_are_refused() {
    let mut town = Town::new();
    // An RPC node that puts another leaf in place of a neighbour's, to recognise the claim by its root.
    town.leaves[0] = secret(1234).commitment().to_bytes();
    let town = Arc::new(town);
    let claimant = claimant(&town, town.settings(), 1);
    let mut record = town.record();
    advance(&claimant, &mut record, Phase::Collected).await;
    let trouble = claimant
        .perform(Action::Prove, &record, 0)
        .await
        .unwrap_err();
    assert!(
        trouble
            .what
            .contains("don't lead to the root that the chain froze"),
        "{trouble}"
    );
}

#[tokio::test]
async fn l8_measurers_that_the_chain_didnt_freeze_are_refused() {
    let mut town = Town::new();
    town.pool.measurers.swap(0, 1);
    let town = Arc::new(town);
    let claimant = claimant(&town, town.settings(), 1);
    let mut record = town.record();
    advance(&claimant, &mut record, Phase::Unclaimable).await;
    assert!(
        record
            .reason
            .unwrap()
            .starts_with("the measurers recorded when the epoch opened aren't those")
    );
}

#[tokio::test]
async fn the_state_is_private_and_holds_no_secret() {
    let town = Arc::new(Town::new());
    let claimant = claimant(&town, town.settings(), 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let store = Store::open(&path).await.unwrap();
    let mut record = town.record();
    advance(&claimant, &mut record, Phase::Proven).await;
    store.save(&record).await.unwrap();
    assert_eq!(store.records().await.unwrap(), [record.clone()]);

    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for entry in std::fs::read_dir(&path).unwrap() {
        let file = entry.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    let everything = || -> Vec<u8> {
        let files = std::fs::read_dir(&path).unwrap();
        files
            .flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect()
    };
    let nullifier = secret(1).nullifier(EPOCH).to_bytes();
    for (name, value) in secrets(&town) {
        assert_absent(&everything(), name, &value);
    }
    assert_absent(&everything(), "the nullifier", nullifier.as_bytes());
    let payout = payout(&secret(1), &address::bytes(&town.pool_address), EPOCH);
    assert!(contains(&everything(), payout.as_bytes()));

    // The proof goes when it is paid, attestations with the window, the payout address later.
    let proof = record.readied.clone().unwrap().proof;
    assert!(contains(&everything(), &proof.as_bytes()[..64]));
    advance(&claimant, &mut record, Phase::Paid).await;
    store.save(&record).await.unwrap();
    store.forget(SHUT - 1).await.unwrap();
    assert_eq!(store.records().await.unwrap(), [record.clone()]);
    store.forget(SHUT).await.unwrap();
    record.answers.clear();
    assert_eq!(store.records().await.unwrap(), [record.clone()]);
    store.forget(SHUT + 4 * 1_200).await.unwrap();
    let payment = record.payment.as_mut().unwrap();
    (payment.payout, payment.signature) = (None, None);
    assert_eq!(store.records().await.unwrap(), [record]);
    store.close().await;
    drop(store);
    assert!(!contains(&everything(), payout.as_bytes()));
    assert!(!contains(&everything(), &proof.as_bytes()[..64]));
}

#[tokio::test]
async fn one_process_and_one_operator_to_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    store.claim_for(&[1; 32]).await.unwrap();
    assert!(matches!(
        Store::open(folder.path()).await,
        Err(StoreError::InUse(_))
    ));
    // Reading beside it is allowed.
    let beside = Store::open_to_read(folder.path()).await.unwrap();
    assert!(beside.records().await.unwrap().is_empty());
    drop(store);
    let again = Store::open(folder.path()).await.unwrap();
    again.claim_for(&[1; 32]).await.unwrap();
    assert!(matches!(
        again.claim_for(&[2; 32]).await,
        Err(StoreError::Foreign(_))
    ));
    assert!(folder.path().join(LOCK).exists());
}

#[tokio::test]
async fn a_folder_with_something_else_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        Store::open_to_read(folder.path()).await,
        Err(StoreError::Absent(_))
    ));
    std::fs::write(folder.path().join(DATABASE), vec![b'x'; 5_000]).unwrap();
    assert!(matches!(
        Store::open(folder.path()).await,
        Err(StoreError::Database { .. })
    ));

    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let mut record = Town::new().record();
    record.apply(Event::Ended).unwrap();
    store.save(&record).await.unwrap();
    store.close().await;
    drop(store);
    edit(folder.path(), "UPDATE epochs SET phase = 'half'").await;
    let store = Store::open(folder.path()).await.unwrap();
    assert!(matches!(
        store.records().await,
        Err(StoreError::Damaged { what: "phase", .. })
    ));
    store.close().await;
    drop(store);
    edit(folder.path(), "PRAGMA user_version = 99").await;
    assert!(matches!(
        Store::open(folder.path()).await,
        Err(StoreError::Newer {
            found: 99,
            known: 1,
            ..
        })
    ));
}

async fn edit(folder: &std::path::Path, statement: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join(DATABASE));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql(statement).execute(&pool).await.unwrap();
    pool.close().await;
}
