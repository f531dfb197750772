//! Sending, simulating, and what is told of it afterwards.

use std::time::Duration;

use solana_commitment_config::CommitmentConfig;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_keypair::Keypair;
use solana_message::{Message, VersionedMessage, v0};
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::ErrorKind,
    config::{
        RpcSimulateTransactionAccountsConfig, RpcSimulateTransactionConfig, RpcTransactionConfig,
        UiAccountEncoding,
    },
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

use crate::support::{FEE, Fixture, RICHES, SKIP, STILL, client, refusal, wait_for_slot};

const SYSTEM_LOGS: [&str; 2] = [
    "Program 11111111111111111111111111111111 invoke [1]",
    "Program 11111111111111111111111111111111 success",
];

#[tokio::test]
async fn an_airdrop_lands_as_a_transaction_of_the_faucet_and_two_alike_are_two() {
    let fixture = Fixture::with(|config| config.block_time = STILL).await;
    let poor = Pubkey::new_unique();
    let first = fixture
        .client
        .request_airdrop(&poor, LAMPORTS_PER_SOL)
        .await
        .unwrap();
    let second = fixture
        .client
        .request_airdrop(&poor, LAMPORTS_PER_SOL)
        .await
        .unwrap();
    assert_ne!(first, second);
    assert_eq!(
        fixture.client.get_balance(&poor).await.unwrap(),
        2 * LAMPORTS_PER_SOL
    );
    let status = fixture.client.get_signature_status(&second).await.unwrap();
    assert_eq!(status, Some(Ok(())));
    assert_eq!(fixture.client.get_transaction_count().await.unwrap(), 2);
}

#[tokio::test]
async fn the_faucet_refuses_more_than_its_limit_and_everything_when_off() {
    let fixture = Fixture::with(|config| config.faucet_limit = Some(5)).await;
    let poor = Pubkey::new_unique();
    let (code, message, _) = refusal(fixture.client.request_airdrop(&poor, 6).await.unwrap_err());
    assert_eq!(
        (code, message.contains("the faucet's limit of 5")),
        (-32602, true)
    );
    let off = Fixture::with(|config| config.faucet_limit = None).await;
    let (code, message, _) = refusal(off.client.request_airdrop(&poor, 1).await.unwrap_err());
    assert_eq!(code, -32600);
    assert!(message.contains("turned off"), "{message}");
    assert_eq!(off.client.get_balance(&poor).await.unwrap(), 0);
}

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
    assert_eq!(told.transaction.version, Some(TransactionVersion::LEGACY));
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
async fn preflight_refuses_with_code_logs_and_units_and_nothing_is_charged() {
    let fixture = Fixture::new().await;
    let to = Pubkey::new_unique();
    let transaction = fixture.transfer(&to, 2 * RICHES).await;
    let (code, message, simulated) = refusal(
        fixture
            .client
            .send_transaction(&transaction)
            .await
            .unwrap_err(),
    );
    assert_eq!(code, -32002);
    assert_eq!(
        message,
        "Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1"
    );
    let simulated = simulated.unwrap();
    assert_eq!(
        simulated.err.unwrap().to_string(),
        "Error processing Instruction 0: custom program error: 0x1"
    );
    assert_eq!(simulated.units_consumed, Some(150));
    let logs = simulated.logs.unwrap();
    assert_eq!(logs[0], SYSTEM_LOGS[0]);
    assert_eq!(
        logs[1],
        format!(
            "Transfer: insufficient lamports {}, need {}",
            RICHES - FEE,
            2 * RICHES
        )
    );
    assert_eq!(
        logs[2],
        "Program 11111111111111111111111111111111 failed: custom program error: 0x1"
    );
    assert_eq!(
        fixture
            .client
            .get_balance(&fixture.rich.pubkey())
            .await
            .unwrap(),
        RICHES
    );
    let status = fixture
        .client
        .get_signature_status(&transaction.signatures[0])
        .await
        .unwrap();
    assert_eq!(status, None);
}

#[tokio::test]
async fn without_preflight_a_failure_lands_is_charged_and_changes_nothing_else() {
    let fixture = Fixture::new().await;
    let to = Pubkey::new_unique();
    let transaction = fixture.transfer(&to, 2 * RICHES).await;
    let signature = fixture
        .client
        .send_transaction_with_config(&transaction, SKIP)
        .await
        .unwrap();
    let status = fixture
        .client
        .get_signature_status(&signature)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        status.unwrap_err().to_string(),
        "Error processing Instruction 0: custom program error: 0x1"
    );
    assert_eq!(
        fixture
            .client
            .get_balance(&fixture.rich.pubkey())
            .await
            .unwrap(),
        RICHES - FEE
    );
    assert_eq!(fixture.client.get_balance(&to).await.unwrap(), 0);
    // The client that confirms is told the reason too.
    let again = fixture
        .client
        .send_and_confirm_transaction(&transaction)
        .await
        .unwrap_err();
    assert!(matches!(*again.kind, ErrorKind::RpcError(_)), "{again}");
}

