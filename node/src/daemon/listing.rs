//! Being listed: one task for each measurer and epoch, until it has a receipt or the epoch is over.

use std::{sync::Arc, time::Duration};

use veilpool_chain::Backoff;
use veilpool_protocol::{EpochId, api::ListingRequest};

use super::{Shared, clock};
use crate::{claim::Trouble, measurers::Measurer, store::Listing};

/// A measurer's code for: this subject is listed with another key. Asking again won't help.
const CONFLICT: &str = "conflict";

/// Lists the node with one measurer.
pub(super) async fn list(shared: Arc<Shared>, measurer: Measurer, epoch: EpochId, ends_at: i64) {
    let request = ListingRequest {
        epoch,
        subject: shared.secret.subject(epoch).to_bytes(),
        wireguard_key: shared.wireguard_key(epoch),
        endpoint: shared.endpoint,
    };
    let left = Duration::from_millis(u64::try_from(ends_at - clock::now()).unwrap_or(0));
    let longest = (left / 120).clamp(Duration::from_millis(250), Duration::from_secs(30));
    let mut backoff = Backoff::new(Duration::from_millis(100), longest);
    while clock::now() < ends_at {
        let listing = |slots_missed, reason| Listing {
            measurer: measurer.url().to_owned(),
            slots_missed,
            reason,
        };
        match measurer.list(&request).await {
            Ok(receipt) => {
                shared.outages.works(measurer.url());
                tracing::info!(%epoch, measurer = measurer.url(), missed = receipt.slots_missed, "listed");
                shared
                    .note_listing(epoch, listing(Some(receipt.slots_missed), None))
                    .await;
                return;
            }
            Err(error) if error.code() == Some(CONFLICT) => {
                tracing::warn!(%epoch, "{}; this operator runs another node, or its state was lost", error.brief());
                shared
                    .note_listing(epoch, listing(None, Some(error.to_string())))
                    .await;
                return;
            }
            Err(error) => {
                shared.outages.failed(
                    &Trouble::from(error.clone()),
                    "the listing is tried again until the epoch is over",
                );
                shared
                    .note_listing(epoch, listing(None, Some(error.to_string())))
                    .await;
                tokio::time::sleep(backoff.step()).await;
            }
        }
    }
}
