//! Airdrops.

use serde_json::json;
use solana_pubkey::Pubkey;
use veilpool_localnet::LAMPORTS_PER_SOL;

use crate::support::{Fixture, RICHES, STILL, call};

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
    let poor = Pubkey::new_unique();
    let ask = |lamports: u64| json!([poor.to_string(), lamports]);
    let fixture = Fixture::with(|config| config.faucet_limit = Some(RICHES)).await;
    let answer = call(&fixture.chain, "requestAirdrop", ask(RICHES + 1)).await;
    assert_eq!(answer["error"]["code"], -32602);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("the faucet's limit of 10000000000"),
        "{message}"
    );
    let answer = call(&fixture.chain, "requestAirdrop", ask(RICHES)).await;
    assert!(answer["result"].is_string(), "{answer}");
    // Less than an account needs to exist.
    let asked = json!([Pubkey::new_unique().to_string(), 1]);
    let answer = call(&fixture.chain, "requestAirdrop", asked).await;
    assert_eq!(answer["error"]["code"], -32002);
    let off = Fixture::with(|config| config.faucet_limit = None).await;
    let answer = call(&off.chain, "requestAirdrop", ask(RICHES)).await;
    let message = "Invalid request: the faucet of this chain is turned off";
    assert_eq!(answer["error"], json!({"code": -32600, "message": message}));
    assert_eq!(off.client.get_balance(&poor).await.unwrap(), 0);
}
