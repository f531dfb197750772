//! What a node tells its operator. It names payout addresses: for the operator's eyes, not for logs.

use std::{net::SocketAddr, path::Path};

use serde::{Deserialize, Serialize};
use veilpool_interface::address;
use veilpool_protocol::{ClassId, EpochId, Metrics, Weight};

use crate::{
    claim::{ClaimRecord, Phase},
    store::{Listing, Snapshot, Store, StoreError},
};

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Where the exit listens.
    pub address: Option<SocketAddr>,
    /// The epoch whose WireGuard key the exit has.
    pub epoch: Option<EpochId>,
    /// Of the exit's run.
    pub traffic: TrafficStatus,
    /// When this was true, in Unix milliseconds.
    pub at: i64,
    /// The newest first.
    pub epochs: Vec<EpochStatus>,
}

/// Inner bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficStatus {
    /// From guests.
    pub up: u64,
    /// To guests.
    pub down: u64,
}

/// An epoch and its claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochStatus {
    /// The epoch.
    pub epoch: EpochId,
    /// Unix seconds.
    pub starts_at: i64,
    /// Unix seconds.
    pub ends_at: i64,
    /// Unix seconds.
    pub claim_until: i64,
    /// How far the claim is.
    pub state: Phase,
    /// Why it is unclaimable, or what it waits for.
    pub reason: Option<String>,
    /// With whom the node is listed.
    pub listings: Vec<ListingStatus>,
    /// What measurers signed.
    pub attestations: Vec<AttestationStatus>,
    /// The class claimed.
    pub class: Option<ClassId>,
    /// Its weight.
    pub weight: Option<Weight>,
    /// What it earns before the fee.
    pub reward: Option<u64>,
    /// When the claim is submitted, in Unix milliseconds.
    pub submit_at: Option<i64>,
    /// Paid to the payout address.
    pub amount: Option<u64>,
    /// Kept by the relayer.
    pub fee: Option<u64>,
    /// Who is paid, base 58.
    pub payout: Option<String>,
    /// Of the transaction, base 58.
    pub signature: Option<String>,
    /// How long the proof took.
    pub proving_ms: Option<u64>,
    /// Of the transaction.
    pub compute_units: Option<u64>,
}

/// A listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingStatus {
    /// URL.
    pub measurer: String,
    /// Slots that were over when it arrived; `None` when it has not.
    pub slots_missed: Option<u16>,
    /// Why not.
    pub reason: Option<String>,
}

/// What a measurer said in the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestationStatus {
    /// URL.
    pub measurer: String,
    /// Its slot in the set.
    pub slot: Option<u8>,
    /// What it signed.
    pub metrics: Option<Metrics>,
    /// Why nothing of it is used.
    pub fault: Option<String>,
}

impl EpochStatus {
    /// Of a record.
    #[must_use]
    pub fn of(record: &ClaimRecord, listings: &[Listing]) -> Self {
        let payment = record.payment.as_ref();
        let payout = match (payment, &record.readied) {
            (Some(payment), _) => payment.payout,
            (None, Some(readied)) => Some(readied.payout),
            (None, None) => None,
        };
        let listings = listings.iter().map(|listing| ListingStatus {
            measurer: listing.measurer.clone(),
            slots_missed: listing.slots_missed,
            reason: listing.reason.clone(),
        });
        let attestations = record.answers.iter().map(|answer| AttestationStatus {
            measurer: answer.measurer.clone(),
            slot: answer.outcome.as_ref().ok().map(|(slot, _)| *slot),
            metrics: answer.outcome.as_ref().ok().map(|(_, it)| it.metrics),
            fault: answer.outcome.as_ref().err().cloned(),
        });
        Self {
            epoch: record.epoch,
            starts_at: record.starts_at,
            ends_at: record.ends_at,
            claim_until: record.claim_until,
            state: record.phase,
            reason: record.reason.clone(),
            listings: listings.collect(),
            attestations: attestations.collect(),
            class: record.choice.map(|choice| choice.class),
            weight: record.choice.map(|choice| choice.weight),
            reward: record.choice.map(|choice| choice.reward),
            submit_at: record.choice.map(|choice| choice.submit_at),
            amount: payment.map(|payment| payment.amount),
            fee: payment.map(|payment| payment.fee),
            payout: payout.map(|payout| address::pubkey(payout.expose()).to_string()),
            signature: payment
                .and_then(|payment| payment.signature.as_ref())
                .map(|signature| signature.expose().clone()),
            proving_ms: record.proving_ms,
            compute_units: payment.and_then(|payment| payment.compute_units),
        }
    }
}

impl NodeStatus {
    /// Of a snapshot and epochs.
    #[must_use]
    pub fn of(snapshot: &Snapshot, epochs: Vec<EpochStatus>) -> Self {
        Self {
            address: snapshot.address.as_ref().and_then(|text| text.parse().ok()),
            epoch: snapshot.epoch,
            traffic: TrafficStatus {
                up: snapshot.up,
                down: snapshot.down,
            },
            at: snapshot.at,
            epochs,
        }
    }
}

/// The status of the node whose state is in a folder, whether it runs or not.
///
/// # Errors
/// [`StoreError`].
pub async fn status_from_store(folder: &Path) -> Result<NodeStatus, StoreError> {
    let store = Store::open_to_read(folder).await?;
    let mut epochs = Vec::new();
    for record in store.records().await? {
        let listings = store.listings(record.epoch).await?;
        epochs.push(EpochStatus::of(&record, &listings));
    }
    let snapshot = store.snapshot().await?;
    store.close().await;
    Ok(NodeStatus::of(&snapshot, epochs))
}
