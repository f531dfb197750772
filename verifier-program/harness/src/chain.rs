//! The runtime, with the program in it.

use std::{cell::Cell, collections::BTreeMap};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use litesvm::{LiteSVM, types::TransactionResult};
use solana_account::{Account, ReadableAccount};
use solana_clock::Clock;
use solana_instruction::{Instruction, error::InstructionError};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;
use spl_token_interface::state::{Account as TokenAccount, AccountState, Mint};
use veilpool_interface::{
    PoolError, PoolEvent, Record, address::TOKEN_PROGRAM, builder, builder::SYSTEM_PROGRAM,
};
use veilpool_protocol::MeasurerCount;

use crate::binary::Build;

/// Address of the program.
pub const PROGRAM: Pubkey = Pubkey::new_from_array([0x56; 32]);
/// When the chain's clock starts, in Unix seconds.
pub const GENESIS_TIME: i64 = 1_800_000_000;
/// What an account of a test is given.
const LAMPORTS: u64 = 1_000_000_000;

/// The runtime.
#[derive(Clone)]
pub struct Chain {
    /// litesvm's own.
    pub svm: LiteSVM,
    payer: [u8; 32],
    next: Cell<u64>,
}

/// What a transaction left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Compute units.
    pub units: u64,
    /// Log lines.
    pub logs: Vec<String>,
}

impl Receipt {
    /// The program's events.
    ///
    /// # Panics
    /// When something else is logged as data.
    #[must_use]
    pub fn events(&self) -> Vec<PoolEvent> {
        let data = self
            .logs
            .iter()
            .filter_map(|line| line.strip_prefix("Program data: "));
        data.map(|text| PoolEvent::decode(&BASE64_STANDARD.decode(text).unwrap()).unwrap())
            .collect()
    }
}

/// Why a transaction was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// By the program.
    Pool(PoolError),
    /// By another program, with its own number.
    Custom(u32),
    /// By the runtime.
    Runtime(TransactionError),
}

impl From<PoolError> for Refusal {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new(Build::Development)
    }
}

impl Chain {
    /// With one build of the program at [`PROGRAM`].
    ///
    /// # Panics
    /// When the binary is missing or old, or the runtime refuses it.
    #[must_use]
    pub fn new(build: Build) -> Self {
        let mut svm = LiteSVM::new();
        veilpool_ed25519_program::install(&mut svm);
        svm.add_program(PROGRAM, build.bytes()).unwrap();
        let payer = Keypair::new_from_array([0x11; 32]);
        svm.airdrop(&payer.pubkey(), 1_000 * LAMPORTS).unwrap();
        svm.airdrop(&crate::people::authority().pubkey(), LAMPORTS)
            .unwrap();
        let mut chain = Self {
            svm,
            payer: [0x11; 32],
            next: Cell::new(0),
        };
        chain.set_time(GENESIS_TIME);
        chain
    }

    /// Adds the same program at another address.
    ///
    /// # Panics
    /// When the runtime refuses it.
    pub fn add_program(&mut self, program: Pubkey, build: Build) {
        self.svm.add_program(program, build.bytes()).unwrap();
    }

    /// Publishes the repository's verifying key, if it isn't published.
    ///
    /// # Panics
    /// When the program refuses it.
    pub fn publish_key(&mut self, count: MeasurerCount) {
        let payer = self.new_person();
        let file = crate::pool::verifying_key(count);
        let publish = builder::publish_key(&PROGRAM, &payer.pubkey(), &file);
        match self.send(&[publish], &[&payer]) {
            Ok(_) | Err(Refusal::Pool(PoolError::AlreadyExists)) => {}
            Err(refusal) => panic!("the key is not published: {refusal:?}"),
        }
    }

