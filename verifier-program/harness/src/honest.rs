//! One honest instruction of each kind, on a chain where it is carried out: what compute units are measured on,
//! and what tests make wrong one account at a time.

use ed25519_dalek::Signer as _;
pub use ed25519_dalek::SigningKey;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;
use veilpool_interface::{
    Change, accounts, address, builder,
    instruction::OpenChannel,
    voucher::{self, Voucher},
};
use veilpool_protocol::{AddressBytes, MeasurerCount};

use crate::{
    chain::{Chain, PROGRAM, Receipt, Refusal},
    people::{self, Person},
    pool::{
        self, CHALLENGE_SECONDS, COOLDOWN_SECONDS, Holder, PoolOnChain, TIMELOCK_SECONDS,
        verifying_key_digest,
    },
};

/// What is paid into a channel.
pub const CHANNEL_DEPOSIT: u64 = 1_000_000;

/// An instruction that the program carries out, on the chain where it does.
pub struct Honest {
    /// As in [`accounts::ALL`].
    pub name: &'static str,
    /// The chain, and the pool that it is about.
    pub pool: PoolOnChain,
    /// What must stand right before it in the transaction.
    pub before: Vec<Instruction>,
    /// The instruction.
    pub instruction: Instruction,
    /// Who signs it.
    pub signers: Vec<Keypair>,
}

impl Clone for Honest {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            pool: self.pool.clone(),
            before: self.before.clone(),
            instruction: self.instruction.clone(),
            signers: self.signers.iter().map(Keypair::insecure_clone).collect(),
        }
    }
}

impl Honest {
    fn new(
        name: &'static str,
        pool: PoolOnChain,
        instruction: Instruction,
        signer: &Keypair,
    ) -> Self {
        Self {
            signers: vec![signer.insecure_clone()],
            ..Self::unsigned(name, pool, instruction)
        }
    }

    fn unsigned(name: &'static str, pool: PoolOnChain, instruction: Instruction) -> Self {
        Self {
            name,
            pool,
            before: Vec::new(),
            instruction,
            signers: Vec::new(),
        }
    }

    /// Sends it, or another in its place; whoever need not sign does not.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn send(
        &mut self,
        instruction: &Instruction,
        others: &[Keypair],
    ) -> Result<Receipt, Refusal> {
        let must_sign = |key: &&Keypair| {
            let signs = |meta: &solana_instruction::AccountMeta| {
                meta.is_signer && meta.pubkey == key.pubkey()
            };
            instruction.accounts.iter().any(signs)
        };
        let signers: Vec<&Keypair> = self
            .signers
            .iter()
            .chain(others)
            .filter(must_sign)
            .collect();
        let mut all = self.before.clone();
        all.push(instruction.clone());
        self.pool.chain.send(&all, &signers)
    }

    /// Sends it.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn run(&mut self) -> Result<Receipt, Refusal> {
        self.send(&self.instruction.clone(), &[])
    }

    /// One of each, in the order of the instructions' tags, each with its own pool on this chain.
    ///
    /// # Panics
    /// When the program refuses what leads there.
    #[must_use]
    pub fn all(chain: &Chain, count: MeasurerCount) -> Vec<Self> {
        let stories = accounts::ALL.map(|(name, _)| name);
        stories
            .into_iter()
            .map(|name| Self::of(name, chain.clone(), count))
            .collect()
    }

    /// The one of a name.
    ///
    /// # Panics
    /// When there is none of it, or the program refuses what leads there.
    #[must_use]
    pub fn of(name: &'static str, chain: Chain, count: MeasurerCount) -> Self {
        match name {
            "InitialisePool" => initialise_pool(name, chain, count),
            "PublishKey" => publish_key(name, chain, count),
            "Deposit" | "RequestWithdrawal" | "Withdraw" => liquidity(name, chain, count),
            "RegisterOperator" | "ExitOperator" | "SlashOperator" | "ReleaseBond" => {
                operators(name, chain, count)
            }
            "OpenEpoch" | "Claim" | "CloseClaim" | "CloseEpoch" => epochs(name, chain, count),
            "OpenChannel" | "TopUpChannel" | "SettleChannel" | "CloseChannel" | "FinishChannel" => {
                channels(name, chain, count)
            }
            _ => governance(name, chain, count),
        }
    }
}

fn initialise_pool(name: &'static str, mut chain: Chain, count: MeasurerCount) -> Honest {
    chain.publish_key(count);
    let mut pool = PoolOnChain::on(chain, count);
    let mint = pool.chain.new_mint();
    let founder = pool.chain.new_person();
    pool.pool = address::pool(&PROGRAM, &mint, &founder.pubkey()).0;
    pool.mint = mint;
    let make = builder::initialise_pool(
        &PROGRAM,
        &founder.pubkey(),
        &mint,
        &verifying_key_digest(count),
        pool::rules(count),
    );
    Honest::new(name, pool, make, &founder)
}

