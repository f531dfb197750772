//! Accounts that several instructions take.

use super::spec::{
    AccountSpec,
    Flag::{Read, Write},
    HeldKind, Kind,
    Kind::{Held, Recorded, SystemProgram, TokenProgram},
    RecordKind, spec,
};

pub(super) const POOL: AccountSpec = spec("pool", Write, Kind::Pool, "pool");
pub(super) const POOL_READ: AccountSpec = spec("pool", Read, Kind::Pool, "pool");
pub(super) const TOKEN: AccountSpec = spec("token_program", Read, TokenProgram, "SPL Token");
pub(super) const SYSTEM: AccountSpec =
    spec("system_program", Read, SystemProgram, "system program");
pub(super) const VAULT: AccountSpec = spec("vault", Write, Held(HeldKind::Vault), "vault");
pub(super) const BONDS: AccountSpec = spec("bonds", Write, Held(HeldKind::Bonds), "vault of bonds");
pub(super) const ESCROW: AccountSpec =
    spec("escrow", Write, Held(HeldKind::Escrow), "vault of channels");
pub(super) const SHARE_MINT: AccountSpec = spec(
    "share_mint",
    Write,
    Held(HeldKind::ShareMint),
    "mint of shares",
);
pub(super) const EPOCH: AccountSpec =
    spec("epoch", Write, Kind::Record(RecordKind::Epoch), "epoch");
pub(super) const OPERATOR: AccountSpec = spec(
    "operator",
    Write,
    Kind::Record(RecordKind::Operator),
    "operator",
);
pub(super) const CHANNEL: AccountSpec = spec(
    "channel",
    Write,
    Kind::Record(RecordKind::Channel),
    "channel",
);
pub(super) const PROPOSAL: AccountSpec = spec(
    "proposal",
    Write,
    Kind::Record(RecordKind::Proposal),
    "proposal",
);
pub(super) const KEY: AccountSpec =
    spec("key", Read, Kind::Record(RecordKind::Key), "verifying key");
pub(super) const RENT_PAYER: AccountSpec = spec(
    "rent_payer",
    Write,
    Recorded,
    "recorded payer of the rent, who gets it back",
);
