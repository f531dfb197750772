//! What people do, in random order. Everything is a small number, so that a failing sequence shrinks, and prints as
//! Rust that can be replayed.

use proptest::prelude::*;
use veilpool_program_harness::pool::{EPOCH_SECONDS, TIMELOCK_SECONDS};

/// Pools on the chain.
pub(crate) const POOLS: usize = 2;
/// People: each provides liquidity, bonds operators, relays, pays as a consumer and earns as a hub.
pub(crate) const ACTORS: usize = 4;
/// Operators' secrets.
pub(crate) const OPERATORS: u8 = 6;

/// One step, in one pool.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Wait(i64),
    Deposit {
        who: usize,
        amount: u64,
    },
    Donate {
        vault: usize,
        amount: u64,
    },
    /// So many 256ths of what they have, and `more`.
    Request {
        who: usize,
        number: u32,
        part: u8,
        more: u64,
    },
    Withdraw {
        who: usize,
        number: u32,
    },
    BurnShares {
        who: usize,
        part: u8,
    },
    Register {
        who: usize,
        operator: u8,
    },
    Exit {
        operator: u8,
    },
    Slash {
        who: usize,
        operator: u8,
    },
    Release {
        operator: u8,
    },
    OpenEpoch {
        who: usize,
    },
    /// Counted back from the latest.
    CloseEpoch {
        back: u32,
    },
    Claim {
        operator: u8,
        back: u32,
        class: u8,
        fee: u64,
        who: usize,
    },
    CloseClaim {
        operator: u8,
        back: u32,
    },
    OpenChannel {
        who: usize,
        hub: usize,
        amount: u64,
        bps: u16,
        lasts: i64,
    },
    TopUp {
        who: usize,
        hub: usize,
        amount: u64,
        longer: i64,
    },
    Settle {
        who: usize,
        hub: usize,
        sum: u64,
    },
    CloseChannel {
        who: usize,
        hub: usize,
        by_hub: bool,
    },
    Finish {
        who: usize,
        hub: usize,
    },
    Propose {
        number: u32,
        change: u8,
    },
    Cancel {
        number: u32,
    },
    Execute {
        number: u32,
    },
    Pause {
        seconds: u32,
    },
    Resume,
}

/// A step and the pool that it is about.
pub(crate) type PoolStep = (usize, Step);

fn arb_amount() -> impl Strategy<Value = u64> {
    prop_oneof![
        2 => 0..=3u64,
        6 => (0..64u32, any::<u64>()).prop_map(|(shift, bits)| bits >> shift),
        3 => 1..1u64 << 40,
        1 => Just(u64::MAX),
    ]
}

fn arb_wait() -> impl Strategy<Value = i64> {
    let epoch = i64::from(EPOCH_SECONDS);
    prop_oneof![
        4 => 0..epoch / 4,
        6 => Just(epoch / 2),
        4 => Just(epoch + epoch / 12),
        1 => Just(3 * epoch),
        1 => Just(i64::from(TIMELOCK_SECONDS)),
    ]
}

fn arb_step() -> impl Strategy<Value = Step> {
    let who = 0..ACTORS;
    // A hub is somebody else.
    let pair = || (0..ACTORS, 1..ACTORS).prop_map(|(who, next)| (who, (who + next) % ACTORS));
    let operator = 0..OPERATORS;
    let back = prop_oneof![4 => 0..3u32, 1 => 0..9u32];
    let number = 0..2u32;
    let money = prop_oneof![
        6 => (who.clone(), arb_amount()).prop_map(|(who, amount)| Step::Deposit { who, amount }),
        1 => (0..3usize, 0..1u64 << 30).prop_map(|(vault, amount)| Step::Donate { vault, amount }),
        4 => (who.clone(), number.clone(), any::<u8>(), prop_oneof![4 => Just(0), 1 => arb_amount()])
            .prop_map(|(who, number, part, more)| Step::Request { who, number, part, more }),
        5 => (who.clone(), number.clone()).prop_map(|(who, number)| Step::Withdraw { who, number }),
        1 => (who.clone(), any::<u8>()).prop_map(|(who, part)| Step::BurnShares { who, part }),
    ];
    let operators = prop_oneof![
        8 => (who.clone(), operator.clone()).prop_map(|(who, operator)| Step::Register { who, operator }),
        2 => operator.clone().prop_map(|operator| Step::Exit { operator }),
        1 => (who.clone(), operator.clone()).prop_map(|(who, operator)| Step::Slash { who, operator }),
        2 => operator.clone().prop_map(|operator| Step::Release { operator }),
    ];
    let epochs = prop_oneof![
        6 => who.clone().prop_map(|who| Step::OpenEpoch { who }),
        3 => back.clone().prop_map(|back| Step::CloseEpoch { back }),
        16 => (operator.clone(), back.clone(), 0..10u8, prop_oneof![6 => Just(0), 3 => 0..5_000u64, 1 => Just(u64::MAX)], who.clone())
            .prop_map(|(operator, back, class, fee, who)| Step::Claim { operator, back, class, fee, who }),
        3 => (operator, back).prop_map(|(operator, back)| Step::CloseClaim { operator, back }),
    ];
    let channels = prop_oneof![
        4 => (pair(), arb_amount(), 0..1_200u16, 0..200_000i64)
            .prop_map(|((who, hub), amount, bps, lasts)| Step::OpenChannel { who, hub, amount, bps, lasts }),
        4 => (pair(), arb_amount(), -1..5_000i64)
            .prop_map(|((who, hub), amount, longer)| Step::TopUp { who, hub, amount, longer }),
        8 => (pair(), arb_amount()).prop_map(|((who, hub), sum)| Step::Settle { who, hub, sum }),
        2 => (pair(), any::<bool>()).prop_map(|((who, hub), by_hub)| Step::CloseChannel { who, hub, by_hub }),
        3 => pair().prop_map(|(who, hub)| Step::Finish { who, hub }),
    ];
    let governance = prop_oneof![
        3 => (number.clone(), 0..6u8).prop_map(|(number, change)| Step::Propose { number, change }),
        1 => number.clone().prop_map(|number| Step::Cancel { number }),
        7 => number.prop_map(|number| Step::Execute { number }),
        2 => prop_oneof![300..900u32, Just(TIMELOCK_SECONDS), Just(TIMELOCK_SECONDS + 1)]
            .prop_map(|seconds| Step::Pause { seconds }),
        4 => Just(Step::Resume),
    ];
    prop_oneof![
        7 => arb_wait().prop_map(Step::Wait),
        5 => money,
        4 => operators,
        14 => epochs,
        5 => channels,
        5 => governance,
    ]
}

/// A sequence of steps.
pub(crate) fn arb_steps(len: usize) -> impl Strategy<Value = Vec<PoolStep>> {
    proptest::collection::vec((0..POOLS, arb_step()), 0..=len)
}
