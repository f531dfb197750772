//! JSON-RPC errors with Solana's codes.

use serde_json::Value;
use solana_rpc_client_api::{
    custom_error::{
        JSON_RPC_SERVER_ERROR_NODE_UNHEALTHY,
        JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
        JSON_RPC_SERVER_ERROR_TRANSACTION_SIGNATURE_VERIFICATION_FAILURE,
    },
    response::RpcSimulateTransactionResult,
};

use crate::chain::Refusal;

pub(crate) const PARSE_ERROR: i64 = -32700;
pub(crate) const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const INTERNAL_ERROR: i64 = -32603;

/// What a call is refused with.
#[derive(Debug)]
pub(crate) struct RpcError {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl RpcError {
    pub(crate) fn new(code: i64, message: impl Into<String>) -> RpcError {
        RpcError {
            code,
            message: message.into(),
            data: None,
        }
    }

    pub(crate) fn params(message: impl Into<String>) -> RpcError {
        RpcError::new(INVALID_PARAMS, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> RpcError {
        RpcError::new(INTERNAL_ERROR, message)
    }

    pub(crate) fn unknown_method(method: &str) -> RpcError {
        // A method's name is a word; what is longer isn't worth repeating.
        let named: String = method.chars().take(64).collect();
        RpcError::new(METHOD_NOT_FOUND, format!("Method not found: {named}"))
    }

    pub(crate) fn unhealthy(reason: &str) -> RpcError {
        RpcError::new(
            JSON_RPC_SERVER_ERROR_NODE_UNHEALTHY,
            format!("Node is unhealthy: {reason}"),
        )
    }

    pub(crate) fn signature() -> RpcError {
        RpcError::new(
            JSON_RPC_SERVER_ERROR_TRANSACTION_SIGNATURE_VERIFICATION_FAILURE,
            "Transaction signature verification failure",
        )
    }

    pub(crate) fn preflight(
        error: &solana_transaction_error::TransactionError,
        result: &RpcSimulateTransactionResult,
    ) -> RpcError {
        RpcError {
            code: JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
            message: format!("Transaction simulation failed: {error}"),
            data: serde_json::to_value(result).ok(),
        }
    }
}

impl From<Refusal> for RpcError {
    fn from(refusal: Refusal) -> RpcError {
        RpcError::internal(match refusal {
            Refusal::Transaction(error) => error.to_string(),
            Refusal::Runtime => "the runtime panicked while it executed the transaction".to_owned(),
            Refusal::NotKept => {
                "the transaction was executed and could not be kept: whether it landed is known after a restart"
                    .to_owned()
            }
        })
    }
}
