//! Watching the chain for epochs. What is learned once is passed on once; what isn't reached is asked again.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::sync::mpsc;
use veilpool_chain::{Backoff, ReadError};
use veilpool_interface::{Epoch, Pool};
use veilpool_protocol::EpochId;

use super::{News, Shared, clock};
use crate::claim::{ClaimRecord, Trouble, effects::window_end};

/// Epochs that may be open at a time: the one announced, the one running, and those whose windows are open.
const RECENT: u32 = 8;
const CHAIN: &str = "the chain";

/// Watches until nobody listens.
pub(super) async fn watch(shared: Arc<Shared>, news: mpsc::Sender<News>) {
    let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(10));
    let mut seen: HashSet<EpochId> = shared.board().records.keys().copied().collect();
    let mut told_pool = false;
    loop {
        let delay = match look(&shared, &seen).await {
            Ok((pool, epochs)) => {
                shared.outages.works(CHAIN);
                backoff.reset();
                if !told_pool {
                    let settings = shared.settings(pool.rules.mint, pool.rules.domain);
                    if news.send(News::Pool(Box::new(settings))).await.is_err() {
                        return;
                    }
                    told_pool = true;
                }
                for epoch in epochs {
                    seen.insert(epoch.number);
                    let record = record_of(&pool, &epoch);
                    if news.send(News::Epoch(Box::new(record))).await.is_err() {
                        return;
                    }
                }
                interval(pool.rules.parameters.epoch_seconds)
            }
            Err(error) => {
                let next = if error.is_temporary() {
                    "the node goes on with the epochs it knows and asks again"
                } else {
                    "the node asks again, but this won't mend itself"
                };
                shared
                    .outages
                    .failed(&Trouble::new(CHAIN, error.to_string()), next);
                backoff.step()
            }
        };
        tokio::time::sleep(delay).await;
    }
}

/// A sixtieth of an epoch, within bounds.
fn interval(epoch_seconds: u32) -> Duration {
    (Duration::from_secs(u64::from(epoch_seconds)) / 60)
        .clamp(Duration::from_millis(200), Duration::from_secs(30))
}

async fn look(shared: &Shared, seen: &HashSet<EpochId>) -> Result<(Pool, Vec<Epoch>), ReadError> {
    let address = &shared.config.pool;
    let pool = shared.chain.pool(address).await?;
    let next = pool.books.next_epoch.get();
    let mut epochs = Vec::new();
    for number in (next.saturating_sub(RECENT)..next).map(EpochId::new) {
        if seen.contains(&number) {
            continue;
        }
        if let Some(epoch) = shared.chain.epoch(address, number).await? {
            let is_open = window_end(&pool, &epoch).saturating_mul(1_000) > clock::now();
            if is_open {
                epochs.push(epoch);
            }
        }
    }
    Ok((pool, epochs))
}

fn record_of(pool: &Pool, epoch: &Epoch) -> ClaimRecord {
    let times = (epoch.starts_at, epoch.ends_at, window_end(pool, epoch));
    ClaimRecord::new(epoch.number, times, pool.measurers.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_asked_about_sixty_times_an_epoch_within_bounds() {
        assert_eq!(interval(60), Duration::from_secs(1));
        assert_eq!(interval(3), Duration::from_millis(200));
        assert_eq!(interval(86_400), Duration::from_secs(30));
    }
}
