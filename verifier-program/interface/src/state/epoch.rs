//! An epoch.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::{
    AddressBytes, Class, ClassId, EpochId, MeasurerCount, NullifierBytes, RegistryRootBytes,
    SetHashBytes,
    claim::{Binding, PublicInputs},
};

use super::{Deadline, Record, discriminator};
use crate::hashing::{self, PoseidonUnavailable};

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
    /// Claims are accepted until before here, and longer by as much as they are paused ([`Self::deadline`]).
    pub claim_until: i64,
    /// Seconds for which the pool's claims had been paused when the epoch opened.
    pub paused_before: u32,
    /// Frozen root.
    pub registry_root: RegistryRootBytes,
    /// Frozen number of leaves, those of operators that have left among them.
    pub leaf_count: u32,
    /// Frozen number of operators: the most claims that can be true.
    pub operators: u32,
    /// Frozen measurer set.
    pub set_hash: SetHashBytes,
    /// Number of measurers.
    pub measurers: u8,
    /// SHA-256 of the verifying key.
    pub verifying_key: [u8; 32],
    /// What weight 1 earns.
    pub rate: u64,
    /// What was reserved when it opened: rate · operators · largest weight.
    pub budget: u64,
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
    const DISCRIMINATOR: u8 = discriminator::EPOCH;

    fn is_consistent(&self) -> bool {
        MeasurerCount::try_from(usize::from(self.measurers)).is_ok()
            && crate::class::is_valid_table(&self.classes)
    }
}

impl Epoch {
    /// When the claim window shuts.
    #[must_use]
    pub const fn deadline(&self) -> Deadline {
        Deadline {
            at: self.claim_until,
            paused_before: self.paused_before,
        }
    }

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
