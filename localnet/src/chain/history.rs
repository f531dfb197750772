//! What has landed: for the exactly-once rule, and for clients that ask.

use std::collections::{BTreeMap, HashMap};

use solana_account::Account;
use solana_hash::Hash;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::UiTransactionStatusMeta;

/// A transaction that has landed.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) signature: Signature,
    /// The same message signed anew is the same transaction, as on a cluster.
    pub(crate) message_hash: Hash,
    pub(crate) slot: u64,
    pub(crate) block_time: i64,
    /// As it came.
    pub(crate) raw: Vec<u8>,
    /// Its addresses, loaded ones at the end.
    pub(crate) keys: Vec<Pubkey>,
    pub(crate) meta: UiTransactionStatusMeta,
}

impl Record {
    pub(crate) fn error(&self) -> Option<TransactionError> {
        self.meta.err.clone().map(Into::into)
    }
}

/// What landing changed.
pub(crate) struct Landed {
    pub(crate) sequence: u64,
    /// Accounts as they are now; `None` is gone.
    pub(crate) changed: Vec<(Pubkey, Option<Account>)>,
    pub(crate) record: Record,
}

/// Records by sequence number, from 1.
pub(crate) struct History {
    records: BTreeMap<u64, Record>,
    by_signature: HashMap<Signature, u64>,
    by_message: HashMap<Hash, u64>,
    last: u64,
    capacity: usize,
}

impl History {
    pub(crate) fn new(capacity: usize) -> History {
        History {
            records: BTreeMap::new(),
            by_signature: HashMap::new(),
            by_message: HashMap::new(),
            last: 0,
            capacity: capacity.max(1),
        }
    }

    pub(crate) fn restore(records: Vec<(u64, Record)>, capacity: usize) -> History {
        let mut history = History::new(capacity);
        for (sequence, record) in records {
            history.insert(sequence, record);
        }
        history
    }

    /// Transactions so far, forgotten ones too.
    pub(crate) fn count(&self) -> u64 {
        self.last
    }

    pub(crate) fn next_sequence(&self) -> u64 {
        self.last + 1
    }

    pub(crate) fn has_landed(&self, transaction: &VersionedTransaction) -> bool {
        self.by_signature.contains_key(&signature(transaction))
            || self.by_message.contains_key(&transaction.message.hash())
    }

    pub(crate) fn get(&self, signature: &Signature) -> Option<&Record> {
        self.records.get(self.by_signature.get(signature)?)
    }

    pub(crate) fn sequence(&self, signature: &Signature) -> Option<u64> {
        self.by_signature.get(signature).copied()
    }

    /// The newest first, those before the sequence number only.
    pub(crate) fn before(&self, sequence: u64) -> impl Iterator<Item = (u64, &Record)> {
        self.records
            .range(..sequence)
            .rev()
            .map(|(sequence, record)| (*sequence, record))
    }

    pub(crate) fn block_time(&self, slot: u64) -> Option<i64> {
        self.before(u64::MAX)
            .map(|(_, record)| record)
            .take_while(|record| record.slot >= slot)
            .find(|record| record.slot == slot)
            .map(|record| record.block_time)
    }

    /// The sequence number below which records may go to make room for one more, if they are of slots before `slot`.
    pub(crate) fn forgettable(&self, slot: u64) -> u64 {
        let excess = (self.records.len() + 1).saturating_sub(self.capacity);
        self.records
            .iter()
            .take(excess)
            .take_while(|(_, record)| record.slot < slot)
            .last()
            .map_or(0, |(sequence, _)| sequence + 1)
    }

    pub(crate) fn push(&mut self, record: Record, forgotten: u64) {
        self.insert(self.last + 1, record);
        let kept = self.records.split_off(&forgotten);
        for record in std::mem::replace(&mut self.records, kept).into_values() {
            self.by_signature.remove(&record.signature);
            self.by_message.remove(&record.message_hash);
        }
    }

    fn insert(&mut self, sequence: u64, record: Record) {
        self.by_signature.insert(record.signature, sequence);
        self.by_message.insert(record.message_hash, sequence);
        self.records.insert(sequence, record);
        self.last = self.last.max(sequence);
    }
}

/// The first signature, which names the transaction. One is always there after `sanitize`.
pub(crate) fn signature(transaction: &VersionedTransaction) -> Signature {
    transaction.signatures.first().copied().unwrap_or_default()
}
