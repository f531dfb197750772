//! What the program stores: five account types, each `discriminator ‖ version ‖ borsh fields`.
//! The length of an account is that of its encoding; a decoder refuses any other.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::{
    AddressBytes, Class, ClassId, CommitmentBytes, DomainBytes, EpochId, MeasurerCount,
    MeasurerKeyBytes, NullifierBytes, RegistryRootBytes, SetHashBytes,
    claim::{Binding, PublicInputs},
};

use crate::{
    hashing::{self, PoseidonUnavailable},
    registry::{FRONTIER, Registry},
};

/// Version of every account type.
pub const VERSION: u8 = 1;

/// Why bytes are not an account of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Another discriminator.
    #[error("the account is of another type (discriminator {0:?})")]
    Discriminator(Option<u8>),
    /// Another version.
    #[error("the account is of version {0:?}, this software knows {VERSION}: upgrade it")]
    Version(Option<u8>),
    /// Truncated, trailing bytes, or a field out of range.
    #[error("the account's bytes are truncated, too many, or out of range")]
    Malformed,
}

/// An account type.
pub trait Record: BorshSerialize + BorshDeserialize {
    /// First byte.
    const DISCRIMINATOR: u8;

    /// Rules that the fields' types don't express.
    fn is_consistent(&self) -> bool {
        true
    }

    /// All bytes.
    #[must_use]
    fn encode(&self) -> Vec<u8> {
        let mut out = vec![Self::DISCRIMINATOR, VERSION];
        // Writing to memory can't fail.
        let _ = self.serialize(&mut out);
        out
    }

    /// From exactly these bytes.
    ///
    /// # Errors
    /// [`DecodeError`].
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.first() != Some(&Self::DISCRIMINATOR) {
            return Err(DecodeError::Discriminator(bytes.first().copied()));
        }
        if bytes.get(1) != Some(&VERSION) {
            return Err(DecodeError::Version(bytes.get(1).copied()));
        }
        let fields = bytes.get(2..).ok_or(DecodeError::Malformed)?;
        let record = Self::try_from_slice(fields).map_err(|_| DecodeError::Malformed)?;
        if record.is_consistent() {
            Ok(record)
        } else {
            Err(DecodeError::Malformed)
        }
    }
}

/// A pool: its rules, its books and the registry of its operators.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Pool {
    /// Of the pool's address.
    pub bump: u8,
    /// Who made it.
    pub authority: AddressBytes,
    /// Its token.
    pub mint: AddressBytes,
    /// Its token account for rewards.
    pub vault: AddressBytes,
    /// Its token account for bonds.
    pub bond_vault: AddressBytes,
    /// Names the cluster.
    pub genesis_hash: [u8; 32],
    /// Ties signatures to cluster, program and pool.
    pub domain: DomainBytes,
    /// Of `measurers`.
    pub set_hash: SetHashBytes,
    /// SHA-256 of the verifying key's file.
    pub verifying_key: [u8; 32],
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
    /// What the pool owns. Donations to the vault don't count.
    pub assets: u64,
    /// Of `assets`, promised to open epochs.
    pub reserved: u64,
    /// Of all positions.
    pub shares: u128,
    /// Number of the next epoch.
    pub next_epoch: EpochId,
    /// When the latest epoch ends, in Unix seconds; 0 before the first.
    pub latest_ends_at: i64,
    /// In order.
    pub measurers: Vec<MeasurerKeyBytes>,
    /// What earns what.
    pub classes: Vec<Class>,
    /// Of operators.
    pub registry: Registry,
}

impl Record for Pool {
    const DISCRIMINATOR: u8 = 1;

    fn is_consistent(&self) -> bool {
        MeasurerCount::try_from(self.measurers.len()).is_ok()
            && crate::class::is_valid_table(&self.classes)
            && self.registry.frontier.len() == FRONTIER
    }
}

