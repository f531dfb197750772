//! P13: what each instruction costs, exactly. Keys are the same in every run, so the figures are too.

use veilpool_program_harness::figures::{self, Figure};

/// Compute units of the whole transaction; with five measurers where nothing else is said.
const COMPUTE_UNITS: [(&str, u64); 32] = [
    ("InitialisePool, n = 3", 34_186),
    ("Claim, n = 3", 96_254),
    ("ExecuteProposal, n = 3", 12_510),
    ("InitialisePool, n = 7", 41_903),
    ("Claim, n = 7", 96_260),
    ("ExecuteProposal, n = 7", 20_553),
    ("InitialisePool", 39_567),
    ("Deposit", 6_635),
    ("RegisterOperator", 28_485),
    ("OpenEpoch", 9_376),
    ("Claim", 96_263),
    ("CloseClaim", 2_651),
    ("CloseEpoch", 3_686),
    ("PublishKey", 116_997),
    ("RequestWithdrawal", 8_633),
    ("Withdraw", 5_642),
    ("ExitOperator", 40_579),
    ("SlashOperator", 45_913),
    ("ReleaseBond", 5_675),
    ("OpenChannel", 8_136),
    ("TopUpChannel", 5_415),
    ("SettleChannel", 8_223),
    ("CloseChannel", 2_773),
    ("FinishChannel", 5_680),
    ("Propose", 6_758),
    ("CancelProposal", 3_067),
    ("ExecuteProposal", 18_057),
    ("PauseClaims", 2_121),
    ("ResumeClaims", 2_131),
    ("ProposeAuthority", 1_701),
    ("AcceptAuthority", 1_978),
    ("Claim, no fee", 93_836),
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
