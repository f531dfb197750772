//! A chain in memory, and what the tests share.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rand::{SeedableRng, rngs::StdRng};
use serde::{Serialize, de::DeserializeOwned};
use solana_rpc_client_api::client_error::ErrorKind;
use veilpool_chain::{ReadError, Receipt, SendError, TokenAccount};
use veilpool_coordinator::{
    Ledger, Measurer, MeasurerConfig,
    measurer::{Keys, ScheduleSecret},
};
use veilpool_interface::{
    Books, Claim, Epoch, Operator, Parameters, Pool, PoolInstruction, Registry, Rules, Withdrawal,
    address, builder, class::default_table,
};
use veilpool_node::exit::{Exit, ExitConfig, Policy};
use veilpool_protocol::{
    AddressBytes, CommitmentBytes, DomainBytes, EpochId, FieldBytes, MeasurerKeyBytes,
    NullifierBytes, RegistryRootBytes, SetHashBytes, SubjectBytes,
    api::{ApiError, ListingReceipt, ListingRequest, ResultsReport, SignedAttestation},
};
use veilpool_tunnel::StaticSecret;

use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

pub(crate) const EPOCH: EpochId = EpochId::new(7);

pub(crate) fn field(i: u128) -> FieldBytes {
    FieldBytes::from_u128(i)
}

pub(crate) fn subject(i: u128) -> SubjectBytes {
    SubjectBytes::from_field(field(i))
}

pub(crate) fn domain() -> DomainBytes {
    DomainBytes::from_field(field(1234))
}

pub(crate) fn keys(seed: u64) -> Keys {
    Keys::generate(&mut StdRng::seed_from_u64(seed))
}

pub(crate) fn schedule() -> ScheduleSecret {
    ScheduleSecret::generate(&mut StdRng::seed_from_u64(99))
}

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

pub(crate) fn program() -> Pubkey {
    Pubkey::new_from_array([11; 32])
}

pub(crate) fn pool_address() -> Pubkey {
    Pubkey::new_from_array([12; 32])
}

pub(crate) fn pool(measurers: Vec<MeasurerKeyBytes>, epoch_seconds: u32) -> Pool {
    let mut registry = Registry::empty().unwrap();
    registry
        .append(&CommitmentBytes::from_field(field(5)))
        .unwrap();
    Pool {
        rules: Rules {
            bump: 1,
            founder: AddressBytes::new([1; 32]),
            mint: AddressBytes::new([2; 32]),
            vault: AddressBytes::new([3; 32]),
            bond_vault: AddressBytes::new([4; 32]),
            escrow_vault: AddressBytes::new([5; 32]),
            share_mint: AddressBytes::new([6; 32]),
            genesis_hash: [5; 32],
            domain: domain(),
            timelock_seconds: 4 * epoch_seconds,
            authority: AddressBytes::new([1; 32]),
            next_authority: AddressBytes::new([0; 32]),
            set_hash: SetHashBytes::from_field(field(6)),
            verifying_key: [7; 32],
            parameters: parameters(epoch_seconds, 2 * epoch_seconds),
        },
        books: Books {
            assets: 1_000_000,
            reserved: 0,
            shares: 0,
            queued: 0,
            bonded: 1,
            escrowed: 0,
            operators: 1,
            next_epoch: EPOCH.next().unwrap(),
            latest_ends_at: 0,
            last_window: 0,
            price: 8,
            settled: 0,
            attested: 0,
            next_channel: 0,
            paused_until: 0,
            paused_seconds: 0,
            frozen: false,
            frozen_at: 0,
        },
        measurers,
        classes: default_table(),
        registry,
    }
}

/// Valid with a timelock of four epochs.
pub(crate) fn parameters(epoch_seconds: u32, claim_window_seconds: u32) -> Parameters {
    Parameters {
        bond_amount: 1_000,
        epoch_seconds,
        claim_window_seconds,
        cooldown_seconds: claim_window_seconds + epoch_seconds,
        challenge_seconds: 60,
        rate_cap: 1_000,
        outflow_bps: 100,
        hub_fee_cap_bps: 1_000,
        slash_reward_bps: 2_500,
        target_utilisation_bps: 5_000,
        min_price: 8,
        max_price: 1_000_000,
    }
}

pub(crate) fn epoch(number: EpochId, starts_at: i64, seconds: i64) -> Epoch {
    Epoch {
        bump: 1,
        pool: address::bytes(&pool_address()),
        number,
        starts_at,
        ends_at: starts_at + seconds,
        claim_until: starts_at + 3 * seconds,
        paused_before: 0,
        registry_root: RegistryRootBytes::from_field(field(8)),
        leaf_count: 1,
        operators: 1,
        set_hash: SetHashBytes::from_field(field(6)),
        measurers: 3,
        verifying_key: [7; 32],
        rate: 1_000,
        budget: 12_000,
        reserved: 12_000,
        claims: 0,
        rent_payer: AddressBytes::new([9; 32]),
        classes: default_table(),
    }
}

