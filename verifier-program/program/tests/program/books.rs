//! P5, P7 and P8: random sequences of all instructions, in several pools, by several people, against a plain model,
//! with real proofs. Whatever happens in whatever order: every answer is the model's; vaults hold what is owed; a
//! valid claim and a withdrawal whose time has come never fail for lack of money; nobody is richer than the model
//! says; no token comes from nowhere; in the end every rent is back.
//!
//! A failing sequence shrinks and is printed as a test that can be pasted here.

mod model;
mod steps;
mod world;

use std::{cell::RefCell, collections::BTreeMap};

use proptest::test_runner::{Config, TestError, TestRunner};

use steps::{PoolStep, Step, arb_steps};
use world::World;

/// Kinds of steps.
const KINDS: usize = 24;

/// Runs so many sequences of up to so many steps.
fn run(cases: u32, len: usize, check: impl Fn(&[PoolStep])) -> Result<(), String> {
    let config = Config {
        cases,
        max_shrink_iters: 10_000,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&arb_steps(len), |steps| {
        check(&steps);
        Ok(())
    });
    outcome.map_err(|error| match error {
        TestError::Fail(why, steps) => format!(
            "{why}\n\nTo replay it:\n\n#[test]\nfn replayed() {{\n    use steps::Step::*;\n    world::replay(&{steps:?});\n}}\n"
        ),
        TestError::Abort(why) => why.to_string(),
    })
}

fn whatever_happens() {
    let done = RefCell::new(BTreeMap::<String, usize>::new());
    let outcome = run(16, 700, |steps| {
        let mut world = World::new();
        world.run(steps);
        for (kind, times) in world.done {
            *done.borrow_mut().entry(kind).or_default() += times;
        }
    });
    if let Err(report) = outcome {
        panic!("{report}");
    }
    // A kind of step that is always refused would test nothing.
    let done = done.into_inner();
    println!("carried out: {done:?}");
    assert_eq!(done.len(), KINDS, "{done:?}");
}

// In three parts, which run side by side: about ten thousand instructions together.

#[test]
fn p5_p7_p8_whatever_happens_the_books_are_the_models_and_claims_are_paid() {
    whatever_happens();
}

#[test]
fn p5_p7_p8_whatever_happens_once_more() {
    whatever_happens();
}

#[test]
fn p5_p7_p8_whatever_happens_a_third_time() {
    whatever_happens();
}

#[test]
fn a_failing_sequence_shrinks_and_is_printed_as_a_test() {
    // As if deposits of more than a thousand in the second pool were a mistake.
    let report = run(64, 30, |steps| {
        let wrong = |(pool, step): &PoolStep| {
            *pool == 1 && matches!(step, Step::Deposit { amount, .. } if *amount > 1_000)
        };
        assert!(!steps.iter().any(wrong), "a mistake");
    })
    .unwrap_err();
    assert!(report.contains("a mistake"), "{report}");
    let expected = "world::replay(&[(1, Deposit { who: 0, amount: 1001 })]);";
    assert!(report.contains(expected), "{report}");
}
