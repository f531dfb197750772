//! Relayer and keeper with the compiled program in the Solana runtime, behind real JSON-RPC.

use std::time::Duration;

use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signer::Signer;
use solana_transaction_status_client_types::UiTransactionEncoding;
use veilpool_chain::Chain;
use veilpool_coordinator::{
    Keeper, KeeperConfig, Relayer, RelayerConfig,
    relayer::{check::Terms, submit},
};
use veilpool_interface::{
    Parameters, address, builder, class::default_table, instruction::InitialisePool,
};
use veilpool_localnet::{
    GenesisAirdrop, GenesisProgram, GenesisToken, LAMPORTS_PER_SOL, Localnet, LocalnetConfig,
};
use veilpool_protocol::EpochId;

use super::{
    common::{SEED, keys, parameters},
    relaying::{FEE, Operator, claim},
};

const PROGRAM: &[u8] =
    include_bytes!("../../../verifier-program/sbf/veilpool_program_development.so");
/// Of an epoch and of a claim window.
const SECONDS: u32 = 4;
const FUNDS: u64 = 1_000_000_000;
const BOND: u64 = 1_000;

async fn localnet(program: Pubkey, mint: Pubkey, people: &[&Keypair]) -> Localnet {
    Localnet::start(LocalnetConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        block_time: Duration::from_millis(100),
        programs: vec![GenesisProgram {
            address: program,
            elf: PROGRAM.to_vec(),
        }],
        tokens: vec![GenesisToken {
            mint,
            decimals: 6,
            authority: people[0].pubkey(),
            holders: vec![(people[0].pubkey(), 2 * FUNDS)],
        }],
        airdrops: people
            .iter()
            .map(|person| GenesisAirdrop {
                address: person.pubkey(),
                lamports: 10 * LAMPORTS_PER_SOL,
            })
            .collect(),
        ..LocalnetConfig::default()
    })
    .await
    .unwrap()
}

