//! Both ends of a tunnel in a lab.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use veilpool_tunnel::{PublicKey, StaticSecret};

use crate::{
    entrant::{Entrant, Peer},
    lab::{Lab, NODE, Namespace, SERVER, control},
    process::Running,
    tunnel::{Known, Task},
};

/// Where the exit listens.
pub(crate) const PORT: u16 = 51820;
/// How long an end may take to be there, and both to know one another.
const WITHIN: Duration = Duration::from_secs(15);
/// WireGuard's usual MTU.
const MTU: &str = "1420";
/// The client's inner address.
const INNER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
/// The node's inner address.
const INNER_NODE: &str = "10.9.0.2/24";
/// Inner addresses of guests that nobody configured, see `veilpool_tunnel::inner_address`.
const GUESTS: &str = "10.64.0.0/10";

/// What the exit does beside forwarding; ours only.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Duties {
    /// The default policy, and a limit in Mbit/s for each peer.
    pub(crate) guarded: Option<f64>,
    /// Peers that are configured and silent.
    pub(crate) idle: u16,
}

/// Running ends.
pub(crate) struct Ends {
    client: Option<Running>,
    exit: Option<Running>,
    /// The exit's public key.
    pub(crate) key: [u8; 32],
}

impl Ends {
    /// Starts both, and waits until the client reaches the server.
    pub(crate) fn start(
        lab: &Lab,
        client: &Entrant,
        exit: &Entrant,
        duties: Duties,
    ) -> anyhow::Result<Self> {
        let secrets: [[u8; 32]; 2] = rand::random();
        let [client_key, exit_key] = secrets.map(public);
        if *exit == Entrant::Nothing {
            lab.client.ip(&[
                "route",
                "add",
                &network_of(SERVER),
                "via",
                &NODE.to_string(),
            ])?;
            reach(lab)?;
            return Ok(Self {
                client: None,
                exit: None,
                key: exit_key,
            });
        }
        let mut peers = vec![Known {
            public: client_key,
            endpoint: None,
            allowed: (INNER.into(), 32),
        }];
        peers.extend((0..duties.idle).map(|number| {
            let [high, low] = number.to_be_bytes();
            Known {
                public: public(rand::random()),
                endpoint: None,
                allowed: (Ipv4Addr::new(10, 10, high, low).into(), 32),
            }
        }));
        let to_exit = Known {
            public: exit_key,
            endpoint: Some(SocketAddr::from((NODE, PORT))),
            allowed: (IpAddr::from(Ipv4Addr::UNSPECIFIED), 0),
        };
        let device = format!("n{}", lab.tag);
        let task = Task {
            device: Some(device.clone()),
            port: PORT,
            secret: secrets[1],
            peers,
            guarded: duties.guarded,
        };
        let exit_process = start(&lab.node, exit, task)?;
        if *exit != Entrant::Userspace {
            up(&lab.node, &device, INNER_NODE)?;
            lab.node.ip(&["route", "add", GUESTS, "dev", &device])?;
        }
        let device = format!("c{}", lab.tag);
        let task = Task {
            device: Some(device.clone()),
            port: PORT + 1,
            secret: secrets[0],
            peers: vec![to_exit],
            guarded: None,
        };
        let client_process = start(&lab.client, client, task)?;
        up(&lab.client, &device, &format!("{INNER}/32"))?;
        lab.client
            .ip(&["route", "add", &network_of(SERVER), "dev", &device])?;
        reach(lab).map_err(|error| error.context(format!("{client} → {exit}")))?;
        Ok(Self {
            client: Some(client_process),
            exit: Some(exit_process),
            key: exit_key,
        })
    }

    /// Number of the client's process.
    pub(crate) fn client(&self) -> Option<u32> {
        self.client.as_ref().map(Running::pid)
    }

    /// Number of the exit's process.
    pub(crate) fn exit(&self) -> Option<u32> {
        self.exit.as_ref().map(Running::pid)
    }
}

fn network_of(address: Ipv4Addr) -> String {
    let [a, b, c, _] = address.octets();
    format!("{a}.{b}.{c}.0/24")
}

fn public(secret: [u8; 32]) -> [u8; 32] {
    PublicKey::from(&StaticSecret::from(secret)).to_bytes()
}

fn start(host: &Namespace, entrant: &Entrant, mut task: Task) -> anyhow::Result<Running> {
    match entrant {
        Entrant::Peer(peer) => start_peer(host, peer, &task),
        _ => {
            if *entrant == Entrant::Userspace {
                task.device = None;
            }
            Running::start_ours(
                &mut host.ourselves("tunnel"),
                &serde_json::to_string(&task)?,
            )
        }
    }
}

fn start_peer(host: &Namespace, peer: &Peer, task: &Task) -> anyhow::Result<Running> {
    let device = task.device.clone().unwrap_or_default();
    let mut running = Running::start(&mut peer.command(host, &device))?;
    let deadline = Instant::now() + WITHIN;
    while !control(&device).exists() {
        ensure!(
            running.is_running() && Instant::now() < deadline,
            "{} didn't start",
            peer.path.display()
        );
        thread::sleep(Duration::from_millis(20));
    }
    let port = task.port.to_string();
    let mut arguments: Vec<String> = [
        "set",
        &device,
        "listen-port",
        &port,
        "private-key",
        "/dev/stdin",
    ]
    .map(str::to_owned)
    .into();
    for known in &task.peers {
        arguments.extend(["peer".to_owned(), STANDARD.encode(known.public)]);
        if let Some(endpoint) = known.endpoint {
            arguments.extend(["endpoint".to_owned(), endpoint.to_string()]);
        }
        let (address, length) = known.allowed;
        arguments.extend(["allowed-ips".to_owned(), format!("{address}/{length}")]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    host.feed("wg", &arguments, &(STANDARD.encode(task.secret) + "\n"))?;
    Ok(running)
}

fn up(host: &Namespace, device: &str, address: &str) -> anyhow::Result<()> {
    host.ip(&["addr", "add", address, "dev", device])?;
    host.ip(&["link", "set", device, "mtu", MTU, "up"])
}

/// Until the server answers.
fn reach(lab: &Lab) -> anyhow::Result<()> {
    let deadline = Instant::now() + WITHIN;
    let address = SERVER.to_string();
    while let Err(error) = lab
        .client
        .run("ping", &["-n", "-q", "-c", "1", "-W", "1", &address])
    {
        if Instant::now() > deadline {
            return Err(error.context("the server can't be reached through the tunnel"));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
