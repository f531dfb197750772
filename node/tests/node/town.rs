//! Everybody a node has to do with, kept in memory: three measurers with real keys, a registry, an epoch, a
//! relayer that verifies proofs, and a ledger that pays each nullifier once.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use solana_pubkey::Pubkey;
use veilpool_interface::{
    Books, Epoch, Parameters, Pool, Registry, Rules, address, class::default_table, reward,
};
use veilpool_node::{
    ProverSource,
    claim::{
        ChainView, ClaimRecord, Claimant, Measurers, Proven, Proving, Relayers, Trouble, World,
        effects::{NoProof, window_end},
        steps::Settings,
    },
    http::FetchError,
};
use veilpool_primitives::{
    AttestationSigner, MeasurerSecret, MeasurerSet, OperatorSecret, RegistryTree, claim as fold,
};
use veilpool_protocol::{
    AddressBytes, Bandwidth, CommitmentBytes, EpochId, FieldBytes, Latency, MeasurerCount, Metrics,
    SubjectBytes, Uptime, Zone,
    api::{ApiError, ClaimReceipt, ClaimRequest, EdKeyBytes, RelayerInfo, SignedAttestation},
    claim::Binding,
};
use veilpool_prover::{ClaimInputs, Prover, verify};

pub(crate) const START: i64 = 1_000_000;
pub(crate) const END: i64 = START + 600;
pub(crate) const SHUT: i64 = END + 1_200;
pub(crate) const RATE: u64 = 1_000;
pub(crate) const FEE: u64 = 70;
pub(crate) const EPOCH: EpochId = EpochId::new(5);
pub(crate) const RELAYER: &str = "relayer";

pub(crate) fn prover() -> Arc<Prover> {
    static PROVER: OnceLock<Arc<Prover>> = OnceLock::new();
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("params");
    let load = || Arc::new(Prover::load(MeasurerCount::Three, &cache, &mut |_, _| {}).unwrap());
    Arc::clone(PROVER.get_or_init(load))
}

pub(crate) fn secret(seed: u64) -> OperatorSecret {
    OperatorSecret::generate(&mut ChaCha20Rng::seed_from_u64(seed))
}

/// How a measurer behaves.
#[derive(Clone, Debug, Default)]
pub(crate) enum Manner {
    #[default]
    Honest,
    Silent,
    Forgetful,
    /// Its answer, changed.
    Says(Box<SignedAttestation>),
}

#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) claims: Vec<Pubkey>,
    pub(crate) holders: Vec<(AddressBytes, u64)>,
    pub(crate) requests: Vec<ClaimRequest>,
    pub(crate) leaves_asked: Vec<EpochId>,
    /// For how long claims have been paused.
    pub(crate) paused: u32,
}

pub(crate) struct Town {
    pub(crate) program: Pubkey,
    pub(crate) pool_address: Pubkey,
    pub(crate) pool: Pool,
    pub(crate) epoch: Epoch,
    pub(crate) signers: Vec<AttestationSigner>,
    pub(crate) leaves: Vec<CommitmentBytes>,
    pub(crate) metrics: Mutex<Metrics>,
    pub(crate) manners: Mutex<HashMap<String, Manner>>,
    pub(crate) fee: Mutex<u64>,
    /// What the relayer answers instead of doing its work, once each.
    pub(crate) moods: Mutex<Vec<FetchError>>,
    pub(crate) ledger: Mutex<Ledger>,
    pub(crate) proofs: AtomicU32,
}

pub(crate) fn good() -> Metrics {
    Metrics {
        bandwidth: Bandwidth::new(700),
        uptime: Uptime::new(141),
        latency: Latency::new(12),
        zone: Zone::new(0),
    }
}

pub(crate) fn measurer(slot: usize) -> String {
    format!("measurer-{slot}")
}

impl Town {
    /// Where the operator with seed 1 is registered among others.
    pub(crate) fn new() -> Self {
        Self::at(START, END, SHUT)
    }

