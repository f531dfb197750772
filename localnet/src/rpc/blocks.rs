//! Slots, blockhashes, time.

use serde_json::Value;
use solana_clock::Epoch;
use solana_epoch_info::EpochInfo;
use solana_rpc_client_api::{
    config::RpcContextConfig,
    custom_error::JSON_RPC_SERVER_ERROR_BLOCK_NOT_AVAILABLE,
    response::{RpcApiVersion, RpcBlockhash, RpcPrioritizationFee, RpcVersionInfo},
};

use super::{Params, RpcError, check_context_slot, in_context, params, to_value};
use crate::chain::{Chain, MAX_BLOCKHASH_AGE};

/// Accounts that a question about priority fees may name.
const MAX_FEE_ACCOUNTS: usize = 128;

pub(super) fn version() -> Result<Value, RpcError> {
    to_value(RpcVersionInfo {
        solana_core: RpcApiVersion::default().to_string(),
        feature_set: None,
    })
}

fn context(chain: &Chain, params: &Params, at: usize) -> Result<(), RpcError> {
    let config: RpcContextConfig = params.optional(at, "config")?.unwrap_or_default();
    check_context_slot(chain, config.min_context_slot)
}

/// A block in each slot, so height and slot are one.
pub(super) fn slot(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    context(chain, params, 0)?;
    to_value(chain.slot())
}

pub(super) fn block_time(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let slot: u64 = params.required(0, "slot")?;
    match chain.block_time(slot) {
        Some(time) => to_value(time),
        None => Err(RpcError::new(
            JSON_RPC_SERVER_ERROR_BLOCK_NOT_AVAILABLE,
            format!("Block not available for slot {slot}"),
        )),
    }
}

pub(super) fn transaction_count(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    context(chain, params, 0)?;
    to_value(chain.history.count())
}

pub(super) fn epoch_info(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    context(chain, params, 0)?;
    let slot = chain.slot();
    let (epoch, slot_index): (Epoch, u64) = chain.epochs().get_epoch_and_slot_index(slot);
    to_value(EpochInfo {
        epoch,
        slot_index,
        slots_in_epoch: chain.epochs().get_slots_in_epoch(epoch),
        absolute_slot: slot,
        block_height: slot,
        transaction_count: Some(chain.history.count()),
    })
}

/// The latest blockhash and the last block in which it is taken.
pub(super) fn latest(chain: &Chain) -> RpcBlockhash {
    RpcBlockhash {
        blockhash: chain.latest_blockhash().to_string(),
        last_valid_block_height: chain.slot() + MAX_BLOCKHASH_AGE,
    }
}

pub(super) fn latest_blockhash(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    context(chain, params, 0)?;
    in_context(chain, latest(chain))
}

pub(super) fn is_blockhash_valid(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let hash = params.blockhash(0)?;
    context(chain, params, 1)?;
    in_context(chain, chain.is_recent(&hash))
}

/// Nobody has to outbid anybody here: zero in each of the last slots.
pub(super) fn prioritization_fees(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let accounts: Vec<String> = params.optional(0, "accounts")?.unwrap_or_default();
    if accounts.len() > MAX_FEE_ACCOUNTS {
        return Err(RpcError::params(format!(
            "Too many inputs provided; max {MAX_FEE_ACCOUNTS}"
        )));
    }
    for account in &accounts {
        params::address(account)?;
    }
    let slot = chain.slot();
    let fees: Vec<RpcPrioritizationFee> = (slot.saturating_sub(MAX_BLOCKHASH_AGE - 1).max(1)
        ..=slot)
        .map(|slot| RpcPrioritizationFee {
            slot,
            prioritization_fee: 0,
        })
        .collect();
    to_value(fees)
}
