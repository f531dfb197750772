//! P5 and P7: random sequences of instructions against a plain model, with real proofs. Whatever happens in
//! whatever order, the vault holds what the pool owns, the pool owns what it has promised, and a valid claim
//! never fails for lack of money.

use proptest::prelude::*;
use solana_pubkey::Pubkey;
use veilpool_interface::{Pool, PoolError, address, builder, reward};
use veilpool_program_harness::{
    PoolOnChain, Refusal,
    chain::PROGRAM,
    people::Person,
    pool::{BOND, CLAIM_WINDOW_SECONDS, EPOCH_SECONDS},
};
use veilpool_protocol::{EpochId, MeasurerCount};

const PEOPLE: u8 = 3;
const LENGTH: i64 = EPOCH_SECONDS as i64;

#[derive(Clone, Debug)]
enum Step {
    Deposit(u64),
    Donate(u64),
    Register,
    Open,
    Wait(i64),
    Claim { person: u8, epoch: u8, class: u8 },
    Close { epoch: u8 },
}

fn arb_step() -> impl Strategy<Value = Step> {
    let amount = prop_oneof![
        0..=3u64,
        any::<u64>().prop_map(|amount| amount >> 20),
        any::<u64>(),
        Just(u64::MAX),
    ];
    prop_oneof![
        2 => amount.clone().prop_map(Step::Deposit),
        1 => (0..1u64 << 40).prop_map(Step::Donate),
        2 => Just(Step::Register),
        3 => Just(Step::Open),
        3 => prop_oneof![Just(LENGTH), Just(LENGTH / 2), Just(3 * LENGTH), 1..LENGTH].prop_map(Step::Wait),
        5 => (0..PEOPLE, 0..3u8, 0..10u8).prop_map(|(person, epoch, class)| Step::Claim { person, epoch, class }),
        2 => (0..3u8).prop_map(|epoch| Step::Close { epoch }),
    ]
}

/// An epoch as the model has it.
#[derive(Clone, Debug)]
struct ModelEpoch {
    ends_at: i64,
    leaves: u32,
    rate: u64,
    reserved: u64,
    claimed: Vec<u8>,
    closed: bool,
    payer: Pubkey,
}

/// The books in plain numbers.
#[derive(Default)]
struct Model {
    assets: u64,
    donated: u64,
    shares: u128,
    leaves: u8,
    latest_ends_at: i64,
    epochs: Vec<ModelEpoch>,
}

struct World {
    pool: PoolOnChain,
    model: Model,
    weights: Vec<u64>,
    rules: Pool,
}

impl World {
    fn new(outflow_bps: u16, rate_cap: u64) -> Self {
        let mut pool = PoolOnChain::empty(MeasurerCount::Three);
        let rules = Pool {
            outflow_bps,
            rate_cap,
            ..pool.record()
        };
        pool.chain.write(&pool.pool, &rules);
        let weights = rules
            .classes
            .iter()
            .map(|class| u64::from(class.weight.get()))
            .collect();
        Self {
            pool,
            model: Model::default(),
            weights,
            rules,
        }
    }