    pub(crate) fn at(starts_at: i64, ends_at: i64, claim_until: i64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(99);
        let program = Pubkey::new_from_array([1; 32]);
        let pool_address = Pubkey::new_from_array([2; 32]);
        let mint = AddressBytes::new([3; 32]);
        let signers: Vec<AttestationSigner> = (0..3u8)
            .map(|i| {
                AttestationSigner::new(
                    MeasurerSecret::generate(&mut rng),
                    ed25519_dalek::SigningKey::from_bytes(&[40 + i; 32]),
                )
            })
            .collect();
        let keys: Vec<_> = signers
            .iter()
            .map(AttestationSigner::measurer_key)
            .collect();
        let (pool_bytes, program_bytes) = (address::bytes(&pool_address), address::bytes(&program));
        let domain = fold::domain(&[9; 32], &program_bytes, &pool_bytes);
        let set = MeasurerSet::new(keys).unwrap();
        let mut leaves: Vec<CommitmentBytes> = [7, 8, 1, 9]
            .map(|seed| secret(seed).commitment().to_bytes())
            .to_vec();
        // One has left before this epoch, and its account is closed.
        leaves.insert(1, CommitmentBytes::from_field(FieldBytes::ZERO));
        let tree = RegistryTree::from_leaves(leaves.iter().copied()).unwrap();
        let verifying_key = [5; 32];
        let epoch = Epoch {
            bump: 0,
            pool: pool_bytes,
            number: EPOCH,
            starts_at,
            ends_at,
            claim_until,
            paused_before: 0,
            registry_root: tree.root(),
            leaf_count: 5,
            operators: 4,
            set_hash: set.hash(domain),
            measurers: 3,
            verifying_key,
            rate: RATE,
            budget: 48 * RATE,
            reserved: 48 * RATE,
            claims: 0,
            rent_payer: AddressBytes::new([6; 32]),
            classes: default_table(),
        };
        let pool = Pool {
            rules: Rules {
                bump: 0,
                founder: AddressBytes::new([4; 32]),
                mint,
                vault: AddressBytes::new([10; 32]),
                bond_vault: AddressBytes::new([11; 32]),
                escrow_vault: AddressBytes::new([12; 32]),
                share_mint: AddressBytes::new([13; 32]),
                genesis_hash: [9; 32],
                domain,
                timelock_seconds: 1 << 20,
                authority: AddressBytes::new([4; 32]),
                next_authority: AddressBytes::new([0; 32]),
                set_hash: epoch.set_hash,
                verifying_key,
                parameters: Parameters {
                    bond_amount: 1,
                    epoch_seconds: u32::try_from(ends_at - starts_at).unwrap(),
                    claim_window_seconds: u32::try_from(claim_until - ends_at).unwrap(),
                    cooldown_seconds: 1 << 20,
                    challenge_seconds: 60,
                    rate_cap: RATE,
                    outflow_bps: 100,
                    hub_fee_cap_bps: 1_000,
                    slash_reward_bps: 2_500,
                    target_utilisation_bps: 5_000,
                    min_price: 1,
                    max_price: 1,
                },
            },
            books: Books {
                assets: 1 << 40,
                reserved: epoch.reserved,
                shares: 1,
                queued: 0,
                bonded: 4,
                escrowed: 0,
                operators: 4,
                next_epoch: EPOCH.next().unwrap(),
                latest_ends_at: ends_at,
                last_window: claim_until,
                price: 1,
                settled: 0,
                attested: 0,
                next_channel: 0,
                paused_until: 0,
                paused_seconds: 0,
                frozen: false,
                frozen_at: 0,
            },
            measurers: set.keys().iter().map(|key| key.to_bytes()).collect(),
            classes: default_table(),
            registry: Registry::empty().unwrap(),
        };
        Self {
            program,
            pool_address,
            pool,
            epoch,
            signers,
            leaves,
            metrics: Mutex::new(good()),
            manners: Mutex::default(),
            fee: Mutex::new(FEE),
            moods: Mutex::default(),
            ledger: Mutex::default(),
            proofs: AtomicU32::new(0),
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            program: self.program,
            pool: self.pool_address,
            mint: self.pool.rules.mint,
            domain: self.pool.rules.domain,
            measurers: (0..3).map(measurer).collect(),
            relayers: vec![RELAYER.to_owned()],
            max_fee: 100,
            max_class: None,
            claim_delay: 0.0..0.8,
            grace: 0.1,
            auto_claim: true,
        }
    }

