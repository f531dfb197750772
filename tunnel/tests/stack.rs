//! Two stacks joined in memory.

#![allow(clippy::unwrap_used)]

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::Notify;
use veilpool_tunnel::{
    Flow, Stack, StackConfig, TokenBucket,
    packet::{self, Content},
};

const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 7), 80);

struct Pair {
    client: Stack,
    server: Stack,
    accepted: Option<Flow>,
    now: Instant,
    free: [TokenBucket; 2],
}

impl Pair {
    fn new() -> Self {
        let now = Instant::now();
        let stack = |address, any| {
            let notify = Arc::new(Notify::new());
            Stack::new(address, any, StackConfig::default(), notify, now)
        };
        Self {
            client: stack(Ipv4Addr::new(10, 64, 0, 9), false),
            server: stack(Ipv4Addr::new(10, 64, 0, 1), true),
            accepted: None,
            now,
            free: [TokenBucket::new(None, now), TokenBucket::new(None, now)],
        }
    }

    /// A millisecond: everything that is under way arrives.
    fn step(&mut self) {
        self.now += Duration::from_millis(1);
        let [up, down] = &mut self.free;
        self.client.drive(self.now, up, down);
        while let Some(packet) = self.client.next_packet() {
            let opens = packet::parse(&packet)
                .is_ok_and(|it| matches!(it.content, Content::Tcp { opens: true }));
            if opens && self.accepted.is_none() {
                self.accepted = self.server.accept(SERVER, packet, self.now);
            } else {
                self.server.ingest(packet);
            }
        }
        self.server.drive(self.now, up, down);
        while let Some(packet) = self.server.next_packet() {
            self.client.ingest(packet);
        }
    }
}

#[tokio::test]
async fn what_arrived_before_the_end_is_read_after_it() {
    let mut pair = Pair::new();
    let (sender, mut receiver) = pair.client.connect(SERVER).unwrap().split();
    for _ in 0..5 {
        pair.step();
    }
    let (answers, _requests) = pair.accepted.take().unwrap().split();
    // More than the channel to the application takes, and no more than the window.
    let sent: Vec<u8> = (0..100_000u32).map(|i| (i * 7 % 251) as u8).collect();
    let copy = sent.clone();
    let sending = tokio::spawn(async move {
        for chunk in copy.chunks(10_000) {
            answers.send(Bytes::copy_from_slice(chunk)).await.unwrap();
        }
    });
    // Nothing else comes from here, so that both ends close while nobody reads.
    drop(sender);
    for _ in 0..500 {
        pair.step();
        tokio::task::yield_now().await;
    }
    sending.await.unwrap();
    for _ in 0..100 {
        pair.step();
    }
    assert_eq!(pair.client.flow_count(), 1, "it waits for its reader");
    let mut got = Vec::new();
    let reading = tokio::spawn(async move {
        while let Some(data) = receiver.receive().await {
            got.extend_from_slice(&data);
        }
        got
    });
    while !reading.is_finished() {
        pair.step();
        tokio::task::yield_now().await;
    }
    let got = reading.await.unwrap();
    assert!(got == sent, "{} of {} bytes", got.len(), sent.len());
    pair.step();
    assert_eq!(pair.client.flow_count(), 0);
}

#[tokio::test]
async fn a_flow_that_nobody_reads_any_more_is_let_go() {
    let mut pair = Pair::new();
    let (sender, receiver) = pair.client.connect(SERVER).unwrap().split();
    for _ in 0..5 {
        pair.step();
    }
    let (answers, _requests) = pair.accepted.take().unwrap().split();
    answers.send(Bytes::from_static(b"unread")).await.unwrap();
    drop((answers, sender, receiver));
    for _ in 0..20 {
        pair.step();
    }
    assert_eq!((pair.client.flow_count(), pair.server.flow_count()), (0, 0));
}
