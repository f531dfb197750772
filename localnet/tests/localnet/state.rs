//! What is kept on disk, and what a restart does with it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

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
use veilpool_localnet::{
    GenesisProgram, GenesisToken, LAMPORTS_PER_SOL, Localnet, LocalnetConfig, StartError,
};

use crate::{
    clock::clock,
    support::{FEE, Fixture, RICHES, STILL, client, config, refusal, wait_for_slot},
};

const DATABASE: &str = "chain.sqlite";

async fn kept(folder: &Path) -> Fixture {
    Fixture::with(|config| {
        config.state = Some(folder.to_owned());
        config.block_time = STILL;
    })
    .await
}

fn again(folder: &Path) -> LocalnetConfig {
    LocalnetConfig {
        state: Some(folder.to_owned()),
        block_time: STILL,
        ..config()
    }
}

async fn refused(config: LocalnetConfig) -> StartError {
    match Localnet::start(config).await {
        Ok(_) => panic!("the chain started"),
        Err(error) => error,
    }
}

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

fn log_of(folder: &Path) -> PathBuf {
    folder.join(format!("{DATABASE}-wal"))
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
async fn a_damaged_foreign_or_newer_state_is_refused_by_name_and_left_alone() {
    // Not a database.
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join(DATABASE),
        [b"not a chain's state".as_slice(); 100].concat(),
    )
    .unwrap();
    let error = refused(again(folder.path())).await;
    assert!(matches!(&error, StartError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("Restore a copy"), "{error}");

    // Cut off in the middle.
    let folder = tempfile::tempdir().unwrap();
    kept(folder.path()).await.chain.shutdown().await;
    let file = folder.path().join(DATABASE);
    let whole = fs::read(&file).unwrap();
    let half = &whole[..whole.len() / 2];
    fs::write(&file, half).unwrap();
    let error = refused(again(folder.path())).await;
    assert!(
        matches!(&error, StartError::Damaged { path, .. } if *path == file),
        "{error}"
    );
    assert_eq!(fs::read(&file).unwrap().len(), half.len());

    // Of another format.
    fs::write(&file, &whole).unwrap();
    execute(folder.path(), "PRAGMA user_version = 2").await;
    let error = refused(again(folder.path())).await;
    assert!(
        matches!(
            error,
            StartError::Format {
                found: 2,
                expected: 1,
                ..
            }
        ),
        "{error}"
    );

    // Of another program.
    execute(folder.path(), "PRAGMA application_id = 5").await;
    let error = refused(again(folder.path())).await;
    assert!(matches!(error, StartError::Foreign { .. }), "{error}");

    // With rows that don't mean anything.
    for (damage, reason) in [
        (
            "UPDATE accounts SET owner = x'0102'",
            "owner isn't an address",
        ),
        ("UPDATE chain SET seed = x''", "the seed isn't 32 bytes"),
        ("DELETE FROM chain", "the chain's own row is missing"),
        (
            "INSERT INTO transactions VALUES (1, 1, 1, x'00', x'', '{}')",
            "transaction 1: ",
        ),
    ] {
        fs::write(&file, &whole).unwrap();
        execute(folder.path(), damage).await;
        let error = refused(again(folder.path())).await;
        assert!(
            matches!(&error, StartError::Damaged { reason: found, .. } if found.contains(reason)),
            "{damage}: {error}"
        );
    }
    fs::write(&file, &whole).unwrap();
    Localnet::start(again(folder.path())).await.unwrap();
}

#[tokio::test]
async fn a_kept_chain_is_not_taken_for_one_with_another_genesis() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = again(folder.path());
    first.seed = Some([1; 32]);
    Localnet::start(first.clone())
        .await
        .unwrap()
        .shutdown()
        .await;
    Localnet::start(first).await.unwrap().shutdown().await;
    let mut other = again(folder.path());
    other.seed = Some([2; 32]);
    let error = refused(other).await;
    assert!(matches!(error, StartError::SeedDiffers { .. }), "{error}");

    let address = Pubkey::new_unique();
    let mut other = again(folder.path());
    other.programs.push(GenesisProgram {
        address,
        elf: vec![1, 2, 3],
    });
    let error = refused(other).await;
    assert!(
        matches!(error, StartError::ProgramDiffers { address: found } if found == address),
        "{error}"
    );

    let mut other = again(folder.path());
    other.tokens.push(GenesisToken {
        mint: address,
        decimals: 6,
        authority: address,
        holders: Vec::new(),
    });
    let error = refused(other).await;
    assert!(
        matches!(error, StartError::TokenDiffers { mint } if mint == address),
        "{error}"
    );
}

#[tokio::test]
async fn a_refused_genesis_leaves_a_folder_that_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let address = Pubkey::new_unique();
    let mut bad = again(folder.path());
    bad.programs.push(GenesisProgram {
        address,
        elf: b"not an ELF file".to_vec(),
    });
    let error = refused(bad).await;
    assert!(
        matches!(&error, StartError::Program { address: found, .. } if *found == address),
        "{error}"
    );

    let airdrop = |lamports| veilpool_localnet::GenesisAirdrop { address, lamports };
    let mut bad = again(folder.path());
    bad.airdrops = vec![airdrop(RICHES), airdrop(RICHES)];
    let error = refused(bad).await;
    assert!(
        matches!(error, StartError::AddressTaken { address: found } if found == address),
        "{error}"
    );

    let mut bad = again(folder.path());
    bad.airdrops = vec![airdrop(890_879)];
    let error = refused(bad).await;
    assert!(
        matches!(
            error,
            StartError::BelowRent {
                lamports: 890_879,
                minimum: 890_880,
                ..
            }
        ),
        "{error}"
    );

    let mut bad = again(folder.path());
    let holders = vec![(address, u64::MAX), (fixture_key(), 1)];
    bad.tokens = vec![GenesisToken {
        mint: Pubkey::new_unique(),
        decimals: 0,
        authority: address,
        holders,
    }];
    let error = refused(bad).await;
    assert!(matches!(error, StartError::Supply { .. }), "{error}");
    Localnet::start(again(folder.path())).await.unwrap();
}

#[tokio::test]
async fn an_address_in_use_and_a_block_time_of_zero_are_refused() {
    let first = Localnet::start(config()).await.unwrap();
    let mut second = config();
    second.listen = first.address();
    let error = refused(second).await;
    assert!(
        matches!(&error, StartError::Listen { address, .. } if *address == first.address()),
        "{error}"
    );
    let mut second = config();
    second.block_time = Duration::ZERO;
    let error = refused(second).await;
    assert!(matches!(error, StartError::BlockTime), "{error}");
}

fn fixture_key() -> Pubkey {
    Pubkey::new_from_array([9; 32])
}

/// Changes the state behind a chain's back.
async fn execute(folder: &Path, statement: &str) {
    use sqlx::{ConnectOptions, Connection};
    let mut database = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(folder.join(DATABASE))
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(statement)
        .execute(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();
}
