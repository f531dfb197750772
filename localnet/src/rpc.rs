//! JSON-RPC 2.0 with Solana's methods, parameters and answers.
//!
//! All commitments mean the same here, because everything that is told is final; they are parsed and not used.

use serde::Serialize;
use serde_json::Value;
use solana_rpc_client_api::{
    custom_error::{
        JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED, MinContextSlotNotReachedErrorData,
    },
    response::{Response, RpcResponseContext},
};

use crate::{chain::Chain, engine::Engine};

pub(crate) use error::RpcError;
pub(crate) use params::Params;

mod accounts;
mod blocks;
pub(crate) mod envelope;
mod error;
mod history;
mod params;
mod tokens;
mod transactions;

/// Answers one request or a batch; `None` when nothing is to be answered.
pub(crate) async fn answer(engine: &mut Engine, request: Value) -> Option<Value> {
    match request {
        Value::Array(calls) if calls.is_empty() => Some(envelope::invalid("the batch is empty")),
        Value::Array(calls) if calls.len() > crate::MAX_BATCH => Some(envelope::invalid(&format!(
            "the batch has {} calls; at most {} are answered",
            calls.len(),
            crate::MAX_BATCH
        ))),
        Value::Array(calls) => {
            let mut answers = Vec::with_capacity(calls.len());
            for call in calls {
                answers.extend(answer_one(engine, call).await);
            }
            (!answers.is_empty()).then_some(Value::Array(answers))
        }
        call => answer_one(engine, call).await,
    }
}

async fn answer_one(engine: &mut Engine, call: Value) -> Option<Value> {
    let call = match envelope::Call::parse(call) {
        Ok(call) => call,
        Err(refusal) => return Some(refusal),
    };
    let result = match Params::parse(call.params) {
        Ok(params) => dispatch(engine, &call.method, &params).await,
        Err(error) => Err(error),
    };
    call.id.map(|id| envelope::answer(id, result))
}

/// The most parameters of a method; `None` when it isn't one of ours.
fn arity(method: &str) -> Option<usize> {
    Some(match method {
        "getHealth"
        | "getVersion"
        | "getGenesisHash"
        | "getEpochSchedule"
        | "getFirstAvailableBlock"
        | "minimumLedgerSlot" => 0,
        "getSlot"
        | "getBlockHeight"
        | "getBlockTime"
        | "getEpochInfo"
        | "getLatestBlockhash"
        | "getTransactionCount"
        | "getRecentPrioritizationFees" => 1,
        "isBlockhashValid"
        | "getFeeForMessage"
        | "getMinimumBalanceForRentExemption"
        | "getBalance"
        | "getAccountInfo"
        | "getMultipleAccounts"
        | "getProgramAccounts"
        | "getTokenAccountBalance"
        | "getTokenSupply"
        | "getSignaturesForAddress"
        | "getSignatureStatuses"
        | "getTransaction"
        | "simulateTransaction"
        | "sendTransaction" => 2,
        "getTokenAccountsByOwner" | "requestAirdrop" => 3,
        _ => return None,
    })
}

async fn dispatch(engine: &mut Engine, method: &str, params: &Params) -> Result<Value, RpcError> {
    let most = arity(method).ok_or_else(|| RpcError::unknown_method(method))?;
    params.at_most(most)?;
    if let Some(reason) = engine.halted() {
        return Err(RpcError::unhealthy(reason));
    }
    let chain = &engine.chain;
    match method {
        "getHealth" => to_value("ok"),
        "getVersion" => blocks::version(),
        "getGenesisHash" => to_value(chain.genesis_hash().to_string()),
        "getEpochSchedule" => to_value(chain.epochs()),
        "getFirstAvailableBlock" | "minimumLedgerSlot" => to_value(1),
        "getSlot" | "getBlockHeight" => blocks::slot(chain, params),
        "getBlockTime" => blocks::block_time(chain, params),
        "getEpochInfo" => blocks::epoch_info(chain, params),
        "getTransactionCount" => blocks::transaction_count(chain, params),
        "getLatestBlockhash" => blocks::latest_blockhash(chain, params),
        "isBlockhashValid" => blocks::is_blockhash_valid(chain, params),
        "getRecentPrioritizationFees" => blocks::prioritization_fees(chain, params),
        "getFeeForMessage" => transactions::fee_for_message(chain, params),
        "getMinimumBalanceForRentExemption" => accounts::rent(chain, params),
        "getBalance" => accounts::balance(chain, params),
        "getAccountInfo" => accounts::account(chain, params),
        "getMultipleAccounts" => accounts::several(chain, params),
        "getProgramAccounts" => accounts::of_program(chain, params),
        "getTokenAccountBalance" => tokens::balance(chain, params),
        "getTokenSupply" => tokens::supply(chain, params),
        "getTokenAccountsByOwner" => tokens::by_owner(chain, params),
        "getSignaturesForAddress" => history::for_address(chain, params),
        "getSignatureStatuses" => history::statuses(chain, params),
        "getTransaction" => history::transaction(chain, params),
        "simulateTransaction" => transactions::simulate(chain, params),
        "sendTransaction" => transactions::send(engine, params).await,
        "requestAirdrop" => transactions::airdrop(engine, params).await,
        _ => Err(RpcError::unknown_method(method)),
    }
}

fn to_value(value: impl Serialize) -> Result<Value, RpcError> {
    serde_json::to_value(value).map_err(|error| RpcError::internal(error.to_string()))
}

/// An answer with the slot that it is of.
fn in_context(chain: &Chain, value: impl Serialize) -> Result<Value, RpcError> {
    to_value(Response {
        context: RpcResponseContext::new(chain.slot()),
        value,
    })
}

fn check_context_slot(chain: &Chain, least: Option<u64>) -> Result<(), RpcError> {
    match least {
        Some(least) if chain.slot() < least => Err(RpcError {
            code: JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED,
            message: "Minimum context slot has not been reached".to_owned(),
            data: Some(to_value(MinContextSlotNotReachedErrorData {
                context_slot: chain.slot(),
            })?),
        }),
        _ => Ok(()),
    }
}
