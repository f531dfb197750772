//! Of instructions about epochs and claims.

use super::{
    shared::{EPOCH, KEY, POOL, POOL_READ, RENT_PAYER, SYSTEM, TOKEN, VAULT},
    spec::{
        AccountSpec,
        Flag::{SignWrite, Write},
        Kind,
        Kind::{New, Signer, Tokens},
        RecordKind, spec,
    },
};

/// Of `OpenEpoch`.
pub const OPEN_EPOCH: [AccountSpec; 4] = [
    spec(
        "payer",
        SignWrite,
        Signer,
        "payer of the rent, who gets it back",
    ),
    POOL,
    spec(
        "epoch",
        Write,
        New(RecordKind::Epoch),
        "epoch, to be created",
    ),
    SYSTEM,
];
/// Of `Claim`.
pub const CLAIM: [AccountSpec; 10] = [
    spec(
        "relayer",
        SignWrite,
        Signer,
        "relayer: pays the transaction's fee and the claim's rent, and gets the rent back",
    ),
    POOL,
    EPOCH,
    spec(
        "claim",
        Write,
        New(RecordKind::Claim),
        "claim, to be created: the nullifier",
    ),
    KEY,
    VAULT,
    spec(
        "payee_tokens",
        Write,
        Tokens("payout"),
        "payee's token account",
    ),
    spec(
        "relayer_tokens",
        Write,
        Tokens("relayer"),
        "relayer's token account",
    ),
    TOKEN,
    SYSTEM,
];
/// Of `CloseClaim`.
pub const CLOSE_CLAIM: [AccountSpec; 3] = [
    POOL_READ,
    spec("claim", Write, Kind::Record(RecordKind::Claim), "claim"),
    RENT_PAYER,
];
/// Of `CloseEpoch`.
pub const CLOSE_EPOCH: [AccountSpec; 3] = [POOL, EPOCH, RENT_PAYER];
