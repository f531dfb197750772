//! What a measurer must not lose: listings, results as they come, and what it has signed. SQLite, each
//! write synced, so that `kill -9` at any instant loses at most the heartbeat under way.
//!
//! An attestation is stored before it is released, and the first one stays (attack M7).

mod results;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sqlx::{
    Row, SqlitePool,
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions, SqliteRow,
        SqliteSynchronous,
    },
};
use veilpool_protocol::{
    DomainBytes, EpochId, MeasurerKeyBytes, SubjectBytes,
    api::{RoundResult, SlotResult, WireGuardKeyBytes},
};

use super::schedule::{EpochTimes, Millis};

const FILE: &str = "measurer.sqlite";
/// A file of another version is not touched.
const VERSION: i64 = 1;
/// For a predecessor that is just ending.
const BUSY: Duration = Duration::from_secs(2);

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS epochs (
    epoch INTEGER PRIMARY KEY, starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, claim_until INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS listings (
    epoch INTEGER NOT NULL, subject BLOB NOT NULL, wireguard_key BLOB NOT NULL, endpoint TEXT NOT NULL,
    listed_at INTEGER NOT NULL, attestation BLOB, PRIMARY KEY (epoch, subject)
) STRICT;
CREATE TABLE IF NOT EXISTS slots (
    epoch INTEGER NOT NULL, subject BLOB NOT NULL, slot INTEGER NOT NULL, result TEXT NOT NULL,
    PRIMARY KEY (epoch, subject, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rounds (
    epoch INTEGER NOT NULL, subject BLOB NOT NULL, round INTEGER NOT NULL, result TEXT NOT NULL,
    PRIMARY KEY (epoch, subject, round)
) STRICT, WITHOUT ROWID;
";

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder can't be made.
    #[error("the state's folder {} can't be made: {source}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database says no: disk full, locked by another process, damaged.
    #[error("the measurer's state in {} can't be read or written: {source}; check the disk, and that no other measurer uses the folder", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// Written by another version of this software.
    #[error("the measurer's state in {} is of version {found}, this software knows {VERSION}; use the version that wrote it", path.display())]
    Version {
        /// Which.
        path: PathBuf,
        /// Of the file.
        found: i64,
    },
    /// Written for another pool or cluster.
    #[error("the measurer's state in {} is of another pool or cluster; give this pool a folder of its own", .0.display())]
    OtherPool(PathBuf),
    /// A row that this software doesn't write.
    #[error("the measurer's state in {} is damaged; restore it, or move it away and start anew", .0.display())]
    Damaged(PathBuf),
}

/// What a measurer knows of its pool.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Facts {
    /// What its signatures are tied to.
    pub domain: DomainBytes,
    /// The keys of the set, in order.
    pub measurers: Vec<MeasurerKeyBytes>,
    /// Length of an epoch.
    pub epoch_seconds: u32,
}

/// A listing as it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The epoch.
    pub epoch: EpochId,
    /// Whom it is about.
    pub subject: SubjectBytes,
    /// The node's key of the epoch.
    pub wireguard_key: WireGuardKeyBytes,
    /// Where the node listens.
    pub endpoint: SocketAddr,
    /// When it was first taken.
    pub listed_at: Millis,
    /// Whether an attestation has been signed.
    pub signed: bool,
}

/// A result to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The epoch.
    pub epoch: EpochId,
    /// Whom it is about.
    pub subject: SubjectBytes,
    /// Of what.
    pub result: Outcome,
}

/// Of a slot or of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Of a heartbeat slot.
    Slot(SlotResult),
    /// Of a bandwidth round.
    Round(RoundResult),
}

/// The database.
#[derive(Clone)]
pub struct Store {
    path: PathBuf,
    pool: SqlitePool,
}

