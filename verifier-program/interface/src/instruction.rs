//! Instructions: one tag byte, then borsh fields; trailing bytes are errors. The accounts of each are in
//! [`crate::accounts`].

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::{
    AddressBytes, Class, ClassId, CommitmentBytes, EpochId, FieldBytes, MeasurerKeyBytes,
    NullifierBytes, ProofBytes, verifying_key,
};

use crate::{
    PoolError,
    registry::RegistryPath,
    state::{Change, Parameters},
};

/// Rules of a new pool.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct InitialisePool {
    /// Attestation keys of 3, 5 or 7 measurers, in order. The program can't check that they are points of the
    /// prime-order subgroup; whoever makes the set does, and anybody can (`primitives::MeasurerSet`, attack C5). A
    /// point of small order may be signed for by anybody: its slot counts as one of the f that lie.
    pub measurers: Vec<MeasurerKeyBytes>,
    /// 1 to 16 classes.
    pub classes: Vec<Class>,
    /// What governance may change later.
    pub parameters: Parameters,
    /// How long a change waits. Never changes.
    pub timelock_seconds: u32,
    /// Who proposes changes and pauses claims: any address that can sign, a multisig's among them.
    pub authority: AddressBytes,
    /// First price of traffic, in millionths of the token's smallest unit per MiB.
    pub price: u64,
    /// Hash of the cluster's genesis.
    pub genesis_hash: [u8; 32],
}

/// A claim.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ClaimArguments {
    /// The epoch.
    pub epoch: EpochId,
    /// The class.
    pub class: ClassId,
    /// The nullifier.
    pub nullifier: NullifierBytes,
    /// Holder of the token account to pay.
    pub payout: AddressBytes,
    /// The most the relayer may keep; bound by the proof.
    pub max_fee: u64,
    /// What the relayer keeps.
    pub fee: u64,
    /// The proof.
    pub proof: ProofBytes,
}

/// A new channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OpenChannel {
    /// Whom vouchers will be for.
    pub hub: AddressBytes,
    /// The Ed25519 key that will sign them.
    pub voucher_key: AddressBytes,
    /// Paid in.
    pub amount: u64,
    /// What the hub keeps of what it settles, in basis points.
    pub hub_fee_bps: u16,
    /// From when on the rest can be had back in any case, in Unix seconds.
    pub expires_at: i64,
}

/// What the program can be asked to do. Append-only.
#[allow(clippy::large_enum_variant)] // One exists at a time, and boxing would cost heap on chain.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum PoolInstruction {
    /// Makes a pool with its vaults and its mint of shares.
    InitialisePool(InitialisePool),
    /// Gives tokens to the pool for shares.
    Deposit {
        /// In the token's smallest unit.
        amount: u64,
        /// Refused when it would earn fewer.
        min_shares: u64,
    },
    /// Bonds an operator and appends its leaf.
    RegisterOperator {
        /// The leaf.
        commitment: CommitmentBytes,
    },
    /// Opens the next epoch. Anyone may.
    OpenEpoch {
        /// Its number: the pool's next.
        epoch: EpochId,
    },
    /// Verifies a proof and pays.
    Claim(ClaimArguments),
    /// Closes a claim's account after the window. Anyone may.
    CloseClaim,
    /// Closes an epoch after the window and releases what it reserved. Anyone may.
    CloseEpoch,
    /// Publishes a verifying key, whose points are checked. Anyone may.
    PublishKey {
        /// The key's file.
        file: [u8; verifying_key::LEN],
    },
    /// Hands in shares, to be paid after the cool-down.
    RequestWithdrawal {
        /// The owner's own number of it: none that is waiting.
        number: u32,
        /// How many.
        shares: u64,
    },
    /// Pays a withdrawal that has waited. Anyone may.
    Withdraw,
    /// Takes an operator's leaf out of the registry; its bond is released later.
    ExitOperator {
        /// From the leaf to the root.
        path: RegistryPath,
    },
    /// Takes the bond of an operator whose secret has been revealed: a part goes to whoever shows it, the rest to
    /// the pool.
    SlashOperator {
        /// The secret.
        secret: FieldBytes,
        /// From the leaf to the root; `None` when the operator has left.
        path: Option<RegistryPath>,
    },
    /// Gives the bond of an operator that has left back. Anyone may.
    ReleaseBond,
    /// Opens a channel to a hub.
    OpenChannel(OpenChannel),
    /// Pays more into a channel, and may move its expiry.
    TopUpChannel {
        /// Paid in.
        amount: u64,
        /// Not before the present one, in Unix seconds.
        expires_at: i64,
    },
    /// Pays a voucher, which the instruction before has verified: to the hub its fee, to the pool the rest.
    /// Anyone may.
    SettleChannel {
        /// The voucher's sum.
        sum: u64,
    },
    /// Begins to close a channel: the consumer with a challenge period, the hub without.
    CloseChannel,
    /// Gives the rest of a channel back. Anyone may.
    FinishChannel,
    /// Proposes a change.
    Propose {
        /// The authority's own number of it: none that is waiting.
        number: u32,
        /// What to change.
        change: Change,
    },
    /// Takes a proposal back.
    CancelProposal,
    /// Carries out a proposal that has waited. Anyone may.
    ExecuteProposal,
    /// Pauses claims; windows last longer by as much.
    PauseClaims {
        /// For how long, at most the timelock.
        seconds: u32,
    },
    /// Ends a pause early.
    ResumeClaims,
    /// Begins to hand the authority over.
    ProposeAuthority {
        /// To whom; zeros to nobody.
        authority: AddressBytes,
    },
    /// Takes the authority over.
    AcceptAuthority,
}

