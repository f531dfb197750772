//! The node's state on disk: SQLite in WAL mode with `synchronous = FULL`, so that what was stored before a
//! kill is there after it.
//!
//! What is *not* in it: the operator's secret, WireGuard keys, subjects, nullifiers, leaves and their indices,
//! guests and their destinations. All of these are derived from the secret when they are needed. A proof is
//! dropped when it has been paid, attestations when the claim window has shut, payout address and signature
//! some windows later ([`KEEP_PAYMENTS`]); what remains of an epoch is its class, amount and reason.

mod rows;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use veilpool_protocol::EpochId;

use self::rows::{answer, get, json, number, record, small};
use crate::claim::ClaimRecord;

/// Name of the database in its folder.
pub const DATABASE: &str = "node.sqlite";
/// Held while a node runs.
pub const LOCK: &str = "node.lock";
/// Payout addresses and signatures are kept for so many claim windows after their own has shut.
pub const KEEP_PAYMENTS: i64 = 4;
/// What a process that was killed a moment ago may still hold.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// Steps from an empty database to the present form. Append only.
const MIGRATIONS: [&str; 1] = [include_str!("store/1.sql")];

/// Why the state can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has it.
    #[error("another node is running with the state in {}; stop it, or give this one a folder of its own", .0.display())]
    InUse(PathBuf),
    /// No node ran here.
    #[error("there is no state of a node in {}; check the folder", .0.display())]
    Absent(PathBuf),
    /// SQLite.
    #[error("the state in {} can't be read or written: {source}; check that the disk has room and works", path.display())]
    Database {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// Written by a later version.
    #[error("the state in {} was written by a later version of this software (form {found}, this one knows {known}); upgrade", path.display())]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its form.
        found: i64,
        /// This software's.
        known: i64,
    },
    /// Values that this software doesn't write.
    #[error("the state in {} is damaged: {what}; move it away, the node finds open epochs on the chain again", path.display())]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// Of another pool or operator.
    #[error("the state in {} belongs to another operator or pool; give each a folder of its own", .0.display())]
    Foreign(PathBuf),
}

/// What the node was like when it last wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it listens.
    pub address: Option<String>,
    /// The epoch whose key it has.
    pub epoch: Option<EpochId>,
    /// Inner bytes from guests, of that run.
    pub up: u64,
    /// Inner bytes to guests, of that run.
    pub down: u64,
    /// When it wrote, in Unix milliseconds.
    pub at: i64,
}

/// A listing that came about, or didn't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// URL.
    pub measurer: String,
    /// Slots that were over when it arrived; `None` when it has not.
    pub slots_missed: Option<u16>,
    /// Why not.
    pub reason: Option<String>,
}

/// The state of a running node.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    pool: SqlitePool,
    // Freed by the system with the process, however it ends.
    _lock: Option<File>,
}

