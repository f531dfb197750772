//! Compute units of every instruction, and sizes of the binaries.

use veilpool_protocol::MeasurerCount;

use crate::{binary::Build, chain::Chain, honest::Honest, people::Person, pool::PoolOnChain};

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Which instruction, in which case.
    pub instruction: &'static str,
    /// Compute units of the whole transaction, which has nothing else in it but what must stand before.
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

    for (count, names) in [
        (
            MeasurerCount::Three,
            [
                "InitialisePool, n = 3",
                "Claim, n = 3",
                "ExecuteProposal, n = 3",
            ],
        ),
        (
            MeasurerCount::Seven,
            [
                "InitialisePool, n = 7",
                "Claim, n = 7",
                "ExecuteProposal, n = 7",
            ],
        ),
    ] {
        let stories = ["InitialisePool", "Claim", "ExecuteProposal"];
        for (story, name) in stories.into_iter().zip(names) {
            let mut honest = Honest::of(story, Chain::default(), count);
            note(name, honest.run().unwrap().units);
        }
    }
    for mut honest in Honest::all(&Chain::default(), MeasurerCount::Five) {
        note(honest.name, honest.run().unwrap().units);
    }

    let mut pool = PoolOnChain::with_operators(MeasurerCount::Five, 3);
    let epoch = pool.run_epoch();
    let prepared = pool.prepare(Person(0), epoch, 0, 0);
    note("Claim, no fee", pool.send_claim(&prepared).unwrap().units);
    figures
}
