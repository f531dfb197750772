//! Events: from the transactions of a pool alone anybody can follow its books.

use std::collections::BTreeMap;

use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;
use veilpool_interface::{PoolEvent, address, builder};
use veilpool_program_harness::{
    PoolOnChain, Receipt,
    chain::PROGRAM,
    people::Person,
    pool::{BOND, COOLDOWN_SECONDS},
};
use veilpool_protocol::{AddressBytes, EpochId, MeasurerCount};

/// What an observer has of a pool.
#[derive(Default)]
struct Observer {
    assets: u64,
    shares: u64,
    queued: u64,
    bonded: u64,
    operators: u32,
    /// Of each epoch: budget, operators, paid, claims, closed.
    epochs: BTreeMap<EpochId, (u64, u32, u64, u32, bool)>,
}

impl Observer {
    fn see(&mut self, own: AddressBytes, receipt: &Receipt) {
        for event in receipt.events() {
            self.see_event(own, event);
        }
    }

    fn see_event(&mut self, own: AddressBytes, event: PoolEvent) {
        match event {
            PoolEvent::Deposited {
                pool,
                amount,
                shares,
            } => {
                assert_eq!(pool, own);
                self.assets += amount;
                self.shares += shares;
            }
            PoolEvent::WithdrawalRequested { shares, .. } => self.queued += shares,
            PoolEvent::Withdrawn { amount, shares, .. } => {
                self.assets -= amount;
                self.shares -= shares;
                self.queued -= shares;
            }
            PoolEvent::Registered { bond, .. } => {
                self.bonded += bond;
                self.operators += 1;
            }
            PoolEvent::Exited { .. } => self.operators -= 1,
            PoolEvent::Slashed {
                reward, to_pool, ..
            } => {
                self.bonded -= reward + to_pool;
                self.assets += to_pool;
                self.operators -= 1;
            }
            PoolEvent::BondReleased { bond, .. } => self.bonded -= bond,
            PoolEvent::EpochOpened {
                epoch,
                budget,
                operators,
                ..
            } => {
                let opened = (budget, operators, 0, 0, false);
                assert_eq!(self.epochs.insert(epoch, opened), None);
            }
            PoolEvent::Claimed { epoch, reward, .. } => {
                let (budget, operators, paid, claims, closed) =
                    self.epochs.get_mut(&epoch).unwrap();
                *paid += reward;
                *claims += 1;
                self.assets -= reward;
                assert!(!*closed && *paid <= *budget && *claims <= *operators);
            }
            PoolEvent::EpochClosed {
                epoch,
                claims: counted,
                released,
                ..
            } => {
                let (budget, _, paid, claims, closed) = self.epochs.get_mut(&epoch).unwrap();
                assert_eq!((*budget - *paid, *claims), (released, counted));
                *closed = true;
            }
            other => panic!("not in this story: {other:?}"),
        }
    }
}

#[test]
fn from_its_events_anybody_recomputes_a_pools_books_and_that_no_epoch_paid_more_than_its_budget() {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let own = address::bytes(&pool.pool);
    let mut observer = Observer::default();
    let provider = pool.new_holder(1_000_000_000);
    observer.see(own, &pool.deposit_as(&provider, 1_000_000_000).unwrap());
    let bonder = pool.new_holder(5 * BOND);
    for person in 0..4 {
        observer.see(own, &pool.register_as(&bonder, Person(person)).unwrap());
    }
    observer.see(
        own,
        &pool
            .request_withdrawal(&provider, 0, 10_000_000_000)
            .unwrap(),
    );
    let mut run = |pool: &mut PoolOnChain, instruction: Instruction, signers: &[&Keypair]| {
        let receipt = pool.chain.send(&[instruction], signers).unwrap();
        observer.see(own, &receipt);
    };
    for number in 0..2 {
        let epoch = EpochId::new(number);
        let payer = pool.chain.new_person();
        let open = builder::open_epoch(&PROGRAM, &pool.pool, &payer.pubkey(), epoch);
        run(&mut pool, open, &[&payer]);
        let people = pool.people.clone();
        pool.frozen.insert(epoch, people);
        let ends_at = pool.epoch(epoch).ends_at;
        pool.chain.set_time(ends_at);
        for (person, class, fee) in [(0, 8, 0), (1, 8, 5), (2, 8, 7)] {
            let claim = pool.prepare(Person(person), epoch, class, fee);
            let instruction = pool.claim_instruction(&claim);
            run(&mut pool, instruction, &[&claim.relayer]);
        }
        if number == 0 {
            let path = pool.path(Person(3)).unwrap();
            let commitment = Person(3).commitment();
            let key = bonder.key.pubkey();
            let exit = builder::exit_operator(&PROGRAM, &pool.pool, &key, &commitment, path);
            run(&mut pool, exit, &[&bonder.key]);
            pool.has_left(Person(3));
        }
    }
    let slasher = pool.new_holder(0);
    let slash = builder::slash_operator(
        &PROGRAM,
        &pool.pool,
        &slasher.key.pubkey(),
        &slasher.tokens,
        &Person(0).commitment(),
        Person(0).revealed(),
        pool.path(Person(0)),
    );
    run(&mut pool, slash, &[&slasher.key]);
    let key = bonder.key.pubkey();
    let later = pool.epoch(EpochId::new(1)).claim_until + i64::from(COOLDOWN_SECONDS);
    pool.chain.set_time(later);
    let commitment = Person(3).commitment();
    let release = builder::release_bond(&PROGRAM, &pool.pool, &key, &bonder.tokens, &commitment);
    run(&mut pool, release, &[]);
    let owner = provider.key.pubkey();
    let withdraw = builder::withdraw(&PROGRAM, &pool.pool, &owner, 0, &provider.tokens);
    run(&mut pool, withdraw, &[]);
    for epoch in [0, 1].map(EpochId::new) {
        let payer = address::pubkey(&pool.epoch(epoch).rent_payer);
        let close = builder::close_epoch(&PROGRAM, &pool.pool, &payer, epoch);
        run(&mut pool, close, &[]);
    }
    let books = pool.record().books;
    assert_eq!(
        (books.assets, books.shares, books.queued, books.bonded),
        (
            observer.assets,
            observer.shares,
            observer.queued,
            observer.bonded
        )
    );
    assert_eq!(books.operators, observer.operators);
    assert_eq!(books.reserved, 0);
    assert_eq!(pool.chain.tokens(&pool.vault()), observer.assets);
    assert_eq!(pool.chain.tokens(&pool.bonds()), observer.bonded);
    for (budget, _, paid, claims, closed) in observer.epochs.values() {
        assert!(*closed && *claims == 3 && *paid > 0 && paid <= budget);
    }
}
