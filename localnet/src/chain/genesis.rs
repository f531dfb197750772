//! How a chain comes to be: from a genesis, or from what was kept.

use std::{
    collections::{HashSet, VecDeque},
    path::Path,
};

use litesvm::LiteSVM;
use rand::{RngCore, rngs::OsRng};
use solana_account::Account;
use solana_clock::Clock;
use solana_epoch_schedule::EpochSchedule;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_associated_token_account_interface::address::get_associated_token_address;
use spl_token_interface::state::{Account as TokenAccount, AccountState, Mint};

use super::{Chain, History, Kept, faucet, token};
use crate::config::{
    GenesisAirdrop, GenesisProgram, GenesisToken, LAMPORTS_PER_SOL, LocalnetConfig, StartError,
};

/// What the faucet has to give.
const FAUCET_LAMPORTS: u64 = 1_000_000_000 * LAMPORTS_PER_SOL;

impl Chain {
    /// A new chain.
    pub(crate) fn genesis(config: &LocalnetConfig, now: i64) -> Result<Chain, StartError> {
        let seed = config.seed.unwrap_or_else(|| {
            let mut seed = [0; 32];
            OsRng.fill_bytes(&mut seed);
            seed
        });
        let mut chain = Chain::empty(seed, config.history);
        chain.advance(now);
        for program in &config.programs {
            chain.deploy(program)?;
        }
        let faucet = faucet(&seed).pubkey();
        chain.create(faucet, Account::new(FAUCET_LAMPORTS, 0, &Pubkey::default()))?;
        for token in &config.tokens {
            chain.issue(token)?;
        }
        for airdrop in &config.airdrops {
            chain.give(airdrop)?;
        }
        Ok(chain)
    }

    /// The chain that was kept, one slot later.
    pub(crate) fn restore(
        config: &LocalnetConfig,
        kept: Kept,
        now: i64,
        path: &Path,
    ) -> Result<Chain, StartError> {
        let damaged = |reason: String| StartError::Damaged {
            path: path.to_owned(),
            reason,
        };
        if config.seed.is_some_and(|seed| seed != kept.seed) {
            return Err(StartError::SeedDiffers {
                path: path.to_owned(),
            });
        }
        let mut chain = Chain::empty(kept.seed, config.history);
        let first = kept.slot.saturating_sub(super::KNOWN_SLOTS as u64).max(1);
        for number in first..=kept.slot {
            // Times of earlier slots are known only where a transaction landed.
            let time = if number == kept.slot {
                kept.unix_timestamp
            } else {
                0
            };
            chain.push_slot(number, time);
        }
        chain.advance(now);
        // A program's account is loaded with the data that it points to, so that comes first.
        let (programs, data): (Vec<_>, Vec<_>) = kept
            .accounts
            .into_iter()
            .partition(|(_, account)| account.executable);
        for (address, account) in data.into_iter().chain(programs) {
            chain
                .svm
                .set_account(address, account)
                .map_err(|error| damaged(format!("account {address}: {error}")))?;
        }
        chain.history = History::restore(kept.records, config.history);
        chain.compare(config)?;
        Ok(chain)
    }

    /// The runtime with its built-in programs, before the first slot.
    fn empty(seed: [u8; 32], history: usize) -> Chain {
        // `sigverify` and the blockhash check are ours: see `Chain::execute`.
        let mut svm = LiteSVM::default()
            .with_mainnet_features()
            .with_builtins()
            .with_sysvars();
        svm.set_sysvar(&EpochSchedule::without_warmup());
        // Its default is mainnet's slot; programs must not seem to come from the future.
        svm.set_sysvar(&Clock::default());
        let mut svm = svm
            .with_feature_accounts()
            .with_default_programs()
            .with_sigverify(false)
            .with_blockhash_check(false);
        veilpool_ed25519_program::install(&mut svm);
        let built_in: HashSet<Pubkey> = svm.accounts_db().inner.keys().copied().collect();
        Chain {
            svm,
            history: History::new(history),
            seed,
            slots: VecDeque::new(),
            built_in,
            epochs: EpochSchedule::without_warmup(),
        }
    }

    fn create(&mut self, address: Pubkey, account: Account) -> Result<(), StartError> {
        if self.account(&address).is_some() {
            return Err(StartError::AddressTaken { address });
        }
        self.svm
            .set_account(address, account)
            .map_err(|_| StartError::AddressTaken { address })
    }

    fn deploy(&mut self, program: &GenesisProgram) -> Result<(), StartError> {
        let address = program.address;
        if self.account(&address).is_some() {
            return Err(StartError::AddressTaken { address });
        }
        self.svm
            .add_program(address, &program.elf)
            .map_err(|error| StartError::Program {
                address,
                reason: error.to_string(),
            })
    }

    fn issue(&mut self, token: &GenesisToken) -> Result<(), StartError> {
        let supply = token
            .holders
            .iter()
            .try_fold(0_u64, |sum, (_, amount)| sum.checked_add(*amount))
            .ok_or(StartError::Supply { mint: token.mint })?;
        let mut data = vec![0; Mint::LEN];
        Mint {
            mint_authority: Some(token.authority).into(),
            supply,
            decimals: token.decimals,
            is_initialized: true,
            freeze_authority: None.into(),
        }
        .pack_into_slice(&mut data);
        self.create(token.mint, self.token_program_account(data))?;
        for (owner, amount) in &token.holders {
            let mut data = vec![0; TokenAccount::LEN];
            TokenAccount {
                mint: token.mint,
                owner: *owner,
                amount: *amount,
                state: AccountState::Initialized,
                ..TokenAccount::default()
            }
            .pack_into_slice(&mut data);
            let address = get_associated_token_address(owner, &token.mint);
            self.create(address, self.token_program_account(data))?;
        }
        Ok(())
    }

    fn token_program_account(&self, data: Vec<u8>) -> Account {
        Account {
            lamports: self.svm.minimum_balance_for_rent_exemption(data.len()),
            data,
            owner: spl_token_interface::ID,
            executable: false,
            rent_epoch: u64::MAX,
        }
    }

    fn give(&mut self, airdrop: &GenesisAirdrop) -> Result<(), StartError> {
        let minimum = self.svm.minimum_balance_for_rent_exemption(0);
        if airdrop.lamports < minimum {
            return Err(StartError::BelowRent {
                address: airdrop.address,
                lamports: airdrop.lamports,
                minimum,
            });
        }
        let account = Account::new(airdrop.lamports, 0, &Pubkey::default());
        self.create(airdrop.address, account)
    }

    /// A kept chain has its genesis behind it; what can't be changed must be the same.
    fn compare(&self, config: &LocalnetConfig) -> Result<(), StartError> {
        for program in &config.programs {
            let deployed = self
                .svm
                .accounts_db()
                .try_program_elf_bytes(&program.address);
            if deployed.ok() != Some(program.elf.as_slice()) {
                return Err(StartError::ProgramDiffers {
                    address: program.address,
                });
            }
        }
        for token in &config.tokens {
            let decimals = self
                .account(&token.mint)
                .and_then(|account| token::mint(&account))
                .map(|mint| mint.decimals);
            if decimals != Some(token.decimals) {
                return Err(StartError::TokenDiffers { mint: token.mint });
            }
        }
        Ok(())
    }
}