/// What the chain in memory holds, and what was sent to it.
pub(crate) struct Book {
    pub(crate) pool: Pool,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) withdrawals: Vec<Withdrawal>,
    pub(crate) operators: Vec<Operator>,
    /// Token accounts that exist.
    pub(crate) accounts: Vec<Pubkey>,
    /// For how many accounts each question for several was.
    pub(crate) asked: Vec<usize>,
    pub(crate) now: Option<i64>,
    pub(crate) down: bool,
    pub(crate) refusals: Vec<SendError>,
    pub(crate) sent: Vec<Vec<Instruction>>,
}

/// A chain in memory. Reading its pool waits while `gate` is held.
#[derive(Clone)]
pub(crate) struct TestLedger {
    book: Arc<Mutex<Book>>,
    pub(crate) gate: Arc<tokio::sync::Mutex<()>>,
}

impl TestLedger {
    pub(crate) fn new(pool: Pool, epochs: Vec<Epoch>) -> Self {
        let book = Book {
            pool,
            epochs,
            claims: Vec::new(),
            withdrawals: Vec::new(),
            operators: Vec::new(),
            accounts: Vec::new(),
            asked: Vec::new(),
            now: None,
            down: false,
            refusals: Vec::new(),
            sent: Vec::new(),
        };
        Self {
            book: Arc::new(Mutex::new(book)),
            gate: Arc::default(),
        }
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    fn up(&self) -> Result<MutexGuard<'_, Book>, ReadError> {
        let book = self.book();
        if book.down {
            return Err(ReadError::Unreachable {
                url: "http://chain.invalid".into(),
                source: Box::new(ErrorKind::Custom("down for the test".into()).into()),
            });
        }
        Ok(book)
    }
}

impl Ledger for TestLedger {
    async fn pool(&self) -> Result<Pool, ReadError> {
        drop(self.gate.lock().await);
        Ok(self.up()?.pool.clone())
    }

    async fn epoch(&self, epoch: EpochId) -> Result<Option<Epoch>, ReadError> {
        let book = self.up()?;
        Ok(book.epochs.iter().find(|e| e.number == epoch).cloned())
    }

    async fn epochs(&self) -> Result<Vec<Epoch>, ReadError> {
        Ok(self.up()?.epochs.clone())
    }

    async fn claim(&self, epoch: EpochId, nf: &NullifierBytes) -> Result<Option<Claim>, ReadError> {
        let book = self.up()?;
        Ok(book
            .claims
            .iter()
            .find(|claim| (claim.epoch, &claim.nullifier) == (epoch, nf))
            .cloned())
    }

    async fn claims(&self) -> Result<Vec<Claim>, ReadError> {
        Ok(self.up()?.claims.clone())
    }

    async fn withdrawals(&self) -> Result<Vec<Withdrawal>, ReadError> {
        Ok(self.up()?.withdrawals.clone())
    }

    async fn operators(&self) -> Result<Vec<Operator>, ReadError> {
        Ok(self.up()?.operators.clone())
    }

    async fn now(&self) -> Result<i64, ReadError> {
        Ok(self.up()?.now.unwrap_or_else(now))
    }

    async fn token_account(&self, address: &Pubkey) -> Result<Option<TokenAccount>, ReadError> {
        let exists = self.up()?.accounts.contains(address);
        Ok(exists.then_some(TokenAccount {
            mint: Pubkey::new_from_array([2; 32]),
            holder: *address,
            amount: 0,
        }))
    }

    async fn token_accounts(
        &self,
        addresses: &[Pubkey],
    ) -> Result<Vec<Option<TokenAccount>>, ReadError> {
        self.up()?.asked.push(addresses.len());
        let mut all = Vec::new();
        for address in addresses {
            all.push(self.token_account(address).await?);
        }
        Ok(all)
    }

    async fn send(
        &self,
        _: &Keypair,
        instructions: &[Instruction],
        _: u32,
    ) -> Result<Receipt, SendError> {
        let mut book = self.up()?;
        if let Some(refusal) = book.refusals.pop() {
            return Err(refusal);
        }
        for instruction in instructions {
            let decoded = PoolInstruction::decode(&instruction.data);
            if let Ok(PoolInstruction::Claim(arguments)) = decoded {
                let Some(epoch) = book
                    .epochs
                    .iter_mut()
                    .find(|it| it.number == arguments.epoch)
                else {
                    continue;
                };
                // As the program does: more claims than operators freeze, and nothing is paid.
                if epoch.claims >= epoch.operators {
                    book.pool.books.frozen = true;
                    continue;
                }
                epoch.claims += 1;
                let claim = Claim {
                    bump: 1,
                    pool: address::bytes(&pool_address()),
                    epoch: arguments.epoch,
                    nullifier: arguments.nullifier,
                    claim_until: epoch.deadline(),
                    rent_payer: AddressBytes::new([9; 32]),
                };
                book.claims.push(claim);
            }
        }
        book.sent.push(instructions.to_vec());
        Ok(Receipt {
            signature: Signature::from([3; 64]),
            compute_units: Some(90_000),
        })
    }
}

