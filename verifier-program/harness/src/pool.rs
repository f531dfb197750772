//! A pool on a chain, and what people do with it.

use std::collections::BTreeMap;

use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::state::AccountState;
use veilpool_interface::{
    Epoch, Parameters, Pool, address, address::TOKEN_PROGRAM, builder, class,
    instruction::InitialisePool, registry::RegistryPath,
};
use veilpool_primitives::RegistryTree;
use veilpool_protocol::{CommitmentBytes, EpochId, FieldBytes, MeasurerCount, verifying_key};

use crate::{
    binary,
    chain::{Chain, PROGRAM, Receipt, Refusal},
    people::{self, Person},
};

/// Length of an epoch in tests, in seconds.
pub const EPOCH_SECONDS: u32 = 1_200;
/// Length of a claim window in tests, in seconds.
pub const CLAIM_WINDOW_SECONDS: u32 = 2_400;
/// How long a withdrawal waits in tests, in seconds.
pub const COOLDOWN_SECONDS: u32 = 3_000;
/// How long a hub has to settle in tests, in seconds.
pub const CHALLENGE_SECONDS: u32 = 600;
/// How long a change waits in tests, in seconds.
pub const TIMELOCK_SECONDS: u32 = 4_200;
/// First price of traffic in tests.
pub const PRICE: u64 = 500_000_000;
/// A bond in tests.
pub const BOND: u64 = 5_000;
/// What a pool of a test owns at first.
pub const FUNDS: u64 = 1_000_000_000;
/// Names the cluster of tests.
pub const GENESIS_HASH: [u8; 32] = [0x47; 32];

/// A pool on a chain.
#[derive(Clone)]
pub struct PoolOnChain {
    /// The chain.
    pub chain: Chain,
    /// Number of measurers.
    pub measurers: MeasurerCount,
    /// The pool's token.
    pub mint: Pubkey,
    /// Who made it.
    pub founder: Pubkey,
    /// Its address.
    pub pool: Pubkey,
    /// Who has been registered, in order; `None` where somebody has left.
    pub people: Vec<Option<Person>>,
    /// The same when each epoch was opened.
    pub frozen: BTreeMap<EpochId, Vec<Option<Person>>>,
}

/// The rules of a pool of tests.
#[must_use]
pub fn rules(count: MeasurerCount) -> InitialisePool {
    InitialisePool {
        measurers: people::measurer_keys(count),
        classes: class::default_table(),
        parameters: parameters(),
        timelock_seconds: TIMELOCK_SECONDS,
        authority: address::bytes(&people::authority().pubkey()),
        price: PRICE,
        genesis_hash: GENESIS_HASH,
    }
}

/// What governance may change of them.
#[must_use]
pub const fn parameters() -> Parameters {
    Parameters {
        bond_amount: BOND,
        epoch_seconds: EPOCH_SECONDS,
        claim_window_seconds: CLAIM_WINDOW_SECONDS,
        cooldown_seconds: COOLDOWN_SECONDS,
        challenge_seconds: CHALLENGE_SECONDS,
        rate_cap: 1_000_000,
        outflow_bps: 100,
        hub_fee_cap_bps: 1_000,
        slash_reward_bps: 2_500,
        target_utilisation_bps: 5_000,
        min_price: 1_000,
        max_price: 1_000_000_000_000,
    }
}

/// The file of the repository's verifying key: a development one.
///
/// # Panics
/// When it can't be read.
#[must_use]
pub fn verifying_key(count: MeasurerCount) -> [u8; verifying_key::LEN] {
    let path = format!("params/claim-n{}-v2.vk", count.get());
    let bytes = std::fs::read(binary::root().join(path)).unwrap();
    bytes.try_into().unwrap()
}

/// Its SHA-256.
#[must_use]
pub fn verifying_key_digest(count: MeasurerCount) -> [u8; 32] {
    builder::key_digest(&verifying_key(count))
}

/// Somebody with lamports, tokens of a pool, and an account for its shares.
pub struct Holder {
    /// Who.
    pub key: Keypair,
    /// Token account.
    pub tokens: Pubkey,
    /// Account of shares.
    pub shares: Pubkey,
}

impl Clone for Holder {
    fn clone(&self) -> Self {
        Self {
            key: self.key.insecure_clone(),
            ..*self
        }
    }
}

impl PoolOnChain {
    /// A pool that exists and owns nothing.
    #[must_use]
    pub fn empty(count: MeasurerCount) -> Self {
        Self::on(Chain::default(), count)
    }

