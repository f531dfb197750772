//! What clients must not be able to do.

use proptest::{prelude::*, strategy::ValueTree};
use serde_json::{Value, json};
use solana_pubkey::Pubkey;
use veilpool_localnet::{LAMPORTS_PER_SOL, Localnet, MAX_BATCH, MAX_BODY_BYTES};

use crate::support::{Fixture, RICHES, STILL, call, config, post};

async fn error_of(response: reqwest::Response) -> Value {
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
        ("getAccountInfo", json!([format!("{key}1")])),
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

/// A chain and a runtime for a property.
fn with_chain(property: impl AsyncFnOnce(&Localnet)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut config = config();
        config.block_time = STILL;
        let chain = Localnet::start(config).await.unwrap();
        property(&chain).await;
        // It still stands.
        assert_eq!(call(&chain, "getHealth", json!([])).await["result"], "ok");
        chain.shutdown().await;
    });
}

/// Cases of a property in one chain.
async fn cases<T>(count: usize, strategy: impl Strategy<Value = T>, mut case: impl AsyncFnMut(T)) {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..count {
        case(strategy.new_tree(&mut runner).unwrap().current()).await;
    }
}

fn arb_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        Just(json!(Pubkey::default().to_string())),
        Just(json!("base64")),
    ];
    leaf.prop_recursive(3, 16, 5, |inner| {
        let name = prop_oneof![
            Just("encoding".to_owned()),
            Just("filters".to_owned()),
            Just("memcmp".to_owned()),
            Just("offset".to_owned()),
            Just("bytes".to_owned()),
            Just("dataSlice".to_owned()),
            Just("length".to_owned()),
            Just("mint".to_owned()),
            Just("accounts".to_owned()),
            Just("addresses".to_owned()),
            ".{0,8}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

const METHODS: [&str; 28] = [
    "getHealth",
    "getVersion",
    "getGenesisHash",
    "getEpochSchedule",
    "getFirstAvailableBlock",
    "getSlot",
    "getBlockHeight",
    "getBlockTime",
    "getEpochInfo",
    "getTransactionCount",
    "getLatestBlockhash",
    "isBlockhashValid",
    "getRecentPrioritizationFees",
    "getFeeForMessage",
    "getMinimumBalanceForRentExemption",
    "getBalance",
    "getAccountInfo",
    "getMultipleAccounts",
    "getProgramAccounts",
    "getTokenAccountBalance",
    "getTokenSupply",
    "getTokenAccountsByOwner",
    "getSignaturesForAddress",
    "getSignatureStatuses",
    "getTransaction",
    "simulateTransaction",
    "sendTransaction",
    "requestAirdrop",
];

#[test]
fn no_random_body_and_no_random_parameters_stop_the_chain() {
    with_chain(async |chain| {
        cases(
            300,
            prop::collection::vec(any::<u8>(), 0..300),
            async |body| {
                let error = error_of(post(chain, body).await).await;
                assert!(
                    matches!(error["code"].as_i64(), Some(-32700 | -32600)),
                    "{error}"
                );
            },
        )
        .await;
        let calls = (
            prop::sample::select(&METHODS[..]),
            prop::collection::vec(arb_json(), 0..4),
        );
        cases(1_500, calls, async |(method, params)| {
            let answer = call(chain, method, json!(params)).await;
            let code = answer["error"]["code"].as_i64();
            assert!(
                answer.get("result").is_some()
                    || matches!(code, Some(-32602 | -32600 | -32004 | -32016 | -32002)),
                "{method} {params:?}: {answer}"
            );
        })
        .await;
        // Whole objects that stand where calls are expected.
        cases(300, arb_json(), async |body| {
            let status = post(chain, body.to_string()).await.status();
            assert!(status == 200, "{body}: {status}");
        })
        .await;
    });
}

#[test]
fn no_random_or_damaged_transaction_stops_the_chain() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use solana_keypair::Keypair;
    use solana_signer::Signer;
    with_chain(async |chain| {
        let client = crate::support::client(chain);
        let payer = Keypair::new_from_array([8; 32]);
        client
            .request_airdrop(&payer.pubkey(), 100 * LAMPORTS_PER_SOL)
            .await
            .unwrap();
        let hash = client.get_latest_blockhash().await.unwrap();
        let send = async |method: &str, raw: &[u8], config: Value| {
            let mut config = config;
            config["encoding"] = json!("base64");
            let answer = call(chain, method, json!([STANDARD.encode(raw), config])).await;
            let code = answer["error"]["code"].as_i64();
            assert!(
                answer.get("result").is_some() || matches!(code, Some(-32602 | -32002 | -32003)),
                "{answer}"
            );
        };
        cases(
            300,
            prop::collection::vec(any::<u8>(), 0..1300),
            async |raw| {
                send("sendTransaction", &raw, json!({"skipPreflight": true})).await;
            },
        )
        .await;
        // Properly signed, with arbitrary instructions to the programs that are there.
        let programs = [
            Pubkey::default(),
            spl_token_interface::ID,
            spl_associated_token_account_interface::program::ID,
            Pubkey::from_str_const("ComputeBudget111111111111111111111111111111"),
            Pubkey::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111"),
            Pubkey::from_str_const("AddressLookupTab1e1111111111111111111111111"),
            Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"),
            Pubkey::from_str_const("Sysvar1nstructions1111111111111111111111111"),
            Pubkey::new_from_array([4; 32]),
        ];
        let account = (
            prop::sample::select(
                [
                    programs.as_slice(),
                    &[payer.pubkey(), Pubkey::new_from_array([5; 32])],
                ]
                .concat(),
            ),
            any::<bool>(),
        );
        let instruction = (
            prop::sample::select(programs.to_vec()),
            prop::collection::vec(account, 0..6),
            // A small tag first, as the programs' instructions have.
            (0..25_u8, prop::collection::vec(any::<u8>(), 0..60)),
        );
        let instructions = prop::collection::vec(instruction, 0..4);
        cases(
            800,
            (
                instructions,
                any::<bool>(),
                any::<prop::sample::Index>(),
                any::<u8>(),
            ),
            async |(instructions, skip, at, flip)| {
                let instructions: Vec<_> = instructions
                    .into_iter()
                    .map(
                        |(program, accounts, (tag, data))| solana_instruction::Instruction {
                            program_id: program,
                            accounts: accounts
                                .into_iter()
                                .map(|(key, writable)| solana_instruction::AccountMeta {
                                    pubkey: key,
                                    is_signer: key == payer.pubkey(),
                                    is_writable: writable,
                                })
                                .collect(),
                            data: [&[tag][..], &data].concat(),
                        },
                    )
                    .collect();
                let message = solana_message::Message::new(&instructions, Some(&payer.pubkey()));
                let transaction = solana_transaction::Transaction::new(&[&payer], message, hash);
                let mut raw = bincode::serialize(&transaction).unwrap();
                send("sendTransaction", &raw, json!({"skipPreflight": skip})).await;
                let at = at.index(raw.len());
                raw[at] ^= flip;
                send(
                    "simulateTransaction",
                    &raw,
                    json!({"replaceRecentBlockhash": true, "innerInstructions": true}),
                )
                .await;
                send("sendTransaction", &raw, json!({"skipPreflight": true})).await;
            },
        )
        .await;
        // The chain isn't only alive: money still adds up to what the fees left.
        assert!(client.get_balance(&payer.pubkey()).await.unwrap() < 100 * LAMPORTS_PER_SOL);
    });
}
