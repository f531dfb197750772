//! What a local chain is started with, and why a start is refused.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use solana_pubkey::Pubkey;

/// The port that Solana's tools expect.
pub const DEFAULT_PORT: u16 = 8899;

/// Time between two slots, as on the public clusters.
pub const DEFAULT_BLOCK_TIME: Duration = Duration::from_millis(400);

/// Lamports in one SOL.
pub const LAMPORTS_PER_SOL: u64 = 1_000_000_000;

/// How a local chain behaves. `Default` is a chain in memory on `127.0.0.1:8899` with a faucet.
#[derive(Clone, Debug)]
pub struct LocalnetConfig {
    /// Where the RPC listens; port 0 takes a free one. Anybody who reaches it can use the faucet.
    pub listen: SocketAddr,
    /// Where the chain is kept; `None` forgets it at the end.
    pub state: Option<PathBuf>,
    /// Time between two slots.
    pub block_time: Duration,
    /// The largest airdrop in lamports; `None` turns the faucet off.
    pub faucet_limit: Option<u64>,
    /// How many landed transactions `getTransaction` and its like remember. Those that are needed
    /// against replay are always kept.
    pub history: usize,
    /// Fixes the genesis hash, the faucet's key and all blockhashes of a new chain.
    pub seed: Option<[u8; 32]>,
    /// Programs of a new chain. Beside them it always has the SPL ones.
    pub programs: Vec<GenesisProgram>,
    /// Tokens of a new chain.
    pub tokens: Vec<GenesisToken>,
    /// Balances of a new chain.
    pub airdrops: Vec<GenesisAirdrop>,
}

impl Default for LocalnetConfig {
    fn default() -> Self {
        LocalnetConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT)),
            state: None,
            block_time: DEFAULT_BLOCK_TIME,
            faucet_limit: Some(1_000 * LAMPORTS_PER_SOL),
            history: 20_000,
            seed: None,
            programs: Vec::new(),
            tokens: Vec::new(),
            airdrops: Vec::new(),
        }
    }
}

/// A program of the genesis, owned by the upgradeable loader, without an upgrade authority.
#[derive(Clone, Debug)]
pub struct GenesisProgram {
    /// Its address.
    pub address: Pubkey,
    /// The ELF file.
    pub elf: Vec<u8>,
}

/// An SPL token of the genesis.
#[derive(Clone, Debug)]
pub struct GenesisToken {
    /// The mint's address.
    pub mint: Pubkey,
    /// Decimals of an amount.
    pub decimals: u8,
    /// Who may mint more.
    pub authority: Pubkey,
    /// Wallets and what their associated token accounts hold, in the smallest unit.
    pub holders: Vec<(Pubkey, u64)>,
}

/// Lamports of the genesis.
#[derive(Clone, Copy, Debug)]
pub struct GenesisAirdrop {
    /// Whose.
    pub address: Pubkey,
    /// How many.
    pub lamports: u64,
}

/// Why a chain was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address can't be listened on.
    #[error(
        "{address} can't be listened on: {source}; is another chain running there? Choose another port, or 0"
    )]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The block time is zero.
    #[error("the block time is zero; 400 ms is usual")]
    BlockTime,
    /// The state folder can't be used.
    #[error("the state folder {path} can't be used: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has the folder.
    #[error(
        "the state folder {path} is in use by another chain; stop that one, or give this one a folder of its own"
    )]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// The file isn't a chain's.
    #[error("{path} isn't a local chain's state; give another folder")]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// The state was written by another version.
    #[error(
        "{path} has format {found} and this version reads format {expected}; start with a new folder"
    )]
    Format {
        /// Which.
        path: PathBuf,
        /// In the file.
        found: i64,
        /// Of this version.
        expected: i64,
    },
    /// The state is damaged.
    #[error(
        "{path} is damaged ({reason}); nothing was changed. Restore a copy of the folder, or start with a new one"
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The database said no.
    #[error("{path} can't be read or written: {reason}")]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The seed isn't the one that the kept chain was made with.
    #[error(
        "the chain in {path} was made with another seed; leave the seed out, or start with a new folder"
    )]
    SeedDiffers {
        /// Which.
        path: PathBuf,
    },
    /// A program isn't the one of the kept chain, which can't be changed.
    #[error(
        "the kept chain has another program at {address}, or none; start with a new state folder to deploy this one"
    )]
    ProgramDiffers {
        /// Which.
        address: Pubkey,
    },
    /// A token isn't one of the kept chain.
    #[error(
        "the kept chain has no mint at {mint} with these decimals; start with a new state folder to make it"
    )]
    TokenDiffers {
        /// Which.
        mint: Pubkey,
    },
    /// A program was refused by the loader.
    #[error("the program for {address} was refused by the loader: {reason}")]
    Program {
        /// Which.
        address: Pubkey,
        /// Why.
        reason: String,
    },
    /// Two things of the genesis have one address, or a built-in account has it.
    #[error(
        "{address} is given twice at genesis, or is a built-in account's; give each its own address"
    )]
    AddressTaken {
        /// Which.
        address: Pubkey,
    },
    /// An airdrop that would leave an account which isn't rent-exempt.
    #[error(
        "{lamports} lamports for {address} are less than the {minimum} that an account needs to exist"
    )]
    BelowRent {
        /// Whose.
        address: Pubkey,
        /// How many.
        lamports: u64,
        /// The least.
        minimum: u64,
    },
    /// A token's holders have more than 2^64 - 1 together.
    #[error("the holders of {mint} have more than 2^64 - 1 together")]
    Supply {
        /// Which.
        mint: Pubkey,
    },
    /// The chain's thread could not be started, or ended at once.
    #[error("the chain's thread could not run: {0}")]
    Thread(String),
}
