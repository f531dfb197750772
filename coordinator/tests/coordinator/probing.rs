//! Heartbeats and bandwidth through real tunnels.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::net::UdpSocket;
use veilpool_coordinator::measurer::{
    attest, bandwidth,
    reflector::{Direction, Reflector},
};
use veilpool_primitives::{MeasurerKey, attestation::verify};
use veilpool_protocol::{
    Zone,
    api::{ListingRequest, ResultsReport, RoundOutcome, SlotOutcome},
};
use veilpool_tunnel::{Client, ClientConfig, StackConfig};

use super::common::*;

/// The shortest epoch whose turns fit.
pub(crate) const SECONDS: i64 = 4;

pub(crate) fn count(report: &ResultsReport, wanted: fn(&SlotOutcome) -> bool) -> usize {
    report
        .slots
        .iter()
        .filter(|slot| wanted(&slot.outcome))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m1_what_is_attested_is_what_the_measurer_saw_through_the_tunnel() {
    let world = World::new(now() + 1, SECONDS);
    let measurer = world.measurer().await;
    let exit = exit(measurer.reflector_address(), Some(40.0)).await;
    list(&measurer, &listing(1, &exit)).await.unwrap();
    let signed = attested(&measurer, 1).await;
    let report = results(&measurer, 1).await.unwrap();
    assert_eq!(report.slots.len(), 144);
    assert_eq!(report.rounds.len(), 3);
    assert!(report.signed);
    // Signed from the results, and from nothing else.
    let metrics = signed.attestation.metrics;
    assert_eq!(
        metrics,
        attest::metrics(&report.slots, &report.rounds, Zone::new(0))
    );
    assert!(metrics.uptime.get() > 100, "{:?}", measurer.status());
    assert!(metrics.bandwidth.get() > 0, "{:?}", report.rounds);
    let key = MeasurerKey::from_bytes(&signed.attestation_key).unwrap();
    let ed25519 = ed25519_dalek::VerifyingKey::from_bytes(signed.ed25519_key.as_bytes()).unwrap();
    let holds = verify(
        &key,
        &ed25519,
        &domain(),
        &subject(1),
        EPOCH,
        &signed.attestation,
    );
    assert_eq!(holds, Ok(()));
    let status = &measurer.status().epochs[0].subjects[0];
    assert_eq!(status.answered, metrics.uptime.get());
    assert_eq!(status.attested, Some(metrics));
    measurer.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_failed_slot_keeps_its_reason() {
    let world = World::new(now() + 1, SECONDS);
    let measurer = world.measurer().await;
    // Answers handshakes, and forwards to somewhere else only.
    let refusing = exit("127.0.0.1:9".parse().unwrap(), None).await;
    list(&measurer, &listing(1, &refusing)).await.unwrap();
    // Takes datagrams and says nothing.
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = |who, endpoint: SocketAddr| ListingRequest {
        epoch: EPOCH,
        subject: subject(who),
        wireguard_key: refusing.public_key(),
        endpoint,
    };
    list(&measurer, &request(2, silent.local_addr().unwrap()))
        .await
        .unwrap();
    // A closed port, of which the network tells.
    let closed = UdpSocket::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    list(&measurer, &request(3, closed)).await.unwrap();
    // The system refuses to send there.
    list(&measurer, &request(4, "255.255.255.255:9".parse().unwrap()))
        .await
        .unwrap();

    for (who, outcome) in [
        (1, SlotOutcome::Asymmetric),
        (2, SlotOutcome::NoHandshake),
        (3, SlotOutcome::NoRoute),
        (4, SlotOutcome::NoRoute),
    ] {
        let metrics = attested(&measurer, who).await.attestation.metrics;
        assert_eq!((metrics.uptime.get(), metrics.bandwidth.get()), (0, 0));
        assert_eq!(metrics.latency.get(), u16::MAX);
        let report = results(&measurer, who).await.unwrap();
        assert_eq!(report.slots.len(), 144, "{who}");
        // A busy machine may make the measurer itself late.
        let fitting = report
            .slots
            .iter()
            .filter(|slot| slot.outcome == outcome)
            .count();
        let late = count(&report, |outcome| *outcome == SlotOutcome::MeasurerDown);
        assert_eq!(fitting + late, 144, "{who}: {:?}", measurer.status());
        assert!(fitting > 100);
        for round in &report.rounds {
            assert_eq!(round.outcome, RoundOutcome::NoConnection);
        }
    }
}

/// Mbit/s of a download and an upload through a node with a limit.
async fn measure(limit: f64) -> [f64; 2] {
    let reflector = Reflector::start(([127, 0, 0, 1], 0).into(), None)
        .await
        .unwrap();
    let exit = exit(reflector.address(), Some(limit)).await;
    let client = Client::open(ClientConfig {
        node_key: exit.public_key(),
        endpoint: exit.address(),
        stack: StackConfig::default(),
    })
    .await
    .unwrap();
    let (length, patience) = (Duration::from_secs(1), Duration::from_secs(5));
    let deadline = || Instant::now() + length + patience;
    let session = reflector.offer(Direction::Download, length, patience);
    let flow = client.connect_tcp(reflector.public()).await.unwrap();
    let down = bandwidth::download(flow, &session, deadline())
        .await
        .unwrap();
    let mut session = reflector.offer(Direction::Upload, length, patience);
    let flow = client.connect_tcp(reflector.public()).await.unwrap();
    let up = bandwidth::upload(flow, &mut session, deadline())
        .await
        .unwrap();
    [down, up].map(|bits| bits as f64 / 1e6)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_node_is_measured_within_fifteen_percent_of_its_limit() {
    for limit in [8.0, 40.0] {
        for measured in measure(limit).await {
            let ratio = measured / limit;
            println!("limit {limit}: measured {measured:.2} Mbit/s, ratio {ratio:.3}");
            assert!((0.85..=1.15).contains(&ratio), "{measured} of {limit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_survive_a_download_that_uses_all_of_a_limited_node() {
    let world = World::new(now() + 1, SECONDS);
    let measurer = world.measurer().await;
    let greedy = Reflector::start(([127, 0, 0, 1], 0).into(), None)
        .await
        .unwrap();
    let mut config = veilpool_node::exit::ExitConfig::new("127.0.0.1:0".parse().unwrap());
    config.policy =
        veilpool_node::exit::Policy::new([measurer.reflector_address(), greedy.address()], [25]);
    config.bounds.rate_limit = Some(10.0);
    let secret = veilpool_tunnel::StaticSecret::random_from_rng(rand::rngs::OsRng);
    let exit = veilpool_node::exit::Exit::start(secret, config).unwrap();
    list(&measurer, &listing(1, &exit)).await.unwrap();
    // Another guest that takes all it can.
    let client = Client::open(ClientConfig {
        node_key: exit.public_key(),
        endpoint: exit.address(),
        stack: StackConfig::default(),
    })
    .await
    .unwrap();
    let length = Duration::from_secs(30);
    let session = greedy.offer(Direction::Download, length, length);
    let flow = client.connect_tcp(greedy.public()).await.unwrap();
    let download = tokio::spawn(async move {
        let _ = bandwidth::download(flow, &session, Instant::now() + length).await;
    });
    let metrics = attested(&measurer, 1).await.attestation.metrics;
    download.abort();
    assert!(metrics.uptime.get() >= 140, "{:?}", measurer.status());
}
