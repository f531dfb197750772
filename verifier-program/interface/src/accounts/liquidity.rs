//! Of instructions about liquidity.

use super::{
    shared::{POOL, SHARE_MINT, SYSTEM, TOKEN, VAULT},
    spec::{
        AccountSpec,
        Flag::{Sign, SignWrite, Write},
        Kind,
        Kind::{New, Recorded, Shares, Signer, Tokens},
        RecordKind, spec,
    },
};

/// Of `Deposit`.
pub const DEPOSIT: [AccountSpec; 7] = [
    spec("depositor", Sign, Signer, "depositor: holds the tokens"),
    POOL,
    spec(
        "tokens",
        Write,
        Tokens("depositor"),
        "depositor's token account",
    ),
    spec(
        "shares",
        Write,
        Shares("depositor"),
        "depositor's account of shares",
    ),
    VAULT,
    SHARE_MINT,
    TOKEN,
];
/// Of `RequestWithdrawal`.
pub const REQUEST_WITHDRAWAL: [AccountSpec; 7] = [
    spec(
        "owner",
        SignWrite,
        Signer,
        "owner of the shares: pays the rent, and gets it back",
    ),
    POOL,
    spec(
        "withdrawal",
        Write,
        New(RecordKind::Withdrawal),
        "withdrawal, to be created",
    ),
    spec(
        "shares",
        Write,
        Shares("owner"),
        "owner's account of shares",
    ),
    SHARE_MINT,
    TOKEN,
    SYSTEM,
];
/// Of `Withdraw`.
pub const WITHDRAW: [AccountSpec; 6] = [
    POOL,
    spec(
        "withdrawal",
        Write,
        Kind::Record(RecordKind::Withdrawal),
        "withdrawal",
    ),
    spec("owner", Write, Recorded, "its owner, who gets the rent"),
    spec(
        "tokens",
        Write,
        Tokens("owner"),
        "the owner's associated token account, or another if the owner signs",
    ),
    VAULT,
    TOKEN,
];
