//! The inputs of a proof, from what was collected and what the chain says.

use veilpool_interface::Epoch;
use veilpool_primitives::{
    MeasurerSet, MeasurerSetError, OperatorSecret, RegistryTree, claim as fold,
};
use veilpool_protocol::{
    AddressBytes, CommitmentBytes, DomainBytes,
    claim::{Binding, PublicInputs},
};
use veilpool_prover::{AttestationDocument, ClaimDocument, ClaimInputs, InputError};

use super::record::ClaimRecord;
use crate::identity;

/// Why a claim's inputs can't be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The measurers changed, or were misread.
    #[error(
        "the measurers recorded when the epoch opened aren't those that the chain froze; nothing that they signed counts"
    )]
    MeasurerSet,
    /// The keys make no set.
    #[error(transparent)]
    Measurers(#[from] MeasurerSetError),
    /// The leaves give another root.
    #[error(
        "the leaves that the RPC node gave don't lead to the root that the chain froze; ask another node"
    )]
    Root,
    /// More leaves than the tree holds.
    #[error("the RPC node gave more leaves than the registry holds; ask another node")]
    RegistryFull,
    /// The operator isn't among the leaves.
    #[error(
        "this operator wasn't registered when the epoch opened; it can claim from the epoch that opens next after its bond"
    )]
    NotRegistered,
    /// No such class.
    #[error("the epoch has no class {0}")]
    UnknownClass(u8),
    /// The prover doesn't take them.
    #[error(transparent)]
    Inputs(#[from] InputError),
}

impl PrepareError {
    /// Whether asking the chain again may help.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Root | Self::RegistryFull)
    }
}

/// Puts a claim's inputs together. All leaves go in and the path is made here: asking for it would tell whose it
/// is (attack L4).
///
/// # Errors
/// [`PrepareError`].
pub fn prepare(
    record: &ClaimRecord,
    epoch: &Epoch,
    leaves: Vec<CommitmentBytes>,
    domain: DomainBytes,
    binding: &Binding,
    secret: &OperatorSecret,
) -> Result<ClaimInputs, PrepareError> {
    let set = MeasurerSet::from_bytes(&record.measurers)?;
    if set.hash(domain) != epoch.set_hash {
        return Err(PrepareError::MeasurerSet);
    }
    let tree = RegistryTree::from_leaves(leaves).map_err(|_| PrepareError::RegistryFull)?;
    if tree.root() != epoch.registry_root {
        return Err(PrepareError::Root);
    }
    let path = tree
        .find(secret.commitment().to_bytes())
        .and_then(|index| tree.path(index))
        .ok_or(PrepareError::NotRegistered)?;
    let class = epoch
        .class(binding.class)
        .ok_or(PrepareError::UnknownClass(binding.class.get()))?;
    let claimed = PublicInputs {
        registry_root: epoch.registry_root,
        set_hash: epoch.set_hash,
        epoch: epoch.number,
        thresholds: class.thresholds,
        nullifier: secret.nullifier(epoch.number).to_bytes(),
        binding: fold::binding(binding),
    };
    let attestations: Vec<Option<AttestationDocument>> = record
        .slots()
        .iter()
        .map(|slot| slot.as_ref().map(AttestationDocument::from))
        .collect();
    let secret = identity::again(secret);
    Ok(ClaimInputs::new(
        claimed,
        domain,
        path,
        set,
        &attestations,
        secret,
    )?)
}

/// The binding of a claim.
#[must_use]
pub fn binding(
    (program, pool, mint): (AddressBytes, AddressBytes, AddressBytes),
    record: &ClaimRecord,
    class: veilpool_protocol::ClassId,
    (relayer, max_fee): (AddressBytes, u64),
    secret: &OperatorSecret,
) -> Binding {
    Binding {
        program,
        pool,
        epoch: record.epoch,
        class,
        payout: payout(secret, &pool, record.epoch),
        mint,
        relayer,
        max_fee,
    }
}

/// Who is paid for an epoch.
#[must_use]
pub fn payout(
    secret: &OperatorSecret,
    pool: &AddressBytes,
    epoch: veilpool_protocol::EpochId,
) -> AddressBytes {
    AddressBytes::new(secret.payout_key(pool, epoch).verifying_key().to_bytes())
}

/// A claim without the operator's secret, for `veilpool prove` on another machine. It names the leaf beside the
/// nullifier: whoever reads it knows whose claim it is. So it is made when it is asked for and not kept.
///
/// # Errors
/// [`PrepareError`].
pub fn document(
    record: &ClaimRecord,
    epoch: &Epoch,
    leaves: Vec<CommitmentBytes>,
    domain: DomainBytes,
    binding: &Binding,
    secret: &OperatorSecret,
) -> Result<ClaimDocument, PrepareError> {
    Ok(prepare(record, epoch, leaves, domain, binding, secret)?.to_document())
}
