//! Accounts as they are asked for.

use serde_json::json;
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::{
    config::{
        RpcAccountInfoConfig, RpcProgramAccountsConfig, UiAccountEncoding, UiDataSliceConfig,
    },
    filter::{Memcmp, RpcFilterType},
};
use solana_signer::Signer;
use solana_system_interface::instruction as system;
use spl_associated_token_account_interface::address::get_associated_token_address;
use veilpool_localnet::{GenesisToken, LAMPORTS_PER_SOL};

use crate::support::{Fixture, STILL, call, refusal};

/// Three holders of two mints.
async fn holders() -> (Fixture, [Pubkey; 2], [Pubkey; 3]) {
    let mints = [
        Pubkey::new_from_array([1; 32]),
        Pubkey::new_from_array([2; 32]),
    ];
    let owners = [3, 4, 5].map(|byte| Pubkey::new_from_array([byte; 32]));
    let token = |mint, holders| GenesisToken {
        mint,
        decimals: 0,
        authority: Pubkey::default(),
        holders,
    };
    let fixture = Fixture::with(|config| {
        config.tokens = vec![
            token(mints[0], vec![(owners[0], 10), (owners[1], 11)]),
            token(mints[1], vec![(owners[0], 12), (owners[2], 13)]),
        ];
    })
    .await;
    (fixture, mints, owners)
}

#[tokio::test]
async fn a_programs_accounts_are_filtered_by_size_and_content_and_sliced() {
    let (fixture, mints, owners) = holders().await;
    let ask = |filters: Vec<RpcFilterType>| {
        let config = RpcProgramAccountsConfig {
            filters: Some(filters),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                // The amount.
                data_slice: Some(UiDataSliceConfig {
                    offset: 64,
                    length: 8,
                }),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        };
        let client = &fixture.client;
        async move {
            let mut found: Vec<(Pubkey, u64)> = client
                .get_program_ui_accounts_with_config(&spl_token_interface::ID, config)
                .await
                .unwrap()
                .into_iter()
                .map(|(address, account)| {
                    let data = account.data.decode().unwrap();
                    (address, u64::from_le_bytes(data.try_into().unwrap()))
                })
                .collect();
            found.sort_by_key(|(_, amount)| *amount);
            found
        }
    };
    let accounts = RpcFilterType::DataSize(165);
    let of = |offset, key: &Pubkey| {
        RpcFilterType::Memcmp(Memcmp::new_raw_bytes(offset, key.to_bytes().to_vec()))
    };
    let amounts = |found: Vec<(Pubkey, u64)>| {
        found
            .into_iter()
            .map(|(_, amount)| amount)
            .collect::<Vec<_>>()
    };
    assert_eq!(amounts(ask(vec![accounts.clone()]).await), [10, 11, 12, 13]);
    assert_eq!(
        amounts(ask(vec![accounts.clone(), of(0, &mints[0])]).await),
        [10, 11]
    );
    assert_eq!(
        amounts(ask(vec![RpcFilterType::TokenAccountState, of(32, &owners[0])]).await),
        [10, 12]
    );
    let one = ask(vec![accounts, of(0, &mints[1]), of(32, &owners[2])]).await;
    assert_eq!(
        one,
        [(get_associated_token_address(&owners[2], &mints[1]), 13)]
    );
    // Past the end of every account, nothing matches.
    assert_eq!(ask(vec![of(usize::MAX, &owners[0])]).await, []);
}

#[tokio::test]
async fn a_programs_accounts_come_with_their_slot_when_asked() {
    let (fixture, ..) = holders().await;
    let program = spl_token_interface::ID.to_string();
    let asked = json!([program, {"withContext": true, "encoding": "base64", "filters": [{"dataSize": 82}]}]);
    let answer = call(&fixture.chain, "getProgramAccounts", asked).await;
    assert!(answer["result"]["context"]["slot"].as_u64().unwrap() >= 1);
    assert_eq!(answer["result"]["value"].as_array().unwrap().len(), 2);
    let long = json!([program, {"filters": [{"memcmp": {"offset": 0, "bytes": vec![0; 129]}}]}]);
    let answer = call(&fixture.chain, "getProgramAccounts", long).await;
    assert_eq!(answer["error"]["code"], -32602);
    assert_eq!(
        answer["error"]["message"],
        "Invalid param: encoded binary data should be less than 129 bytes"
    );
    let many = json!([program, {"filters": vec![json!({"dataSize": 1}); 5]}]);
    let answer = call(&fixture.chain, "getProgramAccounts", many).await;
    assert_eq!(
        answer["error"]["message"],
        "Too many filters provided; max 4"
    );
}

