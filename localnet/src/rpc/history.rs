//! What has landed.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;
use solana_message::VersionedMessage;
use solana_rpc_client_api::{
    config::{
        RpcEncodingConfigWrapper, RpcSignatureStatusConfig, RpcSignaturesForAddressConfig,
        RpcTransactionConfig,
    },
    custom_error::{
        JSON_RPC_SERVER_ERROR_FILTER_TRANSACTION_NOT_FOUND,
        JSON_RPC_SERVER_ERROR_UNSUPPORTED_TRANSACTION_VERSION,
    },
    response::RpcConfirmedTransactionStatusWithSignature,
};
use solana_transaction::versioned::{TransactionVersion, VersionedTransaction};
use solana_transaction_status_client_types::{
    EncodedConfirmedTransactionWithStatusMeta, EncodedTransaction,
    EncodedTransactionWithStatusMeta, TransactionBinaryEncoding, TransactionConfirmationStatus,
    TransactionStatus, UiAddressTableLookup, UiCompiledInstruction, UiMessage, UiRawMessage,
    UiTransaction, UiTransactionEncoding,
};

use super::{Params, RpcError, check_context_slot, in_context, params, to_value};
use crate::chain::{Chain, Record};

/// Signatures of one `getSignatureStatuses`.
const MAX_STATUSES: usize = 256;

/// Signatures of one `getSignaturesForAddress`.
const MAX_SIGNATURES: usize = 1000;

pub(super) fn statuses(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let signatures: Vec<String> = params.required(0, "signatures")?;
    params.optional::<RpcSignatureStatusConfig>(1, "config")?;
    if signatures.len() > MAX_STATUSES {
        return Err(RpcError::params(format!(
            "Too many inputs provided; max {MAX_STATUSES}"
        )));
    }
    let statuses = signatures
        .iter()
        .map(|signature| {
            let record = chain.history.get(&params::signature(signature)?);
            Ok(record.map(|record| TransactionStatus {
                slot: record.slot,
                confirmations: None,
                status: record.error().map_or(Ok(()), Err),
                err: record.error(),
                confirmation_status: Some(TransactionConfirmationStatus::Finalized),
            }))
        })
        .collect::<Result<Vec<_>, RpcError>>()?;
    in_context(chain, statuses)
}

pub(super) fn for_address(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let address = params.address(0)?;
    let config: RpcSignaturesForAddressConfig = params.optional(1, "config")?.unwrap_or_default();
    check_context_slot(chain, config.min_context_slot)?;
    let limit = config.limit.unwrap_or(MAX_SIGNATURES);
    if limit == 0 || limit > MAX_SIGNATURES {
        return Err(RpcError::params(format!(
            "Invalid limit; max {MAX_SIGNATURES}"
        )));
    }
    let before = match &config.before {
        None => u64::MAX,
        Some(text) => chain
            .history
            .sequence(&params::signature(text)?)
            .ok_or_else(|| {
                RpcError::new(
                    JSON_RPC_SERVER_ERROR_FILTER_TRANSACTION_NOT_FOUND,
                    format!("Transaction {text} not found"),
                )
            })?,
    };
    let until = match &config.until {
        None => 0,
        Some(text) => chain
            .history
            .sequence(&params::signature(text)?)
            .unwrap_or(0),
    };
    let found: Vec<RpcConfirmedTransactionStatusWithSignature> = chain
        .history
        .before(before)
        .take_while(|(sequence, _)| *sequence > until)
        .filter(|(_, record)| record.keys.contains(&address))
        .take(limit)
        .map(|(_, record)| RpcConfirmedTransactionStatusWithSignature {
            signature: record.signature.to_string(),
            slot: record.slot,
            err: record.meta.err.clone(),
            memo: None,
            block_time: Some(record.block_time),
            confirmation_status: Some(TransactionConfirmationStatus::Finalized),
            transaction_index: None,
        })
        .collect();
    to_value(found)
}

pub(super) fn transaction(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let signature = params.signature(0)?;
    let config: RpcTransactionConfig = params
        .optional::<RpcEncodingConfigWrapper<RpcTransactionConfig>>(1, "config")?
        .map(|config| config.convert_to_current())
        .unwrap_or_default();
    let Some(record) = chain.history.get(&signature) else {
        return Ok(Value::Null);
    };
    let transaction: VersionedTransaction =
        bincode::deserialize(&record.raw).map_err(|error| RpcError::internal(error.to_string()))?;
    let version = version(&transaction, config.max_supported_transaction_version)?;
    to_value(EncodedConfirmedTransactionWithStatusMeta {
        slot: record.slot,
        transaction: EncodedTransactionWithStatusMeta {
            transaction: encode(
                record,
                transaction,
                config.encoding.unwrap_or(UiTransactionEncoding::Json),
            )?,
            meta: Some(record.meta.clone()),
            version,
        },
        block_time: Some(record.block_time),
        transaction_index: None,
    })
}

/// The version to tell, if the client knows it.
fn version(
    transaction: &VersionedTransaction,
    most: Option<u8>,
) -> Result<Option<TransactionVersion>, RpcError> {
    match (transaction.version(), most) {
        (TransactionVersion::Legacy(_), None) => Ok(None),
        (TransactionVersion::Number(version), most) if most.is_none_or(|most| version > most) => {
            Err(RpcError::new(
                JSON_RPC_SERVER_ERROR_UNSUPPORTED_TRANSACTION_VERSION,
                format!(
                    "Transaction version ({version}) is not supported by the requesting client. Please try the request again with the following configuration parameter: \"maxSupportedTransactionVersion\": {version}"
                ),
            ))
        }
        (version, _) => Ok(Some(version)),
    }
}

fn encode(
    record: &Record,
    transaction: VersionedTransaction,
    encoding: UiTransactionEncoding,
) -> Result<EncodedTransaction, RpcError> {
    let base58 = || bs58::encode(&record.raw).into_string();
    Ok(match encoding {
        UiTransactionEncoding::Binary => EncodedTransaction::LegacyBinary(base58()),
        UiTransactionEncoding::Base58 => {
            EncodedTransaction::Binary(base58(), TransactionBinaryEncoding::Base58)
        }
        UiTransactionEncoding::Base64 => EncodedTransaction::Binary(
            BASE64.encode(&record.raw),
            TransactionBinaryEncoding::Base64,
        ),
        UiTransactionEncoding::Json => EncodedTransaction::Json(UiTransaction {
            signatures: transaction
                .signatures
                .iter()
                .map(ToString::to_string)
                .collect(),
            message: UiMessage::Raw(raw_message(&transaction.message)),
        }),
        UiTransactionEncoding::JsonParsed => {
            return Err(RpcError::params(
                "jsonParsed transactions aren't offered by a local chain; ask for json or base64",
            ));
        }
    })
}

fn raw_message(message: &VersionedMessage) -> UiRawMessage {
    UiRawMessage {
        header: *message.header(),
        account_keys: message
            .static_account_keys()
            .iter()
            .map(ToString::to_string)
            .collect(),
        recent_blockhash: message.recent_blockhash().to_string(),
        instructions: message
            .instructions()
            .iter()
            .map(|instruction| UiCompiledInstruction::from(instruction, Some(1)))
            .collect(),
        address_table_lookups: message
            .address_table_lookups()
            .map(|lookups| lookups.iter().map(UiAddressTableLookup::from).collect()),
        transaction_config: None,
    }
}
