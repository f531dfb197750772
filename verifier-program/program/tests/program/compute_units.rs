//! P13: what each instruction costs, exactly. Keys are the same in every run, so the figures are too.

use veilpool_program_harness::figures::{self, Figure};

/// Compute units of the whole transaction; with five measurers where nothing else is said.
const COMPUTE_UNITS: [(&str, u64); 32] = [
    ("InitialisePool, n = 3", 34_192),
    ("Claim, n = 3", 96_259),
    ("ExecuteProposal, n = 3", 12_553),
    ("InitialisePool, n = 7", 41_909),
    ("Claim, n = 7", 96_264),
    ("ExecuteProposal, n = 7", 20_598),
    ("InitialisePool", 39_573),
    ("Deposit", 6_639),
    ("RegisterOperator", 28_490),
    ("OpenEpoch", 9_929),
    ("Claim", 96_266),
    ("CloseClaim", 2_653),
    ("CloseEpoch", 3_691),
    ("PublishKey", 116_997),
    ("RequestWithdrawal", 8_752),
    ("Withdraw", 6_231),
    ("ExitOperator", 40_608),
    ("SlashOperator", 45_940),
    ("ReleaseBond", 6_254),
    ("OpenChannel", 8_666),
    ("TopUpChannel", 5_420),
    ("SettleChannel", 8_791),
    ("CloseChannel", 3_094),
    ("FinishChannel", 6_258),
    ("Propose", 6_775),
    ("CancelProposal", 3_396),
    ("ExecuteProposal", 18_104),
    ("PauseClaims", 2_125),
    ("ResumeClaims", 2_135),
    ("ProposeAuthority", 2_060),
    ("AcceptAuthority", 1_982),
    ("Claim, no fee", 93_840),
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