/// An epoch: what was frozen when it opened, and what has been paid.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Epoch {
    /// Of the epoch's address.
    pub bump: u8,
    /// Its pool.
    pub pool: AddressBytes,
    /// Its number.
    pub number: EpochId,
    /// Unix seconds.
    pub starts_at: i64,
    /// Claims are accepted from here.
    pub ends_at: i64,
    /// Claims are accepted until before here.
    pub claim_until: i64,
    /// Frozen root.
    pub registry_root: RegistryRootBytes,
    /// Frozen number of leaves.
    pub leaf_count: u32,
    /// Frozen measurer set.
    pub set_hash: SetHashBytes,
    /// Number of measurers: selects the verifying key.
    pub measurers: u8,
    /// SHA-256 of the verifying key's file.
    pub verifying_key: [u8; 32],
    /// What weight 1 earns.
    pub rate: u64,
    /// Still reserved for this epoch's claims.
    pub reserved: u64,
    /// Claims paid.
    pub claims: u32,
    /// Who gets the rent back.
    pub rent_payer: AddressBytes,
    /// Frozen class table.
    pub classes: Vec<Class>,
}

impl Record for Epoch {
    const DISCRIMINATOR: u8 = 2;

    fn is_consistent(&self) -> bool {
        MeasurerCount::try_from(usize::from(self.measurers)).is_ok()
            && crate::class::is_valid_table(&self.classes)
    }
}

impl Epoch {
    /// A class of the frozen table.
    #[must_use]
    pub fn class(&self, class: ClassId) -> Option<&Class> {
        self.classes.get(usize::from(class.get()))
    }

    /// What a claim's public input folds: all but the binding's preimage comes from this account.
    /// `None` when there is no such class.
    #[must_use]
    pub fn public_inputs(
        &self,
        nullifier: NullifierBytes,
        binding: &Binding,
    ) -> Option<PublicInputs> {
        Some(PublicInputs {
            registry_root: self.registry_root,
            set_hash: self.set_hash,
            epoch: self.number,
            thresholds: self.class(binding.class)?.thresholds,
            nullifier,
            binding: hashing::binding(binding),
        })
    }

    /// The public input that a claim's proof is verified against; `None` when there is no such class.
    /// The relayer's pre-check and the program compute it here.
    ///
    /// # Errors
    /// [`PoseidonUnavailable`].
    pub fn public_input(
        &self,
        nullifier: NullifierBytes,
        binding: &Binding,
    ) -> Result<Option<veilpool_protocol::PublicInputBytes>, PoseidonUnavailable> {
        self.public_inputs(nullifier, binding)
            .map(|inputs| hashing::public_input(&inputs))
            .transpose()
    }
}

/// A bonded operator. Its address holds the commitment, so one commitment is registered once.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Operator {
    /// Of the operator's address.
    pub bump: u8,
    /// Its pool.
    pub pool: AddressBytes,
    /// The leaf.
    pub commitment: CommitmentBytes,
    /// Where it stands in the registry.
    pub leaf_index: u32,
    /// What was bonded.
    pub bond: u64,
    /// Who bonded it.
    pub bonder: AddressBytes,
}

impl Record for Operator {
    const DISCRIMINATOR: u8 = 3;
}

/// What a liquidity provider owns.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Position {
    /// Of the position's address.
    pub bump: u8,
    /// The pool.
    pub pool: AddressBytes,
    /// The provider.
    pub owner: AddressBytes,
    /// Shares.
    pub shares: u128,
}

impl Record for Position {
    const DISCRIMINATOR: u8 = 4;
}

/// A nullifier that has been paid. Its address holds pool, epoch and nullifier.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Claim {
    /// Of the claim's address.
    pub bump: u8,
    /// The pool.
    pub pool: AddressBytes,
    /// The epoch.
    pub epoch: EpochId,
    /// When the account may be closed, in Unix seconds.
    pub claim_until: i64,
    /// Who gets the rent back.
    pub rent_payer: AddressBytes,
}

impl Record for Claim {
    const DISCRIMINATOR: u8 = 5;
}
