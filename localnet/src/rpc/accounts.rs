//! Accounts and balances.

use serde_json::Value;
use solana_account::{Account, ReadableAccount};
use solana_account_decoder::{
    MAX_BASE58_BYTES, UiAccount, UiAccountEncoding, UiDataSliceConfig, encode_ui_account,
    parse_account_data::{AccountAdditionalDataV3, SplTokenAdditionalDataV2},
};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcContextConfig, RpcProgramAccountsConfig},
    filter::RpcFilterType,
    response::RpcKeyedAccount,
};

use super::{Params, RpcError, check_context_slot, in_context, params, to_value};
use crate::chain::{Chain, token};

/// Accounts of one `getMultipleAccounts`.
const MAX_ACCOUNTS: usize = 100;

/// Filters of one `getProgramAccounts`.
const MAX_FILTERS: usize = 4;

pub(super) fn rent(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let size: usize = params.required(0, "size")?;
    to_value(chain.svm.minimum_balance_for_rent_exemption(size))
}

pub(super) fn balance(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let address = params.address(0)?;
    let config: RpcContextConfig = params.optional(1, "config")?.unwrap_or_default();
    check_context_slot(chain, config.min_context_slot)?;
    in_context(chain, chain.svm.get_balance(&address).unwrap_or(0))
}

pub(super) fn account(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let address = params.address(0)?;
    let config: RpcAccountInfoConfig = params.optional(1, "config")?.unwrap_or_default();
    check_context_slot(chain, config.min_context_slot)?;
    let encoding = config.encoding.unwrap_or(UiAccountEncoding::Binary);
    in_context(chain, find(chain, &address, encoding, config.data_slice)?)
}

pub(super) fn several(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let addresses: Vec<String> = params.required(0, "addresses")?;
    let config: RpcAccountInfoConfig = params.optional(1, "config")?.unwrap_or_default();
    if addresses.len() > MAX_ACCOUNTS {
        return Err(RpcError::params(format!(
            "Too many inputs provided; max {MAX_ACCOUNTS}"
        )));
    }
    check_context_slot(chain, config.min_context_slot)?;
    let encoding = config.encoding.unwrap_or(UiAccountEncoding::Base64);
    let accounts = addresses
        .iter()
        .map(|address| {
            find(
                chain,
                &params::address(address)?,
                encoding,
                config.data_slice,
            )
        })
        .collect::<Result<Vec<_>, _>>()?;
    in_context(chain, accounts)
}

pub(super) fn of_program(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let program = params.address(0)?;
    let config: RpcProgramAccountsConfig = params.optional(1, "config")?.unwrap_or_default();
    let filters = config.filters.unwrap_or_default();
    if filters.len() > MAX_FILTERS {
        return Err(RpcError::params(format!(
            "Too many filters provided; max {MAX_FILTERS}"
        )));
    }
    for filter in &filters {
        filter
            .verify()
            .map_err(|error| RpcError::params(format!("Invalid param: {error}")))?;
    }
    check_context_slot(chain, config.account_config.min_context_slot)?;
    let encoding = config
        .account_config
        .encoding
        .unwrap_or(UiAccountEncoding::Binary);
    let accounts = owned_by(chain, &program, |account| {
        filters.iter().all(|filter| passes(filter, account))
    });
    let accounts = keyed(chain, accounts, encoding, config.account_config.data_slice)?;
    if config.with_context.unwrap_or(false) {
        in_context(chain, accounts)
    } else {
        to_value(accounts)
    }
}

/// A program's accounts that a test lets through, by address.
pub(super) fn owned_by(
    chain: &Chain,
    program: &Pubkey,
    wanted: impl Fn(&Account) -> bool,
) -> Vec<(Pubkey, Account)> {
    let mut accounts: Vec<(Pubkey, Account)> = chain
        .svm
        .accounts_db()
        .inner
        .iter()
        .filter(|(_, account)| account.owner() == program)
        .map(|(address, account)| (*address, account.clone().into()))
        .filter(|(_, account)| wanted(account))
        .collect();
    accounts.sort_unstable_by_key(|(address, _)| *address);
    accounts
}

/// Accounts as they are told, with their addresses.
pub(super) fn keyed(
    chain: &Chain,
    accounts: Vec<(Pubkey, Account)>,
    encoding: UiAccountEncoding,
    slice: Option<UiDataSliceConfig>,
) -> Result<Vec<RpcKeyedAccount>, RpcError> {
    accounts
        .iter()
        .map(|(address, account)| {
            Ok(RpcKeyedAccount {
                pubkey: address.to_string(),
                account: encode(chain, address, account, encoding, slice)?,
            })
        })
        .collect()
}

fn find(
    chain: &Chain,
    address: &Pubkey,
    encoding: UiAccountEncoding,
    slice: Option<UiDataSliceConfig>,
) -> Result<Option<UiAccount>, RpcError> {
    chain
        .account(address)
        .map(|account| encode(chain, address, &account, encoding, slice))
        .transpose()
}

/// An account as it is told.
pub(super) fn encode(
    chain: &Chain,
    address: &Pubkey,
    account: &Account,
    encoding: UiAccountEncoding,
    slice: Option<UiDataSliceConfig>,
) -> Result<UiAccount, RpcError> {
    let told = slice.map_or(account.data.len(), |slice| {
        slice
            .length
            .min(account.data.len().saturating_sub(slice.offset))
    });
    if matches!(
        encoding,
        UiAccountEncoding::Binary | UiAccountEncoding::Base58
    ) && told > MAX_BASE58_BYTES
    {
        return Err(RpcError::new(
            super::error::INVALID_REQUEST,
            format!(
                "Encoded binary (base 58) data should be less than {MAX_BASE58_BYTES} bytes, please use Base64 encoding."
            ),
        ));
    }
    let decimals = token::account(account)
        .and_then(|holding| chain.account(&holding.mint))
        .and_then(|mint| token::mint(&mint))
        .map(|mint| mint.decimals);
    let additional = decimals.map(|decimals| AccountAdditionalDataV3 {
        spl_token_additional_data: Some(SplTokenAdditionalDataV2::with_decimals(decimals)),
    });
    Ok(encode_ui_account(
        address, account, encoding, additional, slice,
    ))
}

fn passes(filter: &RpcFilterType, account: &Account) -> bool {
    match filter {
        RpcFilterType::DataSize(size) => account.data.len() as u64 == *size,
        RpcFilterType::Memcmp(compare) => compare.bytes_match(&account.data),
        RpcFilterType::TokenAccountState => token::account(account).is_some(),
    }
}
