//! Names of what the claim circuit states.

use crate::gadget::threshold::Metric;

/// One named part of the relation. As an error, it is the first part that does not hold, and says
/// what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Statement {
    /// x is the hash of what it folds.
    #[error(
        "public-input integrity: the public input isn't the hash of registry root, set hash, epoch, thresholds, nullifier and binding; fold them again from the epoch's account"
    )]
    PublicInputIntegrity,
    /// The commitment is a leaf of the registry.
    #[error(
        "membership: the operator's commitment isn't a leaf under the epoch's registry root; rebuild the path from the leaves that the registry had when the epoch opened (who registered later isn't in it)"
    )]
    Membership,
    /// The nullifier is this operator's, of this epoch.
    #[error(
        "nullifier integrity: the nullifier isn't derived from this operator's secret and this epoch; derive it again"
    )]
    NullifierIntegrity,
    /// The set hash is that of the keys used.
    #[error(
        "measurer-set integrity: the set hash isn't that of these measurers' keys in this order with this domain; use the keys of the set that the epoch froze"
    )]
    MeasurerSetIntegrity,
    /// A slot's signature is valid, if the slot is present.
    #[error(
        "attestation validity: the signature in slot {slot} isn't valid for this operator's subject, this epoch, these values and this domain; fetch the attestation again, or leave the slot out"
    )]
    AttestationValidity {
        /// From 0.
        slot: usize,
    },
    /// A majority of all slots passes.
    #[error(
        "thresholds: fewer than a majority of all measurers attested a {metric} that passes; claim a class with a lower threshold"
    )]
    Thresholds {
        /// Which one.
        metric: Metric,
    },
    /// The binding takes part in the relation. Holds for every input: only an edited assignment can
    /// violate it.
    #[error("binding: the assignment's square of the binding is wrong")]
    Binding,
}

impl Statement {
    /// All statements of the circuit for `n` measurers, in the order of `docs/protocol.md`.
    #[must_use]
    pub fn all(n: usize) -> Vec<Self> {
        let mut all = vec![
            Self::PublicInputIntegrity,
            Self::Membership,
            Self::NullifierIntegrity,
            Self::MeasurerSetIntegrity,
        ];
        all.extend((0..n).map(|slot| Self::AttestationValidity { slot }));
        all.extend(Metric::ALL.map(|metric| Self::Thresholds { metric }));
        all.push(Self::Binding);
        all
    }
}
