//! Compute units of every instruction, and sizes of the binaries.

use solana_signer::Signer;
use veilpool_interface::{builder, instruction::ClaimArguments};
use veilpool_protocol::MeasurerCount;

use crate::{
    binary::Build,
    chain::{Chain, PROGRAM},
    people::Person,
    pool::{CLAIM_WINDOW_SECONDS, PoolOnChain, rules},
};

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Which instruction, in which case.
    pub instruction: &'static str,
    /// Compute units of the whole transaction, which has nothing else in it.
    pub compute_units: u64,
}

/// Length of each build's file in bytes.
#[must_use]
pub fn sizes() -> [(&'static str, usize); 2] {
    [Build::Release, Build::Development].map(|build| (build.file(), build.bytes().len()))
}

/// One run of every instruction, always with the same keys, so that the units are always the same.
///
/// # Panics
/// When the program refuses something.
#[must_use]
pub fn measure() -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut note = |instruction, compute_units| {
        figures.push(Figure {
            instruction,
            compute_units,
        });
    };

    for (count, initialise, claim) in [
        (
            MeasurerCount::Three,
            "initialise_pool, n = 3",
            "claim, n = 3",
        ),
        (
            MeasurerCount::Five,
            "initialise_pool, n = 5",
            "claim, n = 5",
        ),
        (
            MeasurerCount::Seven,
            "initialise_pool, n = 7",
            "claim, n = 7",
        ),
    ] {
        let mut chain = Chain::default();
        let mint = chain.new_mint();
        let authority = chain.new_person();
        let make = builder::initialise_pool(&PROGRAM, &authority.pubkey(), &mint, rules(count));
        note(
            initialise,
            chain.send(&[make], &[&authority]).unwrap().units,
        );

        let mut pool = PoolOnChain::with_operators(count, 3);
        let epoch = pool.run_epoch();
        let prepared = pool.prepare(Person(1), epoch, 7, 100);
        note(claim, pool.send_claim(&prepared).unwrap().units);
    }

    let mut pool = PoolOnChain::empty(MeasurerCount::Five);
    let (depositor, tokens) = pool.new_holder(2_000_000);
    for instruction in ["deposit, first", "deposit, further"] {
        let deposit = builder::deposit(
            &PROGRAM,
            &pool.pool,
            &depositor.pubkey(),
            &tokens,
            1_000_000,
        );
        note(
            instruction,
            pool.chain.send(&[deposit], &[&depositor]).unwrap().units,
        );
    }
    note("register_operator", pool.register(Person(0)).unwrap().units);

    let payer = pool.chain.new_person();
    let epoch = pool.record().next_epoch;
    let open = builder::open_epoch(&PROGRAM, &pool.pool, &payer.pubkey(), epoch);
    note(
        "open_epoch",
        pool.chain.send(&[open], &[&payer]).unwrap().units,
    );
    pool.chain.set_time(pool.epoch(epoch).ends_at);

    let prepared = pool.prepare(Person(0), epoch, 0, 0);
    note(
        "claim, no fee, n = 5",
        pool.send_claim(&prepared).unwrap().units,
    );

    let shut = pool.epoch(epoch).ends_at + i64::from(CLAIM_WINDOW_SECONDS);
    pool.chain.set_time(shut);
    let ClaimArguments { nullifier, .. } = prepared.arguments;
    let close = builder::close_claim(
        &PROGRAM,
        &pool.pool,
        &prepared.relayer.pubkey(),
        epoch,
        nullifier,
    );
    note("close_claim", pool.chain.send(&[close], &[]).unwrap().units);
    let close = builder::close_epoch(&PROGRAM, &pool.pool, &payer.pubkey(), epoch);
    note("close_epoch", pool.chain.send(&[close], &[]).unwrap().units);
    figures
}
