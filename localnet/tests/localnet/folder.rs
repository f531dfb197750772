//! Chains that are kept in a folder.

use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions, Connection};
use veilpool_localnet::{Localnet, LocalnetConfig, StartError};

use crate::support::{Fixture, STILL, config};

/// The state's file.
pub(crate) const DATABASE: &str = "chain.sqlite";

/// A chain with one rich wallet, kept in the folder; slots stand still.
pub(crate) async fn kept(folder: &Path) -> Fixture {
    Fixture::with(|config| {
        config.state = Some(folder.to_owned());
        config.block_time = STILL;
    })
    .await
}

/// For what the folder keeps; slots stand still.
pub(crate) fn again(folder: &Path) -> LocalnetConfig {
    LocalnetConfig {
        state: Some(folder.to_owned()),
        block_time: STILL,
        ..config()
    }
}

/// Why it doesn't start.
pub(crate) async fn refused(config: LocalnetConfig) -> StartError {
    match Localnet::start(config).await {
        Ok(_) => panic!("the chain started"),
        Err(error) => error,
    }
}

/// SQLite's write-ahead log.
pub(crate) fn log_of(folder: &Path) -> PathBuf {
    folder.join(format!("{DATABASE}-wal"))
}

/// Changes the state behind a chain's back.
pub(crate) async fn execute(folder: &Path, statement: &str) {
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