#[tokio::test]
async fn what_cannot_be_charged_never_lands_though_its_signature_is_answered() {
    let fixture = Fixture::new().await;
    let broke = Keypair::new();
    let transaction = Transaction::new(
        &[&broke],
        Message::new(
            &[system::transfer(&broke.pubkey(), &fixture.rich.pubkey(), 1)],
            Some(&broke.pubkey()),
        ),
        fixture.blockhash().await,
    );
    let (code, _, simulated) = refusal(
        fixture
            .client
            .send_transaction(&transaction)
            .await
            .unwrap_err(),
    );
    assert_eq!(code, -32002);
    assert_eq!(
        TransactionError::from(simulated.unwrap().err.unwrap()),
        TransactionError::AccountNotFound
    );
    let signature = fixture
        .client
        .send_transaction_with_config(&transaction, SKIP)
        .await
        .unwrap();
    assert_eq!(
        fixture
            .client
            .get_signature_status(&signature)
            .await
            .unwrap(),
        None
    );
    assert_eq!(fixture.client.get_transaction_count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_replay_is_refused_and_the_money_moves_once() {
    let fixture = Fixture::new().await;
    let to = Pubkey::new_unique();
    let transaction = fixture.transfer(&to, LAMPORTS_PER_SOL).await;
    fixture.client.send_transaction(&transaction).await.unwrap();
    let (code, message, simulated) = refusal(
        fixture
            .client
            .send_transaction(&transaction)
            .await
            .unwrap_err(),
    );
    assert_eq!(code, -32002);
    assert_eq!(
        message,
        "Transaction simulation failed: This transaction has already been processed"
    );
    assert_eq!(
        TransactionError::from(simulated.unwrap().err.unwrap()),
        TransactionError::AlreadyProcessed
    );
    // More transactions than the runtime's own memory holds don't make it forget.
    for lamports in 0..40 {
        let filler = fixture
            .transfer(&to, LAMPORTS_PER_SOL / 100 + lamports)
            .await;
        fixture.client.send_transaction(&filler).await.unwrap();
    }
    let before = fixture.client.get_balance(&to).await.unwrap();
    assert_eq!(
        fixture
            .client
            .send_transaction_with_config(&transaction, SKIP)
            .await
            .unwrap(),
        transaction.signatures[0]
    );
    assert_eq!(fixture.client.get_balance(&to).await.unwrap(), before);
    assert_eq!(fixture.client.get_transaction_count().await.unwrap(), 41);
}

#[tokio::test]
async fn a_blockhash_is_taken_for_150_blocks_and_then_refused() {
    let fixture = Fixture::with(|config| config.block_time = Duration::from_millis(2)).await;
    let (hash, last) = fixture
        .client
        .get_latest_blockhash_with_commitment(CommitmentConfig::confirmed())
        .await
        .unwrap();
    let transaction = fixture
        .transfer(&Pubkey::new_unique(), LAMPORTS_PER_SOL)
        .await;
    wait_for_slot(&fixture.client, last + 2).await;
    assert!(
        !fixture
            .client
            .is_blockhash_valid(&hash, CommitmentConfig::confirmed())
            .await
            .unwrap()
    );
    let stale = Transaction::new(&[&fixture.rich], transaction.message, hash);
    let (code, message, simulated) =
        refusal(fixture.client.send_transaction(&stale).await.unwrap_err());
    assert_eq!(
        (code, message.as_str()),
        (-32002, "Transaction simulation failed: Blockhash not found")
    );
    let simulated = simulated.unwrap();
    assert_eq!(
        TransactionError::from(simulated.err.unwrap()),
        TransactionError::BlockhashNotFound
    );
    assert_eq!(
        (simulated.logs, simulated.units_consumed),
        (Some(vec![]), Some(0))
    );
    fixture
        .client
        .send_transaction_with_config(&stale, SKIP)
        .await
        .unwrap();
    assert_eq!(
        fixture
            .client
            .get_balance(&fixture.rich.pubkey())
            .await
            .unwrap(),
        RICHES
    );
}

#[tokio::test]
async fn a_recent_blockhash_that_is_not_the_latest_is_taken() {
    let fixture = Fixture::with(|config| config.block_time = Duration::from_millis(20)).await;
    let to = Pubkey::new_unique();
    let transaction = fixture.transfer(&to, LAMPORTS_PER_SOL).await;
    let slot = fixture.client.get_slot().await.unwrap();
    wait_for_slot(&fixture.client, slot + 3).await;
    assert_ne!(
        fixture.blockhash().await,
        transaction.message.recent_blockhash
    );
    fixture
        .client
        .send_and_confirm_transaction(&transaction)
        .await
        .unwrap();
    assert_eq!(
        fixture.client.get_balance(&to).await.unwrap(),
        LAMPORTS_PER_SOL
    );
}

#[tokio::test]
async fn a_wrong_signature_is_refused_by_preflight_and_never_lands() {
    let fixture = Fixture::new().await;
    let mut transaction = fixture
        .transfer(&Pubkey::new_unique(), LAMPORTS_PER_SOL)
        .await;
    transaction.signatures[0] = Keypair::new().sign_message(b"another");
    let (code, message, _) = refusal(
        fixture
            .client
            .send_transaction(&transaction)
            .await
            .unwrap_err(),
    );
    assert_eq!(
        (code, message.as_str()),
        (-32003, "Transaction signature verification failure")
    );
    fixture
        .client
        .send_transaction_with_config(&transaction, SKIP)
        .await
        .unwrap();
    assert_eq!(
        fixture
            .client
            .get_balance(&fixture.rich.pubkey())
            .await
            .unwrap(),
        RICHES
    );
    assert_eq!(fixture.client.get_transaction_count().await.unwrap(), 0);
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

#[tokio::test]
async fn what_is_acknowledged_is_there_for_clients_at_once() {
    let fixture = Fixture::new().await;
    let to = Pubkey::new_unique();
    let second: RpcClient = client(&fixture.chain);
    for lamports in 1..=10_u64 {
        let transaction = fixture
            .transfer(&to, LAMPORTS_PER_SOL / 100 + lamports)
            .await;
        let before = second.get_balance(&to).await.unwrap();
        fixture.client.send_transaction(&transaction).await.unwrap();
        assert_eq!(
            second.get_balance(&to).await.unwrap(),
            before + LAMPORTS_PER_SOL / 100 + lamports
        );
    }
}
