//! Drives one epoch's claim: what the record says next, done in the real world, and stored before anything else.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use veilpool_chain::Backoff;

use super::{RealClaimant, Shared, clock};
use crate::claim::{Action, ClaimRecord, Trouble};

/// A clock may jump: no sleep is longer.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
const AGAIN: &str = "it is tried again, nothing is lost meanwhile";

/// Until the claim is paid or never will be.
pub(super) async fn drive(
    shared: Arc<Shared>,
    claimant: Arc<RealClaimant>,
    mut record: ClaimRecord,
) {
    let window =
        Duration::from_secs(u64::try_from(record.claim_until - record.ends_at).unwrap_or(0));
    let longest = (window / 60).clamp(Duration::from_millis(250), LONGEST_SLEEP);
    let mut backoff = Backoff::new(Duration::from_millis(100), longest);
    let mut down = BTreeSet::new();
    loop {
        let now = clock::now();
        let action = claimant.next(&record, now);
        match action {
            Action::Done => return,
            Action::Hold => {
                tokio::time::sleep(longest).await;
                continue;
            }
            Action::Wait(until) => {
                let left = Duration::from_millis(u64::try_from(until - now).unwrap_or(0));
                tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
                continue;
            }
            _ => {}
        }
        let (events, troubles) = match claimant.perform(action, &record, now).await {
            Ok(outcome) => outcome,
            Err(trouble) => (Vec::new(), vec![trouble]),
        };
        let failing: BTreeSet<String> = troubles
            .iter()
            .map(|trouble| trouble.whom.clone())
            .collect();
        for whom in down.difference(&failing) {
            shared.outages.works(whom);
        }
        down = failing;
        for trouble in &troubles {
            shared.outages.failed(trouble, AGAIN);
        }
        if let Some(trouble) = troubles.iter().rfind(|trouble| !trouble.is_early) {
            record.reason = Some(trouble.what.clone());
            shared.show(&record);
        }
        let progress = !events.is_empty();
        for event in events {
            let mut next = record.clone();
            if let Err(error) = next.apply(event) {
                // What was done is lost, which is safe; what is recorded holds.
                tracing::error!(epoch = %record.epoch, "{error}");
                tokio::time::sleep(longest).await;
                continue;
            }
            keep(&shared, &next).await;
            if next.phase != record.phase {
                tracing::info!(epoch = %next.epoch, state = next.phase.name(), "claim");
            }
            record = next;
        }
        if progress && troubles.is_empty() {
            backoff.reset();
        } else {
            tokio::time::sleep(backoff.step()).await;
        }
    }
}

/// Stores a record, however long it takes: nothing goes on before (attack N7).
pub(super) async fn keep(shared: &Shared, record: &ClaimRecord) {
    let mut backoff = Backoff::default();
    let whom = "the node's state";
    while let Err(error) = shared.store.save(record).await {
        shared.outages.failed(
            &Trouble::new(whom, error.to_string()),
            "the claim waits until it can be stored",
        );
        tokio::time::sleep(backoff.step()).await;
    }
    shared.outages.works(whom);
    shared.show(record);
}
