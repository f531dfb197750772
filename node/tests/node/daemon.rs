//! The whole daemon on loopback.

use std::{
    io,
    net::{SocketAddr, SocketAddrV4},
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use tokio::{
    net::UdpSocket,
    time::{sleep, timeout},
};
use veilpool_chain::ReadError;
use veilpool_interface::address;
use veilpool_node::{
    Node, NodeConfig, NodeStatus, ProverSource, StartError,
    claim::{Phase, inputs::payout},
    exit::Policy,
    status_from_store,
    store::StoreError,
};
use veilpool_protocol::api::ListingRequest;
use veilpool_tunnel::{Client, ClientConfig, StackConfig};

use crate::{
    privacy::{contains, secrets},
    servers::{Servers, now_ms},
    town::{EPOCH, FEE, RATE, Town, prover, secret},
};

const SOON: Duration = Duration::from_secs(25);

/// A town whose epoch begins in a moment.
fn soon(lead: i64, length: i64) -> Town {
    let start = now_ms() / 1_000 + 1 + lead;
    Town::at(start, start + length, start + length + 20)
}

fn config(servers: &Servers, folder: &std::path::Path, listen: SocketAddr) -> NodeConfig {
    let town = &servers.town;
    let rpc = format!("{}/rpc", servers.url);
    let mut config = NodeConfig::new(rpc, town.program, town.pool_address, folder, listen);
    config.measurers = servers.measurers();
    config.relayers = vec![format!("{}/relayer", servers.url)];
    config.max_fee = 100;
    config.claim_delay = 0.0..0.05;
    config
}

async fn until(node: &Node, what: &str, holds: impl Fn(&NodeStatus) -> bool) -> NodeStatus {
    let waiting = async {
        loop {
            let status = node.status();
            if holds(&status) {
                return status;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    match timeout(SOON, waiting).await {
        Ok(status) => status,
        Err(_) => unreachable!("{what} didn't come about: {:?}", node.status()),
    }
}

fn is_listed(status: &NodeStatus) -> bool {
    let epoch = status.epochs.first();
    epoch.is_some_and(|it| {
        it.listings
            .iter()
            .filter(|it| it.slots_missed.is_some())
            .count()
            == 3
    })
}

fn state(status: &NodeStatus) -> Option<Phase> {
    status.epochs.first().map(|epoch| epoch.state)
}

async fn echo() -> SocketAddrV4 {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let SocketAddr::V4(address) = server.local_addr().unwrap() else {
        unreachable!("it is bound to IPv4")
    };
    tokio::spawn(async move {
        let mut buffer = [0u8; 2_000];
        while let Ok((len, from)) = server.recv_from(&mut buffer).await {
            let _ = server.send_to(&buffer[..len], from).await;
        }
    });
    address
}

/// As a measurer does it, by what the node told it.
async fn forwards(listing: &ListingRequest, echo: SocketAddrV4) {
    let mut client = Client::open(ClientConfig {
        node_key: listing.wireguard_key,
        endpoint: listing.endpoint,
        stack: StackConfig::default(),
    })
    .await
    .unwrap();
    let answered = async {
        loop {
            client
                .send_udp(5_000, echo, b"heartbeat".to_vec())
                .await
                .unwrap();
            if let Ok(Some(answer)) =
                timeout(Duration::from_millis(500), client.receive_udp()).await
            {
                return answer;
            }
            client.start_handshake().await.unwrap();
        }
    };
    assert_eq!(timeout(SOON, answered).await.unwrap().payload, b"heartbeat");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log() -> Log {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    log
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m10_l7_a_node_killed_in_the_middle_of_an_epoch_is_paid_and_its_logs_tell_nothing() {
    let log = log();
    let servers = Servers::start(soon(1, 4)).await;
    let town = &servers.town;
    let folder = tempfile::tempdir().unwrap();
    let echo = echo().await;
    // The RPC node is down when the node starts.
    servers.rpc_down.store(true, Ordering::Relaxed);
    let mut config = config(&servers, folder.path(), "127.0.0.1:0".parse().unwrap());
    config.exit.policy = Policy::new([echo.into()], [25]);
    let node = Node::start(config.clone(), secret(1), prover())
        .await
        .unwrap();
    config.exit.listen = node.address();
    assert_eq!(node.status().epochs, []);
    servers.rpc_down.store(false, Ordering::Relaxed);

    until(&node, "three listings", is_listed).await;
    until(&node, "the epoch", |status| status.epoch == Some(EPOCH)).await;
    let listing = servers.listings.lock().unwrap()["m0"][0].clone();
    assert_eq!(listing.subject, secret(1).subject(EPOCH).to_bytes());
    forwards(&listing, echo).await;
    until(&node, "metered traffic", |status| {
        status.traffic.up > 0 && status.traffic.down > 0
    })
    .await;

    // As kill -9 would, in the middle of the epoch; and the RPC node is down when it starts again.
    drop(node);
    servers.rpc_down.store(true, Ordering::Relaxed);
    let node = Node::start(config, secret(1), prover()).await.unwrap();
    assert_eq!(node.status().epoch, Some(EPOCH));
    assert!(is_listed(&node.status()));
    forwards(&listing, echo).await;
    servers.rpc_down.store(false, Ordering::Relaxed);

    let status = until(&node, "a payment", |status| {
        state(status) == Some(Phase::Paid)
    })
    .await;
    let epoch = &status.epochs[0];
    assert_eq!((epoch.amount, epoch.fee), (Some(5 * RATE - FEE), Some(FEE)));
    assert_eq!(epoch.attestations.len(), 3);
    let pool = address::bytes(&town.pool_address);
    let payee = payout(&secret(1), &pool, EPOCH);
    assert_eq!(epoch.payout, Some(address::pubkey(&payee).to_string()));
    assert_eq!(
        town.ledger.lock().unwrap().holders,
        [(payee, 5 * RATE - FEE)]
    );
    assert_eq!(town.ledger.lock().unwrap().requests.len(), 1);
    // One key to every measurer, before and after.
    for all in servers.listings.lock().unwrap().values() {
        assert!(all.iter().all(|it| it == &listing), "{all:?}");
    }

    node.shutdown().await;
    let stored = status_from_store(folder.path()).await.unwrap();
    assert_eq!(stored.epochs, status.epochs);
    drop(std::net::UdpSocket::bind(listing.endpoint).unwrap());

    // Nothing that the RPC node was asked is about this operator.
    let nullifier = secret(1).nullifier(EPOCH).to_bytes();
    let commitment = secret(1).commitment().to_bytes();
    let own = [
        ("the payout address", address::pubkey(&payee)),
        (
            "the claim",
            address::claim(&town.program, &town.pool_address, EPOCH, &nullifier).0,
        ),
        (
            "the operator",
            address::operator(&town.program, &town.pool_address, &commitment).0,
        ),
    ];
    let asked = servers.asked.lock().unwrap().join("\n");
    assert!(asked.contains("getProgramAccounts"));
    for (name, key) in own {
        assert!(
            !asked.contains(&key.to_string()),
            "the RPC node was asked about {name}"
        );
    }
    for (name, value) in secrets(town) {
        assert!(
            !asked.contains(&hex::encode(value)),
            "the RPC node was told {name}"
        );
    }

    let log = log.0.lock().unwrap();
    let text = String::from_utf8_lossy(&log);
    assert!(text.contains("claim epoch=5 state=\"paid\""), "{text}");
    assert!(text.contains("the chain: works again"), "{text}");
    for (name, value) in secrets(town).into_iter().chain([
        ("the nullifier", nullifier.as_bytes().to_vec()),
        ("the payout address", payee.as_bytes().to_vec()),
    ]) {
        assert!(
            !contains(&log, hex::encode(&value).as_bytes()),
            "{name} is in the log"
        );
        assert!(
            !contains(&log, format!("{value:?}").as_bytes()),
            "{name} is in the log as a list"
        );
    }
    for (name, key) in own {
        assert!(!text.contains(&key.to_string()), "{name} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_comes_after_the_epoch_collects_and_claims_with_a_key_from_the_cache() {
    let end = now_ms() / 1_000 - 5;
    let servers = Servers::start(Town::at(end - 10, end, end + 40)).await;
    let folder = tempfile::tempdir().unwrap();
    let config = config(&servers, folder.path(), "127.0.0.1:0".parse().unwrap());
    let cache = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("params");
    // Made here, if no other test has made it.
    drop(prover());
    let node = Node::start(config, secret(1), ProverSource::Cache(cache))
        .await
        .unwrap();
    let status = until(&node, "a payment", |status| {
        state(status) == Some(Phase::Paid)
    })
    .await;
    assert!(status.epochs[0].listings.is_empty());
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_cant_start_says_why() {
    let servers = Servers::start(soon(60, 60)).await;
    let folder = tempfile::tempdir().unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let good = config(&servers, folder.path(), any);
    let refusal =
        async |config: NodeConfig, seed| match Node::start(config, secret(seed), prover()).await {
            Ok(_) => unreachable!("it must not start"),
            Err(error) => error,
        };

    let mut elsewhere = good.clone();
    elsewhere.pool = address::pubkey(&servers.town.pool.rules.mint);
    let error = refusal(elsewhere, 1).await;
    assert!(
        matches!(
            error,
            StartError::Pool(ReadError::Missing { what: "pool", .. })
        ),
        "{error}"
    );

    let mut everywhere = good.clone();
    everywhere.exit.listen = "0.0.0.0:0".parse().unwrap();
    let error = refusal(everywhere, 1).await.to_string();
    assert!(
        error.contains("say with `endpoint` at which public address"),
        "{error}"
    );

    let node = Node::start(good.clone(), secret(1), prover())
        .await
        .unwrap();
    let error = refusal(good.clone(), 1).await;
    assert!(
        matches!(error, StartError::Store(StoreError::InUse(_))),
        "{error}"
    );
    let taken = tempfile::tempdir().unwrap();
    let mut same_port = config(&servers, taken.path(), node.address());
    same_port.measurers = good.measurers.clone();
    let error = refusal(same_port, 1).await;
    assert!(matches!(error, StartError::Exit(_)), "{error}");
    node.shutdown().await;

    let error = refusal(good, 2).await;
    assert!(
        matches!(error, StartError::Store(StoreError::Foreign(_))),
        "{error}"
    );
}
