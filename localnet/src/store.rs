//! The chain on disk: one SQLite database in the state folder.
//!
//! Why SQLite rather than a journal of our own: what landing changes (accounts, the record, the slot) is one
//! transaction there, and its write-ahead log has checksums, torn tails, compaction and disk-full behaviour that
//! have been tested for decades. A landed transaction is committed with `synchronous=FULL`
//! (fsync) before it is acknowledged, so `kill -9` or a power cut at any instant leaves all of
//! it or, unacknowledged, nothing of it. A slot without transactions is written without fsync: `kill -9`
//! loses none, a power cut may lose the last ones.
//!
//! A log that ends in the middle of a transaction is SQLite's to cut off. A damaged database is refused with
//! [`StartError::Damaged`]. A `flock` on the file `lock` keeps a second process out, and ends with
//! the process.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    chain::{Chain, Kept, Landed},
    config::StartError,
};

mod rows;

/// "VPLN", in the database's header.
const APPLICATION_ID: i64 = 0x5650_4c4e;

/// The layout below.
const FORMAT: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE chain (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    seed BLOB NOT NULL,
    slot INTEGER NOT NULL,
    unix_timestamp INTEGER NOT NULL
) STRICT;
CREATE TABLE accounts (
    address BLOB PRIMARY KEY,
    lamports INTEGER NOT NULL,
    owner BLOB NOT NULL,
    executable INTEGER NOT NULL,
    rent_epoch INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE TABLE transactions (
    sequence INTEGER PRIMARY KEY,
    slot INTEGER NOT NULL,
    block_time INTEGER NOT NULL,
    raw BLOB NOT NULL,
    addresses BLOB NOT NULL,
    meta TEXT NOT NULL
) STRICT;
";

/// The open state folder.
pub(crate) struct Store {
    path: PathBuf,
    database: SqliteConnection,
    /// What the next commit does: fsync or not.
    durable: bool,
    _lock: File,
}

impl Store {
    /// Opens the folder, making it if need be, and keeps others out.
    pub(crate) async fn open(folder: &Path) -> Result<Store, StartError> {
        let lock = lock(folder)?;
        let path = folder.join("chain.sqlite");
        // Before SQLite, so that the mode is right from the start.
        let made = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path);
        made.map_err(|source| StartError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        let database = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging()
            .connect()
            .await
            .map_err(|error| database_error(&path, &error))?;
        Ok(Store {
            path,
            database,
            durable: true,
            _lock: lock,
        })
    }

    /// The database's file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is kept; `None` in a new folder.
    pub(crate) async fn load(&mut self) -> Result<Option<Kept>, StartError> {
        let application = self.pragma("application_id").await?;
        let format = self.pragma("user_version").await?;
        let tables: i64 = self.number("SELECT count(*) FROM sqlite_schema").await?;
        if tables == 0 && application == 0 && format == 0 {
            return Ok(None);
        }
        if application != APPLICATION_ID {
            return Err(StartError::Foreign {
                path: self.path.clone(),
            });
        }
        if format != FORMAT {
            return Err(StartError::Format {
                path: self.path.clone(),
                found: format,
                expected: FORMAT,
            });
        }
        let found: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
            .fetch_one(&mut self.database)
            .await
            .map_err(|error| self.database_error(&error))?;
        if found != "ok" {
            return Err(self.damaged(found));
        }
        self.read().await.map(Some)
    }

    async fn read(&mut self) -> Result<Kept, StartError> {
        let path = self.path.clone();
        let failed = |error: sqlx::Error| database_error(&path, &error);
        let chain = sqlx::query("SELECT seed, slot, unix_timestamp FROM chain")
            .fetch_optional(&mut self.database)
            .await
            .map_err(failed)?;
        let chain =
            chain.ok_or_else(|| self.damaged("the chain's own row is missing".to_owned()))?;
        let accounts = sqlx::query(
            "SELECT address, lamports, owner, executable, rent_epoch, data FROM accounts",
        )
        .fetch_all(&mut self.database)
        .await
        .map_err(failed)?;
        let records = sqlx::query("SELECT sequence, slot, block_time, raw, addresses, meta FROM transactions ORDER BY sequence")
            .fetch_all(&mut self.database)
            .await
            .map_err(failed)?;
        rows::kept(&chain, &accounts, &records).map_err(|reason| self.damaged(reason))
    }

    /// Writes a new chain, whole or not at all.
    pub(crate) async fn begin(&mut self, chain: &Chain) -> Result<(), StartError> {
        let written = self.write_genesis(chain).await;
        written.map_err(|error| self.database_error(&error))
    }

    async fn write_genesis(&mut self, chain: &Chain) -> Result<(), sqlx::Error> {
        let mut transaction = self.database.begin().await?;
        sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
        // Of one transaction with the rest; these two can't be bound.
        for (pragma, value) in [("application_id", APPLICATION_ID), ("user_version", FORMAT)] {
            let set = format!("PRAGMA {pragma} = {value}");
            sqlx::raw_sql(&set).execute(&mut *transaction).await?;
        }
        sqlx::query("INSERT INTO chain (only, seed, slot, unix_timestamp) VALUES (1, ?, ?, ?)")
            .bind(chain.seed().as_slice())
            .bind(rows::integer(chain.slot()))
            .bind(chain.unix_timestamp())
            .execute(&mut *transaction)
            .await?;
        for (address, account) in chain.own_accounts() {
            rows::put_account(&mut transaction, address, Some(&account)).await?;
        }
        transaction.commit().await
    }

    /// Keeps the slot; without fsync.
    pub(crate) async fn tick(&mut self, slot: u64, unix_timestamp: i64) -> Result<(), sqlx::Error> {
        self.set_durable(false).await?;
        rows::put_slot(&mut self.database, slot, unix_timestamp).await
    }

    /// Keeps a landed transaction, on the disk when this returns. Records below `forgotten` go.
    pub(crate) async fn commit(
        &mut self,
        slot: u64,
        unix_timestamp: i64,
        landed: &Landed,
        forgotten: u64,
    ) -> Result<(), sqlx::Error> {
        self.set_durable(true).await?;
        let mut transaction = self.database.begin().await?;
        for (address, account) in &landed.changed {
            rows::put_account(&mut transaction, address, account.as_ref()).await?;
        }
        rows::put_record(&mut transaction, landed).await?;
        rows::put_slot(&mut transaction, slot, unix_timestamp).await?;
        sqlx::query("DELETE FROM transactions WHERE sequence < ?")
            .bind(rows::integer(forgotten))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    /// Folds the log into the database and lets go.
    pub(crate) async fn close(self) {
        if let Err(error) = self.database.close().await {
            tracing::warn!(%error, "the chain's database did not close well; nothing is lost");
        }
    }

    async fn set_durable(&mut self, durable: bool) -> Result<(), sqlx::Error> {
        if self.durable != durable {
            let set = if durable {
                "PRAGMA synchronous = FULL"
            } else {
                "PRAGMA synchronous = NORMAL"
            };
            sqlx::raw_sql(set).execute(&mut self.database).await?;
            self.durable = durable;
        }
        Ok(())
    }

    async fn pragma(&mut self, name: &str) -> Result<i64, StartError> {
        self.number(&format!("PRAGMA {name}")).await
    }

    async fn number(&mut self, query: &str) -> Result<i64, StartError> {
        let row = sqlx::query(query)
            .fetch_one(&mut self.database)
            .await
            .map_err(|error| self.database_error(&error))?;
        row.try_get(0).map_err(|error| self.database_error(&error))
    }

    fn damaged(&self, reason: String) -> StartError {
        StartError::Damaged {
            path: self.path.clone(),
            reason,
        }
    }

    /// What an error of the database means to a person.
    pub(crate) fn database_error(&self, error: &sqlx::Error) -> StartError {
        database_error(&self.path, error)
    }
}

fn database_error(path: &Path, error: &sqlx::Error) -> StartError {
    /// SQLite's primary codes SQLITE_CORRUPT and SQLITE_NOTADB.
    const DAMAGED: [i32; 2] = [11, 26];
    let code = error
        .as_database_error()
        .and_then(|error| error.code())
        .and_then(|code| code.parse::<i32>().ok())
        .map(|code| code & 0xff);
    let path = path.to_owned();
    match code {
        Some(code) if DAMAGED.contains(&code) => StartError::Damaged {
            path,
            reason: error.to_string(),
        },
        _ => StartError::Database {
            path,
            reason: error.to_string(),
        },
    }
}

/// Makes the folder and takes its lock, which goes with the process.
fn lock(folder: &Path) -> Result<File, StartError> {
    let failed = |source| StartError::Folder {
        path: folder.to_owned(),
        source,
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(folder.join("lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse {
            path: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
