//! Random bytes, parameters and transactions: nothing stops the chain.

use proptest::{prelude::*, strategy::ValueTree};
use serde_json::{Value, json};
use solana_pubkey::Pubkey;
use veilpool_localnet::{LAMPORTS_PER_SOL, Localnet};

use crate::{
    bad_input::error_of,
    support::{STILL, call, config, post},
};

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
        // Many of them did land, and were charged.
        let landed = client.get_transaction_count().await.unwrap();
        assert!(landed > 100, "{landed}");
        let spent = 100 * LAMPORTS_PER_SOL - client.get_balance(&payer.pubkey()).await.unwrap();
        assert!(spent >= (landed - 1) * 5_000, "{spent}");
    });
}
