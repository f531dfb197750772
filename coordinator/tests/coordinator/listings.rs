//! What a measurer takes, and what not.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use veilpool_coordinator::{Measurer, measurer::StartError};
use veilpool_protocol::{
    EpochId,
    api::{ListingReceipt, ListingRequest, MeasurerInfo, WireGuardKeyBytes},
};

use super::common::*;

/// Far enough that nothing is sent during a test.
const LATER: i64 = 3_600;

fn far(who: u128, endpoint: &str) -> ListingRequest {
    ListingRequest {
        epoch: EPOCH,
        subject: subject(who),
        wireguard_key: WireGuardKeyBytes::new([who as u8; 32]),
        endpoint: endpoint.parse().unwrap(),
    }
}

#[tokio::test]
async fn a_measurer_says_who_it_is_and_for_which_pool() {
    let world = World::new(now() + LATER, 600);
    let measurer = world.measurer().await;
    let info: MeasurerInfo = get(measurer.api_address(), "/v1/info").await.unwrap();
    assert_eq!(info.attestation_key, keys(SEED).attestation_key());
    assert_eq!(info.ed25519_key, keys(SEED).ed25519_key());
    assert_eq!(info.domain, domain());
    measurer.shutdown().await;
}

#[tokio::test]
async fn a_listing_is_idempotent_its_endpoint_may_change_and_its_key_may_not() {
    let world = World::new(now() + LATER, 600);
    let measurer = world.measurer().await;
    let request = far(1, "127.0.0.1:1000");
    let receipt = ListingReceipt {
        epoch: EPOCH,
        slots_missed: 0,
    };
    assert_eq!(list(&measurer, &request).await.unwrap(), receipt);
    assert_eq!(list(&measurer, &request).await.unwrap(), receipt);
    let moved = far(1, "127.0.0.1:2000");
    assert_eq!(list(&measurer, &moved).await.unwrap(), receipt);
    let mut other = moved.clone();
    other.wireguard_key = WireGuardKeyBytes::new([77; 32]);
    assert_eq!(
        refused(list(&measurer, &other).await),
        refusal(409, "conflict", false)
    );
    let report = results(&measurer, 1).await.unwrap();
    assert!(report.slots.is_empty() && report.rounds.is_empty() && !report.signed);
    assert_eq!(
        refused(attestation(&measurer, 1).await),
        refusal(425, "not_ready", true)
    );
    assert_eq!(
        refused(attestation(&measurer, 2).await),
        refusal(404, "unknown_subject", false)
    );
    assert_eq!(
        refused(results(&measurer, 2).await),
        refusal(404, "unknown_subject", false)
    );
}

#[tokio::test]
async fn epochs_that_are_not_open_or_over_are_refused() {
    let world = World::new(now() - 100, 50);
    let measurer = world.measurer().await;
    let mut request = far(1, "127.0.0.1:1000");
    assert_eq!(
        refused(list(&measurer, &request).await),
        refusal(410, "epoch_ended", false)
    );
    request.epoch = EpochId::new(8);
    assert_eq!(
        refused(list(&measurer, &request).await),
        refusal(404, "unknown_epoch", true)
    );
}

#[tokio::test]
async fn only_public_endpoints_are_measured_and_few_at_one_address() {
    let world = World::new(now() + LATER, 600);
    let mut config = world.config();
    config.allow_private_endpoints = false;
    let measurer = world.measurer_with(config).await;
    for endpoint in [
        "127.0.0.1:1",
        "10.0.0.1:1",
        "169.254.169.254:80",
        "[::1]:1",
        "1.1.1.1:0",
    ] {
        assert_eq!(
            refused(list(&measurer, &far(1, endpoint)).await),
            refusal(422, "endpoint", false),
            "{endpoint}"
        );
    }
    for who in 1..=4 {
        let endpoint = format!("1.1.1.1:{who}");
        assert!(list(&measurer, &far(who, &endpoint)).await.is_ok());
    }
    let fifth = far(5, "1.1.1.1:5");
    assert_eq!(
        refused(list(&measurer, &fifth).await),
        refusal(409, "crowded", false)
    );
    // One of the four may come again.
    assert!(list(&measurer, &far(4, "1.1.1.1:9")).await.is_ok());
}

#[tokio::test]
async fn a_measurer_takes_only_so_many_subjects() {
    let world = World::new(now() + LATER, 600);
    let mut config = world.config();
    config.max_subjects = 1;
    let measurer = world.measurer_with(config).await;
    assert!(list(&measurer, &far(1, "127.0.0.1:1")).await.is_ok());
    assert!(list(&measurer, &far(1, "127.0.0.1:2")).await.is_ok());
    assert_eq!(
        refused(list(&measurer, &far(2, "127.0.0.1:3")).await),
        refusal(503, "full", true)
    );
}

