//! Nodes that cheat, as the measurer sees them: an honest exit with a hostile box behind it, which is all
//! that a hostile node can be for whoever looks through its tunnel (attack M3).

use std::{
    collections::HashMap,
    net::{SocketAddr, SocketAddrV4},
    sync::Arc,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinHandle,
};
use veilpool_protocol::api::{RoundOutcome, SlotOutcome};

use super::{common::*, probing::SECONDS};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cheat {
    /// Answers by itself: heartbeats with bytes of a reply's length, downloads with zeros.
    Answer,
    /// Sends back what it gets, in both protocols.
    Echo,
    /// Answers every later heartbeat with the first one's reply, and every later download with the first one's bytes.
    Replay,
    /// Replaces a byte of each direction.
    Replace,
    /// Ends each flow after a while, and cuts heartbeats' replies short.
    Truncate,
}

struct Middlebox {
    address: SocketAddrV4,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Middlebox {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn start(cheat: Cheat, reflector: SocketAddr, udp: UdpSocket, tcp: TcpListener) -> Middlebox {
    let SocketAddr::V4(address) = tcp.local_addr().unwrap() else {
        unreachable!("bound to IPv4")
    };
    let tasks = [
        tokio::spawn(datagrams(cheat, reflector, Arc::new(udp))),
        tokio::spawn(flows(cheat, reflector, tcp)),
    ];
    Middlebox { address, tasks }
}

async fn datagrams(cheat: Cheat, reflector: SocketAddr, socket: Arc<UdpSocket>) {
    let mut buffer = [0; 2000];
    let mut first: Option<Vec<u8>> = None;
    let mut ways: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
        let request = buffer[..len].to_vec();
        match cheat {
            Cheat::Answer => drop(socket.send_to(&vec![7; len], from).await),
            Cheat::Echo => drop(socket.send_to(&request, from).await),
            Cheat::Replay | Cheat::Replace | Cheat::Truncate => {
                let way = match ways.get(&from) {
                    Some(way) => Arc::clone(way),
                    None => {
                        let way = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                        way.connect(reflector).await.unwrap();
                        Arc::clone(ways.entry(from).or_insert(Arc::new(way)))
                    }
                };
                if let (Cheat::Replay, Some(reply)) = (cheat, &first) {
                    let _ = socket.send_to(reply, from).await;
                    continue;
                }
                let _ = way.send(&request).await;
                let mut answer = [0; 2000];
                let Ok(len) = way.recv(&mut answer).await else {
                    continue;
                };
                let mut reply = answer[..len].to_vec();
                match cheat {
                    Cheat::Replace => reply[20] ^= 1,
                    Cheat::Truncate => reply.truncate(20),
                    _ => first = Some(reply.clone()),
                }
                let _ = socket.send_to(&reply, from).await;
            }
        }
    }
}

async fn flows(cheat: Cheat, reflector: SocketAddr, listener: TcpListener) {
    let first: Arc<std::sync::Mutex<Option<Vec<u8>>>> = Arc::default();
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(flow(cheat, reflector, stream, Arc::clone(&first)));
    }
}

async fn flow(
    cheat: Cheat,
    reflector: SocketAddr,
    guest: TcpStream,
    first: Arc<std::sync::Mutex<Option<Vec<u8>>>>,
) {
    let (mut from_guest, mut to_guest) = guest.into_split();
    let mut buffer = vec![0; 16 << 10];
    match cheat {
        Cheat::Answer => while to_guest.write_all(&buffer).await.is_ok() {},
        Cheat::Echo => drop(tokio::io::copy(&mut from_guest, &mut to_guest).await),
        Cheat::Replay | Cheat::Replace | Cheat::Truncate => {
            let far = TcpStream::connect(reflector).await.unwrap();
            let (mut from_far, mut to_far) = far.into_split();
            let up = tokio::spawn(async move {
                let mut buffer = vec![0; 16 << 10];
                let mut sent = 0;
                while let Ok(len @ 1..) = from_guest.read(&mut buffer).await {
                    // Beyond the hello, so that the session opens.
                    if cheat == Cheat::Replace && sent > 1_000 {
                        buffer[0] ^= 1;
                    }
                    sent += len;
                    if to_far.write_all(&buffer[..len]).await.is_err()
                        || cheat == Cheat::Truncate && sent > 20_000
                    {
                        return;
                    }
                }
            });
            let earlier = first.lock().unwrap().clone();
            if let (Cheat::Replay, Some(earlier)) = (cheat, earlier) {
                while to_guest.write_all(&earlier).await.is_ok() {}
                return;
            }
            let mut got = 0;
            while let Ok(len @ 1..) = from_far.read(&mut buffer).await {
                if cheat == Cheat::Replace && got > 1_000 {
                    buffer[0] ^= 1;
                }
                first
                    .lock()
                    .unwrap()
                    .get_or_insert_with(|| buffer[..len].to_vec());
                got += len;
                if to_guest.write_all(&buffer[..len]).await.is_err()
                    || cheat == Cheat::Truncate && got > 20_000
                {
                    break;
                }
            }
            drop(to_guest);
            let _ = up.await;
        }
    }
}

/// UDP and TCP on one port.
async fn ports() -> (UdpSocket, TcpListener) {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

async fn measured(cheat: Cheat, slots: SlotOutcome, rounds: &[RoundOutcome], spared: usize) {
    let world = World::new(now() + 1, SECONDS);
    let (udp, tcp) = ports().await;
    let SocketAddr::V4(front) = tcp.local_addr().unwrap() else {
        unreachable!("bound to IPv4")
    };
    let mut config = world.config();
    config.reflector_public = Some(front);
    let measurer = world.measurer_with(config).await;
    let hostile = start(cheat, measurer.reflector_address(), udp, tcp).await;
    let exit = exit(hostile.address.into(), Some(40.0)).await;
    list(&measurer, &listing(1, &exit)).await.unwrap();
    let metrics = attested(&measurer, 1).await.attestation.metrics;
    let report = results(&measurer, 1).await.unwrap();
    let answered = report
        .slots
        .iter()
        .filter(|slot| slot.outcome.round_trip().is_some())
        .count();
    assert!(answered <= spared, "{cheat:?}: {answered}");
    let fitting = report
        .slots
        .iter()
        .filter(|slot| slot.outcome == slots)
        .count();
    assert!(fitting > 100, "{cheat:?}: {:?}", measurer.status());
    assert_eq!(usize::from(metrics.uptime.get()), answered);
    // Two rounds of three decide.
    let expected = |round: &&veilpool_protocol::api::RoundResult| rounds.contains(&round.outcome);
    let failed = report.rounds.iter().filter(expected).count();
    assert!(failed >= 2, "{cheat:?}: {:?}", report.rounds);
    assert_eq!(metrics.bandwidth.get(), 0, "{cheat:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m3_a_node_that_answers_echoes_replays_replaces_or_truncates_gets_nothing() {
    let (forged, truncated) = (&[RoundOutcome::Forged][..], &[RoundOutcome::Truncated][..]);
    tokio::join!(
        measured(Cheat::Answer, SlotOutcome::Forged, forged, 0),
        measured(Cheat::Echo, SlotOutcome::Forged, forged, 0),
        // The first heartbeat was honest; its reply is nobody else's. So was the first download.
        measured(Cheat::Replay, SlotOutcome::Asymmetric, forged, 1),
        measured(Cheat::Replace, SlotOutcome::Forged, forged, 0),
        measured(Cheat::Truncate, SlotOutcome::Forged, truncated, 0),
    );
}
