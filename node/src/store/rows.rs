//! Records as rows.

use sqlx::{Row, sqlite::SqliteRow};
use veilpool_protocol::{AddressBytes, ClassId, EpochId, ProofBytes, Weight};

use crate::{
    claim::{Answer, Choice, ClaimRecord, Payment, Phase, Readied},
    sensitive::Sensitive,
};

// SQLite's integers are signed; amounts use all 64 bits and survive as the same bits.
pub(super) const fn number(value: u64) -> i64 {
    value.cast_signed()
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

pub(super) fn get<'r, T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>(
    row: &'r SqliteRow,
    column: &'static str,
) -> Result<T, &'static str> {
    row.try_get(column).map_err(|_| column)
}

fn amount(row: &SqliteRow, column: &'static str) -> Result<Option<u64>, &'static str> {
    Ok(get::<Option<i64>>(row, column)?.map(i64::cast_unsigned))
}

pub(super) fn small<T: TryFrom<i64>>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<Option<T>, &'static str> {
    get::<Option<i64>>(row, column)?
        .map(|value| T::try_from(value).map_err(|_| column))
        .transpose()
}

fn bytes<const N: usize>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<Option<[u8; N]>, &'static str> {
    get::<Option<Vec<u8>>>(row, column)?
        .map(|value| <[u8; N]>::try_from(value).map_err(|_| column))
        .transpose()
}

pub(super) fn record(row: &SqliteRow) -> Result<ClaimRecord, &'static str> {
    let epoch = EpochId::new(small(row, "epoch")?.ok_or("epoch")?);
    let times = (
        get(row, "starts_at")?,
        get(row, "ends_at")?,
        get(row, "claim_until")?,
    );
    let measurers: String = get(row, "measurers")?;
    let measurers = serde_json::from_str(&measurers).map_err(|_| "measurers")?;
    let mut record = ClaimRecord::new(epoch, times, measurers);
    let phase: String = get(row, "phase")?;
    record.phase = Phase::from_name(&phase).ok_or("phase")?;
    let chosen = small(row, "class")?
        .zip(small(row, "weight")?)
        .zip(amount(row, "reward")?)
        .zip(get::<Option<i64>>(row, "submit_at")?);
    record.choice = chosen.map(|(((class, weight), reward), submit_at)| Choice {
        class: ClassId::new(class),
        weight: Weight::new(weight),
        reward,
        submit_at,
    });
    record.proving_ms = amount(row, "proving_ms")?;
    record.rebinds = small(row, "rebinds")?.ok_or("rebinds")?;
    record.reason = get(row, "reason")?;
    let payout = bytes(row, "payout")?.map(|bytes| Sensitive::new(AddressBytes::new(bytes)));
    let bound = get::<Option<String>>(row, "relayer")?
        .zip(amount(row, "max_fee")?)
        .zip(bytes(row, "proof")?)
        .zip(payout);
    record.readied = bound.map(|(((relayer, max_fee), proof), payout)| Readied {
        relayer,
        max_fee,
        payout,
        proof: ProofBytes::new(proof),
        proving_ms: record.proving_ms.unwrap_or(0),
    });
    let paid = amount(row, "amount")?.zip(amount(row, "fee")?);
    let signature: Option<String> = get(row, "signature")?;
    let compute_units = amount(row, "compute_units")?;
    record.payment = paid.map(|(amount, fee)| Payment {
        amount,
        fee,
        payout,
        signature: signature.map(Sensitive::new),
        compute_units,
    });
    Ok(record)
}

pub(super) fn answer(row: &SqliteRow) -> Result<Answer, &'static str> {
    let attested = small(row, "slot")?.zip(get::<Option<String>>(row, "attestation")?);
    let fault: Option<String> = get(row, "fault")?;
    let outcome = match (attested, fault) {
        (Some((slot, text)), None) => Ok((
            slot,
            serde_json::from_str(&text).map_err(|_| "attestation")?,
        )),
        (None, Some(fault)) => Err(fault),
        _ => return Err("answers"),
    };
    Ok(Answer {
        measurer: get(row, "measurer")?,
        outcome,
    })
}
