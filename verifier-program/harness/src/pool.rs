//! A pool on a chain, and what people do with it.

use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_interface::{
    Epoch, Pool, address, builder, class,
    instruction::{ClaimArguments, InitialisePool},
};
use veilpool_protocol::{
    AddressBytes, ClassId, CommitmentBytes, EpochId, MeasurerCount, ProofBytes,
};

use crate::{
    chain::{Chain, PROGRAM, Receipt, Refusal},
    people::{self, Person},
    proof::Facts,
};

/// Length of an epoch in tests, in seconds.
pub const EPOCH_SECONDS: u32 = 1_200;
/// Length of a claim window in tests, in seconds.
pub const CLAIM_WINDOW_SECONDS: u32 = 2_400;
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
    pub authority: Pubkey,
    /// Its address.
    pub pool: Pubkey,
    /// Who is in its registry, in order.
    pub people: Vec<Person>,
}

/// A claim that is ready to be sent.
pub struct PreparedClaim {
    /// Who sends it.
    pub relayer: Keypair,
    /// Where the payee is paid.
    pub payee_tokens: Pubkey,
    /// Where the relayer is paid.
    pub relayer_tokens: Pubkey,
    /// What is claimed, with the proof.
    pub arguments: ClaimArguments,
}

impl Clone for PreparedClaim {
    fn clone(&self) -> Self {
        Self {
            relayer: self.relayer.insecure_clone(),
            payee_tokens: self.payee_tokens,
            relayer_tokens: self.relayer_tokens,
            arguments: self.arguments.clone(),
        }
    }
}

/// The rules of a pool of tests.
#[must_use]
pub fn rules(count: MeasurerCount) -> InitialisePool {
    InitialisePool {
        measurers: people::measurer_keys(count),
        classes: class::default_table(),
        bond_amount: BOND,
        epoch_seconds: EPOCH_SECONDS,
        claim_window_seconds: CLAIM_WINDOW_SECONDS,
        rate_cap: 1_000_000,
        outflow_bps: 100,
        genesis_hash: GENESIS_HASH,
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
        let mint = chain.new_mint();
        let authority = chain.new_person();
        let make = builder::initialise_pool(&PROGRAM, &authority.pubkey(), &mint, rules(count));
        chain.send(&[make], &[&authority]).unwrap();
        Self {
            chain,
            measurers: count,
            mint,
            authority: authority.pubkey(),
            pool: address::pool(&PROGRAM, &mint, &authority.pubkey()).0,
            people: Vec::new(),
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

    /// A new person with lamports and tokens.
    #[must_use]
    pub fn new_holder(&mut self, amount: u64) -> (Keypair, Pubkey) {
        let key = self.chain.new_person();
        let tokens = self.chain.new_tokens(&self.mint, &key.pubkey(), amount);
        (key, tokens)
    }

    /// Somebody deposits.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn deposit(&mut self, amount: u64) -> Result<Receipt, Refusal> {
        let (key, tokens) = self.new_holder(amount);
        let deposit = builder::deposit(&PROGRAM, &self.pool, &key.pubkey(), &tokens, amount);
        self.chain.send(&[deposit], &[&key])
    }

    /// Somebody bonds an operator.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn register(&mut self, person: Person) -> Result<Receipt, Refusal> {
        let (key, tokens) = self.new_holder(BOND);
        let register = builder::register_operator(
            &PROGRAM,
            &self.pool,
            &key.pubkey(),
            &tokens,
            person.commitment(),
        );
        let receipt = self.chain.send(&[register], &[&key])?;
        self.people.push(person);
        Ok(receipt)
    }

    /// Somebody opens the next epoch.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn open_next(&mut self) -> Result<EpochId, Refusal> {
        let epoch = self.record().next_epoch;
        let key = self.chain.new_person();
        let open = builder::open_epoch(&PROGRAM, &self.pool, &key.pubkey(), epoch);
        self.chain.send(&[open], &[&key]).map(|_| epoch)
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
    #[must_use]
    pub fn leaves(&self, epoch: EpochId) -> Vec<CommitmentBytes> {
        let count = self.epoch(epoch).leaf_count as usize;
        let people = self.people.iter().take(count);
        people.map(|person| person.commitment()).collect()
    }

    /// A claim with everything but the proof, whose bytes are zero.
    #[must_use]
    pub fn unproven(
        &mut self,
        person: Person,
        epoch: EpochId,
        class: u8,
        fee: u64,
    ) -> PreparedClaim {
        let payout = self.chain.new_key().pubkey();
        let payee_tokens = self.chain.new_tokens(&self.mint, &payout, 0);
        let (relayer, relayer_tokens) = self.new_holder(0);
        PreparedClaim {
            relayer,
            payee_tokens,
            relayer_tokens,
            arguments: ClaimArguments {
                epoch,
                class: ClassId::new(class),
                nullifier: person.nullifier(epoch),
                payout: AddressBytes::new(payout.to_bytes()),
                max_fee: fee,
                fee,
                proof: ProofBytes::new([0; ProofBytes::LEN]),
            },
        }
    }

    /// A claim with its proof.
    #[must_use]
    pub fn prepare(
        &mut self,
        person: Person,
        epoch: EpochId,
        class: u8,
        fee: u64,
    ) -> PreparedClaim {
        let mut claim = self.unproven(person, epoch, class, fee);
        claim.arguments.proof = self.prove(person, &claim, 0);
        claim
    }

    /// The proof of a claim.
    ///
    /// # Panics
    /// When the claim isn't true.
    #[must_use]
    pub fn prove(&self, person: Person, claim: &PreparedClaim, salt: u64) -> ProofBytes {
        let arguments = &claim.arguments;
        let binding = builder::claim_binding(
            &PROGRAM,
            &self.pool,
            &self.mint,
            &claim.relayer.pubkey(),
            arguments,
        );
        let claimed = self
            .epoch(arguments.epoch)
            .public_inputs(arguments.nullifier, &binding)
            .unwrap();
        Facts {
            person,
            measurers: self.measurers,
            claimed,
            domain: self.record().domain,
            leaves: &self.leaves(arguments.epoch),
        }
        .prove(salt)
    }

    /// The instruction of a claim.
    #[must_use]
    pub fn claim_instruction(&self, claim: &PreparedClaim) -> Instruction {
        builder::claim(
            &PROGRAM,
            &self.pool,
            &claim.relayer.pubkey(),
            &claim.payee_tokens,
            &claim.relayer_tokens,
            claim.arguments.clone(),
        )
    }

    /// The relayer sends a claim.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn send_claim(&mut self, claim: &PreparedClaim) -> Result<Receipt, Refusal> {
        let instruction = self.claim_instruction(claim);
        self.chain.send(&[instruction], &[&claim.relayer])
    }

    /// Address of a claim's account.
    #[must_use]
    pub fn claim_address(&self, claim: &PreparedClaim) -> Pubkey {
        let ClaimArguments {
            epoch, nullifier, ..
        } = &claim.arguments;
        address::claim(&PROGRAM, &self.pool, *epoch, nullifier).0
    }
}
