//! What is there before anybody acts: chain, program, pool with its money, measurers' keys.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use rand::{Rng, RngCore};
use rand_chacha::ChaCha20Rng;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_chain::Chain;
use veilpool_coordinator::measurer::{Keys, Measurer, MeasurerConfig, ScheduleSecret};
use veilpool_interface::{Parameters, address, class::default_table, instruction::InitialisePool};
use veilpool_localnet::{Localnet, LocalnetConfig};
use veilpool_protocol::MeasurerCount;
use veilpool_prover::Prover;

use crate::{
    cluster::{self, LOCAL_MINT, LOCAL_PROGRAM},
    commands::localnet::genesis,
    output::Output,
};

/// One token in its smallest unit.
pub(super) const TOKEN: u64 = 1_000_000;
/// A bond.
pub(super) const BOND: u64 = 100 * TOKEN;
/// What the pool starts with.
pub(super) const LIQUIDITY: u64 = 100_000 * TOKEN;
/// What traffic costs at first: a hundredth of a token for a GiB, in millionths of the smallest unit for a MiB.
const PRICE: u64 = TOKEN / 100 * 1_000_000 / 1_024;
/// The relayer's fee.
pub(super) const FEE: u64 = TOKEN / 100;

/// The chain with a pool, its measurers, and the prover.
pub(super) struct Stage {
    pub(super) folder: PathBuf,
    pub(super) localnet: Localnet,
    pub(super) chain: Chain,
    pub(super) treasury: Keypair,
    pub(super) pool: Pubkey,
    pub(super) measurers: Vec<Measurer>,
    pub(super) prover: Arc<Prover>,
    pub(super) epoch_seconds: u32,
}

/// A key pair from the demo's randomness.
pub(super) fn keypair(rng: &mut ChaCha20Rng) -> Keypair {
    Keypair::new_from_array(rng.r#gen())
}

impl Stage {
    pub(super) async fn set(
        folder: &Path,
        cache: &Path,
        epoch_seconds: u32,
        rng: &mut ChaCha20Rng,
        output: Output,
    ) -> anyhow::Result<Self> {
        let bar = output.parameters_bar();
        let prover = {
            let cache = cache.to_owned();
            tokio::task::spawn_blocking(move || {
                Prover::load(MeasurerCount::Five, &cache, &mut |stage, at| {
                    bar.stage(stage, at)
                })
            })
            .await??
        };
        let treasury = keypair(rng);
        let mut seed = [0u8; 32];
        rng.fill_bytes(&mut seed);
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let localnet = Localnet::start(LocalnetConfig {
            seed: Some(seed),
            state: Some(folder.join("chain")),
            ..genesis(listen, &treasury)
        })
        .await?;
        let rpc = localnet.rpc_url();
        eprintln!(
            "· local chain at {rpc}, pool program {LOCAL_PROGRAM} (build that accepts development keys)"
        );
        let chain = Chain::new(rpc.clone(), LOCAL_PROGRAM);

        let keys: Vec<Keys> = (0..super::MEASURERS).map(|_| Keys::generate(rng)).collect();
        let rules = InitialisePool {
            measurers: keys.iter().map(Keys::attestation_key).collect(),
            classes: default_table(),
            parameters: Parameters {
                bond_amount: BOND,
                epoch_seconds,
                claim_window_seconds: 2 * epoch_seconds,
                cooldown_seconds: 3 * epoch_seconds,
                challenge_seconds: epoch_seconds,
                rate_cap: TOKEN,
                outflow_bps: 1_000,
                hub_fee_cap_bps: 1_000,
                slash_reward_bps: 2_500,
                target_utilisation_bps: 5_000,
                min_price: PRICE / 100,
                max_price: PRICE * 100,
            },
            timelock_seconds: 4 * epoch_seconds,
            authority: address::bytes(&treasury.pubkey()),
            price: PRICE,
            genesis_hash: chain.genesis_hash().await?,
        };
        let (pool, _) = cluster::initialise_pool(&chain, &treasury, &LOCAL_MINT, rules).await?;
        cluster::deposit(&chain, &pool, &treasury, LIQUIDITY, 0).await?;
        eprintln!("· pool {pool} with {} tokens", LIQUIDITY / TOKEN);

        let shared = ScheduleSecret::generate(rng).expose_bytes();
        let mut measurers = Vec::new();
        for (index, keys) in keys.into_iter().enumerate() {
            let config = MeasurerConfig {
                allow_private_endpoints: true,
                ..MeasurerConfig::new(
                    rpc.clone(),
                    LOCAL_PROGRAM,
                    pool,
                    folder.join(format!("measurer-{}", index + 1)),
                )
            };
            measurers
                .push(Measurer::start(config, keys, ScheduleSecret::from_bytes(&shared)?).await?);
        }
        eprintln!(
            "· {} measurers, each with keys and a reflector of its own",
            measurers.len()
        );
        Ok(Self {
            folder: folder.to_owned(),
            localnet,
            chain,
            pool,
            measurers,
            prover: Arc::new(prover),
            epoch_seconds,
            treasury,
        })
    }

    /// Gives a wallet what it needs: lamports for fees and rent, tokens for a bond.
    pub(super) async fn fund(&self, wallet: &Pubkey, tokens: u64) -> anyhow::Result<()> {
        let to = Some((LOCAL_MINT, tokens));
        cluster::fund(&self.chain, &self.treasury, wallet, 2_000_000_000, to).await?;
        Ok(())
    }

    pub(super) fn authority(&self) -> Pubkey {
        self.treasury.pubkey()
    }
}
