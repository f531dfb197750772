//! What a transaction did, in the wire types.

use litesvm::types::TransactionMetadata;
use solana_account::Account;
use solana_message::{inner_instruction::InnerInstructionsList, v0::LoadedAddresses};
use solana_pubkey::Pubkey;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::{
    InnerInstruction, InnerInstructions, TransactionStatusMeta, TransactionTokenBalance,
    UiTransactionStatusMeta,
};

use super::{Chain, token};

/// The meta of a landed transaction; `before` and `after` belong to `keys`.
pub(super) fn status_meta(
    chain: &Chain,
    error: Option<TransactionError>,
    executed: TransactionMetadata,
    keys: &[Pubkey],
    loaded: LoadedAddresses,
    before: &[Option<Account>],
    after: &[Option<Account>],
) -> UiTransactionStatusMeta {
    let return_data = executed.return_data;
    TransactionStatusMeta {
        status: error.map_or(Ok(()), Err),
        fee: executed.fee,
        pre_balances: balances(before),
        post_balances: balances(after),
        inner_instructions: Some(inner_instructions(executed.inner_instructions)),
        log_messages: Some(executed.logs),
        pre_token_balances: Some(token_balances(chain, keys, before)),
        post_token_balances: Some(token_balances(chain, keys, after)),
        rewards: Some(Vec::new()),
        loaded_addresses: loaded,
        return_data: (!return_data.data.is_empty()).then_some(return_data),
        compute_units_consumed: Some(executed.compute_units_consumed),
        cost_units: None,
    }
    .into()
}

/// Lamports of each account.
pub(super) fn balances(accounts: &[Option<Account>]) -> Vec<u64> {
    accounts
        .iter()
        .map(|account| account.as_ref().map_or(0, |account| account.lamports))
        .collect()
}

/// Tokens of each token account.
pub(super) fn token_balances(
    chain: &Chain,
    keys: &[Pubkey],
    accounts: &[Option<Account>],
) -> Vec<TransactionTokenBalance> {
    let mut balances = Vec::new();
    for (index, account) in accounts.iter().enumerate() {
        let Some(account) = account else { continue };
        let (Some(holding), Ok(account_index)) = (token::account(account), u8::try_from(index))
        else {
            continue;
        };
        // A mint of this very transaction is seen as the transaction leaves it.
        let mint = keys
            .iter()
            .position(|key| *key == holding.mint)
            .and_then(|at| accounts.get(at)?.clone())
            .or_else(|| chain.account(&holding.mint));
        let Some(mint) = mint.as_ref().and_then(token::mint) else {
            continue;
        };
        balances.push(TransactionTokenBalance {
            account_index,
            mint: holding.mint.to_string(),
            ui_token_amount: token::ui_amount(holding.amount, mint.decimals),
            owner: holding.owner.to_string(),
            program_id: account.owner.to_string(),
        });
    }
    balances
}

/// Instructions that programs called, by the outer instruction; outer ones without any are left out.
pub(super) fn inner_instructions(list: InnerInstructionsList) -> Vec<InnerInstructions> {
    list.into_iter()
        .enumerate()
        .filter(|(_, inner)| !inner.is_empty())
        .filter_map(|(index, inner)| {
            Some(InnerInstructions {
                index: u8::try_from(index).ok()?,
                instructions: inner
                    .into_iter()
                    .map(|inner| InnerInstruction {
                        instruction: inner.instruction,
                        stack_height: Some(u32::from(inner.stack_height)),
                    })
                    .collect(),
            })
        })
        .collect()
}
