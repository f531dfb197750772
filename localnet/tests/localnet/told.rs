//! What clients are told: of a transaction before and after it lands, and of the chain.

use solana_commitment_config::CommitmentConfig;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_keypair::Keypair;
use solana_message::{Message, VersionedMessage, v0};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{
    RpcSimulateTransactionAccountsConfig, RpcSimulateTransactionConfig, RpcTransactionConfig,
    UiAccountEncoding,
};
use solana_signer::Signer;
use solana_system_interface::instruction as system;
use solana_transaction::{
    Transaction,
    versioned::{TransactionVersion, VersionedTransaction},
};
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::{
    EncodedTransaction, UiMessage, UiTransactionEncoding, option_serializer::OptionSerializer,
};
use veilpool_localnet::LAMPORTS_PER_SOL;

use crate::support::{FEE, Fixture, RICHES, STILL, refusal};

const SYSTEM_LOGS: [&str; 2] = [
    "Program 11111111111111111111111111111111 invoke [1]",
    "Program 11111111111111111111111111111111 success",
];

#[tokio::test]
async fn a_transfer_lands_and_is_told_with_logs_units_and_balances() {
    let fixture = Fixture::new().await;
    let to = Pubkey::new_unique();
    let transaction = fixture.transfer(&to, LAMPORTS_PER_SOL).await;
    let signature = fixture
        .client
        .send_and_confirm_transaction(&transaction)
        .await
        .unwrap();
    assert_eq!(signature, transaction.signatures[0]);
    assert_eq!(
        fixture.client.get_balance(&to).await.unwrap(),
        LAMPORTS_PER_SOL
    );
    let left = RICHES - LAMPORTS_PER_SOL - FEE;
    assert_eq!(
        fixture
            .client
            .get_balance(&fixture.rich.pubkey())
            .await
            .unwrap(),
        left
    );

    let told = fixture
        .client
        .get_transaction(&signature, UiTransactionEncoding::Base64)
        .await
        .unwrap();
    assert_eq!(
        told.transaction.transaction.decode(),
        Some(transaction.clone().into())
    );
    // This client doesn't say that it knows versions, so it is told none.
    assert_eq!(told.transaction.version, None);
    assert_eq!(
        fixture.client.get_block_time(told.slot).await.unwrap(),
        told.block_time.unwrap()
    );
    let meta = told.transaction.meta.unwrap();
    assert_eq!((meta.err, meta.fee), (None, FEE));
    assert_eq!(meta.pre_balances, [RICHES, 0, 1]);
    assert_eq!(meta.post_balances, [left, LAMPORTS_PER_SOL, 1]);
    assert_eq!(
        meta.log_messages,
        OptionSerializer::Some(SYSTEM_LOGS.map(String::from).to_vec())
    );
    assert_eq!(meta.compute_units_consumed, OptionSerializer::Some(150));

    let json = fixture
        .client
        .get_transaction(&signature, UiTransactionEncoding::Json)
        .await
        .unwrap();
    let EncodedTransaction::Json(json) = json.transaction.transaction else {
        panic!("not json")
    };
    let UiMessage::Raw(message) = json.message else {
        panic!("parsed")
    };
    assert_eq!(
        message.account_keys,
        [
            fixture.rich.pubkey().to_string(),
            to.to_string(),
            Pubkey::default().to_string()
        ]
    );
    assert_eq!(message.instructions[0].accounts, [0, 1]);
}

