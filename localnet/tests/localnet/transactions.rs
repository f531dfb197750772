//! What lands, what is refused, and why.

use std::time::Duration;

use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::client_error::ErrorKind;
use solana_signer::Signer;
use solana_system_interface::instruction as system;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;
use veilpool_localnet::LAMPORTS_PER_SOL;

use crate::support::{FEE, Fixture, RICHES, SKIP, client, refusal, wait_for_slot};

const SYSTEM_LOGS: [&str; 2] = [
    "Program 11111111111111111111111111111111 invoke [1]",
    "Program 11111111111111111111111111111111 success",
];

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

#[tokio::test]
async fn a_landed_message_with_other_signatures_does_not_land_again() {
    let fixture = Fixture::new().await;
    let second = Keypair::new();
    let to = Pubkey::new_unique();
    let message = Message::new_with_blockhash(
        &[
            system::transfer(&fixture.rich.pubkey(), &second.pubkey(), LAMPORTS_PER_SOL),
            system::transfer(&second.pubkey(), &to, LAMPORTS_PER_SOL),
        ],
        Some(&fixture.rich.pubkey()),
        &fixture.blockhash().await,
    );
    let hash = message.recent_blockhash;
    let transaction = Transaction::new(&[&fixture.rich, &second], message, hash);
    fixture.client.send_transaction(&transaction).await.unwrap();
    let mut forged = transaction.clone();
    forged.signatures.swap(0, 1);
    fixture
        .client
        .send_transaction_with_config(&forged, SKIP)
        .await
        .unwrap();
    let (code, ..) = refusal(fixture.client.send_transaction(&forged).await.unwrap_err());
    assert_eq!(code, -32003);
    let unverified = fixture.client.simulate_transaction(&forged).await.unwrap();
    assert_eq!(
        TransactionError::from(unverified.value.err.unwrap()),
        TransactionError::AlreadyProcessed
    );
    assert_eq!(
        fixture.client.get_balance(&to).await.unwrap(),
        LAMPORTS_PER_SOL
    );
    assert_eq!(fixture.client.get_transaction_count().await.unwrap(), 1);
}

#[tokio::test]
async fn old_transactions_are_forgotten_and_those_that_could_be_replayed_are_not() {
    let fixture = Fixture::with(|config| {
        config.history = 2;
        config.block_time = Duration::from_millis(8);
    })
    .await;
    let to = Pubkey::new_unique();
    let mut sent = Vec::new();
    for lamports in 1..=5 {
        let transaction = fixture
            .transfer(&to, lamports * LAMPORTS_PER_SOL / 100)
            .await;
        sent.push(fixture.client.send_transaction(&transaction).await.unwrap());
    }
    let known = async || {
        let told = fixture
            .client
            .get_signatures_for_address(&to)
            .await
            .unwrap();
        told.into_iter()
            .map(|status| status.signature)
            .collect::<Vec<_>>()
    };
    assert_eq!(known().await.len(), 5);
    let slot = fixture.client.get_slot().await.unwrap();
    wait_for_slot(&fixture.client, slot + 310).await;
    let transaction = fixture.transfer(&to, LAMPORTS_PER_SOL).await;
    let last = fixture.client.send_transaction(&transaction).await.unwrap();
    assert_eq!(known().await, [last.to_string(), sent[4].to_string()]);
    let status = fixture.client.get_signature_status(&sent[0]).await.unwrap();
    assert_eq!(status, None);
    assert_eq!(fixture.client.get_transaction_count().await.unwrap(), 6);
}
