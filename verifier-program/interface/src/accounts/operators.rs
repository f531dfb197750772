//! Of instructions about operators.

use super::{
    shared::{BONDS, OPERATOR, POOL, SYSTEM, TOKEN, VAULT},
    spec::{
        AccountSpec,
        Flag::{Sign, SignWrite, Write},
        Kind::{New, Recorded, Signer, Tokens},
        RecordKind, spec,
    },
};

/// Of `RegisterOperator`.
pub const REGISTER_OPERATOR: [AccountSpec; 7] = [
    spec(
        "bonder",
        SignWrite,
        Signer,
        "bonder: holds the bond, pays the rent, and gets both back",
    ),
    POOL,
    spec(
        "operator",
        Write,
        New(RecordKind::Operator),
        "operator, to be created",
    ),
    spec("tokens", Write, Tokens("bonder"), "bonder's token account"),
    BONDS,
    TOKEN,
    SYSTEM,
];
/// Of `ExitOperator`.
pub const EXIT_OPERATOR: [AccountSpec; 3] = [
    spec("bonder", Sign, Recorded, "who bonded the operator"),
    POOL,
    OPERATOR,
];
/// Of `SlashOperator`.
pub const SLASH_OPERATOR: [AccountSpec; 7] = [
    spec("slasher", Sign, Signer, "whoever shows the secret"),
    POOL,
    OPERATOR,
    spec(
        "tokens",
        Write,
        Tokens("slasher"),
        "a token account of theirs",
    ),
    BONDS,
    VAULT,
    TOKEN,
];
/// Of `ReleaseBond`.
pub const RELEASE_BOND: [AccountSpec; 6] = [
    POOL,
    OPERATOR,
    spec(
        "bonder",
        Write,
        Recorded,
        "who bonded it, and gets the rent",
    ),
    spec(
        "tokens",
        Write,
        Tokens("bonder"),
        "the bonder's associated token account, or another if the bonder signs",
    ),
    BONDS,
    TOKEN,
];
