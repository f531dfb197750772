//! The TypeScript client, which is generated from the description, carries a pool from its making to a claim over
//! a chain's JSON-RPC (`clients/ts/test/e2e.mjs`). The claim is proven here. The chain is the embedded one, or
//! Surfpool (`make surfpool`).
#![allow(clippy::unwrap_used)]

mod chain;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use chain::TestChain;

use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_idl::LOCAL_PROGRAM;
use veilpool_interface::{
    Pool, Record, address, builder, class::default_table, hashing, instruction::ClaimArguments,
};
use veilpool_primitives::RegistryTree;
use veilpool_program_harness::{
    people::{self, Person},
    pool,
    proof::Facts,
};
use veilpool_protocol::{
    AddressBytes, ClassId, CommitmentBytes, EpochId, MeasurerCount, ProofBytes, claim::PublicInputs,
};

const MEASURERS: MeasurerCount = MeasurerCount::Three;
const EPOCH: EpochId = EpochId::new(0);
/// The default table's best class.
const CLASS: ClassId = ClassId::new(8);
const FEE: u64 = 30;
const OPERATORS: [Person; 2] = [Person(0), Person(1)];
const CLAIMANT: Person = Person(1);

fn client() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/ts");
    assert!(
        folder.join("dist/index.js").exists(),
        "the TypeScript client is not built: run `make ts`, which does it"
    );
    folder
}

/// A claim of the epoch that the script is going to open, for the pool that it is going to make.
fn prove(
    genesis_hash: &[u8; 32],
    pool: &Pubkey,
    mint: &Pubkey,
    relayer: &Pubkey,
) -> ClaimArguments {
    let leaves: Vec<CommitmentBytes> = OPERATORS.map(Person::commitment).to_vec();
    let domain = hashing::domain(
        genesis_hash,
        &address::bytes(&LOCAL_PROGRAM),
        &address::bytes(pool),
    );
    let mut arguments = ClaimArguments {
        epoch: EPOCH,
        class: CLASS,
        nullifier: CLAIMANT.nullifier(EPOCH),
        payout: AddressBytes::new(Keypair::new_from_array([0x53; 32]).pubkey().to_bytes()),
        max_fee: FEE,
        fee: FEE,
        proof: ProofBytes::new([0; ProofBytes::LEN]),
    };
    let binding = builder::claim_binding(&LOCAL_PROGRAM, pool, mint, relayer, &arguments);
    let class = default_table()[usize::from(CLASS.get())];
    let claimed = PublicInputs {
        registry_root: RegistryTree::from_leaves(leaves.iter().copied())
            .unwrap()
            .root(),
        set_hash: people::measurer_set(MEASURERS).hash(domain),
        epoch: EPOCH,
        thresholds: class.thresholds,
        nullifier: arguments.nullifier,
        binding: hashing::binding(&binding),
    };
    let facts = Facts {
        person: CLAIMANT,
        measurers: MEASURERS,
        claimed,
        domain,
        leaves: &leaves,
    };
    arguments.proof = facts.prove(0);
    arguments
}

fn script_input(
    rpc: &str,
    genesis_hash: &[u8; 32],
    mint: &Pubkey,
    [founder, relayer]: [&Keypair; 2],
    claim: &ClaimArguments,
) -> Value {
    let classes = default_table().into_iter().map(|class| {
        json!({
            "thresholds": {
                "bandwidth": class.thresholds.bandwidth.get(),
                "uptime": class.thresholds.uptime.get(),
                "latency": class.thresholds.latency.get(),
                "zone": class.thresholds.zone.get(),
            },
            "weight": class.weight.get(),
        })
    });
    let measurers = people::measurer_keys(MEASURERS).into_iter().map(|key| {
        json!({
            "u": hex::encode(key.u.as_bytes()),
            "shiftedU": hex::encode(key.shifted_u.as_bytes()),
        })
    });
    json!({
        "rpc": rpc,
        "program": LOCAL_PROGRAM.to_string(),
        "mint": mint.to_string(),
        "founder": hex::encode(founder.secret_bytes()),
        "relayer": hex::encode(relayer.secret_bytes()),
        "genesisHash": hex::encode(genesis_hash),
        "verifyingKey": hex::encode(pool::verifying_key(MEASURERS)),
        "measurers": measurers.collect::<Vec<_>>(),
        "classes": classes.collect::<Vec<_>>(),
        "commitments": OPERATORS.map(|person| hex::encode(person.commitment().as_bytes())),
        "claim": {
            "class": claim.class.get(),
            "nullifier": hex::encode(claim.nullifier.as_bytes()),
            "payout": address::pubkey(&claim.payout).to_string(),
            "maxFee": claim.max_fee.to_string(),
            "fee": claim.fee.to_string(),
            "proof": hex::encode(claim.proof.as_bytes()),
        },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_client_registers_opens_an_epoch_relays_a_claim_and_reads_the_pool() {
    let client = client();
    let [founder, relayer] = [0x51, 0x52].map(|seed| Keypair::new_from_array([seed; 32]));
    let mint = Pubkey::new_from_array([8; 32]);
    let chain = TestChain::start(mint, &[&founder, &relayer]).await;
    let rpc = chain.client();
    let genesis_hash = rpc.get_genesis_hash().await.unwrap().to_bytes();
    let pool = address::pool(&LOCAL_PROGRAM, &mint, &founder.pubkey()).0;
    let claim = prove(&genesis_hash, &pool, &mint, &relayer.pubkey());

    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input.json");
    let people = [&founder, &relayer];
    let text = script_input(chain.rpc_url(), &genesis_hash, &mint, people, &claim).to_string();
    fs::write(&input, text).unwrap();
    let script = client.join("test/e2e.mjs");
    let node = move || Command::new("node").arg(script).arg(input).output();
    let output = tokio::task::spawn_blocking(node).await.unwrap().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();

    let number = |name: &str| said[name].as_str().unwrap().parse::<u64>().unwrap();
    let weight = default_table()[usize::from(CLASS.get())].weight;
    let reward = number("rate") * u64::from(weight.get());
    assert!(reward > FEE);
    assert_eq!(said["pool"], json!(pool.to_string()));
    assert_eq!(
        said["events"],
        json!(["Deposited", "EpochOpened", "Claimed"])
    );
    assert_eq!((number("paid"), number("relayed")), (reward - FEE, FEE));
    assert_eq!(number("assetsBefore") - number("assetsAfter"), reward);
    // The chain has what the client read.
    let account = rpc.get_account_data(&pool).await.unwrap();
    let record = Pool::decode(&account).unwrap();
    assert_eq!(record.books.assets, number("assetsAfter"));
    chain.shutdown().await;
}
