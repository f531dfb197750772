//! Instructions: one tag byte, then borsh fields; trailing bytes are errors. The accounts of each
//! stand with its builder in [`crate::builder`] and at the head of its file in the program.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::{
    AddressBytes, Class, ClassId, CommitmentBytes, EpochId, MeasurerKeyBytes, NullifierBytes,
    ProofBytes,
};

use crate::PoolError;

/// Rules of a new pool.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct InitialisePool {
    /// Attestation keys of 3, 5 or 7 measurers, in order. The program can't check that they are points of the
    /// prime-order subgroup; whoever makes the set does, and anybody can (`primitives::MeasurerSet`, attack C5). A
    /// point of small order may be signed for by anybody: its slot counts as one of the f that lie.
    pub measurers: Vec<MeasurerKeyBytes>,
    /// 1 to 16 classes.
    pub classes: Vec<Class>,
    /// A bond, in the token's smallest unit.
    pub bond_amount: u64,
    /// Length of an epoch.
    pub epoch_seconds: u32,
    /// Length of a claim window.
    pub claim_window_seconds: u32,
    /// The most that weight 1 earns in an epoch.
    pub rate_cap: u64,
    /// The most that an epoch may pay of what is available, in basis points.
    pub outflow_bps: u16,
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

/// What the program can be asked to do. Append-only.
#[allow(clippy::large_enum_variant)] // One exists at a time, and boxing would cost heap on chain.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum PoolInstruction {
    /// Makes a pool with its vaults.
    InitialisePool(InitialisePool),
    /// Gives tokens to the pool for shares.
    Deposit {
        /// In the token's smallest unit.
        amount: u64,
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
    CloseClaim {
        /// The epoch.
        epoch: EpochId,
        /// The nullifier.
        nullifier: NullifierBytes,
    },
    /// Closes an epoch after the window and releases what it reserved. Anyone may.
    CloseEpoch {
        /// Its number.
        epoch: EpochId,
    },
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
