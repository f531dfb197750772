//! The measurers of an epoch in order, and the hash that names them together with the domain
//! (layout in `protocol::measurer_set`).

use ark_bn254::Fr;
use veilpool_protocol::{
    DomainBytes, MeasurerCount, MeasurerKeyBytes, SetHashBytes,
    measurer_set::{SPLIT, UnsupportedMeasurerCount},
    tag,
};

use crate::{
    field,
    measurer_key::{InvalidMeasurerKey, MeasurerKey},
    poseidon,
};

/// Why keys do not make a measurer set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeasurerSetError {
    /// Not 3, 5 or 7.
    #[error(transparent)]
    Count(#[from] UnsupportedMeasurerCount),
    /// A key that is no key.
    #[error("measurer {slot}: {source}")]
    Key {
        /// Which, from 0.
        slot: usize,
        /// What is wrong with it.
        source: InvalidMeasurerKey,
    },
    /// Two slots with one key (attack C9).
    #[error("measurers {first} and {second} have the same key: each must have its own")]
    Duplicate {
        /// From 0.
        first: usize,
        /// From 0.
        second: usize,
    },
}

/// n valid, distinct keys in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasurerSet {
    count: MeasurerCount,
    keys: Vec<MeasurerKey>,
}

impl MeasurerSet {
    /// Checks number and distinctness.
    ///
    /// # Errors
    /// [`MeasurerSetError`].
    pub fn new(keys: Vec<MeasurerKey>) -> Result<Self, MeasurerSetError> {
        let count = MeasurerCount::try_from(keys.len())?;
        for (second, key) in keys.iter().enumerate() {
            for (first, earlier) in keys.iter().enumerate().take(second) {
                if earlier == key {
                    return Err(MeasurerSetError::Duplicate { first, second });
                }
            }
        }
        Ok(Self { count, keys })
    }

    /// Checks each key as well.
    ///
    /// # Errors
    /// [`MeasurerSetError`].
    pub fn from_bytes(keys: &[MeasurerKeyBytes]) -> Result<Self, MeasurerSetError> {
        MeasurerCount::try_from(keys.len())?;
        let keys = keys
            .iter()
            .enumerate()
            .map(|(slot, key)| {
                MeasurerKey::from_bytes(key)
                    .map_err(|source| MeasurerSetError::Key { slot, source })
            })
            .collect::<Result<_, _>>()?;
        Self::new(keys)
    }

    /// n.
    #[must_use]
    pub const fn count(&self) -> MeasurerCount {
        self.count
    }

    /// The keys in order.
    #[must_use]
    pub fn keys(&self) -> &[MeasurerKey] {
        &self.keys
    }

    /// Slot of a key.
    #[must_use]
    pub fn slot(&self, key: &MeasurerKey) -> Option<usize> {
        self.keys.iter().position(|candidate| candidate == key)
    }

    /// The hash of the keys in order, with the domain.
    #[must_use]
    pub fn hash(&self, domain: DomainBytes) -> SetHashBytes {
        let digest = hash(field::from_bytes(domain.to_field()), &self.keys, self.count);
        SetHashBytes::from_field(field::to_bytes(&digest))
    }
}

fn hash(domain: Fr, keys: &[MeasurerKey], count: MeasurerCount) -> Fr {
    let mut coordinates = keys.iter().flat_map(|key| [key.u(), key.shifted_u()]);
    let mut next = || {
        coordinates
            .next()
            .unwrap_or_else(|| unreachable!("two for each key"))
    };
    let head = Fr::from(tag::MEASURER_SET);
    match count {
        MeasurerCount::Three => poseidon::hash::<8>(core::array::from_fn(|i| match i {
            0 => head,
            1 => domain,
            _ => next(),
        })),
        MeasurerCount::Five => poseidon::hash::<12>(core::array::from_fn(|i| match i {
            0 => head,
            1 => domain,
            _ => next(),
        })),
        MeasurerCount::Seven => {
            let first = poseidon::hash::<{ SPLIT + 2 }>(core::array::from_fn(|i| match i {
                0 => head,
                1 => domain,
                _ => next(),
            }));
            poseidon::hash::<{ SPLIT + 2 }>(core::array::from_fn(|i| match i {
                0 => Fr::from(tag::MEASURER_SET_TAIL),
                1 => first,
                _ => next(),
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;
    use veilpool_protocol::FieldBytes;

    use super::*;
    use crate::schnorr::MeasurerSecret;

    fn keys(n: usize) -> Vec<MeasurerKey> {
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        (0..n)
            .map(|_| MeasurerSecret::generate(&mut rng).key())
            .collect()
    }

    fn domain(i: u128) -> DomainBytes {
        DomainBytes::from_field(FieldBytes::from_u128(i))
    }

    #[test]
    fn i4_the_set_hash_depends_on_domain_order_and_every_key() {
        for n in [3, 5, 7] {
            let set = MeasurerSet::new(keys(n)).unwrap();
            assert_ne!(set.hash(domain(1)), set.hash(domain(2)));
            for i in 1..n {
                let mut swapped = keys(n);
                swapped.swap(0, i);
                assert_ne!(
                    MeasurerSet::new(swapped).unwrap().hash(domain(1)),
                    set.hash(domain(1))
                );
            }
        }
    }

    #[test]
    fn c9_a_repeated_key_or_its_negative_is_refused() {
        let mut repeated = keys(5);
        repeated[4] = repeated[1];
        let expected = Err(MeasurerSetError::Duplicate {
            first: 1,
            second: 4,
        });
        assert_eq!(MeasurerSet::new(repeated.clone()), expected);
        repeated[4] = MeasurerKey::new(-*repeated[1].point()).unwrap();
        assert_eq!(MeasurerSet::new(repeated), expected);
    }

    #[test]
    fn other_numbers_are_refused() {
        for n in [0, 1, 2, 4, 6, 8] {
            assert_eq!(
                MeasurerSet::new(keys(n)),
                Err(MeasurerSetError::Count(UnsupportedMeasurerCount(n)))
            );
        }
    }
}
