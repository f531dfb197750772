//! P13: what each instruction costs, exactly. Keys are the same in every run, so the figures are too.

use veilpool_program_harness::figures::{self, Figure};

/// Compute units of the whole transaction.
const COMPUTE_UNITS: [(&str, u64); 13] = [
    ("initialise_pool, n = 3", 142_409),
    ("claim, n = 3", 97_729),
    ("initialise_pool, n = 5", 148_197),
    ("claim, n = 5", 97_738),
    ("initialise_pool, n = 7", 151_650),
    ("claim, n = 7", 97_735),
    ("deposit, first", 8_349),
    ("deposit, further", 5_611),
    ("register_operator", 35_047),
    ("open_epoch", 19_123),
    ("claim, no fee, n = 5", 96_741),
    ("close_claim", 1_444),
    ("close_epoch", 3_806),
];
/// A claim stays below this whatever its address: its search for a bump takes a few hundred units a try.
const CLAIM_LIMIT: u64 = 100_000;
/// What a transaction gets for each instruction unless it asks for more.
const DEFAULT_LIMIT: u64 = 200_000;

#[test]
fn p13_every_instruction_costs_exactly_this() {
    let measured: Vec<(&str, u64)> = figures::measure()
        .into_iter()
        .map(
            |Figure {
                 instruction,
                 compute_units,
             }| (instruction, compute_units),
        )
        .collect();
    assert_eq!(measured, COMPUTE_UNITS);
    for (instruction, units) in measured {
        assert!(units < DEFAULT_LIMIT);
        if instruction.starts_with("Claim") {
            assert!(units < CLAIM_LIMIT);
        }
    }
}