    /// A key that nobody has used before; the same in each run.
    #[must_use]
    pub fn new_key(&self) -> Keypair {
        let number = self.next.get() + 1;
        self.next.set(number);
        let mut seed = [0x22; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Keypair::new_from_array(seed)
    }

    /// A new key with lamports.
    ///
    /// # Panics
    /// When the runtime refuses the airdrop.
    #[must_use]
    pub fn new_person(&mut self) -> Keypair {
        let key = self.new_key();
        self.svm.airdrop(&key.pubkey(), LAMPORTS).unwrap();
        key
    }

    /// The chain's clock.
    #[must_use]
    pub fn time(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Sets the chain's clock.
    pub fn set_time(&mut self, unix_timestamp: i64) {
        let mut clock = self.svm.get_sysvar::<Clock>();
        clock.unix_timestamp = unix_timestamp;
        self.svm.set_sysvar(&clock);
    }

    /// Moves the chain's clock on, or back.
    pub fn advance(&mut self, seconds: i64) {
        self.set_time(self.time() + seconds);
    }

    /// Sends a transaction, whose fee is paid by somebody else than those who sign.
    ///
    /// # Errors
    /// [`Refusal`].
    ///
    /// # Panics
    /// When a signature is missing that the instructions ask for.
    pub fn send(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> Result<Receipt, Refusal> {
        let payer = Keypair::new_from_array(self.payer);
        let mut all = vec![&payer];
        all.extend(signers);
        let message = Message::new(instructions, Some(&payer.pubkey()));
        let transaction = Transaction::new(&all, message, self.svm.latest_blockhash());
        let result = self.svm.send_transaction(transaction);
        // So that the same transaction can be sent again.
        self.svm.expire_blockhash();
        outcome(result)
    }

    /// Sends a transaction whose signatures nobody checks, as if whoever must sign had signed: also what can't, such
    /// as an address that a multisig's program signs for.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn send_as_if_signed(&mut self, instructions: &[Instruction]) -> Result<Receipt, Refusal> {
        let payer = Keypair::new_from_array(self.payer).pubkey();
        let latest = self.svm.latest_blockhash();
        let message = Message::new_with_blockhash(instructions, Some(&payer), &latest);
        let checked = self.svm.clone();
        self.svm = checked.with_sigverify(false);
        let result = self
            .svm
            .send_transaction(Transaction::new_unsigned(message));
        let blind = self.svm.clone();
        self.svm = blind.with_sigverify(true);
        self.svm.expire_blockhash();
        outcome(result)
    }

    /// What an account of the program holds; `None` where there is none of this type.
    #[must_use]
    pub fn read<T: Record>(&self, address: &Pubkey) -> Option<T> {
        let account = self.svm.get_account(address)?;
        (account.owner == PROGRAM).then(|| T::decode(&account.data).ok())?
    }

    /// Overwrites a record, to reach states that would take a million transactions.
    ///
    /// # Panics
    /// When there is no account.
    pub fn write<T: Record>(&mut self, address: &Pubkey, record: &T) {
        let mut account = self.account(address);
        account.data = record.encode();
        self.set(address, account);
    }

    /// Every account but those of the runtime, and of who pays fees.
    #[must_use]
    pub fn everything(&self) -> BTreeMap<Pubkey, Account> {
        let payer = Keypair::new_from_array(self.payer).pubkey();
        let accounts = self.svm.accounts_db().inner.iter();
        accounts
            .filter(|(address, account)| {
                **address != payer
                    && [PROGRAM, TOKEN_PROGRAM, SYSTEM_PROGRAM].contains(account.owner())
            })
            .map(|(address, account)| (*address, Account::from(account.clone())))
            .collect()
    }

    /// The account at an address.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn account(&self, address: &Pubkey) -> Account {
        self.svm.get_account(address).unwrap()
    }

    /// Puts an account at an address.
    ///
    /// # Panics
    /// When the runtime refuses it.
    pub fn set(&mut self, address: &Pubkey, account: Account) {
        self.svm.set_account(*address, account).unwrap();
    }

    /// Lamports at an address.
    #[must_use]
    pub fn lamports(&self, address: &Pubkey) -> u64 {
        self.svm.get_balance(address).unwrap_or(0)
    }

    /// A mint.
    pub fn new_mint(&mut self) -> Pubkey {
        let address = self.new_key().pubkey();
        let mint = Mint {
            supply: u64::MAX,
            decimals: 6,
            is_initialized: true,
            ..Mint::default()
        };
        self.set_packed(&address, &mint);
        address
    }

    /// A token account with a balance.
    pub fn new_tokens(&mut self, mint: &Pubkey, holder: &Pubkey, amount: u64) -> Pubkey {
        let address = self.new_key().pubkey();
        self.set_tokens(&address, mint, holder, amount, AccountState::Initialized);
        address
    }

    /// Puts a token account at an address.
    pub fn set_tokens(
        &mut self,
        address: &Pubkey,
        mint: &Pubkey,
        holder: &Pubkey,
        amount: u64,
        state: AccountState,
    ) {
        let account = TokenAccount {
            mint: *mint,
            owner: *holder,
            amount,
            state,
            ..TokenAccount::default()
        };
        self.set_packed(address, &account);
    }

    /// Balance of a token account.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn tokens(&self, address: &Pubkey) -> u64 {
        TokenAccount::unpack(&self.account(address).data)
            .unwrap()
            .amount
    }

    fn set_packed<T: Pack>(&mut self, address: &Pubkey, value: &T) {
        let mut data = vec![0; T::LEN];
        value.pack_into_slice(&mut data);
        let account = Account {
            lamports: LAMPORTS,
            data,
            owner: TOKEN_PROGRAM,
            ..Account::default()
        };
        self.set(address, account);
    }
}

/// What a transaction left behind, or why it was not carried out.
fn outcome(result: TransactionResult) -> Result<Receipt, Refusal> {
    match result {
        Ok(meta) => Ok(Receipt {
            units: meta.compute_units_consumed,
            logs: meta.logs,
        }),
        Err(failed) => Err(match failed.err {
            TransactionError::InstructionError(_, InstructionError::Custom(code)) => {
                PoolError::from_code(code).map_or(Refusal::Custom(code), Refusal::Pool)
            }
            other => Refusal::Runtime(other),
        }),
    }
}
