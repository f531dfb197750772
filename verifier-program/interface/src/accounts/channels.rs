//! Of instructions about channels.

use super::{
    shared::{CHANNEL, ESCROW, POOL, POOL_READ, SYSTEM, TOKEN, VAULT},
    spec::{
        AccountSpec,
        Flag::{Read, Sign, SignWrite, Write},
        Kind::{InstructionsSysvar, New, Recorded, Signer, Tokens},
        RecordKind, spec,
    },
};

/// Of `OpenChannel`.
pub const OPEN_CHANNEL: [AccountSpec; 7] = [
    spec(
        "consumer",
        SignWrite,
        Signer,
        "consumer: pays in, pays the rent, and gets the rest of both back",
    ),
    POOL,
    spec(
        "channel",
        Write,
        New(RecordKind::Channel),
        "channel, to be created",
    ),
    spec(
        "tokens",
        Write,
        Tokens("consumer"),
        "consumer's token account",
    ),
    ESCROW,
    TOKEN,
    SYSTEM,
];
/// Of `TopUpChannel`.
pub const TOP_UP_CHANNEL: [AccountSpec; 6] = [
    spec("consumer", Sign, Recorded, "the channel's consumer"),
    POOL,
    CHANNEL,
    spec(
        "tokens",
        Write,
        Tokens("consumer"),
        "consumer's token account",
    ),
    ESCROW,
    TOKEN,
];
/// Of `SettleChannel`.
pub const SETTLE_CHANNEL: [AccountSpec; 7] = [
    POOL,
    CHANNEL,
    spec(
        "hub_tokens",
        Write,
        Tokens("hub"),
        "associated token account of the channel's hub",
    ),
    ESCROW,
    VAULT,
    spec(
        "instructions",
        Read,
        InstructionsSysvar,
        "sysvar of the transaction's instructions",
    ),
    TOKEN,
];
/// Of `CloseChannel`.
pub const CLOSE_CHANNEL: [AccountSpec; 3] = [
    spec("party", Sign, Recorded, "the channel's consumer or hub"),
    POOL_READ,
    CHANNEL,
];
/// Of `FinishChannel`.
pub const FINISH_CHANNEL: [AccountSpec; 6] = [
    POOL,
    CHANNEL,
    spec(
        "consumer",
        Write,
        Recorded,
        "the channel's consumer, who gets the rent",
    ),
    spec(
        "tokens",
        Write,
        Tokens("consumer"),
        "the consumer's associated token account, or another if the consumer signs",
    ),
    ESCROW,
    TOKEN,
];
