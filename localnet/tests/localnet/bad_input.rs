//! What clients must not be able to do.

use serde_json::{Value, json};
use solana_pubkey::Pubkey;
use veilpool_localnet::{LAMPORTS_PER_SOL, MAX_BATCH, MAX_BODY_BYTES};

use crate::support::{Fixture, RICHES, STILL, call, post};

pub(crate) async fn error_of(response: reqwest::Response) -> Value {
    assert_eq!(response.status(), 200);
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    answer["error"].clone()
}

#[tokio::test]
async fn each_kind_of_wrong_request_has_its_code() {
    let fixture = Fixture::new().await;
    let chain = &fixture.chain;
    for (body, code) in [
        ("", -32700),
        ("{", -32700),
        ("\u{0}", -32700),
        ("[", -32700),
        ("{\"jsonrpc\": \"2.0\"} x", -32700),
        ("7", -32600),
        ("\"getSlot\"", -32600),
        ("[]", -32600),
        ("{}", -32600),
        (
            "{\"jsonrpc\": \"1.0\", \"id\": 1, \"method\": \"getSlot\"}",
            -32600,
        ),
        (
            "{\"jsonrpc\": \"2.0\", \"id\": {}, \"method\": \"getSlot\"}",
            -32600,
        ),
        ("{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": 3}", -32600),
        (
            "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"getBlock\", \"params\": [1]}",
            -32601,
        ),
        (
            "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"getSlot\", \"params\": {}}",
            -32602,
        ),
        (
            "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"getSlot\", \"params\": [{}, 1]}",
            -32602,
        ),
    ] {
        assert_eq!(
            error_of(post(chain, body).await).await["code"],
            code,
            "{body}"
        );
    }
    let deep = "[".repeat(20_000);
    assert_eq!(error_of(post(chain, deep).await).await["code"], -32700);
    let answer = call(chain, "slot", json!([])).await;
    assert_eq!(
        answer["error"],
        json!({"code": -32601, "message": "Method not found: slot"})
    );
    assert_eq!(answer["id"], 1);
}

