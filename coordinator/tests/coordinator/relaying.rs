//! What a relayer submits, what it signs, and what it refuses, with a real proof.

use std::{path::PathBuf, sync::LazyLock};

use rand::{SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};
use solana_instruction::error::InstructionError;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_transaction_error::TransactionError;
use veilpool_chain::SendError;
use veilpool_coordinator::{
    Relayer, RelayerConfig,
    measurer::Keys,
    relayer::{
        check::{Checked, Rejection, Terms, check},
        submit,
    },
};
use veilpool_interface::{Epoch, Pool, PoolError, address, builder, instruction::ClaimArguments};
use veilpool_primitives::{
    AttestationSigner, MeasurerSecret, MeasurerSet, OperatorSecret, RegistryTree,
};
use veilpool_protocol::{
    AddressBytes, Bandwidth, ClassId, CommitmentBytes, EpochId, Latency, MeasurerCount, Metrics,
    NullifierBytes, ProofBytes, Uptime, Zone,
    api::{ClaimReceipt, ClaimRequest, RelayerInfo},
};
use veilpool_prover::{AttestationDocument, ClaimInputs, Prover};

use super::common::*;

pub(crate) const FEE: u64 = 30;
const MAX_FEE: u64 = 50;
const ENDS_AT: i64 = 1_000;
/// The default table's best class: weight 12.
const CLASS: ClassId = ClassId::new(8);

pub(crate) fn relayer() -> Keypair {
    Keypair::new_from_array([42; 32])
}

/// A claim with its epoch, proven once for all tests of the process.
pub(crate) struct Proven {
    pub(crate) pool: Pool,
    pub(crate) epoch: Epoch,
    pub(crate) request: ClaimRequest,
    pub(crate) operator: Operator,
}

pub(crate) static PROVEN: LazyLock<Proven> = LazyLock::new(|| {
    let operator = Operator::new(3);
    let mut epoch = epoch(EPOCH, ENDS_AT - 100, 100);
    epoch.registry_root = operator.tree.root();
    epoch.set_hash = measurer_set().hash(domain());
    epoch.verifying_key = Sha256::digest(include_bytes!("../../../params/claim-n3-v2.vk")).into();
    let measurers = signers().iter().map(Keys::attestation_key).collect();
    let pool = pool(measurers, 100);
    let request = operator.claim(&terms(), &pool, &epoch);
    Proven {
        pool,
        epoch,
        request,
        operator,
    }
});

fn signers() -> Vec<Keys> {
    (SEED..SEED + 3).map(keys).collect()
}

fn measurer_set() -> MeasurerSet {
    let keys: Vec<_> = signers().iter().map(Keys::attestation_key).collect();
    MeasurerSet::from_bytes(&keys).unwrap()
}

/// The only operator of a pool.
pub(crate) struct Operator {
    seed: u64,
    tree: RegistryTree,
}

impl Operator {
    pub(crate) fn new(seed: u64) -> Self {
        let leaf = secret(seed).commitment().to_bytes();
        let tree = RegistryTree::from_leaves([leaf]).unwrap();
        Self { seed, tree }
    }

    pub(crate) fn commitment(&self) -> CommitmentBytes {
        secret(self.seed).commitment().to_bytes()
    }

    /// What must never be seen where the claim is: secret, commitment and subject.
    pub(crate) fn identity(&self, epoch: EpochId) -> [[u8; 32]; 3] {
        let secret = secret(self.seed);
        [
            *secret.expose_bytes(),
            *self.commitment().as_bytes(),
            *secret.subject(epoch).to_bytes().as_bytes(),
        ]
    }

