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
        match self.raw(address).await? {
            None => Ok(None),
            Some((owner, data)) => token_account(address, &owner, &data),
        }
    }

    /// Several token accounts, in the order of their addresses; `None` for each that isn't there. One question for
    /// every hundred, which is what RPC nodes answer at once.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn token_accounts(
        &self,
        addresses: &[Pubkey],
    ) -> Result<Vec<Option<TokenAccount>>, ReadError> {
        let mut all = Vec::with_capacity(addresses.len());
        for (address, account) in addresses.iter().zip(self.raw_several(addresses).await?) {
            all.push(match account {
                None => None,
                Some((owner, data)) => token_account(address, &owner, &data)?,
            });
        }
        Ok(all)
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

fn token_account(
    address: &Pubkey,
    owner: &Pubkey,
    data: &[u8],
) -> Result<Option<TokenAccount>, ReadError> {
    // A pre-funded address is an account of the system program without data: nothing is there yet. Otherwise
    // whoever sends lamports to an address would keep all that are asked for with it from being read.
    if data.is_empty() {
        return Ok(None);
    }
    (*owner == TOKEN_PROGRAM)
        .then(|| Account::unpack(data).ok())
        .flatten()
        .map(|account| TokenAccount {
            mint: account.mint,
            holder: account.owner,
            amount: account.amount,
        })
        .map(Some)
        .ok_or(ReadError::NotA {
            address: *address,
            what: "token account",
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use spl_token_interface::state::AccountState;

    use super::*;

    const ADDRESS: Pubkey = Pubkey::new_from_array([1; 32]);

    #[test]
    fn an_address_with_nothing_but_lamports_has_no_token_account_and_other_bytes_are_none() {
        let account = Account {
            mint: Pubkey::new_from_array([2; 32]),
            owner: Pubkey::new_from_array([3; 32]),
            amount: 5,
            state: AccountState::Initialized,
            ..Account::default()
        };
        let mut data = vec![0; Account::LEN];
        account.pack_into_slice(&mut data);
        let read = token_account(&ADDRESS, &TOKEN_PROGRAM, &data).unwrap();
        let expected = TokenAccount {
            mint: account.mint,
            holder: account.owner,
            amount: 5,
        };
        assert_eq!(read, Some(expected));
        let system = Pubkey::default();
        assert_eq!(token_account(&ADDRESS, &system, &[]).unwrap(), None);
        for (owner, data) in [(&system, &data[..]), (&TOKEN_PROGRAM, &data[1..])] {
            assert!(matches!(
                token_account(&ADDRESS, owner, data),
                Err(ReadError::NotA {
                    address: ADDRESS,
                    ..
                })
            ));
        }
    }
}
