//! The chain in memory: the runtime, the slot clock, blockhashes, and what has landed.
//!
//! `blockhash(slot) = SHA-256("veilpool localnet blockhash" ‖ seed ‖ slot)`, so the recent ones are known
//! again after a restart without being written at each slot. Their age and replays are checked
//! here: the runtime knows only one blockhash, and forgets transactions early.

use std::{collections::VecDeque, panic::AssertUnwindSafe};

use litesvm::LiteSVM;
use solana_account::Account;
use solana_clock::Clock;
use solana_epoch_schedule::EpochSchedule;
use solana_hash::Hash;
use solana_keypair::Keypair;
use solana_message::{AddressLoader, v0::LoadedAddresses};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hashv;
use solana_slot_hashes::SlotHashes;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;

pub(crate) use history::{History, Landed, Record};
pub(crate) use simulate::Simulated;

mod genesis;
mod history;
mod meta;
mod simulate;
pub(crate) mod token;

/// A blockhash may be this many blocks old.
pub(crate) const MAX_BLOCKHASH_AGE: u64 = 150;

/// Slots whose hash and time are known.
const KNOWN_SLOTS: usize = solana_slot_hashes::MAX_ENTRIES;

/// Why a transaction did not land.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It can't be in a block.
    Transaction(TransactionError),
    /// The runtime panicked.
    Runtime,
    /// It was executed and could not be kept.
    NotKept,
}

/// One of the last slots.
struct Slot {
    number: u64,
    hash: Hash,
    unix_timestamp: i64,
}

/// What the store has kept.
pub(crate) struct Kept {
    pub(crate) seed: [u8; 32],
    pub(crate) slot: u64,
    pub(crate) unix_timestamp: i64,
    pub(crate) accounts: Vec<(Pubkey, Account)>,
    pub(crate) records: Vec<(u64, Record)>,
}

pub(crate) struct Chain {
    pub(crate) svm: LiteSVM,
    pub(crate) history: History,
    seed: [u8; 32],
    /// The last slots, the current one at the end.
    slots: VecDeque<Slot>,
    /// Accounts that each start makes, so they aren't kept.
    built_in: std::collections::HashSet<Pubkey>,
    epochs: EpochSchedule,
}

impl Chain {
    pub(crate) fn slot(&self) -> u64 {
        self.slots.back().map_or(0, |slot| slot.number)
    }

    pub(crate) fn unix_timestamp(&self) -> i64 {
        self.slots.back().map_or(0, |slot| slot.unix_timestamp)
    }

    /// When a slot was, if it is among the last or a transaction landed in it.
    pub(crate) fn block_time(&self, number: u64) -> Option<i64> {
        self.slots
            .iter()
            .find(|slot| slot.number == number && slot.unix_timestamp > 0)
            .map(|slot| slot.unix_timestamp)
            .or_else(|| self.history.block_time(number))
    }

    pub(crate) fn epochs(&self) -> &EpochSchedule {
        &self.epochs
    }

    pub(crate) fn genesis_hash(&self) -> Hash {
        hashv(&[b"veilpool localnet genesis", &self.seed])
    }

    pub(crate) fn faucet(&self) -> Keypair {
        faucet(&self.seed)
    }

    pub(crate) fn latest_blockhash(&self) -> Hash {
        self.slots
            .back()
            .map_or_else(Hash::default, |slot| slot.hash)
    }

    pub(crate) fn is_recent(&self, hash: &Hash) -> bool {
        let oldest = self.slot().saturating_sub(MAX_BLOCKHASH_AGE);
        self.slots
            .iter()
            .any(|slot| slot.number >= oldest && slot.hash == *hash)
    }

    pub(crate) fn account(&self, address: &Pubkey) -> Option<Account> {
        self.svm.get_account(address)
    }

    /// The next slot. Time follows `now` and never goes back.
    pub(crate) fn advance(&mut self, now: i64) {
        let number = self.slot() + 1;
        let unix_timestamp = now.max(self.unix_timestamp());
        self.push_slot(number, unix_timestamp);
        self.set_clock();
    }

    fn push_slot(&mut self, number: u64, unix_timestamp: i64) {
        self.slots.push_back(Slot {
            number,
            hash: blockhash(&self.seed, number),
            unix_timestamp,
        });
        // The current one isn't among the hashes that programs see.
        if self.slots.len() > KNOWN_SLOTS + 1 {
            self.slots.pop_front();
        }
    }

    fn set_clock(&mut self) {
        let (slot, unix_timestamp) = (self.slot(), self.unix_timestamp());
        let before: Clock = self.svm.get_sysvar();
        let epoch = self.epochs.get_epoch(slot);
        let epoch_start_timestamp = if before.epoch == epoch && before.epoch_start_timestamp > 0 {
            before.epoch_start_timestamp
        } else {
            unix_timestamp
        };
        self.svm.set_sysvar(&Clock {
            slot,
            epoch_start_timestamp,
            epoch,
            leader_schedule_epoch: self.epochs.get_leader_schedule_epoch(slot),
            unix_timestamp,
        });
        let hashes: Vec<(u64, Hash)> = self
            .slots
            .iter()
            .rev()
            .skip(1)
            .map(|slot| (slot.number, slot.hash))
            .collect();
        self.svm.set_sysvar(&SlotHashes::new(&hashes));
    }

