//! Whatever the instruction's bytes and whatever the clock says: an exact answer, no panic, and nothing half done.

use proptest::prelude::*;
use veilpool_interface::{PoolError, PoolInstruction};
use veilpool_program_harness::{Chain, Refusal, chain::GENESIS_TIME, honest::Honest};
use veilpool_protocol::MeasurerCount;

fn honest() -> Vec<Honest> {
    Honest::all(&Chain::default(), MeasurerCount::Three)
}

/// The answer to other data with the honest accounts. What is refused has changed nothing.
fn answer(honest: &Honest, data: Vec<u8>) -> Result<(), Refusal> {
    let mut honest = honest.clone();
    let mut instruction = honest.instruction.clone();
    instruction.data = data;
    let before = honest.pool.chain.everything();
    let answer = honest.send(&instruction, &[]).map(|_| ());
    if answer.is_err() {
        assert!(honest.pool.chain.everything() == before, "{}", honest.name);
    }
    answer
}

#[test]
fn data_too_short_or_too_long_is_an_invalid_instruction_whatever_the_accounts() {
    let invalid = Err(Refusal::Pool(PoolError::InvalidInstruction));
    for one in honest() {
        let data = &one.instruction.data;
        // Long ones not at every length: a transaction each.
        let step = (data.len() / 40).max(1);
        for len in (0..data.len()).step_by(step).chain([data.len() - 1]) {
            assert_eq!(
                answer(&one, data[..len].to_vec()),
                invalid,
                "{}, {len} bytes",
                one.name
            );
        }
        for further in [1, 2, 33] {
            let longer = [data.as_slice(), &vec![0; further]].concat();
            assert_eq!(answer(&one, longer), invalid, "{}", one.name);
        }
    }
}

/// Whether it is an answer of a program that has not crashed.
fn is_an_answer(answer: &Result<(), Refusal>) -> bool {
    matches!(answer, Ok(()) | Err(Refusal::Pool(_) | Refusal::Custom(_)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn random_data_with_honest_accounts_is_answered(
        bytes in proptest::collection::vec(any::<u8>(), 0..700), small: bool,
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        thread_local!(static HONEST: Vec<Honest> = honest());
        HONEST.with(|all| {
            for (tag, one) in all.iter().enumerate() {
                let mut random = vec![u8::try_from(tag).unwrap()];
                random.extend(bytes.iter().map(|byte| if small { byte & 3 } else { *byte }));
                random.truncate(one.instruction.data.len().max(2));
                // Of the right length, and with a few bytes of the honest one altered.
                let mut altered = one.instruction.data.clone();
                for (at, value) in &flips {
                    let at = at.index(altered.len());
                    altered[at] = *value;
                }
                for data in [random, altered] {
                    let is_valid = PoolInstruction::decode(&data).is_ok();
                    let answer = answer(one, data);
                    assert!(is_an_answer(&answer), "{}: {answer:?}", one.name);
                    if !is_valid {
                        assert_eq!(answer, Err(PoolError::InvalidInstruction.into()), "{}", one.name);
                    }
                }
            }
        });
    }
}

/// What an honest instruction is answered at a time.
fn at(honest: &Honest, time: i64) -> Result<(), Refusal> {
    let mut honest = honest.clone();
    honest.pool.chain.set_time(time);
    let before = honest.pool.chain.everything();
    let answer = honest.run().map(|_| ());
    if answer.is_err() {
        assert!(honest.pool.chain.everything() == before, "{}", honest.name);
    }
    answer
}

/// Before the time at which an instruction may come.
fn too_early(name: &str) -> Option<PoolError> {
    Some(match name {
        "Claim" => PoolError::EpochNotEnded,
        "CloseClaim" | "CloseEpoch" => PoolError::ClaimWindowOpen,
        "Withdraw" => PoolError::WithdrawalNotReady,
        "ReleaseBond" => PoolError::BondLocked,
        "FinishChannel" => PoolError::ChannelOpen,
        "ExecuteProposal" => PoolError::ProposalNotReady,
        _ => return None,
    })
}

/// A thousand seconds before the end of time, and at the end.
fn too_late(name: &str) -> [Option<PoolError>; 2] {
    let at_the_end = |code| [None, Some(code)];
    let both = |code| [Some(code), Some(code)];
    match name {
        "OpenEpoch" | "RequestWithdrawal" | "Propose" | "ExitOperator" | "SlashOperator" => {
            both(PoolError::Arithmetic)
        }
        "Claim" => both(PoolError::ClaimWindowShut),
        "ExecuteProposal" => both(PoolError::ProposalExpired),
        "ResumeClaims" => both(PoolError::NotPaused),
        "OpenChannel" => [Some(PoolError::InvalidExpiry), Some(PoolError::Arithmetic)],
        "CloseChannel" | "PauseClaims" => at_the_end(PoolError::Arithmetic),
        _ => [None, None],
    }
}

#[test]
fn whatever_the_clock_says_each_instruction_has_an_exact_answer() {
    for one in honest() {
        let name = one.name;
        let now = one.pool.chain.time();
        let early = too_early(name);
        let [late, last] = too_late(name);
        // Before the first epoch a pool's clock stands at zero.
        let first = early.or((name == "OpenEpoch").then_some(PoolError::EpochNotEnded));
        for (time, expected) in [
            (i64::MIN, first),
            (-1, early),
            (0, early),
            (GENESIS_TIME - 1, early),
            (now - 1, early),
            (now, None),
            (i64::MAX - 1_000, late),
            (i64::MAX, last),
        ] {
            let expected = expected.map_or(Ok(()), |code| Err(Refusal::Pool(code)));
            assert_eq!(at(&one, time), expected, "{name} at {time}");
        }
    }
}
