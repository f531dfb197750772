//! Sending transactions: simulated first, so that a refusal costs nothing and comes with its reason; then sent
//! again until the chain has it or its blockhash has expired.

use std::time::Duration;

use solana_commitment_config::CommitmentConfig;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::{Instruction, error::InstructionError};
use solana_keypair::Keypair;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    config::{RpcSendTransactionConfig, RpcTransactionConfig},
    request::{RpcError, RpcResponseErrorData},
};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::{
    UiTransactionEncoding, option_serializer::OptionSerializer,
};
use veilpool_interface::PoolError;

use crate::read::{Chain, ReadError};

const POLL: Duration = Duration::from_millis(200);
/// Polls after which the transaction is sent again: the leader may have dropped it.
const RESEND: u32 = 10;

/// A transaction that the chain has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Names the transaction.
    pub signature: Signature,
    /// What it used, when the RPC node tells.
    pub compute_units: Option<u64>,
}

/// Why a transaction was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The pool program refused it. Nothing was changed and nothing paid.
    #[error("the pool program refused the transaction with code {}: {reason}", reason.code())]
    Refused {
        /// Why.
        reason: PoolError,
        /// What the program logged.
        logs: Vec<String>,
    },
    /// The runtime or another program refused it.
    #[error("the chain refused the transaction: {source}; {}", last_log(logs))]
    Runtime {
        /// Why.
        source: TransactionError,
        /// What programs logged.
        logs: Vec<String>,
    },
    /// It was sent but did not arrive before its blockhash expired. It won't any more.
    #[error("the transaction {0} did not reach the chain within its lifetime; send it again")]
    Expired(Signature),
    /// The RPC node failed. If the transaction had been sent already, it may still be accepted.
    #[error(transparent)]
    Unreachable(#[from] ReadError),
}

impl SendError {
    /// The pool's own refusal, if it is one.
    #[must_use]
    pub const fn reason(&self) -> Option<PoolError> {
        match self {
            Self::Refused { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    /// Whether sending again later may help.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Expired(_) | Self::Unreachable(_))
    }
}

fn last_log(logs: &[String]) -> &str {
    logs.last().map_or("no logs", String::as_str)
}

impl Chain {
    /// Signs, simulates, sends, and waits until the transaction is confirmed. `payer` pays the fee; `signers`
    /// are the others who must sign; `units` is the compute budget.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(
        &self,
        payer: &Keypair,
        signers: &[&Keypair],
        instructions: &[Instruction],
        units: u32,
    ) -> Result<Receipt, SendError> {
        let mut all = vec![ComputeBudgetInstruction::set_compute_unit_limit(units)];
        all.extend_from_slice(instructions);
        let blockhash = self
            .rpc
            .get_latest_blockhash()
            .await
            .map_err(|error| self.unreachable(error))?;
        let mut keys = vec![payer];
        keys.extend_from_slice(signers);
        let transaction =
            Transaction::new_signed_with_payer(&all, Some(&payer.pubkey()), &keys, blockhash);
        let signature = self.submit(&transaction, false).await?;
        let mut polls = 0u32;
        loop {
            if let Some(outcome) = self.status(&signature).await? {
                return match outcome {
                    Ok(()) => Ok(Receipt {
                        signature,
                        compute_units: self.compute_units(&signature).await,
                    }),
                    Err(error) => Err(refusal(error, Vec::new())),
                };
            }
            tokio::time::sleep(POLL).await;
            polls = polls.wrapping_add(1);
            if polls.is_multiple_of(RESEND) {
                let alive = self
                    .rpc
                    .is_blockhash_valid(&blockhash, CommitmentConfig::processed())
                    .await
                    .map_err(|error| self.unreachable(error))?;
                if !alive {
                    // It may have landed with the last block that could hold it.
                    return match self.status(&signature).await? {
                        Some(Ok(())) => Ok(Receipt {
                            signature,
                            compute_units: self.compute_units(&signature).await,
                        }),
                        Some(Err(error)) => Err(refusal(error, Vec::new())),
                        None => Err(SendError::Expired(signature)),
                    };
                }
                // Already known, or full: the status tells.
                let _ = self.submit(&transaction, true).await;
            }
        }
    }

    async fn submit(
        &self,
        transaction: &Transaction,
        skip_preflight: bool,
    ) -> Result<Signature, SendError> {
        let config = RpcSendTransactionConfig {
            skip_preflight,
            preflight_commitment: Some(CommitmentConfig::confirmed().commitment),
            encoding: Some(UiTransactionEncoding::Base64),
            ..RpcSendTransactionConfig::default()
        };
        self.rpc
            .send_transaction_with_config(transaction, config)
            .await
            .map_err(|error| self.send_error(error))
    }

    async fn status(
        &self,
        signature: &Signature,
    ) -> Result<Option<Result<(), TransactionError>>, ReadError> {
        let answer = self
            .rpc
            .get_signature_statuses(&[*signature])
            .await
            .map_err(|error| self.unreachable(error))?;
        let status = answer.value.into_iter().next().flatten();
        Ok(status
            .filter(|status| status.satisfies_commitment(CommitmentConfig::confirmed()))
            .map(|status| status.err.map_or(Ok(()), Err)))
    }

    /// What a confirmed transaction used; `None` when the node doesn't tell.
    pub async fn compute_units(&self, signature: &Signature) -> Option<u64> {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            max_supported_transaction_version: Some(0),
        };
        let answer = self.rpc.get_transaction_with_config(signature, config);
        match answer.await.ok()?.transaction.meta?.compute_units_consumed {
            OptionSerializer::Some(units) => Some(units),
            _ => None,
        }
    }

    fn send_error(&self, error: ClientError) -> SendError {
        if let ErrorKind::RpcError(RpcError::RpcResponseError {
            data: RpcResponseErrorData::SendTransactionPreflightFailure(simulation),
            ..
        }) = &*error.kind
            && let Some(reason) = simulation.err.clone()
        {
            return refusal(reason.into(), simulation.logs.clone().unwrap_or_default());
        }
        match error.get_transaction_error() {
            Some(reason) => refusal(reason, Vec::new()),
            None => SendError::Unreachable(self.unreachable(error)),
        }
    }
}

fn refusal(error: TransactionError, logs: Vec<String>) -> SendError {
    if let TransactionError::InstructionError(_, InstructionError::Custom(code)) = &error
        && let Some(reason) = PoolError::from_code(*code)
    {
        return SendError::Refused { reason, logs };
    }
    SendError::Runtime {
        source: error,
        logs,
    }
}
