//! A step, carried out on the chain and in the model.

use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::state::AccountState;
use veilpool_interface::{
    address, builder, instruction::OpenChannel, registry::RegistryPath, voucher::Voucher,
};
use veilpool_program_harness::{
    chain::{PROGRAM, Receipt, Refusal},
    honest, people,
    people::Person,
    pool::verifying_key_digest,
};
use veilpool_protocol::{AddressBytes, EpochId};

use super::{
    super::{
        model::{Model, Outcome},
        steps::Step,
    },
    COUNT, Side,
};

const NO_PATH: RegistryPath = RegistryPath {
    given: 0,
    nodes: Vec::new(),
};

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
    pub(super) fn carry_out(&mut self, step: &Step) -> (Outcome, Result<Receipt, Refusal>) {
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
}