fn publish_key(name: &'static str, chain: Chain, count: MeasurerCount) -> Honest {
    let mut pool = PoolOnChain::on(chain, count);
    let payer = pool.chain.new_person();
    let mut file = pool::verifying_key(count);
    // Another fingerprint: a key of its own, which is not published yet.
    file[8..40].copy_from_slice(pool.pool.as_ref());
    let publish = builder::publish_key(&PROGRAM, &payer.pubkey(), &file);
    Honest::new(name, pool, publish, &payer)
}

fn liquidity(name: &'static str, chain: Chain, count: MeasurerCount) -> Honest {
    let mut pool = PoolOnChain::on(chain, count);
    let holder = pool.new_holder(2_000_000);
    pool.deposit_as(&holder, 1_000_000).unwrap();
    let Holder {
        key,
        tokens,
        shares,
    } = holder.clone();
    let own = key.pubkey();
    let address = pool.pool;
    match name {
        "Deposit" => {
            let deposit =
                builder::deposit(&PROGRAM, &address, &own, &tokens, &shares, 1_000_000, 1);
            Honest::new(name, pool, deposit, &key)
        }
        "RequestWithdrawal" => {
            let request =
                builder::request_withdrawal(&PROGRAM, &address, &own, &shares, 7, 500_000_000);
            Honest::new(name, pool, request, &key)
        }
        _ => {
            pool.request_withdrawal(&holder, 7, 500_000_000).unwrap();
            pool.chain.advance(i64::from(COOLDOWN_SECONDS));
            let withdraw = builder::withdraw(&PROGRAM, &address, &own, 7, &tokens);
            Honest::unsigned(name, pool, withdraw)
        }
    }
}

fn operators(name: &'static str, chain: Chain, count: MeasurerCount) -> Honest {
    let mut pool = PoolOnChain::on(chain, count);
    let person = Person(1);
    for other in [0, 2, 3, 4, 5] {
        pool.register(Person(other)).unwrap();
    }
    let holder = pool.new_holder(2 * pool::BOND);
    let address = pool.pool;
    let own = holder.key.pubkey();
    let commitment = person.commitment();
    if name == "RegisterOperator" {
        let register =
            builder::register_operator(&PROGRAM, &address, &own, &holder.tokens, commitment);
        return Honest::new(name, pool, register, &holder.key);
    }
    pool.register_as(&holder, person).unwrap();
    let path = pool.path(person).unwrap();
    match name {
        "ExitOperator" => {
            let exit = builder::exit_operator(&PROGRAM, &address, &own, &commitment, path);
            Honest::new(name, pool, exit, &holder.key)
        }
        "SlashOperator" => {
            let slasher = pool.new_holder(0);
            let slash = builder::slash_operator(
                &PROGRAM,
                &address,
                &slasher.key.pubkey(),
                &slasher.tokens,
                &commitment,
                person.revealed(),
                Some(path),
            );
            Honest::new(name, pool, slash, &slasher.key)
        }
        _ => {
            pool.exit(&holder.key, person).unwrap();
            pool.chain
                .advance(i64::from(pool::EPOCH_SECONDS + pool::CLAIM_WINDOW_SECONDS));
            let release =
                builder::release_bond(&PROGRAM, &address, &own, &holder.tokens, &commitment);
            Honest::unsigned(name, pool, release)
        }
    }
}

fn epochs(name: &'static str, chain: Chain, count: MeasurerCount) -> Honest {
    let mut pool = PoolOnChain::on(chain, count);
    pool.deposit(pool::FUNDS).unwrap();
    for person in 0..3 {
        pool.register(Person(person)).unwrap();
    }
    let address = pool.pool;
    let payer = pool.chain.new_person();
    let epoch = pool.record().books.next_epoch;
    let open = builder::open_epoch(&PROGRAM, &address, &payer.pubkey(), epoch);
    if name == "OpenEpoch" {
        return Honest::new(name, pool, open, &payer);
    }
    let epoch = pool.run_epoch();
    let claim = pool.prepare(Person(1), epoch, 7, 100);
    if name == "Claim" {
        let instruction = pool.claim_instruction(&claim);
        return Honest::new(name, pool, instruction, &claim.relayer);
    }
    pool.send_claim(&claim).unwrap();
    let record = pool.epoch(epoch);
    pool.chain.set_time(record.claim_until);
    let close = if name == "CloseClaim" {
        let relayer = claim.relayer.pubkey();
        builder::close_claim(
            &PROGRAM,
            &address,
            &relayer,
            epoch,
            &claim.arguments.nullifier,
        )
    } else {
        let payer = address::pubkey(&record.rent_payer);
        builder::close_epoch(&PROGRAM, &address, &payer, epoch)
    };
    Honest::unsigned(name, pool, close)
}

/// The key that signs the vouchers of tests.
#[must_use]
pub fn voucher_key() -> SigningKey {
    SigningKey::from_bytes(&[0x44; 32])
}