    pub(crate) fn record(&self) -> ClaimRecord {
        let epoch = &self.epoch;
        let times = (epoch.starts_at, epoch.ends_at, epoch.claim_until);
        ClaimRecord::new(EPOCH, times, self.pool.measurers.clone())
    }

    pub(crate) fn behave(&self, slot: usize, manner: Manner) {
        self.manners.lock().unwrap().insert(measurer(slot), manner);
    }

    /// What the measurer of a slot signs.
    pub(crate) fn sign(&self, slot: usize, subject: SubjectBytes) -> SignedAttestation {
        let signer = &self.signers[slot];
        let mut rng = ChaCha20Rng::seed_from_u64(slot as u64);
        let metrics = *self.metrics.lock().unwrap();
        SignedAttestation {
            epoch: EPOCH,
            subject,
            attestation_key: signer.measurer_key().to_bytes(),
            ed25519_key: EdKeyBytes::new(signer.ed25519_key().to_bytes()),
            attestation: signer.sign(&self.pool.rules.domain, &subject, EPOCH, metrics, &mut rng),
        }
    }

    /// What a relayer and the program do with a claim.
    pub(crate) fn claim(&self, claim: &ClaimRequest) -> Result<ClaimReceipt, ApiError> {
        let mut ledger = self.ledger.lock().unwrap();
        ledger.requests.push(claim.clone());
        let at = address::claim(
            &self.program,
            &self.pool_address,
            claim.epoch,
            &claim.nullifier,
        )
        .0;
        if ledger.claims.contains(&at) {
            return Ok(ClaimReceipt {
                signature: None,
                amount: 0,
                fee: 0,
                compute_units: None,
            });
        }
        let refuse = |code: &str| ApiError {
            code: code.into(),
            message: "said the town's relayer".into(),
            retry: false,
        };
        let fee = *self.fee.lock().unwrap();
        if claim.max_fee < fee {
            return Err(refuse("fee_too_low"));
        }
        let binding = Binding {
            program: address::bytes(&self.program),
            pool: address::bytes(&self.pool_address),
            epoch: claim.epoch,
            class: claim.class,
            payout: claim.payout,
            mint: self.pool.rules.mint,
            relayer: relayer_address(),
            max_fee: claim.max_fee,
        };
        let input = self
            .epoch
            .public_input(claim.nullifier, &binding)
            .unwrap()
            .ok_or_else(|| refuse("UnknownClass"))?;
        verify(prover().verifying_key(), &input, &claim.proof)
            .map_err(|_| refuse("InvalidProof"))?;
        let weight = self.epoch.class(claim.class).unwrap().weight;
        let reward = reward::reward(weight, self.epoch.rate).unwrap();
        ledger.claims.push(at);
        ledger.holders.push((claim.payout, reward - fee));
        Ok(ClaimReceipt {
            signature: Some("5".repeat(88)),
            amount: reward - fee,
            fee,
            compute_units: Some(99_000),
        })
    }
}

pub(crate) fn relayer_address() -> AddressBytes {
    AddressBytes::new([77; 32])
}

pub(crate) fn unreachable(url: &str) -> FetchError {
    FetchError::Unreachable {
        url: url.to_owned(),
        reason: "nobody is there".to_owned(),
    }
}

