//! Operators and measurers, each from a seed, so that every run has the same people.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use solana_keypair::Keypair;
use veilpool_primitives::{MeasurerSecret, MeasurerSet, OperatorSecret};
use veilpool_protocol::{
    Bandwidth, CommitmentBytes, EpochId, FieldBytes, Latency, MeasurerCount, MeasurerKeyBytes,
    Metrics, NullifierBytes, Uptime, Zone,
};

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person(pub u8);

impl Person {
    /// Its secret.
    #[must_use]
    pub fn secret(self) -> OperatorSecret {
        OperatorSecret::from_entropy(&[self.0 + 1; 64])
    }

    /// Its secret when it has been revealed.
    ///
    /// # Panics
    /// Never: it is canonical.
    #[must_use]
    pub fn revealed(self) -> FieldBytes {
        FieldBytes::new(*self.secret().expose_bytes()).unwrap()
    }

    /// Its commitment.
    #[must_use]
    pub fn commitment(self) -> CommitmentBytes {
        self.secret().commitment().to_bytes()
    }

    /// Its nullifier of an epoch.
    #[must_use]
    pub fn nullifier(self, epoch: EpochId) -> NullifierBytes {
        self.secret().nullifier(epoch).to_bytes()
    }
}

/// Who governs the pools of tests.
#[must_use]
pub fn authority() -> Keypair {
    Keypair::new_from_array([0x33; 32])
}

/// A generator for what is random.
#[must_use]
pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// The measurers' secrets.
#[must_use]
pub fn measurers(count: MeasurerCount) -> Vec<MeasurerSecret> {
    let rng = &mut rng(count.get() as u64);
    (0..count.get())
        .map(|_| MeasurerSecret::generate(rng))
        .collect()
}

/// The measurers' keys.
///
/// # Panics
/// Never: random keys are distinct.
#[must_use]
pub fn measurer_set(count: MeasurerCount) -> MeasurerSet {
    MeasurerSet::new(measurers(count).iter().map(MeasurerSecret::key).collect()).unwrap()
}

/// The same as bytes.
#[must_use]
pub fn measurer_keys(count: MeasurerCount) -> Vec<MeasurerKeyBytes> {
    measurer_set(count)
        .keys()
        .iter()
        .map(veilpool_primitives::MeasurerKey::to_bytes)
        .collect()
}

/// What measurers see of a node that earns every class.
#[must_use]
pub const fn best_metrics() -> Metrics {
    Metrics {
        bandwidth: Bandwidth::new(5_000),
        uptime: Uptime::new(144),
        latency: Latency::new(9),
        zone: Zone::new(1),
    }
}
