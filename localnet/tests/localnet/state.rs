//! What is kept on disk, and what a restart does with it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::{
    EncodedConfirmedTransactionWithStatusMeta, UiTransactionEncoding,
};
use tempfile::TempDir;
use veilpool_localnet::{GenesisProgram, LAMPORTS_PER_SOL, Localnet, StartError};

use crate::{
    clock::clock,
    folder::{DATABASE, again, execute, kept, log_of, refused},
    support::{FEE, Fixture, RICHES, client, refusal, wait_for_slot},
};

/// What must be the same after a restart.
struct Before {
    genesis: Hash,
    slot: u64,
    time: i64,
    transaction: Transaction,
    signature: Signature,
    told: EncodedConfirmedTransactionWithStatusMeta,
    to: Pubkey,
}

async fn one_transfer(fixture: &Fixture) -> Before {
    let to = Pubkey::new_unique();
    let transaction = fixture.transfer(&to, LAMPORTS_PER_SOL).await;
    let signature = fixture.client.send_transaction(&transaction).await.unwrap();
    let told = fixture
        .client
        .get_transaction(&signature, UiTransactionEncoding::Json)
        .await
        .unwrap();
    let clock = clock(&fixture.client).await;
    Before {
        genesis: fixture.client.get_genesis_hash().await.unwrap(),
        slot: clock.slot,
        time: clock.unix_timestamp,
        transaction,
        signature,
        told,
        to,
    }
}

async fn all_is_there(chain: &Localnet, before: &Before) {
    let client = client(chain);
    assert_eq!(client.get_genesis_hash().await.unwrap(), before.genesis);
    assert_eq!(
        client.get_balance(&before.to).await.unwrap(),
        LAMPORTS_PER_SOL
    );
    let payer = before.transaction.message.account_keys[0];
    assert_eq!(
        client.get_balance(&payer).await.unwrap(),
        RICHES - LAMPORTS_PER_SOL - FEE
    );
    assert_eq!(
        client
            .get_signature_status(&before.signature)
            .await
            .unwrap(),
        Some(Ok(()))
    );
    let told = client
        .get_transaction(&before.signature, UiTransactionEncoding::Json)
        .await
        .unwrap();
    assert_eq!(told, before.told);
    let clock = clock(&client).await;
    assert!(clock.slot > before.slot);
    assert!(clock.unix_timestamp >= before.time);
    // Its blockhash still counts, and the replay memory too.
    let hash = before.transaction.message.recent_blockhash;
    assert!(
        client
            .is_blockhash_valid(&hash, CommitmentConfig::confirmed())
            .await
            .unwrap()
    );
    let (code, _, simulated) = refusal(
        client
            .send_transaction(&before.transaction)
            .await
            .unwrap_err(),
    );
    assert_eq!(code, -32002);
    assert_eq!(
        TransactionError::from(simulated.unwrap().err.unwrap()),
        TransactionError::AlreadyProcessed
    );
}

/// The files as a `kill -9` would leave them now. Slots stand still, so nothing is written meanwhile.
fn crash_image(folder: &Path) -> TempDir {
    let image = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), image.path().join(entry.file_name())).unwrap();
    }
    image
}

#[tokio::test]
async fn a_chain_that_was_shut_down_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = kept(folder.path()).await;
    let before = one_transfer(&fixture).await;
    fixture.chain.shutdown().await;
    let chain = Localnet::start(again(folder.path())).await.unwrap();
    all_is_there(&chain, &before).await;
}

#[tokio::test]
async fn a_chain_that_was_dropped_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = kept(folder.path()).await;
    let before = one_transfer(&fixture).await;
    drop(fixture);
    let chain = Localnet::start(again(folder.path())).await.unwrap();
    all_is_there(&chain, &before).await;
}

