//! What the tests share.

use std::time::Duration;

use serde_json::{Value, json};
use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    config::RpcSendTransactionConfig,
    request::{RpcError, RpcResponseErrorData},
    response::RpcSimulateTransactionResult,
};
use solana_signer::Signer;
use solana_system_interface::instruction as system;
use solana_transaction::Transaction;
use veilpool_localnet::{GenesisAirdrop, LAMPORTS_PER_SOL, Localnet, LocalnetConfig};

/// Slots that don't pass by themselves during a test.
pub(crate) const STILL: Duration = Duration::from_secs(3600);

/// A chain with one rich wallet.
pub(crate) struct Fixture {
    pub(crate) chain: Localnet,
    pub(crate) client: RpcClient,
    pub(crate) rich: Keypair,
}

/// The rich wallet's lamports.
pub(crate) const RICHES: u64 = 10 * LAMPORTS_PER_SOL;

/// What one signature costs.
pub(crate) const FEE: u64 = 5_000;

impl Fixture {
    pub(crate) async fn new() -> Fixture {
        Fixture::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut LocalnetConfig)) -> Fixture {
        let rich = Keypair::new_from_array([7; 32]);
        let mut config = config();
        config.airdrops.push(GenesisAirdrop {
            address: rich.pubkey(),
            lamports: RICHES,
        });
        change(&mut config);
        let chain = Localnet::start(config).await.unwrap();
        let client = client(&chain);
        Fixture {
            chain,
            client,
            rich,
        }
    }

    pub(crate) async fn blockhash(&self) -> Hash {
        self.client.get_latest_blockhash().await.unwrap()
    }

    /// A transaction that the rich wallet signs and pays.
    pub(crate) async fn signed(&self, instructions: &[Instruction]) -> Transaction {
        Transaction::new(
            &[&self.rich],
            Message::new(instructions, Some(&self.rich.pubkey())),
            self.blockhash().await,
        )
    }

    pub(crate) async fn transfer(&self, to: &Pubkey, lamports: u64) -> Transaction {
        self.signed(&[system::transfer(&self.rich.pubkey(), to, lamports)])
            .await
    }
}

/// On a free port, in memory, with slots of the usual length.
pub(crate) fn config() -> LocalnetConfig {
    LocalnetConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        ..LocalnetConfig::default()
    }
}

pub(crate) fn client(chain: &Localnet) -> RpcClient {
    RpcClient::new_with_commitment(chain.rpc_url(), CommitmentConfig::confirmed())
}

pub(crate) const SKIP: RpcSendTransactionConfig = RpcSendTransactionConfig {
    skip_preflight: true,
    preflight_commitment: None,
    encoding: None,
    max_retries: None,
    min_context_slot: None,
};

/// Code, message and simulation of a refusal.
pub(crate) fn refusal(error: ClientError) -> (i64, String, Option<RpcSimulateTransactionResult>) {
    match *error.kind {
        ErrorKind::RpcError(RpcError::RpcResponseError {
            code,
            message,
            data,
        }) => {
            let simulated = match data {
                RpcResponseErrorData::SendTransactionPreflightFailure(result) => Some(result),
                _ => None,
            };
            (code, message, simulated)
        }
        other => panic!("not an answer of the RPC: {other:?}"),
    }
}

/// A body posted as it is.
pub(crate) async fn post(chain: &Localnet, body: impl Into<reqwest::Body>) -> reqwest::Response {
    reqwest::Client::new()
        .post(chain.rpc_url())
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .unwrap()
}

/// The answer to one call.
pub(crate) async fn call(chain: &Localnet, method: &str, params: Value) -> Value {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let text = post(chain, call.to_string()).await.text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Waits until a slot has come, as long as the machine needs.
pub(crate) async fn wait_for_slot(client: &RpcClient, slot: u64) {
    while client.get_slot().await.unwrap() < slot {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