    fn reserved(&self) -> u64 {
        let open = self.model.epochs.iter().filter(|epoch| !epoch.closed);
        open.map(|epoch| epoch.reserved).sum()
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Deposit(amount) => self.deposit(amount),
            Step::Donate(amount) => self.donate(amount),
            Step::Register => self.register(),
            Step::Open => self.open(),
            Step::Wait(seconds) => {
                let time = self.pool.chain.time() + seconds;
                self.pool.chain.set_time(time);
            }
            Step::Claim {
                person,
                epoch,
                class,
            } => self.claim(person, epoch, class),
            Step::Close { epoch } => self.close(epoch),
        }
        self.check();
    }

    fn deposit(&mut self, amount: u64) {
        let model = &mut self.model;
        // A mint never has more than fits, and the token program relies on it.
        if u64::MAX - model.assets - model.donated < amount && model.donated > 0 {
            return;
        }
        let minted = reward::shares_for(amount, model.shares, model.assets);
        let fits = model.assets.checked_add(amount).is_some();
        let expected = match minted {
            _ if amount == 0 => Err(PoolError::ZeroAmount.into()),
            None => Err(PoolError::Arithmetic.into()),
            Some(0) => Err(PoolError::ZeroAmount.into()),
            Some(shares) if !fits || model.shares.checked_add(shares).is_none() => {
                Err(PoolError::Arithmetic.into())
            }
            Some(shares) => {
                model.assets += amount;
                model.shares += shares;
                Ok(())
            }
        };
        assert_eq!(self.pool.deposit(amount).map(|_| ()), expected);
    }

    fn donate(&mut self, amount: u64) {
        let vault = self.pool.vault();
        let balance = self.pool.chain.tokens(&vault);
        if let Some(sum) = balance.checked_add(amount) {
            let (mint, holder) = (self.pool.mint, self.pool.pool);
            let state = spl_token_interface::state::AccountState::Initialized;
            let chain = &mut self.pool.chain;
            chain.set_tokens(&vault, &mint, &holder, sum, state);
            self.model.donated += amount;
        }
    }

    fn register(&mut self) {
        if self.model.leaves < PEOPLE {
            self.pool.register(Person(self.model.leaves)).unwrap();
            self.model.leaves += 1;
        }
    }

    fn open(&mut self) {
        let now = self.pool.chain.time();
        let reserved = self.reserved();
        let model = &mut self.model;
        let leaves = u32::from(model.leaves);
        let expected = if leaves == 0 {
            Err(PoolError::NoOperators.into())
        } else if now + LENGTH / 4 < model.latest_ends_at {
            Err(PoolError::EpochNotEnded.into())
        } else {
            let number = model.epochs.len() as u32;
            let starts_at = model.latest_ends_at.max(now + LENGTH / 12);
            let budget = u128::from(model.assets - reserved) * u128::from(self.rules.outflow_bps);
            let rate = budget / (10_000 * u128::from(leaves) * 12);
            let rate = u64::try_from(rate)
                .unwrap_or(u64::MAX)
                .min(self.rules.rate_cap);
            model.latest_ends_at = starts_at + LENGTH;
            model.epochs.push(ModelEpoch {
                ends_at: starts_at + LENGTH,
                leaves,
                rate,
                reserved: rate * u64::from(leaves) * 12,
                claimed: Vec::new(),
                closed: false,
                payer: Pubkey::default(),
            });
            Ok(EpochId::new(number))
        };
        let opened = self.pool.open_next();
        assert_eq!(opened, expected);
        if let Ok(epoch) = opened {
            let payer = self.pool.epoch(epoch).rent_payer;
            self.model.epochs.last_mut().unwrap().payer = address::pubkey(&payer);
        }
    }

    /// A claim; true and proven where nothing else stands against it.
    fn claim(&mut self, person: u8, number: u8, class: u8) {
        let now = self.pool.chain.time();
        let epoch = EpochId::new(u32::from(number));
        let Some(model) = self.model.epochs.get_mut(usize::from(number)) else {
            return;
        };
        if model.closed {
            return;
        }
        let weight = self.weights.get(usize::from(class)).copied();
        let is_member = u32::from(person) < model.leaves;
        let expected = if now < model.ends_at {
            Err(PoolError::EpochNotEnded)
        } else if now >= model.ends_at + i64::from(CLAIM_WINDOW_SECONDS) {
            Err(PoolError::ClaimWindowShut)
        } else if model.claimed.contains(&person) {
            Err(PoolError::AlreadyClaimed)
        } else if model.claimed.len() as u32 == model.leaves {
            Err(PoolError::ClaimsExceedLeaves)
        } else {
            match weight {
                None => Err(PoolError::UnknownClass),
                Some(_) if !is_member => Err(PoolError::InvalidProof),
                Some(weight) => {
                    let reward = model.rate * weight;
                    model.claimed.push(person);
                    model.reserved -= reward;
                    self.model.assets -= reward;
                    Ok(reward)
                }
            }
        };
        // Proving takes long: only where the proof is looked at.
        let claim = if expected.is_ok() {
            self.pool.prepare(Person(person), epoch, class, 0)
        } else {
            self.pool.unproven(Person(person), epoch, class, 0)
        };
        let paid = self.pool.send_claim(&claim);
        assert_eq!(
            paid.map(|_| ()),
            expected.map(|_| ()).map_err(Refusal::Pool)
        );
        assert_eq!(
            self.pool.chain.tokens(&claim.payee_tokens),
            expected.unwrap_or(0)
        );
    }

    fn close(&mut self, number: u8) {
        let now = self.pool.chain.time();
        let Some(model) = self.model.epochs.get_mut(usize::from(number)) else {
            return;
        };
        let epoch = EpochId::new(u32::from(number));
        let close = builder::close_epoch(&PROGRAM, &self.pool.pool, &model.payer, epoch);
        let expected = if model.closed {
            Err(PoolError::WrongOwner)
        } else if now < model.ends_at + i64::from(CLAIM_WINDOW_SECONDS) {
            Err(PoolError::ClaimWindowOpen)
        } else {
            model.closed = true;
            Ok(())
        };
        let closed = self.pool.chain.send(&[close], &[]);
        assert_eq!(closed.map(|_| ()), expected.map_err(Refusal::Pool));
    }

    /// The program's books are the model's, and the pool is solvent.
    fn check(&self) {
        let pool = self.pool.record();
        assert_eq!(pool.assets, self.model.assets);
        assert_eq!(pool.shares, self.model.shares);
        assert_eq!(pool.reserved, self.reserved());
        assert_eq!(pool.registry.leaf_count, u32::from(self.model.leaves));
        assert!(pool.reserved <= pool.assets);
        let vault = self.pool.chain.tokens(&self.pool.vault());
        assert_eq!(vault, pool.assets + self.model.donated);
        let bonds = self.pool.chain.tokens(&self.pool.bonds());
        assert_eq!(bonds, BOND * u64::from(self.model.leaves));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn p5_p7_whatever_happens_the_books_are_the_models_and_claims_are_paid(
        steps in proptest::collection::vec(arb_step(), 8..40),
        outflow_bps in prop_oneof![Just(10_000u16), 1..=10_000u16],
        rate_cap in prop_oneof![Just(u64::MAX), any::<u64>().prop_map(|cap| cap >> 30)],
        funds in prop_oneof![Just(u64::MAX / 2), 1_000..1u64 << 40],
    ) {
        let mut world = World::new(outflow_bps, rate_cap);
        // So that most sequences reach claims.
        for step in [Step::Deposit(funds), Step::Register, Step::Register, Step::Open, Step::Wait(LENGTH + LENGTH / 12)] {
            world.step(&step);
        }
        for step in &steps {
            world.step(step);
        }
    }
}

#[test]
fn p7_when_all_operators_claim_the_best_class_everything_reserved_is_paid() {
    let mut world = World::new(10_000, u64::MAX);
    let steps = [
        Step::Deposit(36 * 1_000_003 + 35),
        Step::Register,
        Step::Register,
        Step::Register,
        Step::Open,
        Step::Wait(2 * LENGTH),
        // While this epoch's claims are open the next one takes what is left: 35 units, a rate of nothing.
        Step::Open,
    ];
    for step in &steps {
        world.step(step);
    }
    assert_eq!(world.model.epochs[0].rate, 1_000_003);
    assert_eq!(world.model.epochs[1].rate, 0);
    for person in 0..PEOPLE {
        world.step(&Step::Claim {
            person,
            epoch: 0,
            class: 8,
        });
    }
    assert_eq!(world.model.assets, 35);
    assert_eq!(world.pool.record().reserved, 0);
}
