//! An operator's machine at home with an exit on it, a LAN, and an internet with a server, an uplink and guests.
//!
//! ```text
//! lan ── node ── router ── server
//!                  └────── guests
//! ```

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use veilpool_dataplane::{
    Engine, Gate, Open, Tun, Udp,
    namespace::{ExitConfig, ExitName, ExitNamespace},
};
use veilpool_policy::{HostNetworks, Policy};
use veilpool_protocol::api::WireGuardKeyBytes;
use veilpool_tunnel::{
    PeerConfig, Peers, PeersConfig, StaticSecret, inner_address, inner_address_v6,
};

use super::{
    ends::public,
    net::{Host, cable},
};

pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(93, 184, 216, 2);
pub(crate) const SERVER_V6: Ipv6Addr = Ipv6Addr::new(0x2606, 0x2800, 0x220, 1, 0, 0, 0, 2);
pub(crate) const NODE: Ipv4Addr = Ipv4Addr::new(81, 2, 69, 1);
pub(crate) const NODE_V6: Ipv6Addr = Ipv6Addr::new(0x2a02, 0xc207, 1, 0, 0, 0, 0, 1);
pub(crate) const NODE_LAN: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 1);
/// A home's devices have public addresses of IPv6.
pub(crate) const NODE_LAN_V6: Ipv6Addr = Ipv6Addr::new(0x2a02, 0xc207, 2, 0, 0, 0, 0, 1);
pub(crate) const LAN: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 2);
pub(crate) const LAN_V6: Ipv6Addr = Ipv6Addr::new(0x2a02, 0xc207, 2, 0, 0, 0, 0, 2);
pub(crate) const PORT: u16 = 51_820;
/// Where each host has a service.
pub(crate) const SERVICE: u16 = 8080;
/// How long something that must not come is waited for.
const PATIENCE: Duration = Duration::from_millis(1200);

/// Hosts.
pub(crate) struct World {
    pub(crate) node: Host,
    pub(crate) lan: Host,
    pub(crate) router: Host,
    pub(crate) server: Host,
}

impl World {
    pub(crate) fn new() -> Self {
        let (node, lan) = (Host::new(), Host::new());
        let (router, server) = (Host::new(), Host::new());
        cable(
            "lan",
            (&node, &["192.168.7.1/24", "2a02:c207:2::1/64"]),
            (&lan, &["192.168.7.2/24", "2a02:c207:2::2/64"]),
        );
        cable(
            "wan",
            (&node, &["81.2.69.1/24", "2a02:c207:1::1/64"]),
            (&router, &["81.2.69.254/24", "2a02:c207:1::fe/64"]),
        );
        cable(
            "srv",
            (&server, &["93.184.216.2/24", "2606:2800:220:1::2/64"]),
            (&router, &["93.184.216.1/24", "2606:2800:220:1::1/64"]),
        );
        default(&node, "81.2.69.254", "2a02:c207:1::fe");
        default(&server, "93.184.216.1", "2606:2800:220:1::1");
        default(&lan, "192.168.7.1", "2a02:c207:2::1");
        forwards(&router);
        for host in [&node, &lan, &server] {
            serve(host);
        }
        Self {
            node,
            lan,
            router,
            server,
        }
    }

    /// What an operator's node knows of its networks.
    pub(crate) fn networks() -> HostNetworks {
        let own: [IpAddr; 4] = [
            NODE.into(),
            NODE_V6.into(),
            NODE_LAN.into(),
            NODE_LAN_V6.into(),
        ];
        let links = [
            "81.2.69.0/24",
            "192.168.7.0/24",
            "2a02:c207:1::/64",
            "2a02:c207:2::/64",
        ];
        HostNetworks::new(own, links.map(|link| link.parse().unwrap()))
    }
}

pub(crate) fn config(name: &str, policy: Policy) -> ExitConfig {
    ExitConfig {
        name: ExitName::new(name).unwrap(),
        policy,
        ipv6: true,
        flows_per_guest: None,
        offload: true,
    }
}

/// A node that runs: its namespace and its engine.
pub(crate) struct Exit {
    // Ended first.
    _engine: Engine,
    pub(crate) peers: Arc<Peers>,
    pub(crate) namespace: ExitNamespace,
}

impl Exit {
    /// On a host. With an open gate the kernel alone keeps guests where they may be.
    pub(crate) fn start(host: &Host, config: &ExitConfig, secret: u8, gate: Arc<dyn Gate>) -> Self {
        Self::bounded(host, config, secret, gate, PeersConfig::default())
    }

    /// The same, with bounds.
    pub(crate) fn bounded(
        host: &Host,
        config: &ExitConfig,
        secret: u8,
        gate: Arc<dyn Gate>,
        bounds: PeersConfig,
    ) -> Self {
        let peers = Arc::new(Peers::new(StaticSecret::from([secret; 32]), bounds));
        let (namespace, tun) = host.enter(|| ExitNamespace::create(config)).unwrap();
        let listen = SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT));
        let udp = host.enter(|| Udp::bind(listen, true)).unwrap();
        let engine = Engine::start(tun, udp, Arc::clone(&peers), gate).unwrap();
        Self {
            _engine: engine,
            peers,
            namespace,
        }
    }

    /// With a policy, and a gate that lets everything through.
    pub(crate) fn kernel_alone(world: &World, policy: Policy) -> Self {
        Self::start(&world.node, &config("node", policy), 1, Arc::new(Open))
    }
}

/// A guest and its tunnel.
pub(crate) struct Guest {
    // Ended first.
    _engine: Engine,
    pub(crate) host: Host,
    pub(crate) v4: Ipv4Addr,
    pub(crate) v6: Ipv6Addr,
}