    /// The best class, attested by all three measurers and proven.
    pub(crate) fn claim(&self, terms: &Terms, pool: &Pool, epoch: &Epoch) -> ClaimRequest {
        let secret = secret(self.seed);
        let number = epoch.number;
        let metrics = Metrics {
            bandwidth: Bandwidth::new(3_000),
            uptime: Uptime::new(144),
            latency: Latency::new(20),
            zone: Zone::new(0),
        };
        let subject = secret.subject(number).to_bytes();
        let attest = |keys: &Keys| {
            let signer = signer(keys);
            let rng = &mut rand::rngs::OsRng;
            let signed = signer.sign(&pool.rules.domain, &subject, number, metrics, rng);
            Some(AttestationDocument::from(&signed))
        };
        let attestations: Vec<_> = signers().iter().map(attest).collect();
        let payout = secret.payout_key(&address::bytes(&terms.pool), number);
        let mut request = ClaimRequest {
            pool: address::bytes(&terms.pool),
            epoch: number,
            class: CLASS,
            nullifier: secret.nullifier(number).to_bytes(),
            payout: AddressBytes::new(payout.verifying_key().to_bytes()),
            max_fee: MAX_FEE,
            proof: ProofBytes::new([0; 256]),
        };
        let binding = builder::claim_binding(
            &terms.program,
            &terms.pool,
            &address::pubkey(&pool.rules.mint),
            &terms.relayer,
            &arguments(&request),
        );
        let claimed = epoch.public_inputs(request.nullifier, &binding).unwrap();
        let path = self.tree.path(0).unwrap();
        let inputs = ClaimInputs::new(
            claimed,
            pool.rules.domain,
            path,
            measurer_set(),
            &attestations,
            secret,
        )
        .unwrap();
        let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("params");
        let prover = Prover::load(MeasurerCount::Three, &cache, &mut |_, _| {}).unwrap();
        let proof = prover
            .prove(&inputs, &mut StdRng::seed_from_u64(5))
            .unwrap();
        request.proof = proof.to_bytes();
        request
    }
}

fn secret(seed: u64) -> OperatorSecret {
    OperatorSecret::generate(&mut StdRng::seed_from_u64(seed))
}

/// A measurer's signing keys, from its file's bytes.
fn signer(keys: &Keys) -> AttestationSigner {
    let bytes = keys.expose_bytes();
    AttestationSigner::new(
        MeasurerSecret::from_entropy(bytes[..64].try_into().unwrap()),
        ed25519_dalek::SigningKey::from_bytes(bytes[64..].try_into().unwrap()),
    )
}

fn arguments(request: &ClaimRequest) -> ClaimArguments {
    ClaimArguments {
        epoch: request.epoch,
        class: request.class,
        nullifier: request.nullifier,
        payout: request.payout,
        max_fee: request.max_fee,
        fee: FEE,
        proof: request.proof,
    }
}

fn terms() -> Terms {
    Terms {
        program: program(),
        pool: pool_address(),
        relayer: relayer().pubkey(),
        fee: FEE,
    }
}

fn checked(request: &ClaimRequest, epoch: &Epoch, now: i64) -> Result<Checked, Rejection> {
    check(&terms(), &PROVEN.pool, Some(epoch), now, request)
}

#[test]
fn a_valid_claim_is_accepted_for_the_whole_of_its_window() {
    let Proven { epoch, request, .. } = &*PROVEN;
    let expected = Checked {
        arguments: arguments(request),
        verifying_key: epoch.verifying_key,
        amount: 12 * 1_000 - FEE,
    };
    for now in [epoch.ends_at, epoch.claim_until - 1] {
        assert_eq!(checked(request, epoch, now).as_ref(), Ok(&expected));
    }
}

