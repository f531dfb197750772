//! The task that writes results: probes never wait for the disk, and what is ready together is synced together.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::store::{Entry, Store};
use crate::outage::Outage;

/// Results on their way to the disk; beyond these, probes wait.
const QUEUE: usize = 4096;
const LONGEST: Duration = Duration::from_secs(10);

enum Message {
    Keep(Entry),
    Flush(oneshot::Sender<()>),
}

/// Where results go.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<Message>);

impl Writer {
    /// The task ends, after writing all, when every writer is gone.
    pub(crate) fn start(store: Store) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, inbox) = mpsc::channel(QUEUE);
        (Self(sender), tokio::spawn(run(store, inbox)))
    }

    pub(crate) async fn keep(&self, entry: Entry) {
        // The task lives as long as there are writers.
        let _ = self.0.send(Message::Keep(entry)).await;
    }

    /// Returns when everything that was kept before is on the disk.
    pub(crate) async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.0.send(Message::Flush(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

async fn run(store: Store, mut inbox: mpsc::Receiver<Message>) {
    let mut outage = Outage::new(
        "the measurer's state",
        "results are kept in memory, and written as soon as it works",
        LONGEST,
    );
    let mut batch = Vec::new();
    while inbox.recv_many(&mut batch, QUEUE).await > 0 {
        let mut entries = Vec::new();
        let mut waiting = Vec::new();
        for message in batch.drain(..) {
            match message {
                Message::Keep(entry) => entries.push(entry),
                Message::Flush(done) => waiting.push(done),
            }
        }
        if !entries.is_empty() {
            while let Err(error) = store.add(&entries).await {
                tokio::time::sleep(outage.failed(&error)).await;
            }
            outage.works();
        }
        for done in waiting {
            let _ = done.send(());
        }
    }
}