impl Store {
    /// Opens or makes it. One process at a time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        let path = folder.join(FILE);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        // One connection: writes are in order, and the lock is this process's alone.
        let waited_until = Instant::now() + BUSY;
        let pool = loop {
            let pool = SqlitePoolOptions::new()
                .max_connections(1)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_with(options.clone())
                .await;
            // SQLite's own waiting doesn't cover the change to the exclusive mode.
            if !is_locked(&pool) || Instant::now() > waited_until {
                break pool;
            }
            tokio::time::sleep(BUSY / 100).await;
        };
        let database = |source| StoreError::Database {
            path: path.clone(),
            source,
        };
        let pool = pool.map_err(database)?;
        let found: i64 = sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(&pool)
            .await
            .map_err(database)?;
        if found != 0 && found != VERSION {
            return Err(StoreError::Version { path, found });
        }
        sqlx::raw_sql(SCHEMA)
            .execute(&pool)
            .await
            .map_err(database)?;
        sqlx::raw_sql(&format!("PRAGMA user_version = {VERSION}"))
            .execute(&pool)
            .await
            .map_err(database)?;
        Ok(Self { path, pool })
    }

    /// Closes it once nobody uses it.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    fn database(&self, source: sqlx::Error) -> StoreError {
        StoreError::Database {
            path: self.path.clone(),
            source,
        }
    }

    fn damaged(&self) -> StoreError {
        StoreError::Damaged(self.path.clone())
    }

    /// Ties the state to a pool at its first use, and checks it afterwards. What is known of the pool is
    /// kept, so that a restart doesn't need the chain.
    ///
    /// # Errors
    /// [`StoreError::OtherPool`].
    pub async fn bind(&self, facts: &Facts) -> Result<(), StoreError> {
        if self
            .facts()
            .await?
            .is_some_and(|known| known.domain != facts.domain)
        {
            return Err(StoreError::OtherPool(self.path.clone()));
        }
        sqlx::query("INSERT OR REPLACE INTO meta VALUES ('pool', ?)")
            .bind(json(facts))
            .execute(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        Ok(())
    }

    /// What is known of the pool that the state is tied to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn facts(&self) -> Result<Option<Facts>, StoreError> {
        let text: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'pool'")
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| self.damaged()))
            .transpose()
    }

    /// Keeps an epoch's times; the first that were seen stay, as on the chain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_epoch(&self, epoch: &EpochTimes) -> Result<(), StoreError> {
        sqlx::query("INSERT OR IGNORE INTO epochs VALUES (?, ?, ?, ?)")
            .bind(epoch.number.get())
            .bind(epoch.starts_at)
            .bind(epoch.ends_at)
            .bind(epoch.claim_until)
            .execute(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        Ok(())
    }

    /// All epochs that are kept, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn epochs(&self) -> Result<Vec<EpochTimes>, StoreError> {
        let rows = sqlx::query("SELECT * FROM epochs ORDER BY epoch")
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        let times = |row: &SqliteRow| -> Result<EpochTimes, sqlx::Error> {
            Ok(EpochTimes {
                number: EpochId::new(row.try_get("epoch")?),
                starts_at: row.try_get("starts_at")?,
                ends_at: row.try_get("ends_at")?,
                claim_until: row.try_get("claim_until")?,
            })
        };
        rows.iter()
            .map(times)
            .collect::<Result<_, _>>()
            .map_err(|error| self.database(error))
    }

    /// Forgets everything of epochs whose claim window shut before `before` (Unix seconds).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget(&self, before: i64) -> Result<(), StoreError> {
        for table in ["slots", "rounds", "listings", "epochs"] {
            let sql = format!(
                "DELETE FROM {table} WHERE epoch IN (SELECT epoch FROM epochs WHERE claim_until < ?)"
            );
            sqlx::query(&sql)
                .bind(before)
                .execute(&self.pool)
                .await
                .map_err(|error| self.database(error))?;
        }
        Ok(())
    }

    /// Takes a listing, or its new endpoint. What stands there afterwards is in the answer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, listing: &Listing) -> Result<Listing, StoreError> {
        sqlx::query(
            "INSERT INTO listings VALUES (?1, ?2, ?3, ?4, ?5, NULL) ON CONFLICT (epoch, subject)
             DO UPDATE SET endpoint = ?4 WHERE wireguard_key = ?3",
        )
        .bind(listing.epoch.get())
        .bind(listing.subject.as_bytes().as_slice())
        .bind(listing.wireguard_key.as_bytes().as_slice())
        .bind(listing.endpoint.to_string())
        .bind(listing.listed_at)
        .execute(&self.pool)
        .await
        .map_err(|error| self.database(error))?;
        let stored = self.listing(listing.epoch, &listing.subject).await?;
        stored.ok_or_else(|| self.damaged())
    }

    /// One listing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn listing(
        &self,
        epoch: EpochId,
        subject: &SubjectBytes,
    ) -> Result<Option<Listing>, StoreError> {
        let row = sqlx::query("SELECT * FROM listings WHERE epoch = ? AND subject = ?")
            .bind(epoch.get())
            .bind(subject.as_bytes().as_slice())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        row.map(|row| self.to_listing(&row)).transpose()
    }

    /// All listings of an epoch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn listings(&self, epoch: EpochId) -> Result<Vec<Listing>, StoreError> {
        let rows = sqlx::query("SELECT * FROM listings WHERE epoch = ? ORDER BY subject")
            .bind(epoch.get())
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        rows.iter().map(|row| self.to_listing(row)).collect()
    }

    fn to_listing(&self, row: &SqliteRow) -> Result<Listing, StoreError> {
        let read = || -> Option<Listing> {
            let subject: [u8; 32] = row.try_get::<Vec<u8>, _>("subject").ok()?.try_into().ok()?;
            let key: [u8; 32] = row
                .try_get::<Vec<u8>, _>("wireguard_key")
                .ok()?
                .try_into()
                .ok()?;
            Some(Listing {
                epoch: EpochId::new(row.try_get("epoch").ok()?),
                subject: SubjectBytes::new(subject).ok()?,
                wireguard_key: WireGuardKeyBytes::new(key),
                endpoint: row.try_get::<String, _>("endpoint").ok()?.parse().ok()?,
                listed_at: row.try_get("listed_at").ok()?,
                signed: row
                    .try_get::<Option<Vec<u8>>, _>("attestation")
                    .ok()?
                    .is_some(),
            })
        };
        read().ok_or_else(|| self.damaged())
    }
}

fn is_locked<T>(outcome: &Result<T, sqlx::Error>) -> bool {
    matches!(outcome, Err(sqlx::Error::Database(error)) if error.message().contains("locked"))
}

fn json<T: serde::Serialize>(value: &T) -> String {
    // Plain data always has a text.
    serde_json::to_string(value).unwrap_or_default()
}