#[tokio::test]
async fn a_simulation_tells_logs_units_and_accounts_and_changes_nothing() {
    let fixture = Fixture::with(|config| config.block_time = STILL).await;
    let to = Pubkey::new_unique();
    // Unsigned, of another blockhash: both are put right on request.
    let message = Message::new(
        &[system::transfer(
            &fixture.rich.pubkey(),
            &to,
            LAMPORTS_PER_SOL,
        )],
        Some(&fixture.rich.pubkey()),
    );
    let unsigned = Transaction::new_unsigned(message);
    let config = RpcSimulateTransactionConfig {
        replace_recent_blockhash: true,
        inner_instructions: true,
        accounts: Some(RpcSimulateTransactionAccountsConfig {
            encoding: Some(UiAccountEncoding::Base64),
            addresses: vec![to.to_string(), Pubkey::new_unique().to_string()],
        }),
        ..RpcSimulateTransactionConfig::default()
    };
    let told = fixture
        .client
        .simulate_transaction_with_config(&unsigned, config.clone())
        .await
        .unwrap()
        .value;
    assert_eq!(told.err, None);
    assert_eq!(told.logs, Some(SYSTEM_LOGS.map(String::from).to_vec()));
    assert_eq!((told.units_consumed, told.fee), (Some(150), Some(FEE)));
    let accounts = told.accounts.unwrap();
    assert_eq!(accounts[0].as_ref().unwrap().lamports, LAMPORTS_PER_SOL);
    assert_eq!(accounts[1], None);
    assert_eq!(told.inner_instructions, Some(vec![]));
    assert_eq!(
        told.replacement_blockhash.unwrap().blockhash,
        fixture.blockhash().await.to_string()
    );
    assert_eq!(
        told.post_balances,
        Some(vec![RICHES - LAMPORTS_PER_SOL - FEE, LAMPORTS_PER_SOL, 1])
    );
    assert_eq!(fixture.client.get_balance(&to).await.unwrap(), 0);

    let both = RpcSimulateTransactionConfig {
        sig_verify: true,
        ..config.clone()
    };
    let (code, message, _) = refusal(
        fixture
            .client
            .simulate_transaction_with_config(&unsigned, both)
            .await
            .unwrap_err(),
    );
    assert_eq!(
        (code, message.as_str()),
        (
            -32602,
            "sigVerify may not be used with replaceRecentBlockhash"
        )
    );
    let verified = RpcSimulateTransactionConfig {
        sig_verify: true,
        replace_recent_blockhash: false,
        ..config
    };
    let (code, _, _) = refusal(
        fixture
            .client
            .simulate_transaction_with_config(&unsigned, verified)
            .await
            .unwrap_err(),
    );
    assert_eq!(code, -32003);
    let stale = fixture
        .client
        .simulate_transaction(&unsigned)
        .await
        .unwrap()
        .value;
    assert_eq!(
        TransactionError::from(stale.err.unwrap()),
        TransactionError::BlockhashNotFound
    );
}

#[tokio::test]
async fn the_fee_of_a_message_is_what_is_charged_for_it() {
    let fixture = Fixture::new().await;
    let second = Keypair::new();
    let rich = fixture.rich.pubkey();
    let instructions = [
        ComputeBudgetInstruction::set_compute_unit_limit(10_000),
        ComputeBudgetInstruction::set_compute_unit_price(1_000_000),
        system::transfer(&rich, &second.pubkey(), LAMPORTS_PER_SOL),
        system::transfer(&second.pubkey(), &rich, LAMPORTS_PER_SOL / 2),
    ];
    let message =
        Message::new_with_blockhash(&instructions, Some(&rich), &fixture.blockhash().await);
    let fee = fixture.client.get_fee_for_message(&message).await.unwrap();
    assert_eq!(fee, 2 * FEE + 10_000);
    let transaction = Transaction::new(
        &[&fixture.rich, &second],
        message.clone(),
        message.recent_blockhash,
    );
    fixture
        .client
        .send_and_confirm_transaction(&transaction)
        .await
        .unwrap();
    let left = RICHES - LAMPORTS_PER_SOL / 2 - fee;
    assert_eq!(fixture.client.get_balance(&rich).await.unwrap(), left);
    let unknown =
        Message::new_with_blockhash(&instructions, Some(&rich), &solana_hash::Hash::new_unique());
    let error = fixture
        .client
        .get_fee_for_message(&unknown)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("Invalid blockhash"), "{error}");
}