impl Guest {
    /// With a secret of its own, which is its number on the internet too.
    pub(crate) fn new(world: &World, secret: u8) -> Self {
        let host = Host::new();
        let (at, gateway) = (format!("151.101.{secret}.2"), format!("151.101.{secret}.1"));
        cable(
            &format!("g{secret}"),
            (&host, &[&format!("{at}/24")]),
            (&world.router, &[&format!("{gateway}/24")]),
        );
        // The tunnel's own datagrams go outside of it, and nothing else does, whatever address it is for.
        let port = PORT.to_string();
        host.ip(&[
            "rule", "add", "ipproto", "udp", "dport", &port, "lookup", "100",
        ]);
        host.ip(&["route", "add", "default", "via", &gateway, "table", "100"]);
        let (engine, v4, v6) = tunnel(&host, "vpn", secret, 1, (NODE, PORT).into());
        host.ip(&["route", "add", "default", "dev", "vpn"]);
        host.ip(&["-6", "route", "add", "default", "dev", "vpn"]);
        Self {
            _engine: engine,
            host,
            v4,
            v6,
        }
    }
}

/// A client's end on a host, with the addresses that its key has.
pub(crate) fn tunnel(
    host: &Host,
    device: &str,
    secret: u8,
    node: u8,
    endpoint: SocketAddr,
) -> (Engine, Ipv4Addr, Ipv6Addr) {
    let key = WireGuardKeyBytes::new(public([secret; 32]));
    let (v4, v6) = (inner_address(&key).unwrap(), inner_address_v6(&key));
    let peers = Peers::new(StaticSecret::from([secret; 32]), PeersConfig::default());
    let peer = PeerConfig {
        key: WireGuardKeyBytes::new(public([node; 32])),
        preshared: None,
        endpoint: Some(endpoint),
        allowed: ["0.0.0.0/0", "::/0"]
            .map(|all| all.parse().unwrap())
            .to_vec(),
        keepalive: None,
    };
    peers.add(peer, Instant::now()).unwrap();
    let listen = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let engine = host.enter(|| {
        let tun = Tun::create(device, true).unwrap();
        let udp = Udp::bind(listen, true).unwrap();
        Engine::start(tun, udp, Arc::new(peers), Arc::new(Open)).unwrap()
    });
    host.ip(&["addr", "add", &format!("{v4}/32"), "dev", device]);
    host.ip(&[
        "-6",
        "addr",
        "add",
        &format!("{v6}/128"),
        "dev",
        device,
        "nodad",
    ]);
    host.ip(&["link", "set", device, "up"]);
    (engine, v4, v6)
}

pub(crate) fn default(host: &Host, v4: &str, v6: &str) {
    host.ip(&["route", "add", "default", "via", v4]);
    host.ip(&["-6", "route", "add", "default", "via", v6]);
}

pub(crate) fn forwards(host: &Host) {
    for setting in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
        host.run("sysctl", &["-qw", setting]);
    }
}

/// By TCP what comes goes back; by UDP who sent it.
pub(crate) fn serve(host: &Host) {
    let any = (Ipv6Addr::UNSPECIFIED, SERVICE);
    let bind = || {
        (
            TcpListener::bind(any).unwrap(),
            UdpSocket::bind(any).unwrap(),
        )
    };
    serve_on(host.enter(bind));
}

pub(crate) fn serve_on((tcp, udp): (TcpListener, UdpSocket)) {
    thread::spawn(move || {
        for stream in tcp.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut echo = stream.try_clone().unwrap();
                std::io::copy(&mut stream, &mut echo)
            });
        }
    });
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((_, from)) = udp.recv_from(&mut buffer) {
            let said = from.ip().to_canonical().to_string();
            let _ = udp.send_to(said.as_bytes(), from);
        }
    });
}

/// What became of a connection: open and answered, or why not.
pub(crate) fn tcp(from: &Host, to: (IpAddr, u16)) -> std::io::Result<TcpStream> {
    let to = SocketAddr::from(to);
    let mut stream = from.enter(|| TcpStream::connect_timeout(&to, PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    say(&mut stream).map(|()| stream)
}

/// Says something to an echo and hears it.
pub(crate) fn say(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"hello")?;
    stream.read_exact(&mut [0; 5])
}

/// Who the far end says that it heard, if it heard anybody.
pub(crate) fn udp(from: &Host, to: (IpAddr, u16)) -> Option<IpAddr> {
    let any: IpAddr = match to.0 {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = from.enter(|| UdpSocket::bind((any, 0))).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.connect(to).ok()?;
    socket.send(b"who am I").ok()?;
    let mut buffer = [0; 64];
    let len = socket.recv(&mut buffer).ok()?;
    String::from_utf8_lossy(&buffer[..len]).parse().ok()
}

/// None of these is reached, neither by TCP nor by UDP.
#[track_caller]
pub(crate) fn out_of_reach(from: &Host, targets: &[IpAddr]) {
    let reached: Vec<String> = thread::scope(|scope| {
        let tries: Vec<_> = targets
            .iter()
            .map(|to| {
                scope.spawn(move || {
                    let stream = tcp(from, (*to, SERVICE)).is_ok();
                    let datagram = udp(from, (*to, SERVICE)).is_some();
                    (stream || datagram).then(|| format!("{to}: {stream} {datagram}"))
                })
            })
            .collect();
        let tries = tries.into_iter();
        tries.filter_map(|found| found.join().unwrap()).collect()
    });
    assert!(reached.is_empty(), "reached (TCP, UDP): {reached:?}");
}
