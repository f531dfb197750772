//! `veilpool node guest`: what an ordinary WireGuard app needs to go out through a node.

use std::{net::IpAddr, path::PathBuf};

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use veilpool_interface::address;
use veilpool_node::identity;
use veilpool_protocol::{EpochId, api::WireGuardKeyBytes};
use veilpool_tunnel::{
    PublicKey, StaticSecret,
    conf::{Conf, Dns, Endpoint, Interface, Mtu, PeerSection, qr},
    inner_address, inner_address_v6,
};
use zeroize::Zeroizing;

use crate::{cluster::PoolArguments, keys::PassphraseArguments, output::Output};

/// Writes a WireGuard configuration for a guest of this node, with a fresh key: for any WireGuard app, as a file or as
/// a QR code. It holds for one epoch, since a node's key changes with it.
#[derive(Debug, Args)]
pub(crate) struct Guest {
    #[command(flatten)]
    pool: PoolArguments,
    /// The operator's secret.
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    /// Which epoch.
    #[arg(long)]
    epoch: u32,
    /// Where the node is reached: HOST:PORT.
    #[arg(long, value_name = "ADDRESS")]
    endpoint: Endpoint,
    /// Resolvers for the guest; several, separated by commas.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "9.9.9.9,2620:fe::fe",
        value_name = "ADDRESSES"
    )]
    dns: Vec<IpAddr>,
    /// The new file. It holds a private key.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Shows the file as a QR code too, for a phone's app. Whoever sees it can use it.
    #[arg(long)]
    qr: bool,
}

#[derive(Serialize)]
struct Written {
    file: PathBuf,
    node: String,
}

pub(crate) fn run(arguments: &Guest, output: Output) -> anyhow::Result<()> {
    let secret = identity::read(&arguments.identity, arguments.passphrase.read()?.as_ref())?;
    let pool = address::bytes(&arguments.pool.pool);
    let epoch = EpochId::new(arguments.epoch);
    let node = veilpool_node::wireguard_key(&secret, &pool, epoch);
    let conf = configuration(&node, arguments)?;
    let mut text = Zeroizing::new(String::new());
    conf.write(&mut text);
    veilpool_keyfile::write_new(&arguments.out, text.as_bytes())?;
    let written = Written {
        file: arguments.out.clone(),
        node: hex::encode(node.as_bytes()),
    };
    let code = match arguments.qr {
        true => Some(qr(&conf).context("the configuration doesn't fit a QR code")?),
        false => None,
    };
    output.show(&written, || match &code {
        Some(code) => format!("{}\n{}", code.as_str(), written.file.display()),
        None => written.file.display().to_string(),
    })
}

fn configuration(node: &WireGuardKeyBytes, arguments: &Guest) -> anyhow::Result<Conf> {
    // Some keys have no inner address.
    let (private_key, addresses) = loop {
        let secret = StaticSecret::random_from_rng(rand::rngs::OsRng);
        let key = WireGuardKeyBytes::new(PublicKey::from(&secret).to_bytes());
        if let Some(v4) = inner_address(&key) {
            break (secret, [IpAddr::V4(v4), inner_address_v6(&key).into()]);
        }
    };
    Ok(Conf {
        interface: Interface {
            private_key,
            addresses: addresses.map(Into::into).to_vec(),
            dns: arguments.dns.iter().copied().map(Dns::Server).collect(),
            mtu: Some(Mtu::new(u16::try_from(veilpool_tunnel::INNER_MTU)?).context("the MTU")?),
            listen_port: None,
        },
        peers: vec![PeerSection {
            public_key: PublicKey::from(*node.as_bytes()),
            preshared_key: None,
            endpoint: Some(arguments.endpoint.clone()),
            allowed_ips: vec!["0.0.0.0/0".parse()?, "::/0".parse()?],
            persistent_keepalive: None,
        }],
    })
}
