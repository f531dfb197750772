//! Pools and people on a chain, each step carried out there and in the model, and everything compared after it.

use std::collections::BTreeMap;

use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::state::AccountState;
use veilpool_interface::{
    Books, Pool, PoolEvent, Record, address, builder, instruction::OpenChannel,
    registry::RegistryPath, voucher::Voucher,
};
use veilpool_program_harness::{
    Holder, PoolOnChain,
    chain::{PROGRAM, Receipt, Refusal},
    honest, people,
    people::Person,
    pool::{self, verifying_key_digest},
};
use veilpool_protocol::{AddressBytes, EpochId, MeasurerCount};

use super::{
    model::{Model, Outcome},
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

impl Side {
    fn send(&mut self, instruction: Instruction, signers: &[usize]) -> Result<Receipt, Refusal> {
        self.send_all(&[instruction], signers)
    }

    fn send_all(&mut self, all: &[Instruction], signers: &[usize]) -> Result<Receipt, Refusal> {
        let keys: Vec<&Keypair> = signers.iter().map(|who| &self.holders[*who].key).collect();
        self.pool.chain.send(all, &keys)
    }

    fn govern(&mut self, instruction: Instruction) -> Result<Receipt, Refusal> {
        self.pool
            .chain
            .send(&[instruction], &[&people::authority()])
    }

    fn key(&self, who: usize) -> Pubkey {
        self.holders[who].key.pubkey()
    }

    /// What the model says of a step, and what the chain answers.
    fn carry_out(&mut self, step: &Step) -> (Outcome, Result<Receipt, Refusal>) {
        let now = self.pool.chain.time();
        let at = self.pool.pool;
        let nothing = (
            Ok(()),
            Ok(Receipt {
                units: 0,
                logs: Vec::new(),
            }),
        );
        match *step {
            Step::Wait(seconds) => {
                self.pool.chain.advance(seconds);
                nothing
            }
            Step::Deposit { who, amount } => {
                let expected = self.model.deposit(who, amount);
                let holder = self.holders[who].clone();
                (expected, self.pool.deposit_as(&holder, amount))
            }
            Step::Donate { vault, amount } => {
                self.donate(vault, amount);
                nothing
            }
            Step::Request {
                who,
                number,
                part,
                more,
            } => {
                let own = u128::from(self.model.shares_of[who]) * u128::from(part) / 255;
                let shares = u64::try_from(own).unwrap_or(u64::MAX).saturating_add(more);
                let expected = self.model.request(now, who, number, shares);
                let holder = self.holders[who].clone();
                (
                    expected,
                    self.pool.request_withdrawal(&holder, number, shares),
                )
            }
            Step::Withdraw { who, number } => {
                let expected = self.model.withdraw(now, who, number);
                let holder = self.holders[who].clone();
                (expected, self.pool.withdraw(&holder, number))
            }
            Step::BurnShares { who, part } => {
                // At the token program, behind the pool's back: worth nothing to anybody.
                let shares = self.model.shares_of[who] / 256 * u64::from(part);
                self.model.shares_of[who] -= shares;
                let burn = spl_token_interface::instruction::burn(
                    &address::TOKEN_PROGRAM,
                    &self.holders[who].shares,
                    &self.pool.share_mint(),
                    &self.key(who),
                    &[],
                    shares,
                )
                .unwrap();
                (Ok(()), self.send(burn, &[who]))
            }
            Step::Register { who, operator } => {
                let expected = self.model.register(who, operator);
                let holder = self.holders[who].clone();
                (expected, self.pool.register_as(&holder, Person(operator)))
            }
            Step::Exit { operator } => {
                let bonder = self.bonder(operator);
                let expected = self.model.exit(now, operator);
                let person = Person(operator);
                let path = self.pool.path(person).unwrap_or(NO_PATH);
                let key = self.key(bonder);
                let exit = builder::exit_operator(&PROGRAM, &at, &key, &person.commitment(), path);
                let answer = self.send(exit, &[bonder]);
                if answer.is_ok() {
                    self.pool.has_left(person);
                }
                (expected, answer)
            }
            Step::Slash { who, operator } => {
                let expected = self.model.slash(now, who, operator);
                let person = Person(operator);
                let slash = builder::slash_operator(
                    &PROGRAM,
                    &at,
                    &self.key(who),
                    &self.holders[who].tokens,
                    &person.commitment(),
                    person.revealed(),
                    self.pool.path(person),
                );
                let answer = self.send(slash, &[who]);
                if answer.is_ok() {
                    self.pool.has_left(person);
                }
                (expected, answer)
            }
            Step::Release { operator } => {
                let bonder = self.bonder(operator);
                let expected = self.model.release(now, operator);
                let release = builder::release_bond(
                    &PROGRAM,
                    &at,
                    &self.key(bonder),
                    &self.holders[bonder].tokens,
                    &Person(operator).commitment(),
                );
                (expected, self.send(release, &[]))
            }
            Step::OpenEpoch { who } => {
                let epoch = EpochId::new(self.model.epochs.len() as u32);
                let expected = self.model.open_epoch(now, who);
                let open = builder::open_epoch(&PROGRAM, &at, &self.key(who), epoch);
                let answer = self.send(open, &[who]);
                if answer.is_ok() {
                    self.pool.frozen.insert(epoch, self.pool.people.clone());
                }
                (expected, answer)
            }
            Step::CloseEpoch { back } => {
                let epoch = self.epoch(back);
                let opener = self.model.epochs.get(epoch).map_or(0, |epoch| epoch.opener);
                let expected = self.model.close_epoch(now, epoch);
                let number = EpochId::new(epoch as u32);
                let close = builder::close_epoch(&PROGRAM, &at, &self.key(opener), number);
                (expected, self.send(close, &[]))
            }
            Step::Claim {
                operator,
                back,
                class,
                fee,
                who,
            } => self.claim(operator, back, class, fee, who),
            Step::CloseClaim { operator, back } => {
                let epoch = self.epoch(back);
                let number = EpochId::new(epoch as u32);
                let claims = self.model.epochs.get(epoch).map(|epoch| &epoch.claims);
                let relayer = claims.and_then(|claims| claims.get(&operator)).copied();
                let expected = self.model.close_claim(now, operator, epoch);
                let payer = self.key(relayer.unwrap_or(0));
                let nullifier = Person(operator).nullifier(number);
                let close = builder::close_claim(&PROGRAM, &at, &payer, number, &nullifier);
                (expected, self.send(close, &[]))
            }
            Step::OpenChannel {
                who,
                hub,
                amount,
                bps,
                lasts,
            } => {
                let expected = self
                    .model
                    .open_channel(now, (who, hub), amount, bps, now + lasts);
                let terms = OpenChannel {
                    hub: address::bytes(&self.key(hub)),
                    voucher_key: AddressBytes::new(
                        honest::voucher_key().verifying_key().to_bytes(),
                    ),
                    amount,
                    hub_fee_bps: bps,
                    expires_at: now + lasts,
                };
                let tokens = self.holders[who].tokens;
                let open = builder::open_channel(&PROGRAM, &at, &self.key(who), &tokens, terms);
                (expected, self.send(open, &[who]))
            }
            Step::TopUp {
                who,
                hub,
                amount,
                longer,
            } => {
                let channel = self.model.channels.get(&(who, hub));
                let expires_at = channel.map_or(now, |channel| channel.expires_at) + longer;
                let expected = self.model.top_up((who, hub), amount, expires_at);
                let top_up = builder::top_up_channel(
                    &PROGRAM,
                    &at,
                    &self.key(who),
                    &self.key(hub),
                    &self.holders[who].tokens,
                    amount,
                    expires_at,
                );
                (expected, self.send(top_up, &[who]))
            }
            Step::Settle { who, hub, sum } => {
                let channel = self.model.channels.get(&(who, hub));
                let generation = channel.map_or(0, |channel| channel.generation);
                let expected = self.model.settle((who, hub), sum);
                let (consumer, hub_key) = (self.key(who), self.key(hub));
                let channel = address::channel(&PROGRAM, &at, &consumer, &hub_key).0;
                let voucher = Voucher {
                    domain: self.pool.record().rules.domain,
                    channel: address::bytes(&channel),
                    generation,
                    sum,
                };
                let tokens = self.holders[hub].tokens;
                let settle =
                    builder::settle_channel(&PROGRAM, &at, &consumer, &hub_key, &tokens, sum);
                let signed = honest::signed(&honest::voucher_key(), &voucher);
                (expected, self.send_all(&[signed, settle], &[]))
            }
            Step::CloseChannel { who, hub, by_hub } => {
                let expected = self.model.close_channel(now, (who, hub), by_hub);
                let party = if by_hub { hub } else { who };
                let close = builder::close_channel(
                    &PROGRAM,
                    &at,
                    &self.key(party),
                    &self.key(who),
                    &self.key(hub),
                );
                (expected, self.send(close, &[party]))
            }
            Step::Finish { who, hub } => {
                let expected = self.model.finish(now, (who, hub));
                let tokens = self.holders[who].tokens;
                let (consumer, hub) = (self.key(who), self.key(hub));
                let finish = builder::finish_channel(&PROGRAM, &at, &consumer, &hub, &tokens);
                (expected, self.send(finish, &[]))
            }
            Step::Propose { number, change } => {
                let expected = self.model.propose(now, number, change);
                let own = people::authority().pubkey();
                let change = Model::change(change);
                let propose = builder::propose(&PROGRAM, &at, &own, number, change);
                (expected, self.govern(propose))
            }
            Step::Cancel { number } => {
                let expected = self.model.cancel(number);
                let own = people::authority().pubkey();
                let cancel = builder::cancel_proposal(&PROGRAM, &at, &own, number);
                (expected, self.govern(cancel))
            }
            Step::Execute { number } => {
                let expected = self.model.execute(now, number);
                let own = people::authority().pubkey();
                let key = verifying_key_digest(COUNT);
                let execute = builder::execute_proposal(&PROGRAM, &at, &own, number, &key);
                (expected, self.send(execute, &[]))
            }
            Step::Pause { seconds } => {
                let expected = self.model.pause(now, seconds);
                let own = people::authority().pubkey();
                let pause = builder::pause_claims(&PROGRAM, &at, &own, seconds);
                (expected, self.govern(pause))
            }
            Step::Resume => {
                let expected = self.model.resume(now);
                let own = people::authority().pubkey();
                let resume = builder::resume_claims(&PROGRAM, &at, &own);
                (expected, self.govern(resume))
            }
        }
    }

    fn bonder(&self, operator: u8) -> usize {
        let operator = self.model.operators.get(&operator);
        operator.map_or(0, |operator| operator.bonder)
    }

    /// The number of an epoch counted back from the latest; the next one's where there are not so many.
    fn epoch(&self, back: u32) -> usize {
        let latest = self.model.epochs.len();
        latest.checked_sub(1 + back as usize).unwrap_or(latest)
    }

    fn donate(&mut self, vault: usize, amount: u64) {
        let vaults = [self.pool.vault(), self.pool.bonds(), self.pool.escrow()];
        let (mint, holder) = (self.pool.mint, self.pool.pool);
        let chain = &mut self.pool.chain;
        let sum = chain.tokens(&vaults[vault]) + amount;
        chain.set_tokens(
            &vaults[vault],
            &mint,
            &holder,
            sum,
            AccountState::Initialized,
        );
        self.model.donated[vault] += amount;
    }

    /// A claim; true and proven where nothing else stands against it.
    fn claim(
        &mut self,
        operator: u8,
        back: u32,
        class: u8,
        fee: u64,
        who: usize,
    ) -> (Outcome, Result<Receipt, Refusal>) {
        let now = self.pool.chain.time();
        let epoch = self.epoch(back);
        let number = EpochId::new(epoch as u32);
        let expected = self.model.claim(now, operator, epoch, class, fee, who);
        let person = Person(operator);
        let mut claim = self.pool.unproven(person, number, class, fee);
        claim.relayer = self.holders[who].key.insecure_clone();
        claim.relayer_tokens = self.holders[who].tokens;
        // Proving takes long: only where the proof is looked at.
        if expected.is_ok() {
            claim.arguments.proof = self.pool.prove(person, &claim, 0);
        }
        self.payees.push(claim.payee_tokens);
        let answer = self.pool.send_claim(&claim);
        (expected, answer)
    }

    /// What events say, without looking at any account.
    fn hear(&mut self, receipt: &Receipt) {
        for event in receipt.events() {
            match event {
                PoolEvent::Deposited { amount, .. } => self.assets += i128::from(amount),
                PoolEvent::Withdrawn { amount, .. } => self.assets -= i128::from(amount),
                PoolEvent::Slashed { to_pool, .. } | PoolEvent::ChannelSettled { to_pool, .. } => {
                    self.assets += i128::from(to_pool);
                }
                PoolEvent::EpochOpened { epoch, budget, .. } => {
                    self.epochs.insert(epoch, (budget, 0));
                }
                PoolEvent::Claimed { epoch, reward, .. } => {
                    self.assets -= i128::from(reward);
                    let (budget, paid) = self.epochs.get_mut(&epoch).unwrap();
                    *paid += reward;
                    assert!(
                        paid <= budget,
                        "epoch {epoch} has paid more than its budget"
                    );
                }
                PoolEvent::EpochClosed {
                    epoch, released, ..
                } => {
                    let (budget, paid) = self.epochs[&epoch];
                    assert_eq!(released, budget - paid);
                }
                _ => {}
            }
        }
    }

    /// The chain's books are the model's, and the pool is solvent.
    fn check(&self) {
        let Pool { books, rules, .. } = self.pool.record();
        let model = &self.model;
        let told = (books.assets, books.reserved, books.shares, books.queued);
        assert_eq!(
            told,
            (model.assets, model.reserved(), model.shares, model.queued())
        );
        let told = (books.bonded, books.escrowed, books.operators, books.price);
        assert_eq!(
            told,
            (
                model.bonded(),
                model.escrowed(),
                model.active(),
                model.price
            )
        );
        let told = (books.settled, books.attested, books.next_channel);
        assert_eq!(told, (model.settled, model.attested, model.generations));
        assert_eq!(books.next_epoch.get() as usize, model.epochs.len());
        assert_eq!(rules.parameters, model.parameters);
        assert!(!books.frozen);
        self.check_solvency(&books);

        let chain = &self.pool.chain;
        let mut all = model.donated.iter().sum::<u64>();
        for (holder, (tokens, shares)) in self
            .holders
            .iter()
            .zip(model.tokens.into_iter().zip(model.shares_of))
        {
            assert_eq!(chain.tokens(&holder.tokens), tokens);
            assert_eq!(chain.tokens(&holder.shares), shares);
        }
        // Nothing comes from nowhere, and nothing is lost.
        all += TOKENS * ACTORS as u64;
        let vaults = [self.pool.vault(), self.pool.bonds(), self.pool.escrow()];
        let holders = self.holders.iter().map(|holder| &holder.tokens);
        let accounts = holders.chain(&vaults).chain(&self.payees);
        let total: u64 = accounts.map(|account| chain.tokens(account)).sum();
        assert_eq!(total, all);
        let paid_out: u64 = self.payees.iter().map(|payee| chain.tokens(payee)).sum();
        assert_eq!(paid_out, model.paid_out);
        assert_eq!(self.assets, i128::from(books.assets), "as told by events");
    }

    fn check_solvency(&self, books: &Books) {
        let chain = &self.pool.chain;
        let [vault, bonds, escrow] = self.model.donated;
        assert_eq!(chain.tokens(&self.pool.vault()), books.assets + vault);
        assert_eq!(chain.tokens(&self.pool.bonds()), books.bonded + bonds);
        assert_eq!(chain.tokens(&self.pool.escrow()), books.escrowed + escrow);
        assert!(books.reserved <= books.assets);
        assert!(self.model.worth(books.shares) <= books.assets);
        for epoch in &self.model.epochs {
            assert!(epoch.reserved <= epoch.budget);
        }
    }
}

const NO_PATH: RegistryPath = RegistryPath {
    given: 0,
    nodes: Vec::new(),
};

/// Runs a sequence that failed once.
#[allow(dead_code)] // For pasting: the report of a failure calls it.
pub(crate) fn replay(steps: &[PoolStep]) {
    World::new().run(steps);
}

const _: () = assert!(pool::EPOCH_SECONDS < pool::TIMELOCK_SECONDS / 2);
