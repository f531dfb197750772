//! What goes into the cells, in halo2's field.

use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::Field as _;
use halo2_proofs::halo2curves::ff::Field;
use veilpool_primitives::{
    MeasurerKey,
    digits::{DIGITS, Digit, digits},
    schnorr::multiplier,
};
use veilpool_protocol::{
    Metrics,
    registry::{ARITY, DEPTH},
};

use super::super::{Attestation, Witness, slot::SlotValues};
use crate::field::{Fr, from_ark, from_bytes};

/// Everything. Any values of the right shape do for keys.
pub(in crate::claim) struct Values {
    /// What x folds, tag and thresholds apart.
    pub(super) registry_root: Fr,
    pub(super) set_hash: Fr,
    pub(super) epoch: Fr,
    pub(super) nullifier: Fr,
    pub(super) binding: Fr,
    /// Bandwidth, uptime, latency, zone.
    pub(in crate::claim) thresholds: [Fr; 4],
    pub(super) sk: Fr,
    pub(super) children: [[Fr; ARITY]; DEPTH],
    pub(super) domain: Fr,
    pub(in crate::claim) slots: Vec<Slot>,
}

pub(in crate::claim) struct Slot {
    pub(in crate::claim) present: bool,
    /// Bandwidth, uptime, latency, zone.
    pub(in crate::claim) metrics: [Fr; 4],
    pub(in crate::claim) signature: SlotValues,
}

impl Values {
    pub(in crate::claim) fn of<const N: usize>(witness: &Witness<N>) -> Self {
        let claimed = &witness.claimed;
        let leaf = witness.secret.commitment().to_field();
        let children = witness.path.children(leaf).0;
        let thresholds = &claimed.thresholds;
        let slots = witness.measurers.iter().zip(&witness.attestations);
        Self {
            registry_root: from_bytes(claimed.registry_root.to_field()),
            set_hash: from_bytes(claimed.set_hash.to_field()),
            epoch: Fr::from(u64::from(claimed.epoch.get())),
            nullifier: from_bytes(claimed.nullifier.to_field()),
            binding: from_bytes(claimed.binding.to_field()),
            thresholds: metric_values(&Metrics {
                bandwidth: thresholds.bandwidth,
                uptime: thresholds.uptime,
                latency: thresholds.latency,
                zone: thresholds.zone,
            }),
            sk: from_ark(&witness.secret.expose_scalar()),
            children: children.map(|level| level.each_ref().map(from_ark)),
            domain: from_bytes(witness.domain.to_field()),
            slots: slots
                .map(|(key, attestation)| Slot::of(key, attestation.as_ref()))
                .collect(),
        }
    }

    /// For keys.
    pub(in crate::claim) fn blank(n: usize) -> Self {
        let slot = |_| Slot {
            present: false,
            metrics: [Fr::ZERO; 4],
            signature: absent(&EdwardsAffine::generator()),
        };
        Self {
            registry_root: Fr::ZERO,
            set_hash: Fr::ZERO,
            epoch: Fr::ZERO,
            nullifier: Fr::ZERO,
            binding: Fr::ZERO,
            thresholds: [Fr::ZERO; 4],
            sk: Fr::ZERO,
            children: [[Fr::ZERO; ARITY]; DEPTH],
            domain: Fr::ZERO,
            slots: (0..n).map(slot).collect(),
        }
    }
}

impl Slot {
    fn of(key: &MeasurerKey, attestation: Option<&Attestation>) -> Self {
        let key = *key.point();
        match attestation {
            Some(Attestation { metrics, signature }) => Self {
                present: true,
                metrics: metric_values(metrics),
                signature: SlotValues {
                    key,
                    challenge: signature.challenge,
                    // A response that isn't short has no digits, and no cells can stand for it.
                    digits: digits(&signature.response).unwrap_or(LOWEST),
                },
            },
            None => Self {
                present: false,
                metrics: [Fr::ZERO; 4],
                signature: absent(&key),
            },
        }
    }
}

const LOWEST: [Digit; DIGITS] = [Digit {
    index: 0,
    negative: false,
}; DIGITS];

// A signature for an absent slot: not valid, but with an R other than O, whatever the key.
fn absent(key: &EdwardsAffine) -> SlotValues {
    let from_key = (key.into_group() * multiplier(0)).into_affine();
    let half = SubgroupScalar::from(2u8).inverse();
    let mut response = half.unwrap_or(SubgroupScalar::from(0u8));
    while (EdwardsProjective::generator() * response).into_affine() == from_key {
        response += SubgroupScalar::from(1u8);
    }
    SlotValues {
        key: *key,
        challenge: 0,
        digits: digits(&response).unwrap_or(LOWEST),
    }
}

fn metric_values(metrics: &Metrics) -> [Fr; 4] {
    [
        metrics.bandwidth.get(),
        metrics.uptime.get(),
        metrics.latency.get(),
        u16::from(metrics.zone.get()),
    ]
    .map(|value| Fr::from(u64::from(value)))
}
