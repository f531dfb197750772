//! The JSON-RPC frame around a call and its answer.

use serde_json::{Map, Value, json};

use super::error::{INVALID_REQUEST, PARSE_ERROR, RpcError};

/// A call whose frame is right.
pub(super) struct Call {
    /// `None` for a notification, which isn't answered.
    pub(super) id: Option<Value>,
    pub(super) method: String,
    pub(super) params: Value,
}

impl Call {
    /// The call, or the answer that refuses it.
    pub(super) fn parse(call: Value) -> Result<Call, Value> {
        let Value::Object(mut call) = call else {
            return Err(invalid("a call is an object"));
        };
        let id = call.remove("id");
        if !matches!(
            id,
            None | Some(Value::Null | Value::Number(_) | Value::String(_))
        ) {
            return Err(invalid("id is a string, a number or null"));
        }
        let refuse = |reason: &str| {
            let error = RpcError::new(INVALID_REQUEST, format!("Invalid request: {reason}"));
            answer(id.clone().unwrap_or(Value::Null), Err(error))
        };
        if call.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(refuse("jsonrpc must be \"2.0\""));
        }
        let Some(Value::String(method)) = call.remove("method") else {
            return Err(refuse("method must be a string"));
        };
        let params = call.remove("params").unwrap_or(Value::Null);
        Ok(Call { id, method, params })
    }
}

/// The answer to a call.
pub(super) fn answer(id: Value, result: Result<Value, RpcError>) -> Value {
    match result {
        Ok(result) => json!({"jsonrpc": "2.0", "result": result, "id": id}),
        Err(RpcError {
            code,
            message,
            data,
        }) => {
            let mut error = Map::new();
            error.insert("code".to_owned(), json!(code));
            error.insert("message".to_owned(), json!(message));
            if let Some(data) = data {
                error.insert("data".to_owned(), data);
            }
            json!({"jsonrpc": "2.0", "error": error, "id": id})
        }
    }
}

/// Not a call.
pub(super) fn invalid(reason: &str) -> Value {
    let error = RpcError::new(INVALID_REQUEST, format!("Invalid request: {reason}"));
    answer(Value::Null, Err(error))
}

/// Not JSON.
pub(crate) fn parse_error(error: &serde_json::Error) -> Value {
    let error = RpcError::new(PARSE_ERROR, format!("Parse error: {error}"));
    answer(Value::Null, Err(error))
}

/// Nobody there to answer.
pub(crate) fn stopped() -> Value {
    answer(
        Value::Null,
        Err(RpcError::internal("the chain has stopped")),
    )
}