#[tokio::test]
async fn wrong_parameters_are_refused_for_each_method() {
    let fixture = Fixture::new().await;
    let key = Pubkey::new_unique().to_string();
    for (method, params) in [
        ("getBalance", json!([])),
        ("getBalance", json!([7])),
        ("getBalance", json!(["0OIl"])),
        ("getBalance", json!([key, "confirmed"])),
        ("getAccountInfo", json!([format!("1{key}")])),
        (
            "getAccountInfo",
            json!([key, {"dataSlice": {"offset": -1, "length": 1}}]),
        ),
        ("getMultipleAccounts", json!([key])),
        ("getMultipleAccounts", json!([[key, "x"]])),
        (
            "getProgramAccounts",
            json!([key, {"filters": [{"dataSize": "x"}]}]),
        ),
        (
            "getProgramAccounts",
            json!([key, {"filters": [{"memcmp": {"offset": 0, "bytes": "0"}}]}]),
        ),
        ("getBlockTime", json!(["1"])),
        ("isBlockhashValid", json!(["1"])),
        ("getFeeForMessage", json!(["!"])),
        ("getFeeForMessage", json!(["AAAA"])),
        ("getMinimumBalanceForRentExemption", json!([-1])),
        ("getTokenAccountsByOwner", json!([key, {"mint": key}])),
        ("getTokenAccountsByOwner", json!([key, {"programId": key}])),
        ("getTokenAccountsByOwner", json!([key, {}])),
        ("getSignaturesForAddress", json!([key, {"limit": 0}])),
        ("getSignaturesForAddress", json!([key, {"limit": 1001}])),
        ("getSignatureStatuses", json!([vec!["1"; 257]])),
        ("getSignatureStatuses", json!([["1"]])),
        ("getTransaction", json!([key])),
        ("requestAirdrop", json!([key])),
        ("requestAirdrop", json!([key, 1.5])),
        ("getRecentPrioritizationFees", json!([["x"]])),
        (
            "simulateTransaction",
            json!(["", {"encoding": "jsonParsed"}]),
        ),
        ("sendTransaction", json!([""])),
        ("sendTransaction", json!(["AAAA", {"encoding": "base64"}])),
        ("sendTransaction", json!(["AAAA", {"encoding": "base63"}])),
    ] {
        let answer = call(&fixture.chain, method, params.clone()).await;
        assert_eq!(
            answer["error"]["code"], -32602,
            "{method} {params}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_transaction_with_trailing_missing_or_too_many_bytes_is_refused() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let fixture = Fixture::new().await;
    let transaction = fixture
        .transfer(&Pubkey::new_unique(), LAMPORTS_PER_SOL)
        .await;
    let raw = bincode::serialize(&transaction).unwrap();
    let send = |raw: Vec<u8>| {
        let params = json!([STANDARD.encode(raw), {"encoding": "base64"}]);
        call(&fixture.chain, "sendTransaction", params)
    };
    let refused = |answer: &Value, part: &str| {
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
    };
    refused(
        &send([raw.as_slice(), &[0]].concat()).await,
        "failed to deserialize",
    );
    for length in 0..raw.len() {
        refused(&send(raw[..length].to_vec()).await, "failed to deserialize");
    }
    refused(
        &send(vec![0; 1233]).await,
        "decoded transaction too large: 1233 bytes (max: 1232 bytes)",
    );
    refused(
        &send(vec![0; 2000]).await,
        "base64 encoded transaction too large",
    );
    let long = call(&fixture.chain, "sendTransaction", json!(["1".repeat(1700)])).await;
    refused(&long, "base58 encoded transaction too large");
    // Its header asks for more signatures than there are accounts.
    let mut unsound = transaction.clone();
    unsound.message.header.num_required_signatures = 9;
    refused(
        &send(bincode::serialize(&unsound).unwrap()).await,
        "invalid transaction",
    );
    // Without any signature at all.
    let mut unsigned = transaction.clone();
    unsigned.signatures.clear();
    unsigned.message.header.num_required_signatures = 0;
    refused(
        &send(bincode::serialize(&unsigned).unwrap()).await,
        "invalid transaction",
    );
    // An instruction that counts past the accounts.
    let mut unsound = transaction;
    unsound.message.instructions[0].program_id_index = 200;
    refused(
        &send(bincode::serialize(&unsound).unwrap()).await,
        "invalid transaction",
    );
    assert_eq!(
        fixture
            .client
            .get_balance(&solana_signer::Signer::pubkey(&fixture.rich))
            .await
            .unwrap(),
        RICHES
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_or_of_another_type_is_refused_by_http() {
    let fixture = Fixture::new().await;
    let padded = |length: usize| {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "getSlot"}).to_string();
        format!("{call}{}", " ".repeat(length - call.len()))
    };
    assert_eq!(
        post(&fixture.chain, padded(MAX_BODY_BYTES)).await.status(),
        200
    );
    assert_eq!(
        post(&fixture.chain, padded(MAX_BODY_BYTES + 1))
            .await
            .status(),
        413
    );
    let http = reqwest::Client::new();
    let plain = http
        .post(fixture.chain.rpc_url())
        .header("content-type", "text/plain")
        .body(padded(100));
    assert_eq!(plain.send().await.unwrap().status(), 415);
    assert_eq!(
        http.get(fixture.chain.rpc_url())
            .send()
            .await
            .unwrap()
            .status(),
        405
    );
    let health = http.get(format!("{}/health", fixture.chain.rpc_url()));
    assert_eq!(health.send().await.unwrap().text().await.unwrap(), "ok");
}

#[tokio::test]
async fn a_batch_is_answered_in_order_without_its_notifications() {
    let fixture = Fixture::with(|config| config.block_time = STILL).await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": "a", "method": "getHealth"},
        {"jsonrpc": "2.0", "method": "getHealth"},
        5,
        {"jsonrpc": "2.0", "id": 2, "method": "nothing"},
        {"jsonrpc": "2.0", "id": null, "method": "getSlot"},
    ]);
    let text = post(&fixture.chain, batch.to_string())
        .await
        .text()
        .await
        .unwrap();
    let answers: Vec<Value> = serde_json::from_str(&text).unwrap();
    let ids: Vec<&Value> = answers.iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [&json!("a"), &Value::Null, &json!(2), &Value::Null]);
    assert_eq!(
        (
            &answers[0]["result"],
            &answers[1]["error"]["code"],
            &answers[2]["error"]["code"]
        ),
        (&json!("ok"), &json!(-32600), &json!(-32601))
    );
    assert_eq!(answers[3]["result"], 1);
    let notification = json!({"jsonrpc": "2.0", "method": "getHealth"}).to_string();
    assert_eq!(post(&fixture.chain, notification).await.status(), 204);
    let one = json!({"jsonrpc": "2.0", "id": 1, "method": "getHealth"});
    let text = post(
        &fixture.chain,
        json!(vec![one.clone(); MAX_BATCH]).to_string(),
    )
    .await
    .text()
    .await
    .unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<Value>>(&text).unwrap().len(),
        MAX_BATCH
    );
    let error =
        error_of(post(&fixture.chain, json!(vec![one; MAX_BATCH + 1]).to_string()).await).await;
    assert_eq!(error["code"], -32600);
}