/// The instruction that verifies a voucher.
#[must_use]
pub fn signed(key: &SigningKey, voucher: &Voucher) -> Instruction {
    let signature = key.sign(&voucher.message()).to_bytes();
    let key = AddressBytes::new(key.verifying_key().to_bytes());
    voucher::verify(&key, &signature, voucher)
}

fn channels(name: &'static str, chain: Chain, count: MeasurerCount) -> Honest {
    let mut pool = PoolOnChain::on(chain, count);
    let consumer = pool.new_holder(3 * CHANNEL_DEPOSIT);
    let hub = pool.new_holder(0);
    let (own, hub_key) = (consumer.key.pubkey(), hub.key.pubkey());
    let address = pool.pool;
    let terms = OpenChannel {
        hub: address::bytes(&hub_key),
        voucher_key: AddressBytes::new(voucher_key().verifying_key().to_bytes()),
        amount: CHANNEL_DEPOSIT,
        hub_fee_bps: 500,
        expires_at: pool.chain.time() + 1_000_000,
    };
    let open = builder::open_channel(&PROGRAM, &address, &own, &consumer.tokens, terms);
    if name == "OpenChannel" {
        return Honest::new(name, pool, open, &consumer.key);
    }
    pool.chain.send(&[open], &[&consumer.key]).unwrap();
    let close = builder::close_channel(&PROGRAM, &address, &own, &own, &hub_key);
    match name {
        "TopUpChannel" => {
            let top_up = builder::top_up_channel(
                &PROGRAM,
                &address,
                &own,
                &hub_key,
                &consumer.tokens,
                CHANNEL_DEPOSIT,
                terms.expires_at,
            );
            Honest::new(name, pool, top_up, &consumer.key)
        }
        "SettleChannel" => {
            let sum = CHANNEL_DEPOSIT / 2;
            let voucher = Voucher {
                domain: pool.record().rules.domain,
                channel: address::bytes(&address::channel(&PROGRAM, &address, &own, &hub_key).0),
                generation: 0,
                sum,
            };
            let settle =
                builder::settle_channel(&PROGRAM, &address, &own, &hub_key, &hub.tokens, sum);
            Honest {
                before: vec![signed(&voucher_key(), &voucher)],
                ..Honest::unsigned(name, pool, settle)
            }
        }
        "CloseChannel" => Honest::new(name, pool, close, &consumer.key),
        _ => {
            pool.chain.send(&[close], &[&consumer.key]).unwrap();
            pool.chain.advance(i64::from(CHALLENGE_SECONDS));
            let finish =
                builder::finish_channel(&PROGRAM, &address, &own, &hub_key, &consumer.tokens);
            Honest::unsigned(name, pool, finish)
        }
    }
}

fn governance(name: &'static str, chain: Chain, count: MeasurerCount) -> Honest {
    let mut pool = PoolOnChain::on(chain, count);
    let authority = people::authority();
    let own = authority.pubkey();
    let address = pool.pool;
    let digest = verifying_key_digest(count);
    let change = Change::Measurers {
        measurers: people::measurer_keys(count),
        verifying_key: digest,
    };
    let propose = builder::propose(&PROGRAM, &address, &own, 3, change);
    let next = pool.chain.new_person();
    let hand_over =
        builder::propose_authority(&PROGRAM, &address, &own, address::bytes(&next.pubkey()));
    let pause = builder::pause_claims(&PROGRAM, &address, &own, 100);
    let mut done = |instruction: &Instruction| {
        let instruction = std::slice::from_ref(instruction);
        pool.chain.send(instruction, &[&authority]).unwrap();
    };
    let (instruction, signer) = match name {
        "Propose" => (propose, Some(&authority)),
        "CancelProposal" => {
            done(&propose);
            let cancel = builder::cancel_proposal(&PROGRAM, &address, &own, 3);
            (cancel, Some(&authority))
        }
        "ExecuteProposal" => {
            done(&propose);
            pool.chain.advance(i64::from(TIMELOCK_SECONDS));
            let execute = builder::execute_proposal(&PROGRAM, &address, &own, 3, &digest);
            (execute, None)
        }
        "PauseClaims" => (pause, Some(&authority)),
        "ResumeClaims" => {
            done(&pause);
            let resume = builder::resume_claims(&PROGRAM, &address, &own);
            (resume, Some(&authority))
        }
        "ProposeAuthority" => (hand_over, Some(&authority)),
        "AcceptAuthority" => {
            done(&hand_over);
            let accept = builder::accept_authority(&PROGRAM, &address, &next.pubkey());
            (accept, Some(&next))
        }
        other => panic!("no honest {other} is known: add it here"),
    };
    match signer {
        Some(signer) => Honest::new(name, pool, instruction, signer),
        None => Honest::unsigned(name, pool, instruction),
    }
}
