//! Simulating, sending, and asking what it costs.

use serde_json::Value;
use solana_account_decoder::UiAccountEncoding;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_message::{Message, VersionedMessage};
use solana_rpc_client_api::config::{
    RpcContextConfig, RpcRequestAirdropConfig, RpcSendTransactionConfig,
    RpcSimulateTransactionConfig,
};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_system_interface::instruction as system;
use solana_transaction::versioned::VersionedTransaction;

use super::{
    Params, RpcError, accounts, blocks, check_context_slot, error::INVALID_REQUEST, in_context,
    params, to_value,
};
use crate::{
    chain::{Chain, Refusal, Simulated, signatures_valid},
    engine::Engine,
};

/// Compute units of an airdrop: enough, and varied by a number so that two alike aren't one.
const AIRDROP_UNITS: u32 = 1_000;
const AIRDROP_VARIANTS: u64 = 1_000_000;

/// What the runtime would charge; null when the blockhash is too old or the message can't be charged.
pub(super) fn fee_for_message(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let message = params.message(0)?;
    let config: RpcContextConfig = params.optional(1, "config")?.unwrap_or_default();
    check_context_slot(chain, config.min_context_slot)?;
    if !chain.is_recent(message.recent_blockhash()) {
        return in_context(chain, None::<u64>);
    }
    let signers = usize::from(message.header().num_required_signatures);
    let transaction = VersionedTransaction {
        signatures: vec![Signature::default(); signers],
        message,
    };
    // The runtime calculates the fee first, and tells it also when the rest fails.
    let fee = chain.simulate(&transaction)?.executed.fee;
    in_context(chain, (fee > 0).then_some(fee))
}

pub(super) fn simulate(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let config: RpcSimulateTransactionConfig = params.optional(1, "config")?.unwrap_or_default();
    let (mut transaction, _) = params.transaction(0, config.encoding)?;
    check_context_slot(chain, config.min_context_slot)?;
    let mut replacement = None;
    if config.replace_recent_blockhash {
        if config.sig_verify {
            return Err(RpcError::params(
                "sigVerify may not be used with replaceRecentBlockhash",
            ));
        }
        replacement = Some(blocks::latest(chain));
        transaction
            .message
            .set_recent_blockhash(chain.latest_blockhash());
    }
    if config.sig_verify && !signatures_valid(&transaction) {
        return Err(RpcError::signature());
    }
    let simulated = try_out(chain, &transaction)?;
    let mut result = chain.simulation_result(&transaction, &simulated, replacement);
    if config.inner_instructions {
        result.inner_instructions = Some(simulated.inner_instructions());
    }
    if let Some(wanted) = config.accounts {
        let encoding = wanted.encoding.unwrap_or(UiAccountEncoding::Base64);
        if matches!(
            encoding,
            UiAccountEncoding::Binary | UiAccountEncoding::Base58
        ) {
            return Err(RpcError::params("base58 encoding not supported"));
        }
        let most = transaction.message.static_account_keys().len()
            + transaction
                .message
                .address_table_lookups()
                .unwrap_or(&[])
                .iter()
                .map(|lookup| lookup.writable_indexes.len() + lookup.readonly_indexes.len())
                .sum::<usize>();
        if wanted.addresses.len() > most {
            return Err(RpcError::params(format!(
                "Too many accounts provided; max {most}"
            )));
        }
        let told = wanted
            .addresses
            .iter()
            .map(|text| {
                let address = params::address(text)?;
                let written = simulated.written.iter().find(|(key, _)| *key == address);
                match (written, &simulated.error) {
                    (Some((_, account)), _) if account.lamports > 0 => {
                        accounts::encode(chain, &address, account, encoding, None).map(Some)
                    }
                    (None, None) => chain
                        .account(&address)
                        .map(|account| accounts::encode(chain, &address, &account, encoding, None))
                        .transpose(),
                    _ => Ok(None),
                }
            })
            .collect::<Result<Vec<_>, RpcError>>()?;
        result.accounts = Some(told);
    }
    in_context(chain, result)
}

pub(super) async fn send(engine: &mut Engine, params: &Params) -> Result<Value, RpcError> {
    let config: RpcSendTransactionConfig = params.optional(1, "config")?.unwrap_or_default();
    let (transaction, raw) = params.transaction(0, config.encoding)?;
    let chain = &engine.chain;
    check_context_slot(chain, config.min_context_slot)?;
    let signature = transaction.signatures.first().copied().unwrap_or_default();
    if !config.skip_preflight {
        if !signatures_valid(&transaction) {
            return Err(RpcError::signature());
        }
        let simulated = try_out(chain, &transaction)?;
        if let Some(error) = &simulated.error {
            let result = chain.simulation_result(&transaction, &simulated, None);
            return Err(RpcError::preflight(error, &result));
        }
    }
    match engine.land(transaction, raw).await {
        Ok(_) => {}
        // A cluster answers before it tries, and such a transaction is never heard of again.
        Err(Refusal::Transaction(error)) => {
            tracing::debug!(%error, "a transaction that skipped preflight can't land");
        }
        Err(refusal) => return Err(refusal.into()),
    }
    to_value(signature.to_string())
}

pub(super) async fn airdrop(engine: &mut Engine, params: &Params) -> Result<Value, RpcError> {
    let address = params.address(0)?;
    let lamports: u64 = params.required(1, "lamports")?;
    params.optional::<RpcRequestAirdropConfig>(2, "config")?;
    let Some(limit) = engine.faucet_limit else {
        return Err(RpcError::new(
            INVALID_REQUEST,
            "Invalid request: the faucet of this chain is turned off",
        ));
    };
    if lamports > limit {
        return Err(RpcError::params(format!(
            "{lamports} lamports are more than the faucet's limit of {limit}; ask for less, or several times"
        )));
    }
    let chain = &engine.chain;
    let faucet = chain.faucet();
    // Without this, two airdrops alike in one slot would be one transaction.
    let variant = u32::try_from(chain.history.count() % AIRDROP_VARIANTS).unwrap_or(0);
    let message = Message::new_with_blockhash(
        &[
            ComputeBudgetInstruction::set_compute_unit_limit(AIRDROP_UNITS + variant),
            system::transfer(&faucet.pubkey(), &address, lamports),
        ],
        Some(&faucet.pubkey()),
        &chain.latest_blockhash(),
    );
    let transaction = VersionedTransaction::try_new(VersionedMessage::Legacy(message), &[&faucet])
        .map_err(|error| RpcError::internal(error.to_string()))?;
    let raw =
        bincode::serialize(&transaction).map_err(|error| RpcError::internal(error.to_string()))?;
    let simulated = try_out(chain, &transaction)?;
    if let Some(error) = &simulated.error {
        let result = chain.simulation_result(&transaction, &simulated, None);
        return Err(RpcError::preflight(error, &result));
    }
    let signature = engine.land(transaction, raw).await?;
    to_value(signature.to_string())
}

/// Simulates, if the transaction's age allows it.
fn try_out(chain: &Chain, transaction: &VersionedTransaction) -> Result<Simulated, RpcError> {
    Ok(match chain.check_age(transaction) {
        Ok(()) => chain.simulate(transaction)?,
        Err(error) => Chain::refused(error),
    })
}