/// A pool with funds and one operator.
async fn make_pool(chain: &Chain, founder: &Keypair, mint: &Pubkey, operator: &Operator) -> Pubkey {
    let (program, founder_key) = (*chain.program(), founder.pubkey());
    let rules = InitialisePool {
        measurers: (SEED..SEED + 3)
            .map(|seed| keys(seed).attestation_key())
            .collect(),
        classes: default_table(),
        parameters: Parameters {
            bond_amount: BOND,
            outflow_bps: 10_000,
            ..parameters(SECONDS, SECONDS)
        },
        timelock_seconds: 4 * SECONDS,
        authority: address::bytes(&founder_key),
        price: 8,
        genesis_hash: chain.genesis_hash().await.unwrap(),
    };
    let key = include_bytes!("../../../params/claim-n3-v2.vk");
    let pool = address::pool(&program, mint, &founder_key).0;
    let tokens = submit::token_account(&founder_key, mint);
    let share_mint = address::shares(&program, &pool).0;
    let shares = submit::token_account(&founder_key, &share_mint);
    let digest = builder::key_digest(key);
    for instruction in [
        builder::publish_key(&program, &founder_key, key),
        builder::initialise_pool(&program, &founder_key, mint, &digest, rules),
        submit::create_token_account(&founder_key, &founder_key, &share_mint),
        builder::deposit(&program, &pool, &founder_key, &tokens, &shares, FUNDS, 0),
        builder::register_operator(
            &program,
            &pool,
            &founder_key,
            &tokens,
            operator.commitment(),
        ),
    ] {
        chain
            .send(founder, &[], &[instruction], 200_000)
            .await
            .unwrap();
    }
    pool
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l2_a_relayer_alone_signs_the_claim_and_a_keeper_opens_and_closes_around_it() {
    let [founder, keeper_key, relayer_key] = [1, 2, 3].map(|i| Keypair::new_from_array([i; 32]));
    let (program, mint) = (
        Pubkey::new_from_array([7; 32]),
        Pubkey::new_from_array([8; 32]),
    );
    let localnet = localnet(program, mint, &[&founder, &keeper_key, &relayer_key]).await;
    let url = localnet.rpc_url();
    let chain = Chain::new(url.clone(), program);
    let operator = Operator::new(21);
    let pool = make_pool(&chain, &founder, &mint, &operator).await;

    let config = KeeperConfig::new(url.clone(), program, pool);
    let keeper = Keeper::start(config, keeper_key).await.unwrap();
    let mut config = RelayerConfig::new(url, program, pool);
    config.fee = FEE;
    let terms = Terms {
        program,
        pool,
        relayer: relayer_key.pubkey(),
        fee: FEE,
    };
    let relayer = Relayer::start(config, relayer_key).await.unwrap();
    let first = EpochId::new(0);
    let epoch = loop {
        if let Some(epoch) = chain.epoch(&pool, first).await.unwrap() {
            break epoch;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let record = chain.pool(&pool).await.unwrap();
    let request = operator.claim(&terms, &record, &epoch);
    // Too early until the epoch has ended; a client tries again.
    let receipt = loop {
        match claim(&relayer, &request).await {
            Ok(receipt) => break receipt,
            Err((_, error)) => assert!(error.retry, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let reward = 12 * epoch.rate;
    assert_eq!((receipt.amount, receipt.fee), (reward - FEE, FEE));
    assert!(
        receipt
            .compute_units
            .is_some_and(|units| units < u64::from(submit::CLAIM_UNITS))
    );
    let balance = async |holder: &Pubkey| {
        let account = submit::token_account(holder, &mint);
        chain.token_account(&account).await.unwrap().unwrap().amount
    };
    let payee = address::pubkey(&request.payout);
    assert_eq!(balance(&payee).await, reward - FEE);
    assert_eq!(balance(&terms.relayer).await, FEE);
    // The same, asked together with more than one answer holds.
    let strangers = (0..150).map(|byte| Pubkey::new_from_array([byte; 32]));
    let accounts: Vec<Pubkey> = [payee]
        .into_iter()
        .chain(strangers)
        .chain([terms.relayer])
        .map(|holder| submit::token_account(&holder, &mint))
        .collect();
    let found = chain.token_accounts(&accounts).await.unwrap();
    let amounts: Vec<Option<u64>> = found
        .iter()
        .map(|account| account.map(|it| it.amount))
        .collect();
    let mut expected = vec![None; 152];
    expected[0] = Some(reward - FEE);
    expected[151] = Some(FEE);
    assert_eq!(amounts, expected);

    // The transaction, as the chain has it: one signer, and nothing of the operator.
    let config = RpcTransactionConfig {
        encoding: Some(UiTransactionEncoding::Base64),
        commitment: Some(CommitmentConfig::confirmed()),
        max_supported_transaction_version: Some(0),
    };
    let signature = receipt.signature.clone().unwrap().parse().unwrap();
    let landed = chain
        .rpc()
        .get_transaction_with_config(&signature, config)
        .await
        .unwrap();
    let transaction = landed.transaction.transaction.decode().unwrap();
    assert_eq!(transaction.signatures.len(), 1);
    let message = &transaction.message;
    assert_eq!(message.header().num_required_signatures, 1);
    assert_eq!(message.static_account_keys()[0], terms.relayer);
    assert!(!message.static_account_keys().contains(&founder.pubkey()));
    let bytes = message.serialize();
    for known in operator.identity(first) {
        assert!(!bytes.windows(32).any(|window| window == known));
    }

    // Closed after the window.
    while chain
        .claim(&pool, first, &request.nullifier)
        .await
        .unwrap()
        .is_some()
    {
        assert_eq!(
            claim(&relayer, &request)
                .await
                .unwrap_or_else(|_| receipt.clone()),
            receipt
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    while chain.epoch(&pool, first).await.unwrap().is_some() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The accounts are gone before the keeper hears of it.
    super::common::until(|| {
        let status = keeper.status();
        status.closed_claims == 1 && status.closed_epochs >= 1
    })
    .await;
    assert!(keeper.status().opened >= 2);
    keeper.shutdown().await;
    relayer.shutdown().await;
    localnet.shutdown().await;
}