impl Store {
    /// Opens the state in a folder, made if need be, and keeps others out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Io {
                doing,
                path,
                source,
            }
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed("make the folder", folder))?;
        let lock = lock(folder).await?;
        let path = folder.join(DATABASE);
        // Made here with its mode; SQLite gives the same to the files beside it.
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .map_err(failed("protect", &path))?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("secure_delete", "ON")
            .busy_timeout(Duration::from_secs(10));
        let store = Self::connect(folder, options, Some(lock)).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Opens the state for reading, whether a node runs with it or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_to_read(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(DATABASE);
        if !path.exists() {
            return Err(StoreError::Absent(folder.to_owned()));
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .read_only(true)
            .busy_timeout(Duration::from_secs(10));
        let store = Self::connect(folder, options, None).await?;
        let found = store.form().await?;
        let known = MIGRATIONS.len() as i64;
        match found.cmp(&known) {
            std::cmp::Ordering::Greater => Err(store.newer(found)),
            std::cmp::Ordering::Less => {
                Err(store.damaged("it was never completed; start the node once"))
            }
            std::cmp::Ordering::Equal => Ok(store),
        }
    }

    async fn connect(
        folder: &Path,
        options: SqliteConnectOptions,
        lock: Option<File>,
    ) -> Result<Self, StoreError> {
        // One connection: writes come one after the other anyway.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Database {
                path: folder.to_owned(),
                source,
            })?;
        Ok(Self {
            folder: folder.to_owned(),
            pool,
            _lock: lock,
        })
    }

    fn database(&self, source: sqlx::Error) -> StoreError {
        StoreError::Database {
            path: self.folder.clone(),
            source,
        }
    }

    fn damaged(&self, what: &'static str) -> StoreError {
        StoreError::Damaged {
            path: self.folder.clone(),
            what,
        }
    }

    fn newer(&self, found: i64) -> StoreError {
        StoreError::Newer {
            path: self.folder.clone(),
            found,
            known: MIGRATIONS.len() as i64,
        }
    }

    async fn form(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.database(error))
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let found = self.form().await?;
        let done = usize::try_from(found).map_err(|_| self.damaged("its form is negative"))?;
        if done > MIGRATIONS.len() {
            return Err(self.newer(found));
        }
        for (index, step) in MIGRATIONS.iter().enumerate().skip(done) {
            let script = format!(
                "BEGIN IMMEDIATE;\n{step}\nPRAGMA user_version = {};\nCOMMIT;",
                index + 1
            );
            sqlx::raw_sql(&script)
                .execute(&self.pool)
                .await
                .map_err(|error| self.database(error))?;
        }
        Ok(())
    }

    /// Ties the state to an owner: a value that the operator's secret and the pool give, and that tells nothing.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when it belongs to another.
    pub async fn claim_for(&self, owner: &[u8; 32]) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO owner (id, tag) VALUES (1, ?) ON CONFLICT DO NOTHING")
            .bind(owner.as_slice())
            .execute(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        let found: Vec<u8> = sqlx::query_scalar("SELECT tag FROM owner")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        if found == owner {
            Ok(())
        } else {
            Err(StoreError::Foreign(self.folder.clone()))
        }
    }

    /// Writes one epoch's claim: whole, or not at all.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn save(&self, record: &ClaimRecord) -> Result<(), StoreError> {
        self.try_save(record)
            .await
            .map_err(|error| self.database(error))
    }

    async fn try_save(&self, record: &ClaimRecord) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let (choice, readied, payment) = (
            record.choice,
            record.readied.as_ref(),
            record.payment.as_ref(),
        );
        let payout = payment
            .and_then(|it| it.payout)
            .or(readied.map(|it| it.payout));
        sqlx::query(include_str!("store/save_epoch.sql"))
            .bind(i64::from(record.epoch.get()))
            .bind(record.starts_at)
            .bind(record.ends_at)
            .bind(record.claim_until)
            .bind(json(&record.measurers)?)
            .bind(record.phase.name())
            .bind(choice.map(|it| i64::from(it.class.get())))
            .bind(choice.map(|it| i64::from(it.weight.get())))
            .bind(choice.map(|it| number(it.reward)))
            .bind(choice.map(|it| it.submit_at))
            .bind(readied.map(|it| it.relayer.clone()))
            .bind(readied.map(|it| number(it.max_fee)))
            .bind(readied.map(|it| it.proof.as_bytes().to_vec()))
            .bind(payout.map(|it| it.expose().as_bytes().to_vec()))
            .bind(record.proving_ms.map(number))
            .bind(i64::from(record.rebinds))
            .bind(payment.map(|it| number(it.amount)))
            .bind(payment.map(|it| number(it.fee)))
            .bind(
                payment
                    .and_then(|it| it.signature.as_ref())
                    .map(|it| it.expose().clone()),
            )
            .bind(payment.and_then(|it| it.compute_units).map(number))
            .bind(record.reason.clone())
            .execute(&mut *transaction)
            .await?;
        for answer in &record.answers {
            let (slot, attestation, fault) = match &answer.outcome {
                Ok((slot, attestation)) => (Some(i64::from(*slot)), Some(json(attestation)?), None),
                Err(fault) => (None, None, Some(fault.clone())),
            };
            sqlx::query(
                "INSERT INTO answers (epoch, measurer, slot, attestation, fault) VALUES (?, ?, ?, ?, ?) \
                 ON CONFLICT (epoch, measurer) DO UPDATE SET \
                 slot = excluded.slot, attestation = excluded.attestation, fault = excluded.fault",
            )
            .bind(i64::from(record.epoch.get()))
            .bind(&answer.measurer)
            .bind(slot)
            .bind(attestation)
            .bind(fault)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// All epochs, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn records(&self) -> Result<Vec<ClaimRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM epochs ORDER BY epoch DESC")
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        let mut records = Vec::new();
        for row in rows {
            let mut record = record(&row).map_err(|what| self.damaged(what))?;
            let answers = sqlx::query("SELECT * FROM answers WHERE epoch = ? ORDER BY rowid")
                .bind(i64::from(record.epoch.get()))
                .fetch_all(&self.pool)
                .await
                .map_err(|error| self.database(error))?;
            for row in answers {
                record
                    .answers
                    .push(answer(&row).map_err(|what| self.damaged(what))?);
            }
            records.push(record);
        }
        Ok(records)
    }

    /// Writes what came of a listing.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn save_listing(&self, epoch: EpochId, listing: &Listing) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO listings (epoch, measurer, slots_missed, reason) VALUES (?, ?, ?, ?) \
             ON CONFLICT (epoch, measurer) DO UPDATE SET \
             slots_missed = COALESCE(excluded.slots_missed, slots_missed), reason = excluded.reason",
        )
        .bind(i64::from(epoch.get()))
        .bind(&listing.measurer)
        .bind(listing.slots_missed.map(i64::from))
        .bind(listing.reason.clone())
        .execute(&self.pool)
        .await
        .map_err(|error| self.database(error))?;
        Ok(())
    }

    /// Listings of an epoch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn listings(&self, epoch: EpochId) -> Result<Vec<Listing>, StoreError> {
        let rows = sqlx::query("SELECT * FROM listings WHERE epoch = ? ORDER BY rowid")
            .bind(i64::from(epoch.get()))
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        rows.iter()
            .map(|row| {
                Ok(Listing {
                    measurer: get(row, "measurer")?,
                    slots_missed: small(row, "slots_missed")?,
                    reason: get(row, "reason")?,
                })
            })
            .collect::<Result<_, _>>()
            .map_err(|what| self.damaged(what))
    }

    /// Writes what the node is like.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO node (id, address, epoch, up, down, at) VALUES (1, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE \
             SET address = excluded.address, epoch = excluded.epoch, up = excluded.up, down = excluded.down, at = excluded.at",
        )
        .bind(&snapshot.address)
        .bind(snapshot.epoch.map(|epoch| i64::from(epoch.get())))
        .bind(number(snapshot.up))
        .bind(number(snapshot.down))
        .bind(snapshot.at)
        .execute(&self.pool)
        .await
        .map_err(|error| self.database(error))?;
        Ok(())
    }

    /// What the node was like.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let row = sqlx::query("SELECT * FROM node")
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.database(error))?;
        let Some(row) = row else {
            return Ok(Snapshot::default());
        };
        let read = || -> Result<Snapshot, &'static str> {
            Ok(Snapshot {
                address: get(&row, "address")?,
                epoch: small(&row, "epoch")?.map(EpochId::new),
                up: small(&row, "up")?.unwrap_or(0),
                down: small(&row, "down")?.unwrap_or(0),
                at: get(&row, "at")?,
            })
        };
        read().map_err(|what| self.damaged(what))
    }

    /// Forgets what is no longer needed at a time, in Unix seconds.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget(&self, now: i64) -> Result<(), StoreError> {
        for statement in [
            "DELETE FROM answers WHERE epoch IN \
             (SELECT epoch FROM epochs WHERE claim_until <= ?1 AND phase IN ('paid', 'unclaimable'))",
            "UPDATE epochs SET payout = NULL, signature = NULL WHERE payout IS NOT NULL \
             AND phase IN ('paid', 'unclaimable') AND claim_until + ?2 * (claim_until - ends_at) <= ?1",
        ] {
            sqlx::query(statement)
                .bind(now)
                .bind(KEEP_PAYMENTS)
                .execute(&self.pool)
                .await
                .map_err(|error| self.database(error))?;
        }
        Ok(())
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK);
    let failed = |source| StoreError::Io {
        doing: "lock",
        path: path.clone(),
        source,
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    let start = tokio::time::Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_PATIENCE => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(folder.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}
