//! The chain under the script: a localnet of this test's own or, when its RPC's URL is in `VEILPOOL_SURFPOOL`,
//! a Surfpool node that is given the localnet's program, token and people.

use std::time::Duration;

use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::request::RpcRequest;
use solana_signer::Signer;
use spl_associated_token_account_interface::address::get_associated_token_address;
use veilpool_idl::LOCAL_PROGRAM;

use veilpool_localnet::{
    GenesisAirdrop, GenesisProgram, GenesisToken, LAMPORTS_PER_SOL, Localnet, LocalnetConfig,
};
use veilpool_program_harness::binary::Build;

const SURFPOOL: &str = "VEILPOOL_SURFPOOL";

pub(crate) struct TestChain {
    rpc_url: String,
    localnet: Localnet,
}

impl TestChain {
    /// With the program, and tokens of the first of the people.
    pub(crate) async fn start(mint: Pubkey, people: &[&Keypair]) -> Self {
        let localnet = localnet(mint, people).await;
        let Ok(rpc_url) = std::env::var(SURFPOOL) else {
            return Self {
                rpc_url: localnet.rpc_url(),
                localnet,
            };
        };
        let (from, to) = (
            RpcClient::new(localnet.rpc_url()),
            RpcClient::new(rpc_url.clone()),
        );
        let elf = hex::encode(Build::Development.bytes());
        let program = json!([LOCAL_PROGRAM.to_string(), elf, 0]);
        tell(&to, "surfnet_writeProgram", program).await;
        let tokens = get_associated_token_address(&people[0].pubkey(), &mint);
        for account in people
            .iter()
            .map(|person| person.pubkey())
            .chain([mint, tokens])
        {
            copy(&from, &to, &account).await;
        }
        Self { rpc_url, localnet }
    }

    pub(crate) fn rpc_url(&self) -> &str {
        &self.rpc_url
    }

    pub(crate) fn client(&self) -> RpcClient {
        RpcClient::new(self.rpc_url.clone())
    }

    pub(crate) async fn shutdown(self) {
        self.localnet.shutdown().await;
    }
}

async fn localnet(mint: Pubkey, people: &[&Keypair]) -> Localnet {
    Localnet::start(LocalnetConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        block_time: Duration::from_millis(100),
        programs: vec![GenesisProgram {
            address: LOCAL_PROGRAM,
            elf: Build::Development.bytes().to_vec(),
        }],
        tokens: vec![GenesisToken {
            mint,
            decimals: 6,
            authority: people[0].pubkey(),
            holders: vec![(people[0].pubkey(), 2_000_000_000)],
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

async fn copy(from: &RpcClient, to: &RpcClient, address: &Pubkey) {
    let account = from.get_account(address).await.unwrap();
    let update = json!({
        "lamports": account.lamports,
        "data": hex::encode(&account.data),
        "owner": account.owner.to_string(),
    });
    tell(
        to,
        "surfnet_setAccount",
        json!([address.to_string(), update]),
    )
    .await;
    assert_eq!(to.get_account(address).await.unwrap().data, account.data);
}

async fn tell(surfpool: &RpcClient, method: &'static str, parameters: Value) {
    let request = RpcRequest::Custom { method };
    let _: Value = surfpool.send(request, parameters).await.unwrap();
}
