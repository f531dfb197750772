//! The accounts of every instruction, in order: **the one place where they are written**. The program takes its
//! flags from here, the builders fill in addresses, and tests (each account wrong in each way), the IDL and
//! `docs/protocol.md` are made from it.

/// How an instruction takes an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// Only looked at.
    Read,
    /// `w`: changed.
    Write,
    /// `s`: signs.
    Sign,
    /// `sw`: signs, and is changed.
    SignWrite,
}

impl Flag {
    /// Whether it must sign.
    #[must_use]
    pub const fn is_signer(self) -> bool {
        matches!(self, Self::Sign | Self::SignWrite)
    }

    /// Whether it is changed.
    #[must_use]
    pub const fn is_writable(self) -> bool {
        matches!(self, Self::Write | Self::SignWrite)
    }

    /// As in documents.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Read => "",
            Self::Write => "w",
            Self::Sign => "s",
            Self::SignWrite => "sw",
        }
    }
}

/// What an account must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whoever signs.
    Signer,
    /// Who is recorded as the owner, bonder, consumer or payer of rent of another account of the instruction.
    Recorded,
    /// The pool, at its derived address.
    Pool,
    /// A record of this program at its derived address.
    Record(RecordKind),
    /// The same, to be created.
    New(RecordKind),
    /// A token account or mint of the pool's, at its recorded address.
    Held(HeldKind),
    /// The same, to be created.
    NewHeld(HeldKind),
    /// A mint of SPL Token.
    Mint,
    /// A token account of the pool's mint that belongs to the account named here.
    Tokens(&'static str),
    /// A token account of the pool's shares that belongs to the account named here.
    Shares(&'static str),
    /// SPL Token.
    TokenProgram,
    /// The system program.
    SystemProgram,
    /// The sysvar of the transaction's instructions.
    InstructionsSysvar,
}

/// A type of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// [`crate::Pool`], where it is made.
    Pool,
    /// [`crate::Epoch`].
    Epoch,
    /// [`crate::Operator`].
    Operator,
    /// [`crate::Claim`].
    Claim,
    /// [`crate::state::Key`].
    Key,
    /// [`crate::state::Withdrawal`].
    Withdrawal,
    /// [`crate::state::Channel`].
    Channel,
    /// [`crate::state::Proposal`].
    Proposal,
}

/// What a pool has at the token program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldKind {
    /// Token account for what it owns.
    Vault,
    /// Token account for bonds.
    Bonds,
    /// Token account for channels.
    Escrow,
    /// Mint of its shares.
    ShareMint,
}

/// One account of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountSpec {
    /// Unique in the instruction.
    pub name: &'static str,
    /// How it is taken.
    pub flag: Flag,
    /// What it must be.
    pub kind: Kind,
    /// For people.
    pub doc: &'static str,
}

const fn spec(name: &'static str, flag: Flag, kind: Kind, doc: &'static str) -> AccountSpec {
    AccountSpec {
        name,
        flag,
        kind,
        doc,
    }
}

/// Flags alone, which is all that the program keeps of a table.
#[must_use]
pub const fn flags<const N: usize>(specs: &[AccountSpec; N]) -> [Flag; N] {
    let mut out = [Flag::Read; N];
    let mut i = 0;
    while i < N {
        out[i] = specs[i].flag;
        i += 1;
    }
    out
}

use Flag::{Read, Sign, SignWrite, Write};
use Kind::{
    Held, InstructionsSysvar, Mint, New, NewHeld, Recorded, Shares, Signer, SystemProgram,
    TokenProgram, Tokens,
};

const POOL: AccountSpec = spec("pool", Write, Kind::Pool, "pool");
const POOL_READ: AccountSpec = spec("pool", Read, Kind::Pool, "pool");
const TOKEN: AccountSpec = spec("token_program", Read, TokenProgram, "SPL Token");
const SYSTEM: AccountSpec = spec("system_program", Read, SystemProgram, "system program");
const VAULT: AccountSpec = spec("vault", Write, Held(HeldKind::Vault), "vault");
const BONDS: AccountSpec = spec("bonds", Write, Held(HeldKind::Bonds), "vault of bonds");
const ESCROW: AccountSpec = spec("escrow", Write, Held(HeldKind::Escrow), "vault of channels");
const SHARE_MINT: AccountSpec = spec(
    "share_mint",
    Write,
    Held(HeldKind::ShareMint),
    "mint of shares",
);
const EPOCH: AccountSpec = spec("epoch", Write, Kind::Record(RecordKind::Epoch), "epoch");
const OPERATOR: AccountSpec = spec(
    "operator",
    Write,
    Kind::Record(RecordKind::Operator),
    "operator",
);
const CHANNEL: AccountSpec = spec(
    "channel",
    Write,
    Kind::Record(RecordKind::Channel),
    "channel",
);
const PROPOSAL: AccountSpec = spec(
    "proposal",
    Write,
    Kind::Record(RecordKind::Proposal),
    "proposal",
);
const KEY: AccountSpec = spec("key", Read, Kind::Record(RecordKind::Key), "verifying key");
const RENT_PAYER: AccountSpec = spec(
    "rent_payer",
    Write,
    Recorded,
    "recorded payer of the rent, who gets it back",
);

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
