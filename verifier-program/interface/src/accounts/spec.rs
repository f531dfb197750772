//! How a table says which accounts an instruction takes.

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

pub(super) const fn spec(
    name: &'static str,
    flag: Flag,
    kind: Kind,
    doc: &'static str,
) -> AccountSpec {
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