/// A measurer with its chain and its state.
pub(crate) struct World {
    pub(crate) ledger: TestLedger,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) const SEED: u64 = 1;

impl World {
    /// One epoch, of three measurers.
    pub(crate) fn new(starts_at: i64, seconds: i64) -> Self {
        let measurers = (SEED..SEED + 3).map(|seed| keys(seed).attestation_key());
        let pool = pool(measurers.collect(), u32::try_from(seconds).unwrap());
        let ledger = TestLedger::new(pool, vec![epoch(EPOCH, starts_at, seconds)]);
        Self {
            ledger,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn config(&self) -> MeasurerConfig {
        self.config_at(self.folder.path())
    }

    pub(crate) fn config_at(&self, state: &Path) -> MeasurerConfig {
        let mut config = MeasurerConfig::new("", program(), pool_address(), state);
        config.allow_private_endpoints = true;
        config
    }

    pub(crate) async fn measurer(&self) -> Measurer {
        self.measurer_with(self.config()).await
    }

    pub(crate) async fn measurer_with(&self, config: MeasurerConfig) -> Measurer {
        let measurer = Measurer::start_with(config, keys(SEED), schedule(), self.ledger.clone())
            .await
            .unwrap();
        until(|| !measurer.status().epochs.is_empty()).await;
        measurer
    }
}

pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain");
}

pub(crate) async fn exit(allowed: SocketAddr, rate_limit: Option<f64>) -> Exit {
    let mut config = ExitConfig::new("127.0.0.1:0".parse().unwrap());
    config.policy = Policy::new([allowed], [25]);
    config.bounds.rate_limit = rate_limit;
    let secret = StaticSecret::random_from_rng(rand::rngs::OsRng);
    Exit::start(secret, config).unwrap()
}

pub(crate) fn listing(who: u128, exit: &Exit) -> ListingRequest {
    ListingRequest {
        epoch: EPOCH,
        subject: subject(who),
        wireguard_key: exit.public_key(),
        endpoint: exit.address(),
    }
}

/// An answer, or the status and code of its refusal.
pub(crate) type Answer<T> = Result<T, (u16, ApiError)>;

async fn answer<T: DeserializeOwned>(response: reqwest::Response) -> Answer<T> {
    let status = response.status();
    let body = response.bytes().await.unwrap();
    if status.is_success() {
        return Ok(serde_json::from_slice(&body).unwrap());
    }
    let error = serde_json::from_slice(&body)
        .unwrap_or_else(|_| panic!("{status}: a refusal without a code"));
    Err((status.as_u16(), error))
}

pub(crate) async fn get<T: DeserializeOwned>(server: SocketAddr, path: &str) -> Answer<T> {
    answer(
        reqwest::get(format!("http://{server}{path}"))
            .await
            .unwrap(),
    )
    .await
}

pub(crate) async fn post<T: DeserializeOwned>(
    server: SocketAddr,
    path: &str,
    body: impl Into<reqwest::Body>,
) -> Answer<T> {
    let request = reqwest::Client::new().post(format!("http://{server}{path}"));
    answer(request.body(body).send().await.unwrap()).await
}

pub(crate) async fn post_json<T: DeserializeOwned>(
    server: SocketAddr,
    path: &str,
    message: &impl Serialize,
) -> Answer<T> {
    post(server, path, serde_json::to_vec(message).unwrap()).await
}

pub(crate) async fn list(measurer: &Measurer, request: &ListingRequest) -> Answer<ListingReceipt> {
    post_json(measurer.api_address(), "/v1/listings", request).await
}

fn path(what: &str, who: u128) -> String {
    format!(
        "/v1/{what}/{EPOCH}/{}",
        hex::encode(subject(who).as_bytes())
    )
}

pub(crate) async fn results(measurer: &Measurer, who: u128) -> Answer<ResultsReport> {
    get(measurer.api_address(), &path("results", who)).await
}

pub(crate) async fn attestation(measurer: &Measurer, who: u128) -> Answer<SignedAttestation> {
    get(measurer.api_address(), &path("attestations", who)).await
}

/// Waits for the epoch's end and the signature.
pub(crate) async fn attested(measurer: &Measurer, who: u128) -> SignedAttestation {
    loop {
        match attestation(measurer, who).await {
            Ok(signed) => return signed,
            Err((_, error)) => assert_eq!((error.code.as_str(), error.retry), ("not_ready", true)),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Code and whether to try again.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Answer<T>) -> (u16, String, bool) {
    let (status, error) = answer.unwrap_err();
    (status, error.code, error.retry)
}

pub(crate) fn refusal(status: u16, code: &str, retry: bool) -> (u16, String, bool) {
    (status, code.to_owned(), retry)
}

/// The epoch's instruction to open, for comparisons.
pub(crate) fn opening(payer: &Pubkey, epoch: EpochId) -> Instruction {
    builder::open_epoch(&program(), &pool_address(), payer, epoch)
}
