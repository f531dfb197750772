//! Reading accounts. Bytes from an RPC node are decoded strictly: an account of another type, length
//! or owner is an error, never a guess.

use solana_account_decoder::UiAccountEncoding;
use solana_clock::Clock;
use solana_commitment_config::CommitmentConfig;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::Error as ClientError,
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
};
use veilpool_interface::{
    Claim, DecodeError, Epoch, Operator, Pool, Position, Record,
    address::{self, TOKEN_PROGRAM},
};
use veilpool_protocol::{CommitmentBytes, EpochId, NullifierBytes};

/// The Clock sysvar.
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
/// Where `pool` begins in the accounts of epochs, operators, positions and claims: after
/// discriminator, version and bump.
const POOL_OFFSET: usize = 3;

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
    /// Leaves are missing from the answer.
    #[error(
        "the RPC node gave {found} of the first {expected} leaves of the registry; ask another node, or again later"
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
            Self::Unreachable { .. } | Self::IncompleteRegistry { .. }
        )
    }
}

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

    /// A pool.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn pool(&self, pool: &Pubkey) -> Result<Pool, ReadError> {
        self.record(pool).await?.ok_or(ReadError::Missing {
            what: "pool",
            address: *pool,
        })
    }

    /// An epoch; `None` before it is opened and after it is closed.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn epoch(&self, pool: &Pubkey, epoch: EpochId) -> Result<Option<Epoch>, ReadError> {
        self.record(&address::epoch(&self.program, pool, epoch).0)
            .await
    }

    /// The claim of a nullifier; `None` when it has not been paid, or was closed.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn claim(
        &self,
        pool: &Pubkey,
        epoch: EpochId,
        nullifier: &NullifierBytes,
    ) -> Result<Option<Claim>, ReadError> {
        self.record(&address::claim(&self.program, pool, epoch, nullifier).0)
            .await
    }

    /// An operator; `None` when the commitment isn't registered.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn operator(
        &self,
        pool: &Pubkey,
        commitment: &CommitmentBytes,
    ) -> Result<Option<Operator>, ReadError> {
        self.record(&address::operator(&self.program, pool, commitment).0)
            .await
    }

    /// A liquidity provider's position; `None` when there is none.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn position(
        &self,
        pool: &Pubkey,
        owner: &Pubkey,
    ) -> Result<Option<Position>, ReadError> {
        self.record(&address::position(&self.program, pool, owner).0)
            .await
    }

    /// All accounts of one type of a pool.
    async fn records<R: Record>(&self, pool: &Pubkey) -> Result<Vec<(Pubkey, R)>, ReadError> {
        let filters = vec![
            RpcFilterType::Memcmp(Memcmp::new_raw_bytes(0, vec![R::DISCRIMINATOR])),
            RpcFilterType::Memcmp(Memcmp::new_raw_bytes(POOL_OFFSET, pool.to_bytes().to_vec())),
        ];
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

    /// The first `count` leaves in order. All of them, never one's own alone: who asks for one leaf tells the
    /// RPC node whose it is (attack L4).
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn leaves(
        &self,
        pool: &Pubkey,
        count: u32,
    ) -> Result<Vec<CommitmentBytes>, ReadError> {
        let mut operators: Vec<Operator> = self
            .records(pool)
            .await?
            .into_iter()
            .map(|(_, operator): (_, Operator)| operator)
            .filter(|operator| operator.leaf_index < count)
            .collect();
        operators.sort_unstable_by_key(|operator| operator.leaf_index);
        operators.dedup_by_key(|operator| operator.leaf_index);
        if operators.len() != count as usize {
            return Err(ReadError::IncompleteRegistry {
                found: operators.len(),
                expected: count,
            });
        }
        Ok(operators
            .into_iter()
            .map(|operator| operator.commitment)
            .collect())
    }

    /// All epochs that are open or whose accounts have not been closed.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn epochs(&self, pool: &Pubkey) -> Result<Vec<Epoch>, ReadError> {
        let epochs = self.records(pool).await?;
        Ok(epochs.into_iter().map(|(_, epoch)| epoch).collect())
    }

    /// All claims whose accounts have not been closed, with their addresses.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn claims(&self, pool: &Pubkey) -> Result<Vec<(Pubkey, Claim)>, ReadError> {
        self.records(pool).await
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
                let account =
                    spl_token_interface::state::Account::unpack(&data).map_err(|_| not_a)?;
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
                RpcFilterType::DataSize(spl_token_interface::state::Account::LEN as u64),
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
                    .and_then(|data| spl_token_interface::state::Account::unpack(&data).ok())
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