#[tokio::test]
async fn a_version_0_transaction_is_told_only_to_clients_that_know_it() {
    let fixture = Fixture::new().await;
    let rich = fixture.rich.pubkey();
    let to = Pubkey::new_unique();
    let message = v0::Message::try_compile(
        &rich,
        &[system::transfer(&rich, &to, LAMPORTS_PER_SOL)],
        &[],
        fixture.blockhash().await,
    )
    .unwrap();
    let transaction =
        VersionedTransaction::try_new(VersionedMessage::V0(message), &[&fixture.rich]).unwrap();
    let signature = fixture
        .client
        .send_and_confirm_transaction(&transaction)
        .await
        .unwrap();
    let config = |max_supported_transaction_version| RpcTransactionConfig {
        encoding: Some(UiTransactionEncoding::Base64),
        commitment: Some(CommitmentConfig::confirmed()),
        max_supported_transaction_version,
    };
    let told = fixture
        .client
        .get_transaction_with_config(&signature, config(Some(0)))
        .await
        .unwrap();
    assert_eq!(
        told.transaction.version,
        Some(TransactionVersion::Number(0))
    );
    assert_eq!(told.transaction.transaction.decode(), Some(transaction));
    let (code, _, _) = refusal(
        fixture
            .client
            .get_transaction_with_config(&signature, config(None))
            .await
            .unwrap_err(),
    );
    assert_eq!(code, -32015);
}

#[tokio::test]
async fn signatures_of_an_address_come_newest_first_within_the_asked_bounds() {
    let fixture = Fixture::new().await;
    let to = Pubkey::new_unique();
    let mut sent = Vec::new();
    for lamports in 1..=4 {
        let transaction = fixture
            .transfer(&to, lamports * LAMPORTS_PER_SOL / 100)
            .await;
        sent.push(
            fixture
                .client
                .send_and_confirm_transaction(&transaction)
                .await
                .unwrap(),
        );
        let other = fixture
            .transfer(&Pubkey::new_unique(), LAMPORTS_PER_SOL / 100)
            .await;
        fixture
            .client
            .send_and_confirm_transaction(&other)
            .await
            .unwrap();
    }
    sent.reverse();
    let told = |statuses: Vec<
        solana_rpc_client_api::response::RpcConfirmedTransactionStatusWithSignature,
    >| {
        statuses
            .into_iter()
            .map(|status| {
                status
                    .signature
                    .parse::<solana_signature::Signature>()
                    .unwrap()
            })
            .collect::<Vec<_>>()
    };
    let all = fixture
        .client
        .get_signatures_for_address(&to)
        .await
        .unwrap();
    assert!(
        all.iter()
            .all(|status| status.err.is_none() && status.block_time.is_some())
    );
    assert_eq!(told(all), sent);
    let config = solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config {
        before: Some(sent[0]),
        until: Some(sent[3]),
        limit: None,
        commitment: None,
    };
    assert_eq!(
        told(
            fixture
                .client
                .get_signatures_for_address_with_config(&to, config)
                .await
                .unwrap()
        ),
        sent[1..3]
    );
    let config = solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config {
        limit: Some(1),
        ..Default::default()
    };
    assert_eq!(
        told(
            fixture
                .client
                .get_signatures_for_address_with_config(&to, config)
                .await
                .unwrap()
        ),
        sent[..1]
    );
}

#[tokio::test]
async fn the_chain_identifies_itself_and_two_chains_are_two() {
    let first = Fixture::new().await;
    let second = Fixture::new().await;
    assert!(first.client.get_health().await.is_ok());
    assert_eq!(
        first.client.get_version().await.unwrap().solana_core,
        "4.2.2"
    );
    assert_ne!(
        first.client.get_genesis_hash().await.unwrap(),
        second.client.get_genesis_hash().await.unwrap()
    );
    let seeded = |seed| Fixture::with(move |config| config.seed = Some([seed; 32]));
    let hash = seeded(1).await.client.get_genesis_hash().await.unwrap();
    assert_eq!(
        seeded(1).await.client.get_genesis_hash().await.unwrap(),
        hash
    );
    assert_ne!(
        seeded(2).await.client.get_genesis_hash().await.unwrap(),
        hash
    );
}
