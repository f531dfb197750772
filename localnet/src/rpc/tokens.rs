//! SPL tokens.

use serde_json::Value;
use solana_account_decoder::UiAccountEncoding;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::{
    CommitmentConfig, RpcAccountInfoConfig, RpcTokenAccountsFilter,
};

use super::{Params, RpcError, accounts, check_context_slot, in_context, params};
use crate::chain::{Chain, token};

pub(super) fn balance(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let address = params.address(0)?;
    params.optional::<CommitmentConfig>(1, "config")?;
    let account = chain
        .account(&address)
        .ok_or_else(|| RpcError::params("Invalid param: could not find account"))?;
    let holding = token::account(&account)
        .ok_or_else(|| RpcError::params("Invalid param: not a Token account"))?;
    let decimals = decimals(chain, &holding.mint)?;
    in_context(chain, token::ui_amount(holding.amount, decimals))
}

pub(super) fn supply(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let address = params.address(0)?;
    params.optional::<CommitmentConfig>(1, "config")?;
    let account = chain
        .account(&address)
        .ok_or_else(|| RpcError::params("Invalid param: could not find account"))?;
    let mint =
        token::mint(&account).ok_or_else(|| RpcError::params("Invalid param: not a Token mint"))?;
    in_context(chain, token::ui_amount(mint.supply, mint.decimals))
}

pub(super) fn by_owner(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let owner = params.address(0)?;
    let filter: RpcTokenAccountsFilter = params.required(1, "filter")?;
    let config: RpcAccountInfoConfig = params.optional(2, "config")?.unwrap_or_default();
    check_context_slot(chain, config.min_context_slot)?;
    let (program, mint) = match filter {
        RpcTokenAccountsFilter::ProgramId(program) => {
            let program = params::address(&program)?;
            if !token::is_program(&program) {
                return Err(RpcError::params(
                    "Invalid param: unrecognized Token program id",
                ));
            }
            (program, None)
        }
        RpcTokenAccountsFilter::Mint(mint) => {
            let mint = params::address(&mint)?;
            decimals(chain, &mint)?;
            let program = chain.account(&mint).map(|account| account.owner);
            (program.unwrap_or_default(), Some(mint))
        }
    };
    let held = accounts::owned_by(chain, &program, |account| {
        token::account(account).is_some_and(|holding| {
            holding.owner == owner && mint.is_none_or(|mint| holding.mint == mint)
        })
    });
    let encoding = config.encoding.unwrap_or(UiAccountEncoding::Binary);
    in_context(
        chain,
        accounts::keyed(chain, held, encoding, config.data_slice)?,
    )
}

fn decimals(chain: &Chain, mint: &Pubkey) -> Result<u8, RpcError> {
    let account = chain
        .account(mint)
        .ok_or_else(|| RpcError::params("Invalid param: could not find mint"))?;
    token::mint(&account)
        .map(|mint| mint.decimals)
        .ok_or_else(|| RpcError::params("Invalid param: not a Token mint"))
}
