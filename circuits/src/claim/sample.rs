//! Made-up claims that satisfy the circuit: for tests, benches and sample exports. Signatures, tree
//! and hashes are real; only the people are invented.

use rand::{CryptoRng, RngCore};
use veilpool_primitives::{
    MeasurerSecret, MeasurerSet, OperatorSecret, RegistryTree, attestation::message,
};
use veilpool_protocol::{
    Bandwidth, BindingBytes, CommitmentBytes, DomainBytes, EpochId, FieldBytes, Latency, Metrics,
    Thresholds, Uptime, Zone, claim,
};

use super::{Attestation, Witness};

/// A claim with the secrets of its measurers, so that tests can sign something else.
pub struct Sample<const N: usize> {
    /// The claim.
    pub witness: Witness<N>,
    /// Of the measurers, in order.
    pub secrets: Vec<MeasurerSecret>,
}

/// What an honest measurer saw in a sample.
#[must_use]
pub const fn good_metrics() -> Metrics {
    Metrics {
        bandwidth: Bandwidth::new(700),
        uptime: Uptime::new(143),
        latency: Latency::new(30),
        zone: Zone::new(3),
    }
}

/// The class that a sample claims.
#[must_use]
pub const fn thresholds() -> Thresholds {
    Thresholds {
        bandwidth: Bandwidth::new(500),
        uptime: Uptime::new(140),
        latency: Latency::new(80),
        zone: Zone::new(3),
    }
}

impl<const N: usize> Sample<N> {
    /// An operator among five, attested well by every measurer.
    ///
    /// # Panics
    /// Never: five leaves fit, and random keys are distinct.
    pub fn generate<R: RngCore + CryptoRng>(rng: &mut R) -> Self {
        let secret = OperatorSecret::generate(rng);
        let secrets: Vec<MeasurerSecret> = (0..N).map(|_| MeasurerSecret::generate(rng)).collect();
        let measurers = core::array::from_fn(|slot| secrets[slot].key());
        let domain = DomainBytes::from_field(random_digest(rng));
        let epoch = EpochId::new(rng.next_u32());

        let others: Vec<CommitmentBytes> = (0..4)
            .map(|_| OperatorSecret::generate(rng).commitment().to_bytes())
            .collect();
        let leaves = others[..2]
            .iter()
            .copied()
            .chain([secret.commitment().to_bytes()])
            .chain(others[2..].iter().copied());
        let tree = RegistryTree::from_leaves(leaves).unwrap_or_default();
        let Some(path) = tree.path(2) else {
            unreachable!("the tree has five leaves")
        };
        let set_hash = match MeasurerSet::new(measurers.to_vec()) {
            Ok(set) => set.hash(domain),
            Err(error) => unreachable!("random keys are distinct: {error}"),
        };
        let claimed = claim::PublicInputs {
            registry_root: tree.root(),
            set_hash,
            epoch,
            thresholds: thresholds(),
            nullifier: secret.nullifier(epoch).to_bytes(),
            binding: BindingBytes::from_field(random_digest(rng)),
        };
        let mut sample = Self {
            witness: Witness {
                claimed,
                secret,
                path,
                domain,
                measurers,
                attestations: [None; N],
            },
            secrets,
        };
        for slot in 0..N {
            sample.attest(slot, good_metrics(), rng);
        }
        sample
    }

    /// Has the measurer of a slot sign these metrics.
    pub fn attest<R: RngCore + CryptoRng>(&mut self, slot: usize, metrics: Metrics, rng: &mut R) {
        let witness = &mut self.witness;
        let epoch = witness.claimed.epoch;
        let subject = witness.secret.subject(epoch).to_bytes();
        let message = message(&witness.domain, &subject, epoch, &metrics);
        witness.attestations[slot] = Some(Attestation {
            metrics,
            signature: self.secrets[slot].sign(&message, rng),
        });
    }
}

fn random_digest<R: RngCore>(rng: &mut R) -> FieldBytes {
    let mut digest = [0u8; 32];
    rng.fill_bytes(&mut digest);
    FieldBytes::from_digest(&digest)
}
