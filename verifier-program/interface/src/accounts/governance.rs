//! Of instructions about governance.

use super::{
    shared::{POOL, POOL_READ, PROPOSAL, SYSTEM},
    spec::{
        AccountSpec,
        Flag::{Read, Sign, SignWrite, Write},
        Kind,
        Kind::{New, Recorded},
        RecordKind, spec,
    },
};

/// Of `Propose`.
pub const PROPOSE: [AccountSpec; 4] = [
    spec(
        "authority",
        SignWrite,
        Recorded,
        "the pool's authority: pays the rent, and gets it back",
    ),
    POOL_READ,
    spec(
        "proposal",
        Write,
        New(RecordKind::Proposal),
        "proposal, to be created",
    ),
    SYSTEM,
];
/// Of `CancelProposal`.
pub const CANCEL_PROPOSAL: [AccountSpec; 3] = [
    spec(
        "authority",
        SignWrite,
        Recorded,
        "the pool's authority, who gets the rent",
    ),
    POOL_READ,
    PROPOSAL,
];
/// Of `ExecuteProposal`.
pub const EXECUTE_PROPOSAL: [AccountSpec; 4] = [
    POOL,
    PROPOSAL,
    spec(
        "proposer",
        Write,
        Recorded,
        "who proposed it, and gets the rent",
    ),
    spec(
        "key",
        Read,
        Kind::Record(RecordKind::Key),
        "verifying key of the pool after the change",
    ),
];
/// Of `PauseClaims`, `ResumeClaims` and `ProposeAuthority`.
pub const AUTHORITY: [AccountSpec; 2] = [
    spec("authority", Sign, Recorded, "the pool's authority"),
    POOL,
];
/// Of `AcceptAuthority`.
pub const ACCEPT_AUTHORITY: [AccountSpec; 2] = [
    spec(
        "authority",
        Sign,
        Recorded,
        "to whom the authority is being handed over",
    ),
    POOL,
];
