//! What a measurer keeps when it is killed.

use std::{path::Path, time::Duration};

use rand::rngs::OsRng;
use tokio::time::sleep;
use veilpool_coordinator::{
    Measurer,
    measurer::{
        StartError, StoreError,
        store::{Facts, Listing, Store},
    },
};
use veilpool_primitives::{AttestationSigner, MeasurerSecret};
use veilpool_protocol::{
    Bandwidth, DomainBytes, Metrics,
    api::{SlotOutcome, WireGuardKeyBytes},
};

use super::{
    common::*,
    probing::{SECONDS, count},
};

/// The state as it is on the disk at this instant, which is what `kill -9` leaves.
fn copy(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m2_a_measurer_that_was_down_attests_only_what_it_saw_and_signs_once() {
    let world = World::new(now() + 1, SECONDS);
    let measurer = world.measurer().await;
    let port = measurer.reflector_address();
    let exit = exit(port, Some(40.0)).await;
    list(&measurer, &listing(1, &exit)).await.unwrap();
    until(|| measurer.status().epochs[0].subjects[0].answered >= 40).await;
    let killed = tempfile::tempdir().unwrap();
    copy(world.folder.path(), killed.path());
    drop(measurer);
    sleep(Duration::from_millis(1_200)).await;

    // It comes back on the same ports while the chain is away, and goes on by itself.
    world.ledger.book().down = true;
    let mut config = world.config_at(killed.path());
    config.reflector_listen = port;
    let measurer = world.measurer_with(config.clone()).await;
    let signed = attested(&measurer, 1).await;
    let report = results(&measurer, 1).await.unwrap();
    let down = count(&report, |outcome| *outcome == SlotOutcome::MeasurerDown);
    let answered = count(&report, |outcome| outcome.round_trip().is_some());
    assert_eq!(report.slots.len(), 144);
    assert!(down >= 20, "{down}");
    assert!(answered >= 60, "{answered}");
    assert_eq!(
        usize::from(signed.attestation.metrics.uptime.get()),
        answered
    );

    // Killed and restarted, it serves the very same signature.
    drop(measurer);
    config.reflector_listen.set_port(0);
    let measurer = world.measurer_with(config).await;
    assert_eq!(attestation(&measurer, 1).await.unwrap(), signed);
    assert_eq!(results(&measurer, 1).await.unwrap(), report);
    measurer.shutdown().await;
}

fn facts(domain: DomainBytes) -> Facts {
    Facts {
        domain,
        measurers: Vec::new(),
        epoch_seconds: 60,
    }
}

#[tokio::test]
async fn m7_a_second_attestation_of_a_subject_is_never_kept_or_released() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let listing = Listing {
        epoch: EPOCH,
        subject: subject(1),
        wireguard_key: WireGuardKeyBytes::new([1; 32]),
        endpoint: "127.0.0.1:1".parse().unwrap(),
        listed_at: 5,
        signed: false,
    };
    assert_eq!(store.list(&listing).await.unwrap(), listing);
    let signer = AttestationSigner::new(
        MeasurerSecret::generate(&mut OsRng),
        ed25519_dalek::SigningKey::from_bytes(&[7; 32]),
    );
    let sign = |bandwidth| {
        let metrics = Metrics {
            bandwidth: Bandwidth::new(bandwidth),
            ..Metrics::default()
        };
        signer.sign(&domain(), &subject(1), EPOCH, metrics, &mut OsRng)
    };
    let (first, second) = (sign(1), sign(2));
    assert_eq!(store.attestation(EPOCH, &subject(1)).await.unwrap(), None);
    assert_eq!(
        store.sign_once(EPOCH, &subject(1), &first).await.unwrap(),
        first
    );
    assert_eq!(
        store.sign_once(EPOCH, &subject(1), &second).await.unwrap(),
        first
    );
    assert!(
        store
            .listing(EPOCH, &subject(1))
            .await
            .unwrap()
            .unwrap()
            .signed
    );
}

#[tokio::test]
async fn a_state_of_another_pool_or_version_or_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    store.bind(&facts(domain())).await.unwrap();
    let other = DomainBytes::from_field(field(4321));
    assert!(matches!(
        store.bind(&facts(other)).await,
        Err(StoreError::OtherPool(_))
    ));
    // Another process would find it locked.
    let second = Store::open(folder.path()).await;
    assert!(matches!(second, Err(StoreError::Database { .. })));
    store.close().await;

    let world = World::new(now() + 3_600, 600);
    world.ledger.book().pool.rules.domain = other;
    let started = Measurer::start_with(
        world.config_at(folder.path()),
        keys(SEED),
        schedule(),
        world.ledger.clone(),
    );
    assert!(matches!(
        started.await,
        Err(StartError::Store(StoreError::OtherPool(_)))
    ));
    let file = folder.path().join("a file");
    std::fs::write(&file, b"x").unwrap();
    assert!(matches!(
        Store::open(&file).await,
        Err(StoreError::Folder { .. })
    ));
}