#[tokio::test]
async fn accounts_are_told_in_each_encoding_and_absent_ones_as_null() {
    let (fixture, mints, _) = holders().await;
    let get = |encoding: &str| {
        let asked =
            json!([mints[0].to_string(), {"encoding": encoding, "commitment": "processed"}]);
        call(&fixture.chain, "getAccountInfo", asked)
    };
    let base64 = get("base64").await["result"]["value"].clone();
    assert_eq!(
        (&base64["space"], &base64["data"][1], &base64["executable"]),
        (&json!(82), &json!("base64"), &json!(false))
    );
    assert_eq!(base64["owner"], spl_token_interface::ID.to_string());
    assert_eq!(
        get("jsonParsed").await["result"]["value"]["data"]["parsed"]["info"]["supply"],
        "21"
    );
    assert_eq!(get("base58").await["result"]["value"]["data"][1], "base58");
    assert_eq!(
        get("base64+zstd").await["result"]["value"]["data"][1],
        "base64+zstd"
    );
    assert_eq!(get("base65").await["error"]["code"], -32602);

    let absent = Pubkey::new_unique();
    let told = fixture
        .client
        .get_multiple_accounts(&[absent, mints[0], absent])
        .await
        .unwrap();
    assert_eq!(
        told.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, true, false]
    );
    let told = fixture
        .client
        .get_account_with_commitment(&absent, CommitmentConfig::confirmed())
        .await
        .unwrap();
    assert_eq!(told.value, None);
    let keys = vec![absent.to_string(); 101];
    let answer = call(&fixture.chain, "getMultipleAccounts", json!([keys])).await;
    assert_eq!(
        answer["error"]["message"],
        "Too many inputs provided; max 100"
    );
}

#[tokio::test]
async fn an_account_that_was_emptied_is_gone() {
    let fixture = Fixture::with(|config| config.block_time = STILL).await;
    let poor = solana_keypair::Keypair::new();
    fixture
        .client
        .request_airdrop(&poor.pubkey(), LAMPORTS_PER_SOL)
        .await
        .unwrap();
    let message = solana_message::Message::new(
        &[system::transfer(
            &poor.pubkey(),
            &fixture.rich.pubkey(),
            LAMPORTS_PER_SOL,
        )],
        Some(&fixture.rich.pubkey()),
    );
    let both = [&fixture.rich, &poor];
    let transaction =
        solana_transaction::Transaction::new(&both, message, fixture.blockhash().await);
    fixture
        .client
        .send_and_confirm_transaction(&transaction)
        .await
        .unwrap();
    let told = fixture
        .client
        .get_account_with_commitment(&poor.pubkey(), CommitmentConfig::confirmed())
        .await
        .unwrap();
    assert_eq!(told.value, None);
}

#[tokio::test]
async fn a_context_slot_that_has_not_come_is_refused_and_every_commitment_is_taken() {
    let fixture = Fixture::with(|config| config.block_time = STILL).await;
    let slot = fixture.client.get_slot().await.unwrap();
    let key = fixture.rich.pubkey().to_string();
    for (method, at_start) in [
        ("getSlot", json!([])),
        ("getLatestBlockhash", json!([])),
        ("getBalance", json!([key])),
        ("getAccountInfo", json!([key])),
    ] {
        let with = |config: serde_json::Value| {
            let mut params = at_start.as_array().unwrap().clone();
            params.push(config);
            json!(params)
        };
        let answer = call(
            &fixture.chain,
            method,
            with(json!({"minContextSlot": slot + 1})),
        )
        .await;
        assert_eq!(
            (
                &answer["error"]["code"],
                &answer["error"]["data"]["contextSlot"]
            ),
            (&json!(-32016), &json!(slot)),
            "{method}"
        );
        for commitment in ["processed", "confirmed", "finalized"] {
            let asked = with(json!({"commitment": commitment, "minContextSlot": slot}));
            let answer = call(&fixture.chain, method, asked).await;
            assert!(answer.get("error").is_none(), "{method}: {answer}");
        }
    }
}

#[tokio::test]
async fn rent_is_the_runtimes_and_an_account_below_it_is_refused() {
    let fixture = Fixture::new().await;
    let rent = fixture
        .client
        .get_minimum_balance_for_rent_exemption(0)
        .await
        .unwrap();
    assert_eq!(rent, 890_880);
    assert_eq!(
        fixture
            .client
            .get_minimum_balance_for_rent_exemption(165)
            .await
            .unwrap(),
        2_039_280
    );
    let transaction = fixture.transfer(&Pubkey::new_unique(), rent - 1).await;
    let (code, message, _) = refusal(
        fixture
            .client
            .send_transaction(&transaction)
            .await
            .unwrap_err(),
    );
    assert_eq!(code, -32002);
    assert!(message.contains("insufficient funds for rent"), "{message}");
}