#[tokio::test]
async fn a_late_listing_is_told_how_many_slots_it_has_missed() {
    // Half of the epoch is over.
    let world = World::new(now() - 3_600, 7_200);
    let measurer = world.measurer().await;
    let receipt = list(&measurer, &far(1, "127.0.0.1:1")).await.unwrap();
    assert!((71..=74).contains(&receipt.slots_missed), "{receipt:?}");
    // The same when asked again.
    let again = list(&measurer, &far(1, "127.0.0.1:1")).await.unwrap();
    assert_eq!(again, receipt);
    let mut seen = 0;
    while seen < usize::from(receipt.slots_missed) {
        let report = results(&measurer, 1).await.unwrap();
        seen = report.slots.len();
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let report = results(&measurer, 1).await.unwrap();
    let not_listed = |result: &&veilpool_protocol::api::SlotResult| {
        result.outcome == veilpool_protocol::api::SlotOutcome::NotListed
    };
    let missed = report.slots.iter().filter(not_listed).count();
    assert_eq!(missed, usize::from(receipt.slots_missed));
}

#[tokio::test]
async fn m1_a_node_can_post_a_listing_and_nothing_else() {
    let world = World::new(now() + LATER, 600);
    let measurer = world.measurer().await;
    let request = far(1, "127.0.0.1:1");
    let mut message = serde_json::to_value(&request).unwrap();
    message["metrics"] =
        serde_json::json!({"bandwidth": 9999, "uptime": 144, "latency": 1, "zone": 0});
    let answer =
        post_json::<ListingReceipt>(measurer.api_address(), "/v1/listings", &message).await;
    assert_eq!(refused(answer), refusal(400, "malformed", false));
    list(&measurer, &request).await.unwrap();
    for what in ["attestations", "results"] {
        let path = format!("/v1/{what}/{EPOCH}/{}", hex::encode(subject(1).as_bytes()));
        let answer = post_json::<()>(measurer.api_address(), &path, &message).await;
        assert_eq!(refused(answer), refusal(405, "unknown_method", false));
    }
    assert!(results(&measurer, 1).await.unwrap().slots.is_empty());
}

#[tokio::test]
async fn oversized_truncated_and_misdirected_requests_are_refused() {
    let world = World::new(now() + LATER, 600);
    let measurer = world.measurer().await;
    let server = measurer.api_address();
    let large = vec![b' '; 9_000];
    assert_eq!(
        refused(post::<()>(server, "/v1/listings", large).await),
        refusal(413, "too_large", false)
    );
    let whole = serde_json::to_vec(&far(1, "127.0.0.1:1")).unwrap();
    for len in 0..whole.len() {
        assert_eq!(
            refused(post::<()>(server, "/v1/listings", whole[..len].to_vec()).await),
            refusal(400, "malformed", false)
        );
    }
    assert_eq!(
        refused(get::<()>(server, "/v1/nothing").await),
        refusal(404, "unknown_path", false)
    );
    for path in [
        format!("/v1/results/x/{}", hex::encode([0; 32])),
        "/v1/results/1/00".to_owned(),
        // Not less than the field's order.
        format!("/v1/attestations/1/{}", hex::encode([0xff; 32])),
        "/v1/attestations/4294967296/00".to_owned(),
        "/v1/attestations/1/%ff".to_owned(),
    ] {
        assert_eq!(
            refused(get::<()>(server, &path).await),
            refusal(400, "malformed", false),
            "{path}"
        );
    }
}

#[test]
fn no_body_makes_it_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = World::new(now() + LATER, 600);
    let measurer = runtime.block_on(world.measurer());
    let server = measurer.api_address();
    let body = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        "\\{\"epoch\":-?[0-9]{1,12},\"subject\":\"[0-9a-f]{62,66}\",\"wireguard_key\":\"[0-9a-f]{64}\",\"endpoint\":\"[0-9.:]{0,20}\"\\}"
            .prop_map(String::into_bytes),
    ];
    let mut runner = TestRunner::new(Config::with_cases(64));
    runner
        .run(&body, |body| {
            let answer = runtime.block_on(post::<ListingReceipt>(server, "/v1/listings", body));
            let (status, error) = answer.unwrap_err();
            prop_assert!((400..500).contains(&status), "{status}");
            prop_assert!(["malformed", "unknown_epoch"].contains(&error.code.as_str()));
            Ok(())
        })
        .unwrap();
    let info = runtime.block_on(get::<MeasurerInfo>(server, "/v1/info"));
    assert!(info.is_ok());
}

#[tokio::test]
async fn a_measurer_outside_of_the_set_does_not_start() {
    let world = World::new(now() + LATER, 600);
    let started =
        Measurer::start_with(world.config(), keys(50), schedule(), world.ledger.clone()).await;
    assert!(matches!(started, Err(StartError::NotInSet)));
}

#[tokio::test]
async fn without_the_chain_a_new_measurer_waits_and_says_so() {
    let world = World::new(now() + LATER, 600);
    world.ledger.book().down = true;
    let measurer =
        Measurer::start_with(world.config(), keys(SEED), schedule(), world.ledger.clone())
            .await
            .unwrap();
    assert_eq!(
        refused(list(&measurer, &far(1, "127.0.0.1:1")).await),
        refusal(503, "not_ready", true)
    );
    assert_eq!(
        refused(get::<MeasurerInfo>(measurer.api_address(), "/v1/info").await),
        refusal(503, "not_ready", true)
    );
    assert!(!measurer.status().chain_works);
    world.ledger.book().down = false;
    until(|| measurer.status().chain_works).await;
    assert!(list(&measurer, &far(1, "127.0.0.1:1")).await.is_ok());
}