#[tokio::test]
async fn what_a_kill_leaves_has_everything_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = kept(folder.path()).await;
    let before = one_transfer(&fixture).await;
    let image = crash_image(folder.path());
    assert!(fs::metadata(log_of(image.path())).unwrap().len() > 0);
    let chain = Localnet::start(again(image.path())).await.unwrap();
    all_is_there(&chain, &before).await;
}

#[tokio::test]
async fn a_log_cut_off_anywhere_leaves_whole_transactions_only() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = kept(folder.path()).await;
    let rich = fixture.rich.pubkey();
    let to = Pubkey::new_unique();
    let mut ends = Vec::new();
    for lamports in 1..=3_u64 {
        let transaction = fixture.transfer(&to, lamports * LAMPORTS_PER_SOL).await;
        fixture.client.send_transaction(&transaction).await.unwrap();
        ends.push(fs::metadata(log_of(folder.path())).unwrap().len());
    }
    let sums = [0, 1, 3, 6].map(|sols| sols * LAMPORTS_PER_SOL);
    let image = crash_image(folder.path());
    let whole = fs::read(log_of(image.path())).unwrap();
    // At the end of each transaction, one byte earlier, and in the middle of the next one.
    let cuts = [
        (ends[2], 3),
        (ends[2] - 1, 2),
        (ends[1] + 4_200, 2),
        (ends[1], 2),
        (ends[1] - 1, 1),
        (ends[0], 1),
    ];
    for (cut, landed) in cuts {
        let image = crash_image(image.path());
        fs::write(
            log_of(image.path()),
            &whole[..usize::try_from(cut).unwrap()],
        )
        .unwrap();
        let chain = Localnet::start(again(image.path())).await.unwrap();
        let client = client(&chain);
        assert_eq!(
            client.get_transaction_count().await.unwrap(),
            landed,
            "cut at {cut}"
        );
        let sum = sums[usize::try_from(landed).unwrap()];
        assert_eq!(client.get_balance(&to).await.unwrap(), sum, "cut at {cut}");
        assert_eq!(
            client.get_balance(&rich).await.unwrap(),
            RICHES - sum - landed * FEE,
            "cut at {cut}"
        );
    }
}

#[tokio::test]
async fn slots_that_passed_idly_are_kept_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut quick = again(folder.path());
    quick.block_time = Duration::from_millis(5);
    let chain = Localnet::start(quick).await.unwrap();
    let first = client(&chain);
    wait_for_slot(&first, 20).await;
    let before = clock(&first).await;
    drop(chain);
    let chain = Localnet::start(again(folder.path())).await.unwrap();
    let after = clock(&client(&chain)).await;
    assert!(after.slot > before.slot && after.unix_timestamp >= before.unix_timestamp);
}

#[tokio::test]
async fn the_clock_does_not_go_back_when_the_systems_did() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = kept(folder.path()).await;
    let ahead = clock(&fixture.client).await.unix_timestamp + 1_000_000;
    fixture.chain.shutdown().await;
    // As if the chain had run while the system's clock was far ahead of today's.
    execute(
        folder.path(),
        &format!("UPDATE chain SET unix_timestamp = {ahead}"),
    )
    .await;
    let chain = Localnet::start(again(folder.path())).await.unwrap();
    assert_eq!(clock(&client(&chain)).await.unix_timestamp, ahead);
}

#[tokio::test]
async fn an_account_that_was_emptied_stays_gone_and_a_token_stays_spent() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = kept(folder.path()).await;
    let everything = RICHES - FEE;
    let to = Pubkey::new_unique();
    let transaction = fixture.transfer(&to, everything).await;
    fixture.client.send_transaction(&transaction).await.unwrap();
    fixture.chain.shutdown().await;
    let chain = Localnet::start(again(folder.path())).await.unwrap();
    let told = client(&chain)
        .get_multiple_accounts(&[fixture.rich.pubkey(), to])
        .await
        .unwrap();
    assert_eq!(told[0], None);
    assert_eq!(told[1].as_ref().unwrap().lamports, everything);
}

