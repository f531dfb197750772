//! Rows and what they hold. Integers of 64 bits without a sign are kept bit by bit in SQLite's signed ones.

use solana_account::Account;
use solana_pubkey::Pubkey;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status_client_types::UiTransactionStatusMeta;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::chain::{Kept, Landed, Record};

/// For a column.
pub(super) fn integer(value: u64) -> i64 {
    value.cast_signed()
}

pub(super) async fn put_slot(
    database: &mut SqliteConnection,
    slot: u64,
    unix_timestamp: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE chain SET slot = ?, unix_timestamp = ?")
        .bind(integer(slot))
        .bind(unix_timestamp)
        .execute(database)
        .await?;
    Ok(())
}

pub(super) async fn put_account(
    database: &mut SqliteConnection,
    address: &Pubkey,
    account: Option<&Account>,
) -> Result<(), sqlx::Error> {
    let query = match account {
        None => sqlx::query("DELETE FROM accounts WHERE address = ?").bind(address.as_ref()),
        Some(account) => sqlx::query(
            "INSERT OR REPLACE INTO accounts (address, lamports, owner, executable, rent_epoch, data) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(address.as_ref())
        .bind(integer(account.lamports))
        .bind(account.owner.as_ref())
        .bind(account.executable)
        .bind(integer(account.rent_epoch))
        .bind(account.data.as_slice()),
    };
    query.execute(database).await?;
    Ok(())
}

pub(super) async fn put_record(
    database: &mut SqliteConnection,
    landed: &Landed,
) -> Result<(), sqlx::Error> {
    let record = &landed.record;
    let encode = |error: serde_json::Error| sqlx::Error::Encode(Box::new(error));
    let meta = serde_json::to_string(&record.meta).map_err(encode)?;
    let keys: Vec<u8> = record.keys.iter().flat_map(|key| key.to_bytes()).collect();
    sqlx::query("INSERT INTO transactions (sequence, slot, block_time, raw, addresses, meta) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(integer(landed.sequence))
        .bind(integer(record.slot))
        .bind(record.block_time)
        .bind(record.raw.as_slice())
        .bind(keys)
        .bind(meta)
        .execute(database)
        .await?;
    Ok(())
}

/// All rows, decoded; or what is wrong with one.
pub(super) fn kept(
    chain: &SqliteRow,
    accounts: &[SqliteRow],
    records: &[SqliteRow],
) -> Result<Kept, String> {
    let seed: Vec<u8> = column(chain, "seed")?;
    Ok(Kept {
        seed: seed
            .try_into()
            .map_err(|_| "the seed isn't 32 bytes".to_owned())?,
        slot: unsigned(chain, "slot")?,
        unix_timestamp: column(chain, "unix_timestamp")?,
        accounts: accounts.iter().map(account).collect::<Result<_, _>>()?,
        records: records.iter().map(record).collect::<Result<_, _>>()?,
    })
}

fn account(row: &SqliteRow) -> Result<(Pubkey, Account), String> {
    Ok((
        address(row, "address")?,
        Account {
            lamports: unsigned(row, "lamports")?,
            data: column(row, "data")?,
            owner: address(row, "owner")?,
            executable: column(row, "executable")?,
            rent_epoch: unsigned(row, "rent_epoch")?,
        },
    ))
}

fn record(row: &SqliteRow) -> Result<(u64, Record), String> {
    let sequence = unsigned(row, "sequence")?;
    let named = |reason: String| format!("transaction {sequence}: {reason}");
    let raw: Vec<u8> = column(row, "raw").map_err(named)?;
    let transaction: VersionedTransaction =
        bincode::deserialize(&raw).map_err(|error| named(error.to_string()))?;
    let signature = transaction
        .signatures
        .first()
        .copied()
        .ok_or_else(|| named("it has no signature".to_owned()))?;
    let keys: Vec<u8> = column(row, "addresses").map_err(named)?;
    let keys = keys
        .chunks(32)
        .map(|key| Pubkey::try_from(key).map_err(|_| named("an address is cut off".to_owned())))
        .collect::<Result<_, _>>()?;
    let meta: String = column(row, "meta").map_err(named)?;
    let meta: UiTransactionStatusMeta =
        serde_json::from_str(&meta).map_err(|error| named(error.to_string()))?;
    Ok((
        sequence,
        Record {
            signature,
            message_hash: transaction.message.hash(),
            slot: unsigned(row, "slot").map_err(named)?,
            block_time: column(row, "block_time").map_err(named)?,
            raw,
            keys,
            meta,
        },
    ))
}

fn unsigned(row: &SqliteRow, name: &str) -> Result<u64, String> {
    column::<i64>(row, name).map(i64::cast_unsigned)
}

fn address(row: &SqliteRow, name: &str) -> Result<Pubkey, String> {
    let bytes: Vec<u8> = column(row, name)?;
    Pubkey::try_from(bytes.as_slice()).map_err(|_| format!("{name} isn't an address"))
}

fn column<'r, T>(row: &'r SqliteRow, name: &str) -> Result<T, String>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(name).map_err(|error| error.to_string())
}
