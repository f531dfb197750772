//! Slots and time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use solana_clock::Clock;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;

use crate::support::{Fixture, STILL, refusal, wait_for_slot};

const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");

/// The `Clock` sysvar, as programs see it.
pub(crate) async fn clock(client: &RpcClient) -> Clock {
    let data = client.get_account_data(&CLOCK).await.unwrap();
    bincode::deserialize(&data).unwrap()
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

#[tokio::test]
async fn slots_pass_and_blockhashes_change_when_nothing_happens() {
    let fixture = Fixture::with(|config| config.block_time = Duration::from_millis(10)).await;
    let (slot, hash) = (
        fixture.client.get_slot().await.unwrap(),
        fixture.blockhash().await,
    );
    wait_for_slot(&fixture.client, slot + 5).await;
    assert_ne!(fixture.blockhash().await, hash);
    assert_eq!(fixture.client.get_transaction_count().await.unwrap(), 0);
    let info = fixture.client.get_epoch_info().await.unwrap();
    assert_eq!((info.epoch, info.slots_in_epoch), (0, 432_000));
    assert_eq!(
        (info.block_height, info.slot_index),
        (info.absolute_slot, info.absolute_slot)
    );
    assert!(info.absolute_slot >= slot + 5);
}

#[tokio::test]
async fn the_clock_sysvar_follows_the_systems_clock_and_the_slots() {
    let before = now();
    let fixture = Fixture::with(|config| config.block_time = Duration::from_millis(100)).await;
    let first = clock(&fixture.client).await;
    assert!((before..=now()).contains(&first.unix_timestamp));
    // Until the next second, whenever that comes.
    let mut last = first.clone();
    while last.unix_timestamp == first.unix_timestamp {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let next = clock(&fixture.client).await;
        assert!(next.slot >= last.slot && next.unix_timestamp >= last.unix_timestamp);
        last = next;
    }
    assert!(last.slot > first.slot);
    let time = fixture.client.get_block_time(last.slot).await.unwrap();
    assert_eq!(time, last.unix_timestamp);
    assert!(last.unix_timestamp <= now());
}

#[tokio::test]
async fn the_time_of_a_slot_that_has_not_come_is_not_available() {
    let fixture = Fixture::with(|config| config.block_time = STILL).await;
    let slot = fixture.client.get_slot().await.unwrap();
    let (code, message, _) = refusal(fixture.client.get_block_time(slot + 1).await.unwrap_err());
    assert_eq!(
        (code, message),
        (-32004, format!("Block not available for slot {}", slot + 1))
    );
}