#[tokio::test]
async fn a_second_chain_on_one_folder_is_refused_until_the_first_ends() {
    let folder = tempfile::tempdir().unwrap();
    let first = Localnet::start(again(folder.path())).await.unwrap();
    let error = refused(again(folder.path())).await;
    assert!(
        matches!(&error, StartError::InUse { path } if path == folder.path()),
        "{error}"
    );
    assert!(error.to_string().contains("in use by another chain"));
    assert!(client(&first).get_health().await.is_ok());
    drop(first);
    Localnet::start(again(folder.path())).await.unwrap();
}

#[tokio::test]
async fn the_state_is_the_owners_alone() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("deep/state");
    let _chain = Localnet::start(again(&folder)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join(DATABASE)), 0o600);
    assert_eq!(mode(&log_of(&folder)), 0o600);
}

#[tokio::test]
async fn when_the_disk_refuses_nothing_is_acknowledged_and_a_restart_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = kept(folder.path()).await;
    let before = one_transfer(&fixture).await;
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON transactions \
                   BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    execute(folder.path(), trigger).await;
    let lost = fixture.transfer(&before.to, 2 * LAMPORTS_PER_SOL).await;
    let (code, message, _) = refusal(fixture.client.send_transaction(&lost).await.unwrap_err());
    assert_eq!(code, -32603);
    assert!(
        message.contains("whether it landed is known after a restart"),
        "{message}"
    );
    // What isn't on the disk is told to nobody.
    let (code, message, _) = refusal(fixture.client.get_balance(&before.to).await.unwrap_err());
    assert_eq!(code, -32005);
    assert!(
        message.contains("the disk is full") && message.contains("restart"),
        "{message}"
    );
    let health = reqwest::get(format!("{}/health", fixture.chain.rpc_url()))
        .await
        .unwrap();
    assert_eq!(health.text().await.unwrap(), "unhealthy");
    drop(fixture);
    execute(folder.path(), "DROP TRIGGER full").await;
    let chain = Localnet::start(again(folder.path())).await.unwrap();
    all_is_there(&chain, &before).await;
    let client = client(&chain);
    client.send_transaction(&lost).await.unwrap();
    assert_eq!(
        client.get_balance(&before.to).await.unwrap(),
        3 * LAMPORTS_PER_SOL
    );
}

/// An SPL program that every chain has, and that says what it is given.
const MEMO: Pubkey = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

#[tokio::test]
async fn a_program_of_the_genesis_runs_and_runs_alike_after_a_restart() {
    let elf = {
        let donor = Fixture::new().await;
        donor.client.get_account_data(&MEMO).await.unwrap()
    };
    let address = Pubkey::new_from_array([6; 32]);
    let program = GenesisProgram { address, elf };
    let folder = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for text in ["before", "afters"] {
        let fixture = Fixture::with(|config| {
            config.state = Some(folder.path().to_owned());
            config.programs.push(program.clone());
        })
        .await;
        let instruction = solana_instruction::Instruction {
            program_id: address,
            accounts: Vec::new(),
            data: text.as_bytes().to_vec(),
        };
        let transaction = fixture.signed(&[instruction]).await;
        let signature = fixture
            .client
            .send_and_confirm_transaction(&transaction)
            .await
            .unwrap();
        let told = fixture
            .client
            .get_transaction(&signature, UiTransactionEncoding::Base64)
            .await
            .unwrap();
        let meta = told.transaction.meta.unwrap();
        let logs = meta.log_messages.unwrap();
        assert_eq!(logs[0], format!("Program {address} invoke [1]"));
        assert!(logs.iter().any(|log| log.contains(text)), "{logs:?}");
        assert_eq!(logs.last().unwrap(), &format!("Program {address} success"));
        assert!(
            fixture
                .client
                .get_account(&address)
                .await
                .unwrap()
                .executable
        );
        units.push(meta.compute_units_consumed.unwrap());
        fixture.chain.shutdown().await;
    }
    assert!(units[0] > 0);
    assert_eq!(units[0], units[1]);
}
