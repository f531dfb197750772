//! Who acts: relayer, keeper, and four nodes.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, bail};
use rand_chacha::ChaCha20Rng;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_coordinator::{
    keeper::{Keeper, KeeperConfig},
    relayer::{Relayer, RelayerConfig},
};
use veilpool_interface::Epoch;
use veilpool_node::{Node, NodeConfig, exit::Policy};
use veilpool_primitives::OperatorSecret;
use veilpool_protocol::{ClassId, EpochId, FieldBytes};

use super::stage::{BOND, FEE, Stage, TOKEN, keypair};
use crate::cluster;

/// What a node is like, and what must come of it.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) story: &'static str,
    /// Megabits per second of its uplink.
    rate_limit: f64,
    pub(super) drops_out: bool,
    pub(super) cheats: bool,
    /// The class that it must be paid for; `None` when it must not be paid.
    pub(super) class: Option<ClassId>,
}

/// The four nodes. Classes are rows of the default table: 130, 140, 143 slots by 10, 50, 200 Mbit/s.
const PARTS: [Part; 4] = [
    Part {
        name: "fast",
        story: "100 Mbit/s, steady",
        rate_limit: 100.0,
        drops_out: false,
        cheats: false,
        class: Some(ClassId::new(7)),
    },
    Part {
        name: "slow",
        story: "20 Mbit/s, steady",
        rate_limit: 20.0,
        drops_out: false,
        cheats: false,
        class: Some(ClassId::new(6)),
    },
    Part {
        name: "flaky",
        story: "100 Mbit/s, drops out",
        rate_limit: 100.0,
        drops_out: true,
        cheats: false,
        // Class 1 asks for more bandwidth and earns the same: of equals a node claims the one with the larger crowd.
        class: Some(ClassId::new(0)),
    },
    Part {
        name: "cheat",
        story: "20 Mbit/s, lies",
        rate_limit: 20.0,
        drops_out: false,
        cheats: true,
        class: None,
    },
];

/// A node with its operator.
pub(super) struct Actor {
    pub(super) part: &'static Part,
    pub(super) secret: OperatorSecret,
    pub(super) bonder: Pubkey,
    config: NodeConfig,
    pub(super) node: Option<Node>,
}

pub(super) struct Cast {
    pub(super) relayer: Relayer,
    pub(super) relayer_key: Pubkey,
    keeper_wallet: Option<Keypair>,
    pub(super) actors: Vec<Actor>,
}

pub(super) fn copy(secret: &OperatorSecret) -> anyhow::Result<OperatorSecret> {
    let field = FieldBytes::new(*secret.expose_bytes()).ok();
    field
        .and_then(OperatorSecret::from_field)
        .context("the secret's encoding is one")
}

/// A free port: the node takes the same one again after it dropped out.
fn free_port() -> anyhow::Result<SocketAddr> {
    Ok(std::net::UdpSocket::bind(("127.0.0.1", 0))?.local_addr()?)
}

impl Actor {
    /// Starts the node; again after it dropped out, with the state it had.
    pub(super) async fn start(&mut self, stage: &Stage) -> anyhow::Result<()> {
        let secret = copy(&self.secret)?;
        let node = Node::start(self.config.clone(), secret, stage.prover.clone()).await;
        self.node =
            Some(node.with_context(|| format!("the {} node did not start", self.part.name))?);
        Ok(())
    }

    /// Ends the node as a power cut does.
    pub(super) fn drop_out(&mut self) {
        self.node = None;
    }
}

impl Cast {
    pub(super) async fn enter(stage: &Stage, rng: &mut ChaCha20Rng) -> anyhow::Result<Self> {
        let rpc = stage.localnet.rpc_url();
        let program = *stage.chain.program();
        let relayer_wallet = keypair(rng);
        let relayer_key = relayer_wallet.pubkey();
        stage.fund(&relayer_key, 0).await?;
        let config = RelayerConfig {
            fee: FEE,
            ..RelayerConfig::new(rpc.clone(), program, stage.pool)
        };
        let relayer = Relayer::start(config, relayer_wallet).await?;
        eprintln!("· relayer, fee {} tokens", FEE as f64 / TOKEN as f64);
        let keeper_wallet = keypair(rng);
        stage.fund(&keeper_wallet.pubkey(), 0).await?;

        let reflectors = || {
            stage
                .measurers
                .iter()
                .map(|measurer| measurer.reflector_address())
        };
        let mut actors = Vec::new();
        for part in &PARTS {
            let secret = OperatorSecret::generate(rng);
            let wallet = keypair(rng);
            stage.fund(&wallet.pubkey(), BOND).await?;
            cluster::register(
                &stage.chain,
                &stage.pool,
                &wallet,
                secret.commitment().to_bytes(),
            )
            .await?;
            let listen = free_port()?;
            let state = stage.folder.join(format!("node-{}", part.name));
            let mut config = NodeConfig::new(rpc.clone(), program, stage.pool, state, listen);
            config.exit.bounds.rate_limit = Some(part.rate_limit);
            // Guests reach nothing of this machine but the measurers' reflectors.
            config.exit.policy = Policy::default().with_allowed(reflectors());
            config.measurers = stage
                .measurers
                .iter()
                .map(|measurer| format!("http://{}", measurer.api_address()))
                .collect();
            config.relayers = vec![format!("http://{}", relayer.address())];
            config.max_fee = FEE;
            config.claim_delay = 0.01..0.06;
            config.grace = 0.05;
            config.auto_claim = !part.cheats;
            let mut actor = Actor {
                part,
                secret,
                bonder: wallet.pubkey(),
                config,
                node: None,
            };
            actor.start(stage).await?;
            actors.push(actor);
        }
        eprintln!("· four operators bonded, four nodes on loopback: fast, slow, flaky, cheat");
        Ok(Self {
            relayer,
            relayer_key,
            keeper_wallet: Some(keeper_wallet),
            actors,
        })
    }

    /// Has the keeper open the first epoch, and ends it then: one epoch is enough here.
    pub(super) async fn open_epoch(&mut self, stage: &Stage) -> anyhow::Result<Epoch> {
        let wallet = self.keeper_wallet.take().context("the keeper comes once")?;
        let config =
            KeeperConfig::new(stage.localnet.rpc_url(), *stage.chain.program(), stage.pool);
        let keeper = Keeper::start(config, wallet).await?;
        for _ in 0..100 {
            if let Some(epoch) = stage.chain.epoch(&stage.pool, EpochId::new(0)).await? {
                keeper.shutdown().await;
                eprintln!(
                    "· keeper opened epoch 0: {} s, {} leaves frozen, up to {} tokens reserved",
                    stage.epoch_seconds,
                    epoch.leaf_count,
                    epoch.reserved / TOKEN
                );
                return Ok(epoch);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        bail!("the keeper opened no epoch within 20 seconds; see the log");
    }

    pub(super) async fn leave(self) {
        for actor in self.actors {
            if let Some(node) = actor.node {
                node.shutdown().await;
            }
        }
        self.relayer.shutdown().await;
    }
}
