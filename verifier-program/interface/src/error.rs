//! Numbered refusals, append-only: a number is never used again for something else.
//!
//! Numbers start above those of the token program, whose own refusals pass through unchanged.
//! Each message says what happened, why or what to do.

use solana_program::program_error::ProgramError;

/// Number of the first refusal.
pub const FIRST_CODE: u32 = 6_000;

/// Why the program refused an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[repr(u32)]
#[non_exhaustive]
pub enum PoolError {
    /// The instruction's bytes are not one of this program's.
    #[error(
        "The instruction's bytes are not one of this program's. What to do: unknown tag, wrong length or non-canonical field element; build it with the interface crate of this program's version."
    )]
    InvalidInstruction = 6000,
    /// An account is missing.
    #[error(
        "An account is missing. What to do: the instruction takes the accounts listed in its documentation, in that order; add the missing ones."
    )]
    NotEnoughAccounts = 6001,
    /// More accounts than the instruction takes.
    #[error(
        "More accounts than the instruction takes. What to do: remove those that its documentation does not list."
    )]
    TooManyAccounts = 6002,
    /// An account that must sign has not signed.
    #[error(
        "An account that must sign has not signed. What to do: sign the transaction with that account's key."
    )]
    MissingSignature = 6003,
    /// An account that is changed was passed read-only.
    #[error("An account that is changed was passed read-only. What to do: mark it writable.")]
    NotWritable = 6004,
    /// One account was passed in two places.
    #[error("One account was passed in two places. What to do: pass distinct accounts.")]
    DuplicateAccount = 6005,
    /// An account belongs to another program than it must.
    #[error(
        "An account belongs to another program than it must. What to do: it may not exist yet, or be of another program; check the address."
    )]
    WrongOwner = 6006,
    /// An account's address is not the derived or recorded one.
    #[error(
        "An account's address is not the derived or recorded one. What to do: derive it with the interface crate from this pool, epoch and key."
    )]
    WrongAddress = 6007,
    /// An account's data is of another type or version.
    #[error(
        "An account's data is of another type or version. What to do: check that accounts are in the documented order."
    )]
    WrongAccountType = 6008,
    /// The token or system program is not the expected one.
    #[error(
        "The token or system program is not the expected one. What to do: only SPL Token and the system program are accepted."
    )]
    WrongProgram = 6009,
    /// A token account or mint is not of the pool's token.
    #[error(
        "A token account or mint is not of the pool's token. What to do: use an account of the pool's mint."
    )]
    WrongMint = 6010,
    /// A token account is not initialised, frozen, or of another holder.
    #[error(
        "A token account is not initialised, frozen, or of another holder. What to do: create the payee's associated account first, and pass the one that belongs to the address."
    )]
    WrongTokenAccount = 6011,
    /// The account to be created exists already.
    #[error(
        "The account to be created exists already. What to do: a pool, operator or epoch is created once; use the one that exists."
    )]
    AlreadyExists = 6012,
    /// A sum does not fit.
    #[error("A sum does not fit. What to do: amounts are out of range; use smaller ones.")]
    Arithmetic = 6013,
    /// The class table is not valid.
    #[error(
        "The class table is not valid. What to do: 1 to 16 classes, each with a weight and at most 144 slots."
    )]
    InvalidClassTable = 6014,
    /// The measurer set is not valid.
    #[error(
        "The measurer set is not valid. What to do: 3, 5 or 7 keys with canonical coordinates and no identity point."
    )]
    InvalidMeasurerSet = 6015,
    /// Two measurers share a coordinate.
    #[error(
        "Two measurers share a coordinate. What to do: one key, or it and its negative, would count twice; give each measurer a key of its own."
    )]
    DuplicateMeasurer = 6016,
    /// A parameter of the pool is not valid.
    #[error(
        "A parameter of the pool is not valid. What to do: bond, epoch and window must be positive, the outflow 1 to 10000 basis points."
    )]
    InvalidParameters = 6017,
    /// The verifying key is a development one.
    #[error(
        "The verifying key is a development one. What to do: anybody can forge claims for it; build with accept-development-keys for tests, or with ceremony keys."
    )]
    DevelopmentKey = 6018,
    /// The verifying key is not acceptable.
    #[error(
        "The verifying key is not acceptable. What to do: a point is infinity or not on the curve, gamma = delta, or delta is the generator; embed a proper key."
    )]
    InvalidVerifyingKey = 6019,
    /// The epoch was opened with another verifying key.
    #[error(
        "The epoch was opened with another verifying key. What to do: the program has been upgraded since; claim with a program that holds the epoch's key."
    )]
    VerifyingKeyChanged = 6020,
    /// The amount is zero, or too small for one share.
    #[error("The amount is zero, or too small for one share. What to do: use a larger amount.")]
    ZeroAmount = 6021,
    /// A commitment of zero is an empty leaf.
    #[error(
        "A commitment of zero is an empty leaf. What to do: send the commitment of a real secret."
    )]
    ZeroCommitment = 6022,
    /// The registry holds all the leaves it can.
    #[error("The registry holds all the leaves it can. What to do: use another pool.")]
    RegistryFull = 6023,
    /// The registry is empty.
    #[error("The registry is empty. What to do: register an operator before opening an epoch.")]
    NoOperators = 6024,
    /// The epoch's number is not the expected one.
    #[error(
        "The epoch's number is not the expected one. What to do: epochs are opened one after the other; read the pool's next number."
    )]
    WrongEpoch = 6025,
    /// The epoch has not ended: too early for its claims, or for opening the next one.
    #[error(
        "The epoch has not ended. What to do: claims are taken from its end by the chain's clock, and the next epoch opens a quarter of its length before."
    )]
    EpochNotEnded = 6026,
    /// The epoch's claim window has shut.
    #[error(
        "The epoch's claim window has shut. What to do: claims must arrive before claim_until; this epoch can no longer be claimed."
    )]
    ClaimWindowShut = 6027,
    /// The claim window is still open.
    #[error("The claim window is still open. What to do: closing is possible from claim_until on.")]
    ClaimWindowOpen = 6028,
    /// The pool has no such class.
    #[error("The pool has no such class. What to do: use an index into the epoch's class table.")]
    UnknownClass = 6029,
    /// The relayer's fee is above what the claim allows or earns.
    #[error(
        "The relayer's fee is above what the claim allows or earns. What to do: ask for at most max_fee, and no more than the reward."
    )]
    FeeTooHigh = 6030,
    /// This nullifier has been paid in this epoch.
    #[error(
        "This nullifier has been paid in this epoch. What to do: one claim per operator and epoch; nothing to do."
    )]
    AlreadyClaimed = 6031,
    /// There are as many claims as operators.
    #[error(
        "There are as many claims as operators. What to do: a further one can't be true; report this, the proof system may be broken."
    )]
    ClaimsExceedLeaves = 6032,
    /// The proof's bytes are not points of the curves.
    #[error(
        "The proof's bytes are not points of the curves. What to do: send 256 bytes as the prover writes them."
    )]
    MalformedProof = 6033,
    /// A field element is not less than the field's order.
    #[error(
        "A field element is not less than the field's order. What to do: encode it canonically."
    )]
    ScalarNotCanonical = 6034,
    /// The proof does not hold for this claim.
    #[error(
        "The proof does not hold for this claim. What to do: payee, class, relayer, fee limit, epoch and pool must be those it was made for; prove again."
    )]
    InvalidProof = 6035,
    /// Verification could not be carried out.
    #[error(
        "Verification could not be carried out. What to do: the runtime refused a cryptographic operation; check that its features are active."
    )]
    CouldNotVerify = 6036,
}

