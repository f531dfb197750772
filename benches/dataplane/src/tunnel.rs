//! One end of a tunnel of ours, as a process of its own: reads what it is, starts, says so, and runs until nobody listens.

use std::{
    io::{self, BufRead, Read, Write},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use veilpool_dataplane::{Engine, Gate, Open, PolicyGate, Tun, Udp, Userspace, UserspaceConfig};
use veilpool_policy::Policy;
use veilpool_protocol::api::WireGuardKeyBytes;
use veilpool_tunnel::{PeerConfig, Peers, PeersConfig, StaticSecret};

/// What an end is. Its keys are of one measurement.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    /// Name of the TUN device; the mode without privileges otherwise.
    pub(crate) device: Option<String>,
    /// UDP port.
    pub(crate) port: u16,
    /// Secret key.
    pub(crate) secret: [u8; 32],
    /// Peers that are known beforehand.
    pub(crate) peers: Vec<Known>,
    /// Whether guests may go where the default policy lets them only, and how fast, in Mbit/s.
    pub(crate) guarded: Option<f64>,
}

/// A peer.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) public: [u8; 32],
    pub(crate) endpoint: Option<SocketAddr>,
    /// Inner network: address and length of its prefix.
    pub(crate) allowed: (IpAddr, u8),
}

/// Is that end.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut stdin = io::stdin().lock();
    let mut line = String::new();
    stdin.read_line(&mut line)?;
    let task: Task =
        serde_json::from_str(&line).context("this is run by dataplane-bench itself")?;
    let peers = Arc::new(Peers::new(
        StaticSecret::from(task.secret),
        PeersConfig {
            rate_limit: task.guarded,
            ..PeersConfig::default()
        },
    ));
    for known in &task.peers {
        let (address, length) = known.allowed;
        let config = PeerConfig {
            key: WireGuardKeyBytes::new(known.public),
            preshared: None,
            endpoint: known.endpoint,
            allowed: vec![format!("{address}/{length}").parse()?],
            keepalive: None,
        };
        peers
            .add(config, Instant::now())
            .map_err(|refusal| anyhow::anyhow!("a peer was refused: {refusal:?}"))?;
    }
    let gate: Arc<dyn Gate> = match task.guarded {
        Some(_) => Arc::new(PolicyGate::new(Policy::default())),
        None => Arc::new(Open),
    };
    let listen = SocketAddr::from(([0, 0, 0, 0], task.port));
    let (mut engine, mut userspace) = (None, None);
    match task.device {
        Some(device) => {
            let (tun, udp) = (Tun::create(&device, true)?, Udp::bind(listen, true)?);
            engine = Some(Engine::start(tun, udp, peers, gate)?);
        }
        None => {
            let config = UserspaceConfig {
                listen,
                offload: true,
                bounds: Default::default(),
            };
            userspace = Some(Userspace::start(config, peers, gate)?);
        }
    }
    println!("ready");
    io::stdout().flush()?;
    // Until whoever started it is gone.
    let _ = stdin.read_to_end(&mut Vec::new());
    drop((engine, userspace));
    Ok(())
}
