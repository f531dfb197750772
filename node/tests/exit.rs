//! TCP and UDP through a real node on loopback, to servers that the test allows and to others.

#![allow(clippy::unwrap_used)]

use std::{
    net::{SocketAddr, SocketAddrV4},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UdpSocket},
    time::timeout,
};
use veilpool_node::exit::{Exit, ExitConfig, Policy};
use veilpool_tunnel::{Client, ClientConfig, StackConfig, StaticSecret};

const SOON: Duration = Duration::from_secs(20);

fn v4(address: SocketAddr) -> SocketAddrV4 {
    match address {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(_) => unreachable!("the test binds IPv4"),
    }
}

async fn start(allowed: Vec<SocketAddr>, rate_limit: Option<f64>) -> Exit {
    let mut config = ExitConfig::new("127.0.0.1:0".parse().unwrap());
    config.policy = Policy::new(allowed, [25]);
    config.bounds.rate_limit = rate_limit;
    let secret = StaticSecret::random_from_rng(rand::rngs::OsRng);
    Exit::start(secret, config).unwrap()
}

async fn client(exit: &Exit) -> Client {
    Client::open(ClientConfig {
        node_key: exit.public_key(),
        endpoint: exit.address(),
        stack: StackConfig::default(),
    })
    .await
    .unwrap()
}

async fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
                let _ = write.shutdown().await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tcp_goes_through_and_comes_back_whole() {
    let server = echo_server().await;
    let exit = start(vec![server], None).await;
    let client = client(&exit).await;
    let flow = client.connect_tcp(v4(server)).await.unwrap();
    let (sender, mut receiver) = flow.split();
    let sent: Vec<u8> = (0..1_000_000u32).map(|i| (i * 7 % 251) as u8).collect();
    let copy = sent.clone();
    tokio::spawn(async move {
        for chunk in copy.chunks(10_000) {
            sender.send(Bytes::copy_from_slice(chunk)).await.unwrap();
        }
    });
    let mut got = Vec::new();
    while let Some(data) = timeout(SOON, receiver.receive()).await.unwrap() {
        got.extend_from_slice(&data);
    }
    assert!(got == sent, "{} of {} bytes", got.len(), sent.len());
    let total = exit.meter().total();
    assert!(total.up > 1_000_000 && total.down > 1_000_000, "{total:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn udp_goes_through_and_comes_back() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0u8; 2000];
        while let Ok((len, from)) = server.recv_from(&mut buffer).await {
            let _ = server.send_to(&buffer[..len], from).await;
        }
    });
    let exit = start(vec![address], None).await;
    let mut client = client(&exit).await;
    client
        .send_udp(5000, v4(address), b"ping".to_vec())
        .await
        .unwrap();
    let answer = timeout(SOON, client.receive_udp()).await.unwrap().unwrap();
    assert_eq!((answer.source, answer.port), (v4(address), 5000));
    assert_eq!(answer.payload, b"ping");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n1_a_refused_tcp_connection_is_reset_and_reaches_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let forbidden = listener.local_addr().unwrap();
    let exit = start(vec![], None).await;
    let client = client(&exit).await;
    for destination in [
        v4(forbidden),
        v4(exit.address()),
        "10.64.0.1:80".parse().unwrap(),
        "169.254.169.254:80".parse().unwrap(),
        "192.168.0.1:80".parse().unwrap(),
        "1.1.1.1:25".parse().unwrap(),
    ] {
        let flow = client.connect_tcp(destination).await.unwrap();
        let (_sender, mut receiver) = flow.split();
        assert_eq!(timeout(SOON, receiver.receive()).await.unwrap(), None);
    }
    let nobody = timeout(Duration::from_millis(200), listener.accept()).await;
    assert!(nobody.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n1_a_refused_udp_datagram_is_dropped() {
    let forbidden = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = echo_server().await;
    let exit = start(vec![server], None).await;
    let client = client(&exit).await;
    let to = v4(forbidden.local_addr().unwrap());
    client.send_udp(5000, to, b"knock".to_vec()).await.unwrap();
    // A later flow that is allowed shows that the datagram had its chance.
    let (sender, mut receiver) = client.connect_tcp(v4(server)).await.unwrap().split();
    sender.send(Bytes::from_static(b"after")).await.unwrap();
    assert_eq!(
        timeout(SOON, receiver.receive()).await.unwrap().as_deref(),
        Some(&b"after"[..])
    );
    let mut buffer = [0u8; 10];
    assert!(forbidden.try_recv(&mut buffer).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_far_end_refuses_is_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let exit = start(vec![closed], None).await;
    let client = client(&exit).await;
    let (_sender, mut receiver) = client.connect_tcp(v4(closed)).await.unwrap().split();
    assert_eq!(timeout(SOON, receiver.receive()).await.unwrap(), None);
}

/// Mbit/s of a download and an upload through the node, several guests at a time.
async fn throughput(rate_limit: Option<f64>, guests: usize, megabytes: usize) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = listener.local_addr().unwrap();
    let size = megabytes * 1_000_000;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let block = vec![7u8; 64 << 10];
                let mut left = size;
                while left > 0 {
                    let now = left.min(block.len());
                    if stream.write_all(&block[..now]).await.is_err() {
                        return;
                    }
                    left -= now;
                }
                let _ = stream.shutdown().await;
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
            });
        }
    });
    let exit = start(vec![source], rate_limit).await;
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..guests {
        let client = client(&exit).await;
        tasks.push(tokio::spawn(async move {
            let (_sender, mut receiver) = client.connect_tcp(v4(source)).await.unwrap().split();
            let mut got = 0;
            while let Some(data) = timeout(SOON, receiver.receive()).await.unwrap() {
                got += data.len();
            }
            got
        }));
    }
    for task in tasks {
        assert_eq!(task.await.unwrap(), size);
    }
    (guests * size * 8) as f64 / 1e6 / started.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_guests_download_at_once() {
    let rate = throughput(None, 4, 20).await;
    println!("four guests, {rate:.0} Mbit/s in sum");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limit_holds_for_all_guests_together() {
    // Never faster than the limit plus a burst; how much slower depends on the machine.
    let rate = throughput(Some(16.0), 2, 2).await;
    println!("limited to 16: {rate:.1} Mbit/s in sum");
    assert!(rate <= 17.0, "{rate}");
}

async fn udp_echo() -> SocketAddr {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0u8; 2000];
        while let Ok((len, from)) = server.recv_from(&mut buffer).await {
            let _ = server.send_to(&buffer[..len], from).await;
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_pass_beside_a_download_that_takes_the_whole_rate() {
    const HEARTBEATS: u32 = 40;
    let echo = udp_echo().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let block = vec![7u8; 64 << 10];
        while stream.write_all(&block).await.is_ok() {}
    });
    let exit = start(vec![echo, source], Some(20.0)).await;
    let bulk = client(&exit).await;
    let (_sender, mut receiver) = bulk.connect_tcp(v4(source)).await.unwrap().split();
    let (full, mut is_full) = tokio::sync::watch::channel(0usize);
    let download = tokio::spawn(async move {
        while let Some(data) = receiver.receive().await {
            full.send_modify(|sum| *sum += data.len());
        }
    });
    // The bucket is empty from here on.
    is_full.wait_for(|sum| *sum > 250_000).await.unwrap();
    let mut heart = client(&exit).await;
    for beat in 0..HEARTBEATS {
        let payload = beat.to_le_bytes().to_vec();
        heart
            .send_udp(6000, v4(echo), payload.clone())
            .await
            .unwrap();
        let answer = timeout(SOON, heart.receive_udp()).await.unwrap().unwrap();
        assert_eq!(answer.payload, payload);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!download.is_finished());
    download.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_on_the_same_port_ends_the_sessions_of_the_old_one() {
    let server = echo_server().await;
    let exit = start(vec![server], None).await;
    let (address, old_key) = (exit.address(), exit.public_key());
    let old = client(&exit).await;
    let (sender, mut receiver) = old.connect_tcp(v4(server)).await.unwrap().split();
    sender.send(Bytes::from_static(b"one")).await.unwrap();
    assert_eq!(
        timeout(SOON, receiver.receive()).await.unwrap().as_deref(),
        Some(&b"one"[..])
    );

    let secret = StaticSecret::from([9; 32]);
    let expected = *veilpool_tunnel::PublicKey::from(&secret).as_bytes();
    let key = exit.rekey(secret);
    assert_eq!(key.as_bytes(), &expected);
    assert_eq!((exit.public_key(), exit.address()), (key, address));
    assert_ne!(key, old_key);

    sender.send(Bytes::from_static(b"two")).await.unwrap();
    let new = client(&exit).await;
    let (sender, mut answers) = new.connect_tcp(v4(server)).await.unwrap().split();
    sender.send(Bytes::from_static(b"three")).await.unwrap();
    assert_eq!(
        timeout(SOON, answers.receive()).await.unwrap().as_deref(),
        Some(&b"three"[..])
    );
    let late = timeout(Duration::from_millis(300), receiver.receive()).await;
    assert!(late.is_err(), "the old session is dead: {late:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_exit_has_left_its_port() {
    let server = echo_server().await;
    let exit = start(vec![server], None).await;
    let client = client(&exit).await;
    let (sender, mut receiver) = client.connect_tcp(v4(server)).await.unwrap().split();
    sender.send(Bytes::from_static(b"one")).await.unwrap();
    timeout(SOON, receiver.receive()).await.unwrap().unwrap();
    let address = exit.address();
    exit.stop().await;
    drop(std::net::UdpSocket::bind(address).unwrap());
    let again = Exit::start(StaticSecret::from([3; 32]), ExitConfig::new(address));
    assert_eq!(again.unwrap().address(), address);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n1_the_address_connected_to_is_judged_whatever_name_led_there() {
    // A name that the guest resolved to a server first, and to something inside a moment later
    // (DNS rebinding): the exit never sees names, and judges each connection's address.
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server: SocketAddr = ([127, 0, 0, 1], port).into();
    let exit = start(vec![server], None).await;
    let client = client(&exit).await;
    let (sender, _receiver) = client.connect_tcp(v4(server)).await.unwrap().split();
    sender.send(Bytes::from_static(b"hello")).await.unwrap();
    let (mut first, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
    let mut got = [0; 5];
    first.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"hello");

    for inside in ["127.0.0.2", "127.255.0.1", "10.0.0.1", "169.254.169.254"] {
        let again = SocketAddrV4::new(inside.parse().unwrap(), port);
        let (_sender, mut receiver) = client.connect_tcp(again).await.unwrap().split();
        assert_eq!(
            timeout(SOON, receiver.receive()).await.unwrap(),
            None,
            "{inside}"
        );
    }
    let nobody = timeout(Duration::from_millis(200), listener.accept()).await;
    assert!(nobody.is_err(), "{nobody:?}");
}

/// An IPv6 packet with a UDP datagram.
fn udp_v6(from: std::net::Ipv6Addr, to: std::net::SocketAddrV6, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap().to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, length[0], length[1], 17, 64];
    packet.extend_from_slice(&from.octets());
    packet.extend_from_slice(&to.ip().octets());
    packet.extend_from_slice(&5_000u16.to_be_bytes());
    packet.extend_from_slice(&to.port().to_be_bytes());
    packet.extend_from_slice(&length);
    let sum = |bytes: &[u8]| -> u32 {
        let pairs = bytes
            .chunks(2)
            .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)));
        pairs.sum()
    };
    // Pseudo-header, header and payload (RFC 8200, 8.1).
    let mut total = sum(&packet[8..]) + sum(&length) + 17 + sum(payload);
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    let checksum = !u16::try_from(total).unwrap();
    packet.extend_from_slice(&checksum.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n1_an_ipv6_packet_goes_nowhere_mapped_or_not() {
    use std::net::{Ipv6Addr, SocketAddrV6};
    use veilpool_tunnel::Initiator;

    let inside = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = inside.local_addr().unwrap().port();
    let echo = udp_echo().await;
    // Even where the IPv4 form is allowed.
    let exit = start(vec![echo, inside.local_addr().unwrap()], None).await;
    let mut end = Initiator::new(&exit.public_key(), &mut rand::rngs::OsRng);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(exit.address()).await.unwrap();
    let loopback = Ipv6Addr::LOCALHOST;
    let inner = end.address();
    let answer =
        veilpool_tunnel::packet::udp(SocketAddrV4::new(inner, 5_000), v4(echo), b"after").unwrap();
    let mut out = Vec::new();
    end.start_handshake(&mut out);
    let mut buffer = [0u8; 2_000];
    let mut asked = false;
    let got = loop {
        for (_, datagram) in out.drain(..) {
            socket.send(&datagram).await.unwrap();
        }
        let len = timeout(SOON, socket.recv(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        if let Some(inner) = end.receive(&buffer[..len], &mut out) {
            break inner;
        }
        if end.since_handshake().is_some() && !asked {
            asked = true;
            for to in [
                inner.to_ipv6_mapped(),
                Ipv6Addr::from([0, 0, 0, 0, 0, 0xffff, 0x7f00, 1]),
                loopback,
            ] {
                for from in [
                    inner.to_ipv6_mapped(),
                    loopback,
                    "2606:4700::1".parse().unwrap(),
                ] {
                    let to = SocketAddrV6::new(to, port, 0, 0);
                    end.send(udp_v6(from, to, b"knock"), &mut out);
                }
            }
            // An ordinary one, which shows that the others had their chance.
            end.send(answer.clone(), &mut out);
        }
    };
    assert!(got.ends_with(b"after"));
    assert_eq!(
        inside.try_recv(&mut buffer).unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock
    );
}
