//! Of instructions that make a pool, and publish the key that it names.

use super::{
    shared::{SYSTEM, TOKEN},
    spec::{
        AccountSpec,
        Flag::{Read, SignWrite, Write},
        HeldKind, Kind,
        Kind::{Mint, New, NewHeld, Signer},
        RecordKind, spec,
    },
};

/// Of `InitialisePool`.
pub const INITIALISE_POOL: [AccountSpec; 10] = [
    spec(
        "founder",
        SignWrite,
        Signer,
        "founder: pays the rent; part of the pool's address, without power",
    ),
    spec("pool", Write, New(RecordKind::Pool), "pool, to be created"),
    spec("mint", Read, Mint, "mint, of SPL Token"),
    spec(
        "vault",
        Write,
        NewHeld(HeldKind::Vault),
        "vault, to be created",
    ),
    spec(
        "bonds",
        Write,
        NewHeld(HeldKind::Bonds),
        "vault of bonds, to be created",
    ),
    spec(
        "escrow",
        Write,
        NewHeld(HeldKind::Escrow),
        "vault of channels, to be created",
    ),
    spec(
        "share_mint",
        Write,
        NewHeld(HeldKind::ShareMint),
        "mint of shares, to be created",
    ),
    spec(
        "key",
        Read,
        Kind::Record(RecordKind::Key),
        "verifying key for so many measurers",
    ),
    TOKEN,
    SYSTEM,
];
/// Of `PublishKey`.
pub const PUBLISH_KEY: [AccountSpec; 3] = [
    spec("payer", SignWrite, Signer, "payer of the rent"),
    spec(
        "key",
        Write,
        New(RecordKind::Key),
        "verifying key, to be created",
    ),
    SYSTEM,
];
