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
        "A parameter of the pool is not valid. What to do: bond, epoch, window and challenge must be positive, the cool-down above the claim window, the timelock at least the cool-down and two epochs, and shares in their range (docs/protocol.md)."
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
    /// The epoch was opened with another verifying key. No longer given: keys are accounts.
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
    /// There are as many claims as operators. No longer given: such a claim freezes claims.
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
    /// Claims are paused.
    #[error(
        "Claims are paused. What to do: the authority has paused them for a bounded time; the window is longer by as much, so claim when the pause is over."
    )]
    ClaimsPaused = 6037,
    /// Claims are frozen.
    #[error(
        "Claims are frozen. What to do: there were more valid claims than operators, so the proof system may be broken; governance lifts this behind its timelock. Withdrawals go on."
    )]
    ClaimsFrozen = 6038,
    /// The signer has no say in this.
    #[error(
        "The signer has no say in this. What to do: it must be the pool's authority, the authority that is being handed over to, or a party of the channel."
    )]
    WrongAuthority = 6039,
    /// The change is still behind the timelock.
    #[error(
        "The change is still behind the timelock. What to do: execute it from its ready_at on."
    )]
    ProposalNotReady = 6040,
    /// The change has waited too long.
    #[error(
        "The change has waited too long. What to do: nobody executed it in time; cancel it and propose it again."
    )]
    ProposalExpired = 6041,
    /// Claims can't be paused like this.
    #[error(
        "Claims can't be paused like this. What to do: a pause is at most as long as the timelock, and the next may begin when claims have been open for as long."
    )]
    PauseRefused = 6042,
    /// Claims are not paused.
    #[error("Claims are not paused. What to do: there is nothing to resume.")]
    NotPaused = 6043,
    /// The pool can't pay this now.
    #[error(
        "The pool can't pay this now. What to do: what open epochs have reserved is out of reach; close the epochs whose windows have shut, then try again."
    )]
    InsufficientLiquidity = 6044,
    /// The withdrawal still cools down.
    #[error("The withdrawal still cools down. What to do: it is paid from its ready_at on.")]
    WithdrawalNotReady = 6045,
    /// The deposit earns fewer shares than asked for.
    #[error(
        "The deposit earns fewer shares than asked for. What to do: the share price has moved; ask for fewer, or wait."
    )]
    TooFewShares = 6046,
    /// The operator has left already.
    #[error(
        "The operator has left already. What to do: its leaf is gone; its bond is released when the last epoch with it has shut."
    )]
    OperatorLeft = 6047,
    /// The operator has not left.
    #[error("The operator has not left. What to do: exit first; the bond is released later.")]
    OperatorActive = 6048,
    /// The bond is not released yet.
    #[error(
        "The bond is not released yet. What to do: wait until the last epoch with this operator's leaf has shut."
    )]
    BondLocked = 6049,
    /// The path doesn't lead from this leaf to the registry's root.
    #[error(
        "The path doesn't lead from this leaf to the registry's root. What to do: the registry has changed since; read all operators and compute the path again."
    )]
    WrongPath = 6050,
    /// The secret is not this operator's.
    #[error(
        "The secret is not this operator's. What to do: its commitment must be that of the operator's account."
    )]
    WrongSecret = 6051,
    /// There is no bond.
    #[error("There is no bond. What to do: the operator was slashed before.")]
    NothingToSlash = 6052,
    /// No voucher stands right before this instruction.
    #[error(
        "No voucher stands right before this instruction. What to do: the instruction before must be the Ed25519 program's, with one signature, laid out as the interface crate writes it."
    )]
    VoucherMissing = 6053,
    /// The signed voucher is not this channel's.
    #[error(
        "The signed voucher is not this channel's. What to do: key, domain, channel, generation and sum must be those of the channel and the instruction."
    )]
    WrongVoucher = 6054,
    /// The voucher is not above what was settled.
    #[error(
        "The voucher is not above what was settled. What to do: vouchers are cumulative; settle the latest."
    )]
    VoucherNotNewer = 6055,
    /// The voucher is above what was paid into the channel.
    #[error(
        "The voucher is above what was paid into the channel. What to do: the consumer must top up first."
    )]
    VoucherExceedsDeposit = 6056,
    /// The channel is closing.
    #[error("The channel is closing. What to do: open a new one when it is finished.")]
    ChannelClosing = 6057,
    /// The channel can't be finished yet.
    #[error(
        "The channel can't be finished yet. What to do: begin to close it, and wait for the challenge period, or for its expiry."
    )]
    ChannelOpen = 6058,
    /// The channel's expiry is not acceptable.
    #[error(
        "The channel's expiry is not acceptable. What to do: it must be further away than the challenge period, and never moves back."
    )]
    InvalidExpiry = 6059,
    /// The mint is of Token-2022.
    #[error(
        "The mint is of Token-2022. What to do: its extensions (transfer fees, hooks, permanent delegates) would break the pool's accounting; use a mint of SPL Token."
    )]
    Token2022Unsupported = 6060,
    /// Claims are not frozen.
    #[error(
        "Claims are not frozen. What to do: a freeze is lifted by what is proposed after it; there is nothing to lift, or the proposal is older."
    )]
    NotFrozen = 6061,
}

impl PoolError {
    /// All refusals, in order of their numbers.
    pub const ALL: [Self; 62] = [
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
        Self::ClaimsPaused,
        Self::ClaimsFrozen,
        Self::WrongAuthority,
        Self::ProposalNotReady,
        Self::ProposalExpired,
        Self::PauseRefused,
        Self::NotPaused,
        Self::InsufficientLiquidity,
        Self::WithdrawalNotReady,
        Self::TooFewShares,
        Self::OperatorLeft,
        Self::OperatorActive,
        Self::BondLocked,
        Self::WrongPath,
        Self::WrongSecret,
        Self::NothingToSlash,
        Self::VoucherMissing,
        Self::WrongVoucher,
        Self::VoucherNotNewer,
        Self::VoucherExceedsDeposit,
        Self::ChannelClosing,
        Self::ChannelOpen,
        Self::InvalidExpiry,
        Self::Token2022Unsupported,
        Self::NotFrozen,
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
            Self::ClaimsPaused => "ClaimsPaused",
            Self::ClaimsFrozen => "ClaimsFrozen",
            Self::WrongAuthority => "WrongAuthority",
            Self::ProposalNotReady => "ProposalNotReady",
            Self::ProposalExpired => "ProposalExpired",
            Self::PauseRefused => "PauseRefused",
            Self::NotPaused => "NotPaused",
            Self::InsufficientLiquidity => "InsufficientLiquidity",
            Self::WithdrawalNotReady => "WithdrawalNotReady",
            Self::TooFewShares => "TooFewShares",
            Self::OperatorLeft => "OperatorLeft",
            Self::OperatorActive => "OperatorActive",
            Self::BondLocked => "BondLocked",
            Self::WrongPath => "WrongPath",
            Self::WrongSecret => "WrongSecret",
            Self::NothingToSlash => "NothingToSlash",
            Self::VoucherMissing => "VoucherMissing",
            Self::WrongVoucher => "WrongVoucher",
            Self::VoucherNotNewer => "VoucherNotNewer",
            Self::VoucherExceedsDeposit => "VoucherExceedsDeposit",
            Self::ChannelClosing => "ChannelClosing",
            Self::ChannelOpen => "ChannelOpen",
            Self::InvalidExpiry => "InvalidExpiry",
            Self::Token2022Unsupported => "Token2022Unsupported",
            Self::NotFrozen => "NotFrozen",
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
