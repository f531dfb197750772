//! SPL tokens.

use solana_account_decoder::UiAccountEncoding;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
};
use spl_token_interface::state::{Account, Mint};
use veilpool_interface::address::TOKEN_PROGRAM;

use super::{Chain, ReadError};

/// An SPL token account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenAccount {
    /// Its token.
    pub mint: Pubkey,
    /// Its holder.
    pub holder: Pubkey,
    /// In the token's smallest unit.
    pub amount: u64,
}

impl Chain {
    /// How many decimals a token's amounts have.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn decimals(&self, mint: &Pubkey) -> Result<u8, ReadError> {
        let (owner, data) = self.raw(mint).await?.ok_or(ReadError::Missing {
            what: "mint",
            address: *mint,
        })?;
        let mint = (owner == TOKEN_PROGRAM)
            .then(|| Mint::unpack(&data).ok())
            .flatten()
            .ok_or(ReadError::NotA {
                address: *mint,
                what: "mint",
            })?;
        Ok(mint.decimals)
    }

    /// A token account; `None` when there is none.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn token_account(&self, address: &Pubkey) -> Result<Option<TokenAccount>, ReadError> {
        let not_a = ReadError::NotA {
            address: *address,
            what: "token account",
        };
        match self.raw(address).await? {
            None => Ok(None),
            Some((owner, data)) if owner == TOKEN_PROGRAM => {
                let account = Account::unpack(&data).map_err(|_| not_a)?;
                Ok(Some(TokenAccount {
                    mint: account.mint,
                    holder: account.owner,
                    amount: account.amount,
                }))
            }
            Some(_) => Err(not_a),
        }
    }

    /// Everybody who holds a token, with what they hold. Who asks for one account tells the RPC node whose it
    /// is; who asks for all of them doesn't (attack L6).
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn holders(&self, mint: &Pubkey) -> Result<Vec<TokenAccount>, ReadError> {
        let config = RpcProgramAccountsConfig {
            filters: Some(vec![
                RpcFilterType::DataSize(Account::LEN as u64),
                RpcFilterType::Memcmp(Memcmp::new_raw_bytes(0, mint.to_bytes().to_vec())),
            ]),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        };
        let accounts = self
            .rpc
            .get_program_ui_accounts_with_config(&TOKEN_PROGRAM, config)
            .await
            .map_err(|error| self.unreachable(error))?;
        accounts
            .into_iter()
            .map(|(address, account)| {
                account
                    .data
                    .decode()
                    .and_then(|data| Account::unpack(&data).ok())
                    .map(|account| TokenAccount {
                        mint: account.mint,
                        holder: account.owner,
                        amount: account.amount,
                    })
                    .ok_or(ReadError::NotA {
                        address,
                        what: "token account",
                    })
            })
            .collect()
    }
}