impl PoolInstruction {
    /// All bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // Writing to memory can't fail.
        let _ = self.serialize(&mut out);
        out
    }

    /// From exactly these bytes.
    ///
    /// # Errors
    /// [`PoolError::InvalidInstruction`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PoolError> {
        Self::try_from_slice(bytes).map_err(|_| PoolError::InvalidInstruction)
    }
}

/// First bytes.
pub mod tag {
    /// Of [`super::PoolInstruction::InitialisePool`].
    pub const INITIALISE_POOL: u8 = 0;
    /// Of [`super::PoolInstruction::Deposit`].
    pub const DEPOSIT: u8 = 1;
    /// Of [`super::PoolInstruction::RegisterOperator`].
    pub const REGISTER_OPERATOR: u8 = 2;
    /// Of [`super::PoolInstruction::OpenEpoch`].
    pub const OPEN_EPOCH: u8 = 3;
    /// Of [`super::PoolInstruction::Claim`].
    pub const CLAIM: u8 = 4;
    /// Of [`super::PoolInstruction::CloseClaim`].
    pub const CLOSE_CLAIM: u8 = 5;
    /// Of [`super::PoolInstruction::CloseEpoch`].
    pub const CLOSE_EPOCH: u8 = 6;
    /// Of [`super::PoolInstruction::PublishKey`].
    pub const PUBLISH_KEY: u8 = 7;
    /// Of [`super::PoolInstruction::RequestWithdrawal`].
    pub const REQUEST_WITHDRAWAL: u8 = 8;
    /// Of [`super::PoolInstruction::Withdraw`].
    pub const WITHDRAW: u8 = 9;
    /// Of [`super::PoolInstruction::ExitOperator`].
    pub const EXIT_OPERATOR: u8 = 10;
    /// Of [`super::PoolInstruction::SlashOperator`].
    pub const SLASH_OPERATOR: u8 = 11;
    /// Of [`super::PoolInstruction::ReleaseBond`].
    pub const RELEASE_BOND: u8 = 12;
    /// Of [`super::PoolInstruction::OpenChannel`].
    pub const OPEN_CHANNEL: u8 = 13;
    /// Of [`super::PoolInstruction::TopUpChannel`].
    pub const TOP_UP_CHANNEL: u8 = 14;
    /// Of [`super::PoolInstruction::SettleChannel`].
    pub const SETTLE_CHANNEL: u8 = 15;
    /// Of [`super::PoolInstruction::CloseChannel`].
    pub const CLOSE_CHANNEL: u8 = 16;
    /// Of [`super::PoolInstruction::FinishChannel`].
    pub const FINISH_CHANNEL: u8 = 17;
    /// Of [`super::PoolInstruction::Propose`].
    pub const PROPOSE: u8 = 18;
    /// Of [`super::PoolInstruction::CancelProposal`].
    pub const CANCEL_PROPOSAL: u8 = 19;
    /// Of [`super::PoolInstruction::ExecuteProposal`].
    pub const EXECUTE_PROPOSAL: u8 = 20;
    /// Of [`super::PoolInstruction::PauseClaims`].
    pub const PAUSE_CLAIMS: u8 = 21;
    /// Of [`super::PoolInstruction::ResumeClaims`].
    pub const RESUME_CLAIMS: u8 = 22;
    /// Of [`super::PoolInstruction::ProposeAuthority`].
    pub const PROPOSE_AUTHORITY: u8 = 23;
    /// Of [`super::PoolInstruction::AcceptAuthority`].
    pub const ACCEPT_AUTHORITY: u8 = 24;
}
