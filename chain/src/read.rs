//! Reading accounts. Bytes from an RPC node are decoded strictly: an account of another type, length
//! or owner is an error, never a guess.

mod leaves;
mod records;
mod tokens;

pub use leaves::{frozen_leaves, present_leaves};
pub use tokens::TokenAccount;

use solana_account_decoder::UiAccountEncoding;
use solana_clock::Clock;
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::Error as ClientError,
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
};
use veilpool_interface::{DecodeError, Record};

/// The Clock sysvar.
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
/// Accounts that an RPC node gives in one answer to `getMultipleAccounts`.
const MAX_ACCOUNTS: usize = 100;
/// Where `pool` begins in every account of a pool: after discriminator, version and bump.
const POOL_OFFSET: usize = 3;
/// Where the field after it begins.
const OWNER_OFFSET: usize = POOL_OFFSET + 32;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The RPC node can't be reached, or answered with an error.
    #[error(
        "the RPC node at {url} did not answer the question ({source}); check that it runs and that the URL is right"
    )]
    Unreachable {
        /// Which node.
        url: String,
        /// What happened.
        source: Box<ClientError>,
    },
    /// No such account.
    #[error(
        "there is no {what} at {address} on this cluster; check the address, the cluster and the program"
    )]
    Missing {
        /// What was looked for.
        what: &'static str,
        /// Where.
        address: Pubkey,
    },
    /// An account of another program.
    #[error(
        "the account {address} belongs to the program {owner}, not to {expected}; check the program's address"
    )]
    Owner {
        /// Which account.
        address: Pubkey,
        /// Its owner.
        owner: Pubkey,
        /// Whose it should be.
        expected: Pubkey,
    },
    /// Bytes of something else.
    #[error("the account {address}: {source}")]
    Decode {
        /// Which account.
        address: Pubkey,
        /// What is wrong.
        source: DecodeError,
    },
    /// Not a token account, or no clock.
    #[error("the account {address} is not a {what}")]
    NotA {
        /// Which account.
        address: Pubkey,
        /// What it should be.
        what: &'static str,
    },
    /// Another number of accounts than was asked for.
    #[error(
        "the RPC node answered for {found} accounts of the {expected} that it was asked for; ask another node, or again later"
    )]
    IncompleteAnswer {
        /// How many came.
        found: usize,
        /// How many were asked for.
        expected: usize,
    },
    /// Operators are missing from the answer, or too many.
    #[error(
        "the RPC node gave {found} operators of a registry that has {expected}; ask another node, or again later"
    )]
    IncompleteRegistry {
        /// How many came.
        found: usize,
        /// How many there are.
        expected: u32,
    },
}

impl ReadError {
    /// Whether asking again later may help.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::IncompleteAnswer { .. }
                | Self::IncompleteRegistry { .. }
        )
    }
}

/// A cluster and the pool program on it.
pub struct Chain {
    pub(crate) rpc: RpcClient,
    program: Pubkey,
}

impl Chain {
    /// At an RPC node's URL. Nothing is asked of it yet.
    #[must_use]
    pub fn new(url: impl Into<String>, program: Pubkey) -> Self {
        Self {
            rpc: RpcClient::new_with_commitment(url.into(), CommitmentConfig::confirmed()),
            program,
        }
    }

    /// The pool program.
    #[must_use]
    pub const fn program(&self) -> &Pubkey {
        &self.program
    }

    /// The RPC node.
    #[must_use]
    pub fn url(&self) -> String {
        self.rpc.url()
    }

    /// The RPC client itself, for what isn't of the pool.
    #[must_use]
    pub const fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    pub(crate) fn unreachable(&self, source: ClientError) -> ReadError {
        ReadError::Unreachable {
            url: self.rpc.url(),
            source: Box::new(source),
        }
    }

    /// Names the cluster.
    ///
    /// # Errors
    /// [`ReadError::Unreachable`].
    pub async fn genesis_hash(&self) -> Result<[u8; 32], ReadError> {
        let hash = self.rpc.get_genesis_hash().await;
        hash.map(|hash| hash.to_bytes())
            .map_err(|error| self.unreachable(error))
    }