    /// The same on a chain that is already there.
    ///
    /// # Panics
    /// When the program refuses to make it.
    #[must_use]
    pub fn on(mut chain: Chain, count: MeasurerCount) -> Self {
        chain.publish_key(count);
        let mint = chain.new_mint();
        let founder = chain.new_person();
        let make = builder::initialise_pool(
            &PROGRAM,
            &founder.pubkey(),
            &mint,
            &verifying_key_digest(count),
            rules(count),
        );
        chain.send(&[make], &[&founder]).unwrap();
        Self {
            chain,
            measurers: count,
            mint,
            founder: founder.pubkey(),
            pool: address::pool(&PROGRAM, &mint, &founder.pubkey()).0,
            people: Vec::new(),
            frozen: BTreeMap::new(),
        }
    }

    /// A pool with funds and a few operators.
    ///
    /// # Panics
    /// When the program refuses something.
    #[must_use]
    pub fn with_operators(count: MeasurerCount, operators: u8) -> Self {
        let mut pool = Self::empty(count);
        pool.deposit(FUNDS).unwrap();
        for person in 0..operators {
            pool.register(Person(person)).unwrap();
        }
        pool
    }

    /// The pool's record.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn record(&self) -> Pool {
        self.chain.read(&self.pool).unwrap()
    }

    /// Overwrites the pool's record, to reach states that would take a million transactions.
    ///
    /// # Panics
    /// When there is none.
    pub fn edit(&mut self, change: impl FnOnce(&mut Pool)) {
        let mut record = self.record();
        change(&mut record);
        let address = self.pool;
        self.chain.write(&address, &record);
    }

    /// The same of an epoch.
    ///
    /// # Panics
    /// When there is none.
    pub fn edit_epoch(&mut self, epoch: EpochId, change: impl FnOnce(&mut Epoch)) {
        let mut record = self.epoch(epoch);
        change(&mut record);
        let address = self.epoch_address(epoch);
        self.chain.write(&address, &record);
    }

    /// An epoch's record.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn epoch(&self, epoch: EpochId) -> Epoch {
        self.chain.read(&self.epoch_address(epoch)).unwrap()
    }

    /// An epoch's address.
    #[must_use]
    pub fn epoch_address(&self, epoch: EpochId) -> Pubkey {
        address::epoch(&PROGRAM, &self.pool, epoch).0
    }

    /// The vault's address.
    #[must_use]
    pub fn vault(&self) -> Pubkey {
        address::vault(&PROGRAM, &self.pool).0
    }

    /// The address of the vault of bonds.
    #[must_use]
    pub fn bonds(&self) -> Pubkey {
        address::bonds(&PROGRAM, &self.pool).0
    }

    /// The address of the vault of channels.
    #[must_use]
    pub fn escrow(&self) -> Pubkey {
        address::escrow(&PROGRAM, &self.pool).0
    }

    /// The mint of its shares.
    #[must_use]
    pub fn share_mint(&self) -> Pubkey {
        address::shares(&PROGRAM, &self.pool).0
    }

    /// A new person with lamports and tokens.
    #[must_use]
    pub fn new_holder(&mut self, amount: u64) -> Holder {
        let key = self.chain.new_person();
        self.holder(key, amount)
    }

    /// The same of somebody who has lamports.
    #[must_use]
    pub fn holder(&mut self, key: Keypair, amount: u64) -> Holder {
        let tokens = associated(&key.pubkey(), &self.mint);
        let shares = associated(&key.pubkey(), &self.share_mint());
        for (address, mint, amount) in [
            (&tokens, self.mint, amount),
            (&shares, self.share_mint(), 0),
        ] {
            let state = AccountState::Initialized;
            let holder = key.pubkey();
            self.chain
                .set_tokens(address, &mint, &holder, amount, state);
        }
        Holder {
            key,
            tokens,
            shares,
        }
    }

    /// Somebody new deposits.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn deposit(&mut self, amount: u64) -> Result<Receipt, Refusal> {
        let holder = self.new_holder(amount);
        self.deposit_as(&holder, amount)
    }

    /// A holder deposits.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn deposit_as(&mut self, holder: &Holder, amount: u64) -> Result<Receipt, Refusal> {
        let key = holder.key.pubkey();
        let (tokens, shares) = (&holder.tokens, &holder.shares);
        let deposit = builder::deposit(&PROGRAM, &self.pool, &key, tokens, shares, amount, 0);
        self.chain.send(&[deposit], &[&holder.key])
    }

    /// A holder hands shares in.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn request_withdrawal(
        &mut self,
        holder: &Holder,
        number: u32,
        shares: u64,
    ) -> Result<Receipt, Refusal> {
        let key = holder.key.pubkey();
        let request =
            builder::request_withdrawal(&PROGRAM, &self.pool, &key, &holder.shares, number, shares);
        self.chain.send(&[request], &[&holder.key])
    }

    /// Somebody has a withdrawal paid.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn withdraw(&mut self, holder: &Holder, number: u32) -> Result<Receipt, Refusal> {
        let key = holder.key.pubkey();
        let withdraw = builder::withdraw(&PROGRAM, &self.pool, &key, number, &holder.tokens);
        self.chain.send(&[withdraw], &[])
    }

    /// Somebody new bonds an operator.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn register(&mut self, person: Person) -> Result<Receipt, Refusal> {
        let bond = self.record().rules.parameters.bond_amount;
        let holder = self.new_holder(bond);
        self.register_as(&holder, person)
    }

    /// A holder bonds an operator.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn register_as(&mut self, holder: &Holder, person: Person) -> Result<Receipt, Refusal> {
        let register = builder::register_operator(
            &PROGRAM,
            &self.pool,
            &holder.key.pubkey(),
            &holder.tokens,
            person.commitment(),
        );
        let receipt = self.chain.send(&[register], &[&holder.key])?;
        self.people.push(Some(person));
        Ok(receipt)
    }

    /// The path of an operator's leaf in the present registry; `None` when it isn't there.
    #[must_use]
    pub fn path(&self, person: Person) -> Option<RegistryPath> {
        let tree = RegistryTree::from_leaves(leaves(&self.people)).ok()?;
        let index = self.people.iter().position(|one| *one == Some(person))?;
        let path = tree.path(u32::try_from(index).ok()?)?;
        Some(RegistryPath::new(&path.siblings_to_bytes()))
    }

    /// An operator's bonder takes its leaf out.
    ///
    /// # Errors
    /// [`Refusal`].
    ///
    /// # Panics
    /// When it isn't there.
    pub fn exit(&mut self, bonder: &Keypair, person: Person) -> Result<Receipt, Refusal> {
        let path = self.path(person).unwrap();
        let exit = builder::exit_operator(
            &PROGRAM,
            &self.pool,
            &bonder.pubkey(),
            &person.commitment(),
            path,
        );
        let receipt = self.chain.send(&[exit], &[bonder])?;
        self.has_left(person);
        Ok(receipt)
    }

    /// Forgets an operator whose leaf is gone.
    pub fn has_left(&mut self, person: Person) {
        for one in &mut self.people {
            if *one == Some(person) {
                *one = None;
            }
        }
    }

    /// Somebody opens the next epoch.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn open_next(&mut self) -> Result<EpochId, Refusal> {
        let epoch = self.record().books.next_epoch;
        let key = self.chain.new_person();
        let open = builder::open_epoch(&PROGRAM, &self.pool, &key.pubkey(), epoch);
        self.chain.send(&[open], &[&key])?;
        self.frozen.insert(epoch, self.people.clone());
        Ok(epoch)
    }

    /// Opens an epoch and waits until it has ended.
    ///
    /// # Panics
    /// When the program refuses to open it.
    pub fn run_epoch(&mut self) -> EpochId {
        let epoch = self.open_next().unwrap();
        let ends_at = self.epoch(epoch).ends_at;
        self.chain.set_time(ends_at);
        epoch
    }

    /// The leaves that an epoch froze.
    ///
    /// # Panics
    /// When it was not opened here.
    #[must_use]
    pub fn leaves(&self, epoch: EpochId) -> Vec<CommitmentBytes> {
        leaves(&self.frozen[&epoch]).collect()
    }
}

/// Where a holder has tokens of a mint.
#[must_use]
pub fn associated(holder: &Pubkey, mint: &Pubkey) -> Pubkey {
    const PROGRAM: Pubkey = Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
    let seeds = [holder.as_ref(), TOKEN_PROGRAM.as_ref(), mint.as_ref()];
    Pubkey::find_program_address(&seeds, &PROGRAM).0
}

/// Commitments, and empty leaves where somebody has left.
fn leaves(people: &[Option<Person>]) -> impl Iterator<Item = CommitmentBytes> {
    let empty = CommitmentBytes::from_field(FieldBytes::ZERO);
    people
        .iter()
        .map(move |person| person.map_or(empty, Person::commitment))
}