#[test]
fn each_refusal_has_its_code() {
    let Proven {
        pool,
        epoch,
        request,
        ..
    } = &*PROVEN;
    let case = |change: &dyn Fn(&mut ClaimRequest)| {
        let mut request = request.clone();
        change(&mut request);
        checked(&request, epoch, ENDS_AT).unwrap_err().code()
    };
    assert_eq!(case(&|r| r.pool = AddressBytes::new([9; 32])), "wrong_pool");
    assert_eq!(case(&|r| r.epoch = EpochId::new(8)), "unknown_epoch");
    assert_eq!(case(&|r| r.class = ClassId::new(9)), "UnknownClass");
    assert_eq!(case(&|r| r.max_fee = FEE - 1), "fee_too_low");
    assert_eq!(
        case(&|r| r.payout = address::bytes(&relayer().pubkey())),
        "own_payout"
    );
    assert_eq!(
        case(&|r| r.proof = ProofBytes::new([1; 256])),
        "MalformedProof"
    );
    // Bound to something else.
    assert_eq!(case(&|r| r.class = ClassId::new(7)), "InvalidProof");
    assert_eq!(case(&|r| r.max_fee = MAX_FEE + 1), "InvalidProof");
    assert_eq!(
        case(&|r| r.payout = AddressBytes::new([9; 32])),
        "InvalidProof"
    );
    let other = NullifierBytes::from_field(field(1));
    assert_eq!(case(&|r| r.nullifier = other), "InvalidProof");

    let code = |epoch: &Epoch, now| checked(request, epoch, now).unwrap_err().code();
    assert_eq!(code(epoch, ENDS_AT - 1), "EpochNotEnded");
    assert_eq!(code(epoch, epoch.claim_until), "ClaimWindowShut");
    let mut changed = epoch.clone();
    changed.verifying_key = [0; 32];
    assert_eq!(code(&changed, ENDS_AT), "unknown_verifying_key");
    changed = epoch.clone();
    changed.rate = 1;
    assert_eq!(code(&changed, ENDS_AT), "FeeTooHigh");
    changed.rate = u64::MAX;
    assert_eq!(code(&changed, ENDS_AT), "Arithmetic");
    changed = epoch.clone();
    changed.registry_root = pool.registry.root;
    assert_eq!(code(&changed, ENDS_AT), "InvalidProof");

    // In the program's order: frozen, too early, shut, paused.
    let mut stopped = pool.clone();
    let code = |pool: &Pool, now| {
        check(&terms(), pool, Some(epoch), now, request)
            .map_err(|rejection| rejection.code())
            .map(|_| ())
    };
    stopped.books.paused_until = ENDS_AT + 50;
    stopped.books.paused_seconds = 60;
    assert_eq!(code(&stopped, ENDS_AT - 1), Err("EpochNotEnded"));
    assert_eq!(code(&stopped, ENDS_AT + 49), Err("ClaimsPaused"));
    // A pause eats nothing of the window.
    let shut = epoch.claim_until + 60;
    assert_eq!(code(&stopped, ENDS_AT + 50), Ok(()));
    assert_eq!(code(&stopped, shut - 1), Ok(()));
    assert_eq!(code(&stopped, shut), Err("ClaimWindowShut"));
    stopped.books.frozen = true;
    for now in [ENDS_AT - 1, ENDS_AT + 49, shut] {
        assert_eq!(code(&stopped, now), Err("ClaimsFrozen"));
    }

    let unknown = check(&terms(), pool, None, ENDS_AT, request).unwrap_err();
    assert_eq!(unknown, Rejection::UnknownEpoch(EPOCH));
    // Another relayer's proof.
    let mut stolen = terms();
    stolen.relayer = Pubkey::new_from_array([77; 32]);
    let refused = check(&stolen, pool, Some(epoch), ENDS_AT, request).unwrap_err();
    assert_eq!(refused, Rejection::Program(PoolError::InvalidProof));
}

#[test]
fn l2_no_key_of_the_operator_is_in_the_claims_transaction() {
    let Proven {
        pool,
        epoch,
        request,
        operator,
    } = &*PROVEN;
    let claim = checked(request, epoch, ENDS_AT).unwrap();
    let mint = address::pubkey(&pool.rules.mint);
    let me = relayer().pubkey();
    let instructions = submit::instructions(&terms(), &mint, &claim);
    let message = Message::new(&instructions, Some(&me));
    let signers = usize::from(message.header.num_required_signatures);
    assert_eq!(message.account_keys[..signers], [me]);
    // Every account, by name: those of the claim, those of the payee's new account, and no other.
    let payee = address::pubkey(&request.payout);
    let mut expected = vec![
        me,
        payee,
        submit::token_account(&payee, &mint),
        submit::token_account(&me, &mint),
        pool_address(),
        mint,
        address::vault(&program(), &pool_address()).0,
        address::epoch(&program(), &pool_address(), EPOCH).0,
        address::claim(&program(), &pool_address(), EPOCH, &request.nullifier).0,
        address::key(&program(), &epoch.verifying_key).0,
        program(),
        address::TOKEN_PROGRAM,
        builder::SYSTEM_PROGRAM,
        Pubkey::new_from_array(spl_associated_token_account_interface::program::ID.to_bytes()),
    ];
    let mut accounts = message.account_keys.clone();
    expected.sort();
    accounts.sort();
    assert_eq!(accounts, expected);
    // Nothing that joins it with the operator's registration or with what measurers saw.
    let bytes = message.serialize();
    for known in operator.identity(EPOCH) {
        assert!(!bytes.windows(32).any(|window| window == known));
    }
    // The payee is a key that the chain has never seen and whose owner doesn't sign.
    assert!(message.account_keys[signers..].contains(&payee));
}

pub(crate) async fn start(ledger: &TestLedger) -> Relayer {
    ledger.book().now = Some(ENDS_AT);
    let mut config = RelayerConfig::new("", program(), pool_address());
    config.fee = FEE;
    let relayer = Relayer::start_with(config, relayer(), ledger.clone())
        .await
        .unwrap();
    until(|| relayer.status().ready).await;
    relayer
}

pub(crate) fn chain() -> TestLedger {
    TestLedger::new(PROVEN.pool.clone(), vec![PROVEN.epoch.clone()])
}