impl PoolError {
    /// All refusals, in order of their numbers.
    pub const ALL: [Self; 37] = [
        Self::InvalidInstruction,
        Self::NotEnoughAccounts,
        Self::TooManyAccounts,
        Self::MissingSignature,
        Self::NotWritable,
        Self::DuplicateAccount,
        Self::WrongOwner,
        Self::WrongAddress,
        Self::WrongAccountType,
        Self::WrongProgram,
        Self::WrongMint,
        Self::WrongTokenAccount,
        Self::AlreadyExists,
        Self::Arithmetic,
        Self::InvalidClassTable,
        Self::InvalidMeasurerSet,
        Self::DuplicateMeasurer,
        Self::InvalidParameters,
        Self::DevelopmentKey,
        Self::InvalidVerifyingKey,
        Self::VerifyingKeyChanged,
        Self::ZeroAmount,
        Self::ZeroCommitment,
        Self::RegistryFull,
        Self::NoOperators,
        Self::WrongEpoch,
        Self::EpochNotEnded,
        Self::ClaimWindowShut,
        Self::ClaimWindowOpen,
        Self::UnknownClass,
        Self::FeeTooHigh,
        Self::AlreadyClaimed,
        Self::ClaimsExceedLeaves,
        Self::MalformedProof,
        Self::ScalarNotCanonical,
        Self::InvalidProof,
        Self::CouldNotVerify,
    ];

