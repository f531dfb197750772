//! Names of what the claim circuit states.

/// What is measured, in the order of every table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// At least.
    Bandwidth,
    /// At least.
    Uptime,
    /// At most.
    Latency,
    /// Equal, if the class has one.
    Zone,
}

impl Metric {
    /// All four, in order.
    pub const ALL: [Self; 4] = [Self::Bandwidth, Self::Uptime, Self::Latency, Self::Zone];
}

impl core::fmt::Display for Metric {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Bandwidth => "bandwidth",
            Self::Uptime => "uptime",
            Self::Latency => "latency",
            Self::Zone => "zone",
        })
    }
}

/// One named part of the relation. As an error, it is the first part that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Statement {
    /// x is the hash of what it folds.
    #[error(
        "public-input integrity: the public input isn't the hash of registry root, set hash, epoch, thresholds, nullifier and binding"
    )]
    PublicInputIntegrity,
    /// The commitment is a leaf of the registry.
    #[error("membership: the operator's commitment isn't a leaf under the registry root")]
    Membership,
    /// The nullifier is this operator's, of this epoch.
    #[error(
        "nullifier integrity: the nullifier isn't derived from this operator's secret and this epoch"
    )]
    NullifierIntegrity,
    /// The set hash is that of the keys used.
    #[error(
        "measurer-set integrity: the set hash isn't that of these measurers' keys in this order with this domain"
    )]
    MeasurerSetIntegrity,
    /// A slot's signature is valid, if the slot is present.
    #[error(
        "attestation validity: the signature in slot {slot} isn't valid for this operator's subject, this epoch, these values and this domain"
    )]
    AttestationValidity {
        /// From 0.
        slot: usize,
    },
    /// A majority of all slots passes.
    #[error("thresholds: fewer than a majority of all measurers attested a {metric} that passes")]
    Thresholds {
        /// Which one.
        metric: Metric,
    },
}

impl Statement {
    /// All statements of the circuit for `n` measurers, in order.
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
        all
    }
}