pub(crate) async fn claim(relayer: &Relayer, request: &ClaimRequest) -> Answer<ClaimReceipt> {
    post_json(relayer.address(), "/v1/claims", request).await
}

#[tokio::test]
async fn a_claim_is_submitted_once_and_its_receipt_given_again() {
    let ledger = chain();
    let relayer = start(&ledger).await;
    let info: RelayerInfo = get(relayer.address(), "/v1/info").await.unwrap();
    assert_eq!(info.fee, FEE);
    assert_eq!(address::pubkey(&info.relayer), self::relayer().pubkey());
    assert_eq!(address::pubkey(&info.pool), pool_address());
    let receipt = claim(&relayer, &PROVEN.request).await.unwrap();
    assert!(receipt.signature.is_some());
    assert_eq!((receipt.amount, receipt.fee), (12_000 - FEE, FEE));
    assert_eq!(receipt.compute_units, Some(90_000));
    // The answer may have been lost on the way.
    assert_eq!(claim(&relayer, &PROVEN.request).await.unwrap(), receipt);
    let status = relayer.status();
    assert_eq!((status.paid, status.fees), (1, FEE));
    relayer.shutdown().await;
    // Its own account first, then the claim: two transactions, no third.
    let sent = ledger.book().sent.clone();
    assert_eq!(sent.len(), 2);
    let claim_of = checked(&PROVEN.request, &PROVEN.epoch, ENDS_AT).unwrap();
    let mint = address::pubkey(&PROVEN.pool.rules.mint);
    assert_eq!(sent[1], submit::instructions(&terms(), &mint, &claim_of));
}

#[tokio::test]
async fn a_claim_that_another_relayer_has_paid_gets_a_receipt_without_a_signature() {
    let ledger = chain();
    let first = start(&ledger).await;
    claim(&first, &PROVEN.request).await.unwrap();
    first.shutdown().await;
    let relayer = start(&ledger).await;
    let receipt = claim(&relayer, &PROVEN.request).await.unwrap();
    assert_eq!((receipt.signature, receipt.amount), (None, 12_000 - FEE));
    assert_eq!(relayer.status().paid, 0);
    // Only for whoever has the proof.
    let mut other = PROVEN.request.clone();
    other.payout = AddressBytes::new([9; 32]);
    assert_eq!(
        refused(claim(&relayer, &other).await),
        refusal(422, "InvalidProof", false)
    );
}

#[tokio::test]
async fn a_false_claim_costs_the_relayer_nothing() {
    let ledger = chain();
    let relayer = start(&ledger).await;
    let before = ledger.book().sent.len();
    let mut request = PROVEN.request.clone();
    request.class = ClassId::new(7);
    assert_eq!(
        refused(claim(&relayer, &request).await),
        refusal(422, "InvalidProof", false)
    );
    ledger.book().now = Some(ENDS_AT - 1);
    assert_eq!(
        refused(claim(&relayer, &PROVEN.request).await),
        refusal(425, "EpochNotEnded", true)
    );
    ledger.book().now = Some(PROVEN.epoch.claim_until);
    assert_eq!(
        refused(claim(&relayer, &PROVEN.request).await),
        refusal(410, "ClaimWindowShut", false)
    );
    request.epoch = EpochId::new(6);
    assert_eq!(
        refused(claim(&relayer, &request).await),
        refusal(404, "unknown_epoch", false)
    );
    request.epoch = EpochId::new(8);
    assert_eq!(
        refused(claim(&relayer, &request).await),
        refusal(404, "unknown_epoch", true)
    );
    assert_eq!(ledger.book().sent.len(), before);
    assert_eq!(relayer.status().refused["InvalidProof"], 1);
}

#[tokio::test]
async fn p9_a_claim_that_freezes_the_pool_is_not_taken_for_paid() {
    let ledger = chain();
    ledger.book().epochs[0].claims = 1;
    let relayer = start(&ledger).await;
    // The program accepts the transaction, pays nothing and freezes claims; from then on they are refused.
    for _ in 0..2 {
        assert_eq!(
            refused(claim(&relayer, &PROVEN.request).await),
            refusal(503, "ClaimsFrozen", true)
        );
    }
    assert_eq!(relayer.status().paid, 0);
    let sent = ledger.book().sent.len();
    assert_eq!(sent, 2, "the relayer's account and one claim");
}

