//! Parameters by position.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bincode::Options;
use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_hash::Hash;
use solana_message::VersionedMessage;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status_client_types::{TransactionBinaryEncoding, UiTransactionEncoding};

use super::RpcError;

/// The largest transaction: what fits into a packet.
const MAX_TRANSACTION_BYTES: usize = 1232;

/// The longest base64 text of it, and of base58 (log 256 / log 58 < 1.366).
const MAX_BASE64_CHARS: usize = MAX_TRANSACTION_BYTES.div_ceil(3) * 4;
const MAX_BASE58_CHARS: usize = MAX_TRANSACTION_BYTES * 1366 / 1000 + 1;

pub(crate) struct Params(Vec<Value>);

impl Params {
    pub(crate) fn parse(params: Value) -> Result<Params, RpcError> {
        match params {
            Value::Null => Ok(Params(Vec::new())),
            Value::Array(params) => Ok(Params(params)),
            _ => Err(RpcError::params(
                "Invalid params: they are given by position, in an array",
            )),
        }
    }

    pub(crate) fn at_most(&self, most: usize) -> Result<(), RpcError> {
        if self.0.len() <= most {
            return Ok(());
        }
        Err(RpcError::params(format!(
            "Invalid params: {} were given, at most {most} are taken",
            self.0.len()
        )))
    }

    pub(crate) fn required<T: DeserializeOwned>(
        &self,
        at: usize,
        name: &str,
    ) -> Result<T, RpcError> {
        let value = self
            .0
            .get(at)
            .ok_or_else(|| RpcError::params(format!("Invalid params: {name} is missing")))?;
        decode(value, name)
    }

    pub(crate) fn optional<T: DeserializeOwned>(
        &self,
        at: usize,
        name: &str,
    ) -> Result<Option<T>, RpcError> {
        match self.0.get(at) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => decode(value, name).map(Some),
        }
    }

    pub(crate) fn address(&self, at: usize) -> Result<Pubkey, RpcError> {
        address(&self.required::<String>(at, "address")?)
    }

    pub(crate) fn blockhash(&self, at: usize) -> Result<Hash, RpcError> {
        self.required::<String>(at, "blockhash")?
            .parse()
            .map_err(|error| RpcError::params(format!("Invalid param: blockhash: {error}")))
    }

    pub(crate) fn signature(&self, at: usize) -> Result<Signature, RpcError> {
        signature(&self.required::<String>(at, "signature")?)
    }

    /// A transaction whose form is right, and its bytes.
    pub(crate) fn transaction(
        &self,
        at: usize,
        encoding: Option<UiTransactionEncoding>,
    ) -> Result<(VersionedTransaction, Vec<u8>), RpcError> {
        let encoding = encoding
            .unwrap_or(UiTransactionEncoding::Base58)
            .into_binary_encoding()
            .ok_or_else(|| {
                RpcError::params("unsupported encoding; supported encodings: base58, base64")
            })?;
        let raw = bytes(&self.required::<String>(at, "transaction")?, encoding)?;
        let transaction: VersionedTransaction = wire(&raw)?;
        if matches!(transaction.message, VersionedMessage::V1(_)) {
            return Err(RpcError::params(
                "invalid transaction: version 1 isn't carried here; use a legacy or version 0 transaction",
            ));
        }
        transaction
            .sanitize()
            .map_err(|error| RpcError::params(format!("invalid transaction: {error}")))?;
        Ok((transaction, raw))
    }

    /// A message whose form is right.
    pub(crate) fn message(&self, at: usize) -> Result<VersionedMessage, RpcError> {
        let text = self.required::<String>(at, "message")?;
        let message: VersionedMessage = wire(&bytes(&text, TransactionBinaryEncoding::Base64)?)?;
        if matches!(message, VersionedMessage::V1(_)) {
            return Err(RpcError::params(
                "invalid message: version 1 isn't carried here",
            ));
        }
        message
            .sanitize()
            .map_err(|error| RpcError::params(format!("invalid message: {error}")))?;
        Ok(message)
    }
}

pub(crate) fn address(text: &str) -> Result<Pubkey, RpcError> {
    text.parse()
        .map_err(|error| RpcError::params(format!("Invalid param: address: {error}")))
}

pub(crate) fn signature(text: &str) -> Result<Signature, RpcError> {
    text.parse()
        .map_err(|error| RpcError::params(format!("Invalid param: signature: {error}")))
}

fn decode<T: DeserializeOwned>(value: &Value, name: &str) -> Result<T, RpcError> {
    T::deserialize(value)
        .map_err(|error| RpcError::params(format!("Invalid params: {name}: {error}")))
}

fn bytes(text: &str, encoding: TransactionBinaryEncoding) -> Result<Vec<u8>, RpcError> {
    let (most, name) = match encoding {
        TransactionBinaryEncoding::Base58 => (MAX_BASE58_CHARS, "base58"),
        TransactionBinaryEncoding::Base64 => (MAX_BASE64_CHARS, "base64"),
    };
    // Decoding base58 takes quadratic time, so this comes first.
    if text.len() > most {
        return Err(RpcError::params(format!(
            "{name} encoded transaction too large: {} characters (max: {most}, for {MAX_TRANSACTION_BYTES} bytes)",
            text.len()
        )));
    }
    let raw = match encoding {
        TransactionBinaryEncoding::Base58 => bs58::decode(text)
            .into_vec()
            .map_err(|error| RpcError::params(format!("invalid base58 encoding: {error}")))?,
        TransactionBinaryEncoding::Base64 => BASE64
            .decode(text)
            .map_err(|error| RpcError::params(format!("invalid base64 encoding: {error}")))?,
    };
    if raw.len() > MAX_TRANSACTION_BYTES {
        return Err(RpcError::params(format!(
            "decoded transaction too large: {} bytes (max: {MAX_TRANSACTION_BYTES} bytes)",
            raw.len()
        )));
    }
    Ok(raw)
}

fn wire<T: DeserializeOwned>(raw: &[u8]) -> Result<T, RpcError> {
    bincode::DefaultOptions::new()
        .with_limit(MAX_TRANSACTION_BYTES as u64)
        .with_fixint_encoding()
        .reject_trailing_bytes()
        .deserialize(raw)
        .map_err(|error| RpcError::params(format!("failed to deserialize: {error}")))
}