    /// The number, as the chain reports it.
    #[must_use]
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The refusal with a number; `None` when it is not one of this program's.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        let index = usize::try_from(code.checked_sub(FIRST_CODE)?).ok()?;
        Self::ALL.get(index).copied()
    }

    /// Name as written here, for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidInstruction => "InvalidInstruction",
            Self::NotEnoughAccounts => "NotEnoughAccounts",
            Self::TooManyAccounts => "TooManyAccounts",
            Self::MissingSignature => "MissingSignature",
            Self::NotWritable => "NotWritable",
            Self::DuplicateAccount => "DuplicateAccount",
            Self::WrongOwner => "WrongOwner",
            Self::WrongAddress => "WrongAddress",
            Self::WrongAccountType => "WrongAccountType",
            Self::WrongProgram => "WrongProgram",
            Self::WrongMint => "WrongMint",
            Self::WrongTokenAccount => "WrongTokenAccount",
            Self::AlreadyExists => "AlreadyExists",
            Self::Arithmetic => "Arithmetic",
            Self::InvalidClassTable => "InvalidClassTable",
            Self::InvalidMeasurerSet => "InvalidMeasurerSet",
            Self::DuplicateMeasurer => "DuplicateMeasurer",
            Self::InvalidParameters => "InvalidParameters",
            Self::DevelopmentKey => "DevelopmentKey",
            Self::InvalidVerifyingKey => "InvalidVerifyingKey",
            Self::VerifyingKeyChanged => "VerifyingKeyChanged",
            Self::ZeroAmount => "ZeroAmount",
            Self::ZeroCommitment => "ZeroCommitment",
            Self::RegistryFull => "RegistryFull",
            Self::NoOperators => "NoOperators",
            Self::WrongEpoch => "WrongEpoch",
            Self::EpochNotEnded => "EpochNotEnded",
            Self::ClaimWindowShut => "ClaimWindowShut",
            Self::ClaimWindowOpen => "ClaimWindowOpen",
            Self::UnknownClass => "UnknownClass",
            Self::FeeTooHigh => "FeeTooHigh",
            Self::AlreadyClaimed => "AlreadyClaimed",
            Self::ClaimsExceedLeaves => "ClaimsExceedLeaves",
            Self::MalformedProof => "MalformedProof",
            Self::ScalarNotCanonical => "ScalarNotCanonical",
            Self::InvalidProof => "InvalidProof",
            Self::CouldNotVerify => "CouldNotVerify",
        }
    }
}

impl From<PoolError> for ProgramError {
    fn from(error: PoolError) -> Self {
        Self::Custom(error.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_consecutive_and_come_back() {
        for (index, error) in PoolError::ALL.into_iter().enumerate() {
            assert_eq!(error.code(), FIRST_CODE + index as u32);
            assert_eq!(PoolError::from_code(error.code()), Some(error));
        }
        assert_eq!(PoolError::from_code(0), None);
        assert_eq!(PoolError::from_code(u32::MAX), None);
    }

    #[test]
    fn numbers_that_clients_know_never_move() {
        assert_eq!(PoolError::InvalidInstruction.code(), 6_000);
        assert_eq!(PoolError::AlreadyClaimed.code(), 6_031);
        assert_eq!(PoolError::InvalidProof.code(), 6_035);
    }
}