#[tokio::test]
async fn what_the_chain_says_comes_back_by_its_code() {
    let ledger = chain();
    let relayer = start(&ledger).await;
    let runtime = |source| SendError::Runtime {
        source,
        logs: Vec::new(),
    };
    for (error, expected) in [
        (
            SendError::Refused {
                reason: PoolError::WrongTokenAccount,
                logs: Vec::new(),
            },
            refusal(422, "WrongTokenAccount", false),
        ),
        (
            SendError::Refused {
                reason: PoolError::ClaimsPaused,
                logs: Vec::new(),
            },
            refusal(503, "ClaimsPaused", true),
        ),
        (
            SendError::Expired(solana_signature::Signature::default()),
            refusal(503, "expired", true),
        ),
        (
            runtime(TransactionError::InsufficientFundsForFee),
            refusal(503, "relayer_out_of_funds", true),
        ),
        (
            runtime(TransactionError::InstructionError(
                1,
                InstructionError::InvalidAccountData,
            )),
            refusal(422, "chain_refused", false),
        ),
    ] {
        ledger.book().refusals.push(error);
        assert_eq!(refused(claim(&relayer, &PROVEN.request).await), expected);
    }
    // Another relayer was faster.
    ledger.book().refusals.push(SendError::Refused {
        reason: PoolError::AlreadyClaimed,
        logs: Vec::new(),
    });
    let receipt = claim(&relayer, &PROVEN.request).await.unwrap();
    assert_eq!(receipt.signature, None);
    ledger.book().down = true;
    assert_eq!(
        refused(claim(&relayer, &PROVEN.request).await),
        refusal(503, "chain_unavailable", true)
    );
    ledger.book().down = false;
    assert!(
        claim(&relayer, &PROVEN.request)
            .await
            .unwrap()
            .signature
            .is_some()
    );
}

#[tokio::test]
async fn oversized_and_malformed_claims_are_refused() {
    let ledger = chain();
    let relayer = start(&ledger).await;
    let server = relayer.address();
    assert_eq!(
        refused(post::<()>(server, "/v1/claims", vec![b'{'; 9_000]).await),
        refusal(413, "too_large", false)
    );
    let mut message = serde_json::to_value(&PROVEN.request).unwrap();
    message["nullifier"] = hex::encode([0xff; 32]).into();
    assert_eq!(
        refused(post_json::<()>(server, "/v1/claims", &message).await),
        refusal(400, "malformed", false)
    );
    let whole = serde_json::to_vec(&PROVEN.request).unwrap();
    for len in [0, 1, whole.len() / 2, whole.len() - 1] {
        assert_eq!(
            refused(post::<()>(server, "/v1/claims", whole[..len].to_vec()).await),
            refusal(400, "malformed", false)
        );
    }
}

#[tokio::test]
async fn a_relayer_that_has_not_reached_the_chain_or_is_busy_says_so() {
    let ledger = chain();
    ledger.book().down = true;
    ledger.book().now = Some(ENDS_AT);
    let config = RelayerConfig::new("", program(), pool_address());
    let relayer = Relayer::start_with(config, relayer(), ledger.clone())
        .await
        .unwrap();
    assert_eq!(
        refused(claim(&relayer, &PROVEN.request).await),
        refusal(503, "not_ready", true)
    );
    ledger.book().down = false;
    until(|| relayer.status().ready).await;

    // As many claims as it takes, all waiting for the chain.
    let held = ledger.gate.lock().await;
    let server = relayer.address();
    let mut waiting = tokio::task::JoinSet::new();
    let ask = |i: u128| {
        let mut request = PROVEN.request.clone();
        request.nullifier = NullifierBytes::from_field(field(i));
        request.proof = ProofBytes::new([1; 256]);
        async move { post_json::<ClaimReceipt>(server, "/v1/claims", &request).await }
    };
    waiting.spawn(ask(0));
    // The same one again, until the first has got so far as to be known.
    loop {
        let twin = tokio::time::timeout(std::time::Duration::from_millis(200), ask(0)).await;
        if let Ok(twin) = twin {
            assert_eq!(refused(twin), refusal(409, "in_progress", true));
            break;
        }
    }
    for i in 1..40 {
        waiting.spawn(ask(i));
    }
    // All but sixteen are told to come again before anything is let go.
    for _ in 0..24 {
        let answer = waiting.join_next().await.unwrap().unwrap();
        assert_eq!(refused(answer), refusal(503, "busy", true));
    }
    drop(held);
    while let Some(answer) = waiting.join_next().await {
        let (status, code, retry) = refused(answer.unwrap());
        assert_eq!(
            (status, code.as_str(), retry),
            (422, "MalformedProof", false)
        );
    }
}
