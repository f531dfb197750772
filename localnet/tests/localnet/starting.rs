//! Starts that are refused.

use std::{fs, time::Duration};

use solana_pubkey::Pubkey;
use veilpool_localnet::{GenesisAirdrop, GenesisProgram, GenesisToken, Localnet, StartError};

use crate::{
    folder::{DATABASE, again, execute, kept, refused},
    support::{RICHES, config},
};

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

    let airdrop = |lamports| GenesisAirdrop { address, lamports };
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
    let holders = vec![(address, u64::MAX), (Pubkey::new_unique(), 1)];
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