    /// Whether the transaction may be tried: its blockhash is recent and its message has not landed.
    pub(crate) fn check_age(
        &self,
        transaction: &VersionedTransaction,
    ) -> Result<(), TransactionError> {
        if self.history.has_landed(transaction) {
            return Err(TransactionError::AlreadyProcessed);
        }
        if !self.is_recent(transaction.message.recent_blockhash()) {
            return Err(TransactionError::BlockhashNotFound);
        }
        Ok(())
    }

    /// The transaction's addresses in the order in which its instructions count them.
    pub(crate) fn addresses(
        &self,
        transaction: &VersionedTransaction,
    ) -> (Vec<Pubkey>, LoadedAddresses) {
        let lookups = transaction.message.address_table_lookups().unwrap_or(&[]);
        let loaded = self
            .svm
            .accounts_db()
            .load_addresses(lookups)
            .unwrap_or_default();
        let keys = transaction
            .message
            .static_account_keys()
            .iter()
            .chain(&loaded.writable)
            .chain(&loaded.readonly)
            .copied()
            .collect();
        (keys, loaded)
    }

    /// Executes a transaction and says what it changed. The caller keeps that, then calls [`Chain::remember`].
    pub(crate) fn execute(
        &mut self,
        transaction: VersionedTransaction,
        raw: Vec<u8>,
    ) -> Result<Landed, Refusal> {
        self.check_age(&transaction).map_err(Refusal::Transaction)?;
        if !signatures_valid(&transaction) {
            return Err(Refusal::Transaction(TransactionError::SignatureFailure));
        }
        let signature = history::signature(&transaction);
        let (keys, loaded) = self.addresses(&transaction);
        let before: Vec<Option<Account>> = keys.iter().map(|key| self.account(key)).collect();
        let message_hash = transaction.message.hash();
        let svm = &mut self.svm;
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
            svm.send_transaction(transaction).map_err(Box::new)
        }))
        .map_err(|_| Refusal::Runtime)?;
        let (error, executed) = match result {
            Ok(executed) => (None, executed),
            // What failed before it could be charged isn't in the runtime's history, nor in a block.
            Err(failed) if self.svm.get_transaction(&signature).is_none() => {
                return Err(Refusal::Transaction(failed.err));
            }
            Err(failed) => (Some(failed.err), failed.meta),
        };
        let after: Vec<Option<Account>> = keys.iter().map(|key| self.account(key)).collect();
        let meta = meta::status_meta(self, error, executed, &keys, loaded, &before, &after);
        let mut changed: Vec<(Pubkey, Option<Account>)> = Vec::new();
        for ((key, old), new) in keys.iter().zip(before).zip(after) {
            if old != new && !changed.iter().any(|(address, _)| address == key) {
                changed.push((*key, new));
            }
        }
        Ok(Landed {
            sequence: self.history.next_sequence(),
            changed,
            record: Record {
                signature,
                message_hash,
                slot: self.slot(),
                block_time: self.unix_timestamp(),
                raw,
                keys,
                meta,
            },
        })
    }

    /// Records below this sequence number may go, when the next one comes.
    pub(crate) fn forgettable(&self) -> u64 {
        self.history
            .forgettable(self.slot().saturating_sub(2 * MAX_BLOCKHASH_AGE))
    }

    /// Remembers what has landed and forgets what may go.
    pub(crate) fn remember(&mut self, record: Record, forgotten: u64) {
        self.history.push(record, forgotten);
    }

    /// Accounts that a start doesn't make by itself.
    pub(crate) fn own_accounts(&self) -> impl Iterator<Item = (&Pubkey, Account)> {
        self.svm
            .accounts_db()
            .inner
            .iter()
            .filter(|(address, _)| !self.built_in.contains(address))
            .map(|(address, account)| (address, account.clone().into()))
    }

    pub(crate) fn seed(&self) -> &[u8; 32] {
        &self.seed
    }
}

/// Whether each signature is the message's by its signer.
pub(crate) fn signatures_valid(transaction: &VersionedTransaction) -> bool {
    transaction.verify_with_results().iter().all(|valid| *valid)
}

fn blockhash(seed: &[u8; 32], slot: u64) -> Hash {
    hashv(&[b"veilpool localnet blockhash", seed, &slot.to_le_bytes()])
}

fn faucet(seed: &[u8; 32]) -> Keypair {
    Keypair::new_from_array(hashv(&[b"veilpool localnet faucet", seed]).to_bytes())
}