    /// The chain's clock, in Unix seconds.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn now(&self) -> Result<i64, ReadError> {
        let (_, data) = self.raw(&CLOCK).await?.ok_or(ReadError::Missing {
            what: "clock",
            address: CLOCK,
        })?;
        let at = std::mem::offset_of!(Clock, unix_timestamp);
        data.get(at..)
            .and_then(|bytes| bytes.first_chunk())
            .map(|bytes| i64::from_le_bytes(*bytes))
            .ok_or(ReadError::NotA {
                address: CLOCK,
                what: "clock",
            })
    }

    /// Owner and data of an account; `None` when there is none.
    async fn raw(&self, address: &Pubkey) -> Result<Option<(Pubkey, Vec<u8>)>, ReadError> {
        let answer = self
            .rpc
            .get_account_with_commitment(address, CommitmentConfig::confirmed())
            .await
            .map_err(|error| self.unreachable(error))?;
        Ok(answer.value.map(|account| (account.owner, account.data)))
    }

    /// The same of several accounts, in the order of their addresses.
    async fn raw_several(
        &self,
        addresses: &[Pubkey],
    ) -> Result<Vec<Option<(Pubkey, Vec<u8>)>>, ReadError> {
        let mut all = Vec::with_capacity(addresses.len());
        for addresses in addresses.chunks(MAX_ACCOUNTS) {
            let answer = self
                .rpc
                .get_multiple_accounts_with_commitment(addresses, CommitmentConfig::confirmed())
                .await
                .map_err(|error| self.unreachable(error))?;
            let accounts = answer.value.into_iter();
            all.extend(accounts.map(|it| it.map(|account| (account.owner, account.data))));
        }
        if all.len() != addresses.len() {
            return Err(ReadError::IncompleteAnswer {
                found: all.len(),
                expected: addresses.len(),
            });
        }
        Ok(all)
    }

    async fn record<R: Record>(&self, address: &Pubkey) -> Result<Option<R>, ReadError> {
        let Some((owner, data)) = self.raw(address).await? else {
            return Ok(None);
        };
        // A pre-funded address is an account of the system program without data: nothing is there yet.
        if data.is_empty() {
            return Ok(None);
        }
        if owner != self.program {
            return Err(ReadError::Owner {
                address: *address,
                owner,
                expected: self.program,
            });
        }
        R::decode(&data)
            .map(Some)
            .map_err(|source| ReadError::Decode {
                address: *address,
                source,
            })
    }

    /// All accounts of one type of a pool; with an owner, only those in which it comes right after the pool.
    async fn records<R: Record>(
        &self,
        pool: &Pubkey,
        owner: Option<&Pubkey>,
    ) -> Result<Vec<(Pubkey, R)>, ReadError> {
        let mut filters = vec![
            RpcFilterType::Memcmp(Memcmp::new_raw_bytes(0, vec![R::DISCRIMINATOR])),
            RpcFilterType::Memcmp(Memcmp::new_raw_bytes(POOL_OFFSET, pool.to_bytes().to_vec())),
        ];
        filters.extend(owner.map(|owner| {
            RpcFilterType::Memcmp(Memcmp::new_raw_bytes(
                OWNER_OFFSET,
                owner.to_bytes().to_vec(),
            ))
        }));
        let config = RpcProgramAccountsConfig {
            filters: Some(filters),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        };
        let accounts = self
            .rpc
            .get_program_ui_accounts_with_config(&self.program, config)
            .await
            .map_err(|error| self.unreachable(error))?;
        accounts
            .into_iter()
            .map(|(address, account)| {
                let malformed = ReadError::Decode {
                    address,
                    source: DecodeError::Malformed,
                };
                let data = account.data.decode().ok_or(malformed)?;
                let record =
                    R::decode(&data).map_err(|source| ReadError::Decode { address, source })?;
                Ok((address, record))
            })
            .collect()
    }
}
