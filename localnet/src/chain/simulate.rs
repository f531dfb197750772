//! Execution that leaves nothing behind.

use std::panic::AssertUnwindSafe;

use litesvm::types::TransactionMetadata;
use solana_account::Account;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::response::{RpcBlockhash, RpcSimulateTransactionResult};
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::UiLoadedAddresses;

use super::{Chain, Refusal, meta};

/// What a transaction would do.
pub(crate) struct Simulated {
    pub(crate) error: Option<TransactionError>,
    pub(crate) executed: TransactionMetadata,
    /// Accounts that it writes, as they would be; empty when it fails.
    pub(crate) written: Vec<(Pubkey, Account)>,
}

impl Chain {
    /// Executes without changing anything. Signatures and age are the caller's to check.
    pub(crate) fn simulate(
        &self,
        transaction: &VersionedTransaction,
    ) -> Result<Simulated, Refusal> {
        let run = AssertUnwindSafe(|| {
            let simulated = self.svm.simulate_transaction(transaction.clone());
            simulated.map_err(Box::new)
        });
        Ok(
            match std::panic::catch_unwind(run).map_err(|_| Refusal::Runtime)? {
                Ok(info) => Simulated {
                    error: None,
                    executed: info.meta,
                    written: info
                        .post_accounts
                        .into_iter()
                        .map(|(address, account)| (address, account.into()))
                        .collect(),
                },
                Err(failed) => Simulated {
                    error: Some(failed.err),
                    executed: failed.meta,
                    written: Vec::new(),
                },
            },
        )
    }

    /// The answer to a simulation, without the accounts and inner instructions that it may have asked for.
    pub(crate) fn simulation_result(
        &self,
        transaction: &VersionedTransaction,
        simulated: &Simulated,
        replacement_blockhash: Option<RpcBlockhash>,
    ) -> RpcSimulateTransactionResult {
        let (keys, loaded) = self.addresses(transaction);
        let before: Vec<Option<Account>> = keys.iter().map(|key| self.account(key)).collect();
        let after: Vec<Option<Account>> = keys
            .iter()
            .zip(&before)
            .map(|(key, before)| {
                simulated
                    .written
                    .iter()
                    .find(|(address, _)| address == key)
                    .map_or_else(|| before.clone(), |(_, account)| Some(account.clone()))
            })
            .collect();
        let executed = &simulated.executed;
        let tokens = |accounts: &[Option<Account>]| {
            Some(
                meta::token_balances(self, &keys, accounts)
                    .into_iter()
                    .map(Into::into)
                    .collect(),
            )
        };
        RpcSimulateTransactionResult {
            err: simulated.error.clone().map(Into::into),
            logs: Some(executed.logs.clone()),
            accounts: None,
            units_consumed: Some(executed.compute_units_consumed),
            loaded_accounts_data_size: None,
            return_data: (!executed.return_data.data.is_empty())
                .then(|| executed.return_data.clone().into()),
            inner_instructions: None,
            replacement_blockhash,
            fee: Some(executed.fee),
            pre_balances: Some(meta::balances(&before)),
            post_balances: Some(meta::balances(&after)),
            pre_token_balances: tokens(&before),
            post_token_balances: tokens(&after),
            loaded_addresses: Some(UiLoadedAddresses::from(&loaded)),
        }
    }

    /// A refusal before execution, in the form of a simulation.
    pub(crate) fn refused(error: TransactionError) -> Simulated {
        Simulated {
            error: Some(error),
            executed: TransactionMetadata::default(),
            written: Vec::new(),
        }
    }
}

impl Simulated {
    /// Instructions that programs would call.
    pub(crate) fn inner_instructions(
        &self,
    ) -> Vec<solana_transaction_status_client_types::UiInnerInstructions> {
        meta::inner_instructions(self.executed.inner_instructions.clone())
            .into_iter()
            .map(Into::into)
            .collect()
    }
}
