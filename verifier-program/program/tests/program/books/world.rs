//! Pools and people on a chain, each step carried out there and in the model, and everything compared after it.

mod carry_out;
mod check;

use std::collections::BTreeMap;

use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_interface::{Pool, Record};
use veilpool_program_harness::{Holder, PoolOnChain, chain::PROGRAM, people, pool};
use veilpool_protocol::{EpochId, MeasurerCount};

use super::{
    model::Model,
    steps::{ACTORS, OPERATORS, POOLS, PoolStep, Step},
};

/// What everybody has of each pool's token at first.
const TOKENS: u64 = 1 << 52;
const COUNT: MeasurerCount = MeasurerCount::Three;

/// A pool on the chain, and what the model says of it.
struct Side {
    /// Its chain is the real one only while this side is active.
    pool: PoolOnChain,
    model: Model,
    holders: Vec<Holder>,
    payees: Vec<Pubkey>,
    /// What events alone say that the pool owns, and of each epoch its budget and what was paid.
    assets: i128,
    epochs: BTreeMap<EpochId, (u64, u64)>,
}

/// All of it.
pub(crate) struct World {
    sides: Vec<Side>,
    active: usize,
    actors: Vec<Keypair>,
    lamports: Vec<u64>,
    /// How often each kind of step was carried out.
    pub(crate) done: BTreeMap<String, usize>,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut first = PoolOnChain::empty(COUNT);
        let actors: Vec<Keypair> = (0..ACTORS).map(|_| first.chain.new_person()).collect();
        let mut pools = vec![first];
        while pools.len() < POOLS {
            let chain = pools[pools.len() - 1].chain.clone();
            pools.push(PoolOnChain::on(chain, COUNT));
        }
        let active = POOLS - 1;
        let mut world = Self {
            sides: pools
                .into_iter()
                .map(|pool| Side {
                    pool,
                    model: Model::new(TOKENS),
                    holders: Vec::new(),
                    payees: Vec::new(),
                    assets: 0,
                    epochs: BTreeMap::new(),
                })
                .collect(),
            active,
            actors,
            lamports: Vec::new(),
            done: BTreeMap::new(),
        };
        for side in 0..POOLS {
            world.activate(side);
            for actor in 0..ACTORS {
                let key = world.actors[actor].insecure_clone();
                let side = &mut world.sides[side];
                let holder = side.pool.holder(key, TOKENS);
                side.holders.push(holder);
            }
        }
        let chain = &world.sides[world.active].pool.chain;
        let keys = world
            .actors
            .iter()
            .map(Keypair::pubkey)
            .chain([people::authority().pubkey()]);
        world.lamports = keys.map(|key| chain.lamports(&key)).collect();
        world
    }

    /// Hands the chain over to a side.
    fn activate(&mut self, side: usize) {
        if side != self.active {
            let (low, high) = (side.min(self.active), side.max(self.active));
            let (left, right) = self.sides.split_at_mut(high);
            std::mem::swap(&mut left[low].pool.chain, &mut right[0].pool.chain);
            self.active = side;
        }
    }

    /// Carries out all steps, then closes everything that can be closed.
    pub(crate) fn run(&mut self, steps: &[PoolStep]) {
        // So that most sequences reach claims.
        for side in 0..POOLS {
            for step in [
                Step::Deposit {
                    who: 0,
                    amount: 1 << 40,
                },
                Step::Register {
                    who: 1,
                    operator: 0,
                },
                Step::Register {
                    who: 2,
                    operator: 1,
                },
                Step::OpenEpoch { who: 3 },
            ] {
                self.step(side, &step);
            }
        }
        for (side, step) in steps {
            self.step(*side, step);
        }
        self.close_everything();
    }

    pub(crate) fn step(&mut self, side: usize, step: &Step) {
        self.activate(side);
        let side = &mut self.sides[side];
        let (expected, answer) = side.carry_out(step);
        if let Ok(receipt) = &answer {
            side.hear(receipt);
            let name = format!("{step:?}");
            let name = name.split([' ', '(']).next().unwrap_or_default();
            *self.done.entry(name.to_owned()).or_default() += 1;
        }
        assert_eq!(answer.map(|_| ()), expected, "{step:?}");
        side.check();
    }

    /// Whoever is owed something gets it, in whatever order the steps were; every rent goes back.
    fn close_everything(&mut self) {
        for side in 0..POOLS {
            self.activate(side);
            // Longer than every window, pause, challenge and expiry.
            self.step(side, &Step::Wait(1_000_000));
            for number in 0..2 {
                if self.sides[side].model.proposals.contains_key(&number) {
                    self.step(side, &Step::Cancel { number });
                }
            }
            let latest = self.sides[side].model.epochs.len() as u32;
            for back in 0..latest {
                let epoch = (latest - 1 - back) as usize;
                for operator in 0..OPERATORS {
                    if self.sides[side].model.epochs[epoch]
                        .claims
                        .contains_key(&operator)
                    {
                        self.step(side, &Step::CloseClaim { operator, back });
                    }
                }
                if !self.sides[side].model.epochs[epoch].closed {
                    self.step(side, &Step::CloseEpoch { back });
                }
            }
            assert_eq!(self.sides[side].pool.record().books.reserved, 0);
            let operators: Vec<u8> = self.sides[side].model.operators.keys().copied().collect();
            for operator in operators {
                if self.sides[side].model.operators[&operator].exit.is_none() {
                    self.step(side, &Step::Exit { operator });
                }
            }
            self.step(side, &Step::Wait(100_000));
            let operators: Vec<u8> = self.sides[side].model.operators.keys().copied().collect();
            for operator in operators {
                self.step(side, &Step::Release { operator });
            }
            let channels: Vec<_> = self.sides[side].model.channels.keys().copied().collect();
            for (who, hub) in channels {
                self.step(side, &Step::Finish { who, hub });
            }
            let queue: Vec<_> = self.sides[side].model.withdrawals.keys().copied().collect();
            for (who, number) in queue {
                let withdraw = Step::Withdraw { who, number };
                self.step(side, &withdraw);
            }
            let left = &self.sides[side].model;
            assert!(left.withdrawals.is_empty() && left.channels.is_empty());
        }
        let chain = &self.sides[self.active].pool.chain;
        let left = chain.svm.get_program_accounts(&PROGRAM);
        let kinds: Vec<u8> = left
            .iter()
            .filter_map(|(_, account)| account.data.first().copied())
            .collect();
        assert_eq!(
            kinds
                .iter()
                .filter(|kind| **kind == Pool::DISCRIMINATOR)
                .count(),
            POOLS
        );
        // And the one verifying key.
        assert_eq!(kinds.len(), POOLS + 1, "accounts are left: {kinds:?}");
        let keys = self
            .actors
            .iter()
            .map(Keypair::pubkey)
            .chain([people::authority().pubkey()]);
        let lamports: Vec<u64> = keys.map(|key| chain.lamports(&key)).collect();
        assert_eq!(lamports, self.lamports, "rent is missing");
    }
}

/// Runs a sequence that failed once.
#[allow(dead_code)] // For pasting: the report of a failure calls it.
pub(crate) fn replay(steps: &[PoolStep]) {
    World::new().run(steps);
}

const _: () = assert!(pool::EPOCH_SECONDS < pool::TIMELOCK_SECONDS / 2);