pub(crate) fn refused(url: &str, code: &str, retry: bool) -> FetchError {
    FetchError::Refused {
        url: url.to_owned(),
        error: ApiError {
            code: code.to_owned(),
            message: "words of the server".to_owned(),
            retry,
        },
    }
}

/// The town as a claim sees it.
#[derive(Clone)]
pub(crate) struct View(pub(crate) Arc<Town>);

pub(crate) type TownClaimant = Claimant<View, View, View, View>;

pub(crate) fn claimant(town: &Arc<Town>, settings: Settings, seed: u64) -> TownClaimant {
    let view = || View(Arc::clone(town));
    Claimant {
        settings,
        secret: secret(seed),
        world: World {
            chain: view(),
            measurers: view(),
            relayers: view(),
            prover: view(),
        },
    }
}

impl ChainView for View {
    async fn epoch(&self, epoch: EpochId) -> Result<Option<Epoch>, Trouble> {
        Ok((epoch == EPOCH).then(|| self.0.epoch.clone()))
    }

    async fn window_end(&self, epoch: &Epoch) -> Result<i64, Trouble> {
        let mut pool = self.0.pool.clone();
        pool.books.paused_seconds = self.0.ledger.lock().unwrap().paused;
        Ok(window_end(&pool, epoch))
    }

    async fn leaves(&self, epoch: &Epoch) -> Result<Vec<CommitmentBytes>, Trouble> {
        self.0
            .ledger
            .lock()
            .unwrap()
            .leaves_asked
            .push(epoch.number);
        Ok(self.0.leaves.clone())
    }

    async fn claims(&self) -> Result<Vec<Pubkey>, Trouble> {
        Ok(self.0.ledger.lock().unwrap().claims.clone())
    }

    async fn holders(&self, mint: &AddressBytes) -> Result<Vec<(AddressBytes, u64)>, Trouble> {
        assert_eq!(*mint, self.0.pool.rules.mint);
        Ok(self.0.ledger.lock().unwrap().holders.clone())
    }
}

impl Measurers for View {
    async fn attestation(
        &self,
        url: &str,
        epoch: EpochId,
        subject: &SubjectBytes,
    ) -> Result<SignedAttestation, FetchError> {
        assert_eq!(epoch, EPOCH);
        let manner = self.0.manners.lock().unwrap().get(url).cloned();
        let slot: usize = url.trim_start_matches("measurer-").parse().unwrap();
        match manner.unwrap_or_default() {
            Manner::Honest => Ok(self.0.sign(slot, *subject)),
            Manner::Silent => Err(unreachable(url)),
            Manner::Forgetful => Err(refused(url, "unknown_subject", false)),
            Manner::Says(signed) => Ok(*signed),
        }
    }
}

impl Relayers for View {
    async fn info(&self, _: &str, pool: &AddressBytes) -> Result<RelayerInfo, FetchError> {
        Ok(RelayerInfo {
            version: "1".into(),
            relayer: relayer_address(),
            pool: *pool,
            fee: *self.0.fee.lock().unwrap(),
        })
    }

    async fn submit(&self, url: &str, claim: &ClaimRequest) -> Result<ClaimReceipt, FetchError> {
        let mood = self.0.moods.lock().unwrap().pop();
        match mood {
            Some(error) => Err(error),
            None => self.0.claim(claim).map_err(|error| FetchError::Refused {
                url: url.to_owned(),
                error,
            }),
        }
    }
}

impl Proving for View {
    async fn prove(&self, inputs: ClaimInputs) -> Result<Proven, NoProof> {
        self.0.proofs.fetch_add(1, Ordering::Relaxed);
        ProverSource::from(prover()).prove(inputs).await
    }
}

pub(crate) fn subject(byte: u8) -> SubjectBytes {
    SubjectBytes::from_field(FieldBytes::from_u128(u128::from(byte)))
}
