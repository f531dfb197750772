//! Ends of a tunnel: ours, and wireguard-go with wg(8).

use std::{
    io::{Read, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use veilpool_dataplane::{Engine, Open, Tun, Udp};
use veilpool_protocol::api::WireGuardKeyBytes;
use veilpool_tunnel::{PeerConfig, Peers, PeersConfig, PublicKey, StaticSecret};

use super::net::Host;

/// wireguard-go keeps the source address that it used; when that is gone it looks for another after 15 seconds, and a
/// SYN is sent again after 15 or 31.
const CONNECT: Duration = Duration::from_secs(45);

/// What an end is told.
pub(crate) struct Setup<'a> {
    pub(crate) host: &'a Host,
    pub(crate) device: &'a str,
    pub(crate) port: u16,
    pub(crate) secret: [u8; 32],
    pub(crate) peer: [u8; 32],
    pub(crate) preshared: Option<[u8; 32]>,
    pub(crate) endpoint: Option<SocketAddr>,
    /// Inner addresses of this end.
    pub(crate) addresses: &'a [&'a str],
    /// Inner addresses of the peer.
    pub(crate) allowed: &'a [&'a str],
}

/// Which program an end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    OursWithoutOffload,
    WireguardGo,
}

/// A running end.
pub(crate) enum End {
    Ours { _engine: Engine },
    Program(Child),
}

impl End {
    pub(crate) fn start(kind: Kind, setup: &Setup<'_>) -> Self {
        let end = match kind {
            Kind::Ours => ours(setup, true),
            Kind::OursWithoutOffload => ours(setup, false),
            Kind::WireguardGo => wireguard_go(setup),
        };
        for address in setup.addresses {
            setup
                .host
                .ip(&["addr", "add", address, "dev", setup.device]);
        }
        setup
            .host
            .ip(&["link", "set", setup.device, "mtu", "1420", "up"]);
        for network in setup.allowed {
            let version = if network.contains(':') { "-6" } else { "-4" };
            setup.host.run(
                "ip",
                &[version, "route", "replace", network, "dev", setup.device],
            );
        }
        end
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if let Self::Program(child) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn ours(setup: &Setup<'_>, offload: bool) -> End {
    let peers = Arc::new(Peers::new(
        StaticSecret::from(setup.secret),
        PeersConfig::default(),
    ));
    let peer = PeerConfig {
        key: WireGuardKeyBytes::new(public(setup.peer)),
        preshared: setup.preshared,
        endpoint: setup.endpoint,
        allowed: setup
            .allowed
            .iter()
            .map(|text| text.parse().unwrap())
            .collect(),
        keepalive: None,
    };
    peers.add(peer, Instant::now()).unwrap();
    let listen = format!("[::]:{}", setup.port).parse().unwrap();
    let engine = setup.host.enter(|| {
        let tun = Tun::create(setup.device, offload).unwrap();
        let udp = Udp::bind(listen, offload).unwrap();
        Engine::start(tun, udp, peers, Arc::new(Open)).unwrap()
    });
    End::Ours { _engine: engine }
}

fn wireguard_go(setup: &Setup<'_>) -> End {
    let child = setup
        .host
        .command("wireguard-go")
        .args(["-f", setup.device])
        .env("LOG_LEVEL", "error")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = End::Program(child);
    let control = format!("/var/run/wireguard/{}.sock", setup.device);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !Path::new(&control).exists() {
        assert!(
            Instant::now() < deadline,
            "wireguard-go didn't start; `make test` installs it"
        );
        thread::sleep(Duration::from_millis(20));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, key: [u8; 32]| {
        let path = folder.path().join(name);
        std::fs::write(&path, STANDARD.encode(key)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (port, peer) = (setup.port.to_string(), STANDARD.encode(public(setup.peer)));
    let secret = file("secret", setup.secret);
    let mut arguments = vec!["set", setup.device, "listen-port", &port];
    arguments.extend(["private-key", &secret, "peer", &peer]);
    let preshared = setup.preshared.map(|key| file("preshared", key));
    if let Some(preshared) = &preshared {
        arguments.extend(["preshared-key", preshared]);
    }
    let endpoint = setup.endpoint.map(|endpoint| endpoint.to_string());
    if let Some(endpoint) = &endpoint {
        arguments.extend(["endpoint", endpoint]);
    }
    let allowed = setup.allowed.join(",");
    arguments.extend(["allowed-ips", &allowed]);
    setup.host.run("wg", &arguments);
    end
}

pub(crate) fn public(secret: [u8; 32]) -> [u8; 32] {
    PublicKey::from(&StaticSecret::from(secret)).to_bytes()
}

/// Sends so many bytes from one host to an address of another, and back; compares them.
pub(crate) fn carry(from: &Host, to: (&Host, SocketAddr), bytes: usize) {
    let sent: Vec<u8> = (0..bytes).map(|at| (at * 31 % 251) as u8).collect();
    let (host, address) = to;
    let listener = host.enter(|| std::net::TcpListener::bind(address)).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut got = vec![0; bytes];
        stream.read_exact(&mut got).unwrap();
        stream.write_all(&got).unwrap();
    });
    let mut stream = from
        .enter(|| std::net::TcpStream::connect_timeout(&address, CONNECT))
        .unwrap();
    for set in [
        std::net::TcpStream::set_read_timeout,
        std::net::TcpStream::set_write_timeout,
    ] {
        set(&stream, Some(Duration::from_secs(20))).unwrap();
    }
    let mut upload = stream.try_clone().unwrap();
    let copy = sent.clone();
    let sender = thread::spawn(move || upload.write_all(&copy).unwrap());
    let mut got = vec![0; bytes];
    stream.read_exact(&mut got).unwrap();
    sender.join().unwrap();
    server.join().unwrap();
    assert!(got == sent, "other bytes came back");
}
