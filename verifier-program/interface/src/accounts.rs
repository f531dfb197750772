//! The accounts of every instruction, in order: **the one place where they are written**. The program takes its
//! flags from here, the builders fill in addresses, and tests (each account wrong in each way), the IDL and
//! `docs/protocol.md` are made from it.

mod channels;
mod epochs;
mod governance;
mod liquidity;
mod operators;
mod pools;
mod shared;
mod spec;

pub use channels::{CLOSE_CHANNEL, FINISH_CHANNEL, OPEN_CHANNEL, SETTLE_CHANNEL, TOP_UP_CHANNEL};
pub use epochs::{CLAIM, CLOSE_CLAIM, CLOSE_EPOCH, OPEN_EPOCH};
pub use governance::{ACCEPT_AUTHORITY, AUTHORITY, CANCEL_PROPOSAL, EXECUTE_PROPOSAL, PROPOSE};
pub use liquidity::{DEPOSIT, REQUEST_WITHDRAWAL, WITHDRAW};
pub use operators::{EXIT_OPERATOR, REGISTER_OPERATOR, RELEASE_BOND, SLASH_OPERATOR};
pub use pools::{INITIALISE_POOL, PUBLISH_KEY};
pub use spec::{AccountSpec, Flag, HeldKind, Kind, RecordKind, flags};

/// Every instruction by its tag: name and accounts.
pub const ALL: [(&str, &[AccountSpec]); 25] = [
    ("InitialisePool", &INITIALISE_POOL),
    ("Deposit", &DEPOSIT),
    ("RegisterOperator", &REGISTER_OPERATOR),
    ("OpenEpoch", &OPEN_EPOCH),
    ("Claim", &CLAIM),
    ("CloseClaim", &CLOSE_CLAIM),
    ("CloseEpoch", &CLOSE_EPOCH),
    ("PublishKey", &PUBLISH_KEY),
    ("RequestWithdrawal", &REQUEST_WITHDRAWAL),
    ("Withdraw", &WITHDRAW),
    ("ExitOperator", &EXIT_OPERATOR),
    ("SlashOperator", &SLASH_OPERATOR),
    ("ReleaseBond", &RELEASE_BOND),
    ("OpenChannel", &OPEN_CHANNEL),
    ("TopUpChannel", &TOP_UP_CHANNEL),
    ("SettleChannel", &SETTLE_CHANNEL),
    ("CloseChannel", &CLOSE_CHANNEL),
    ("FinishChannel", &FINISH_CHANNEL),
    ("Propose", &PROPOSE),
    ("CancelProposal", &CANCEL_PROPOSAL),
    ("ExecuteProposal", &EXECUTE_PROPOSAL),
    ("PauseClaims", &AUTHORITY),
    ("ResumeClaims", &AUTHORITY),
    ("ProposeAuthority", &AUTHORITY),
    ("AcceptAuthority", &ACCEPT_AUTHORITY),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_in_an_instruction() {
        for (instruction, specs) in ALL {
            for (index, spec) in specs.iter().enumerate() {
                let others = specs.iter().skip(index + 1);
                assert!(
                    !others.into_iter().any(|other| other.name == spec.name),
                    "{instruction}: {}",
                    spec.name
                );
            }
        }
    }
}
