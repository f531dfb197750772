//! Verifying keys in their on-chain form, and the refusals of attacks C2 and C3: an IC point at
//! infinity drops the public input; gamma = delta, or a delta that is still the generator, lets
//! anybody forge (the cause of the Veil Cash and FoomCash losses of 2026).

use veilpool_protocol::verifying_key::{LayoutError, VerifyingKeyLayout};

use crate::{PAIR, group, put};

/// Generator of G2, which an uncontributed phase 2 leaves as delta.
const G2_GENERATOR: [u8; 128] = [
    0x19, 0x8e, 0x93, 0x93, 0x92, 0x0d, 0x48, 0x3a, 0x72, 0x60, 0xbf, 0xb7, 0x31, 0xfb, 0x5d, 0x25,
    0xf1, 0xaa, 0x49, 0x33, 0x35, 0xa9, 0xe7, 0x12, 0x97, 0xe4, 0x85, 0xb7, 0xae, 0xf3, 0x12, 0xc2,
    0x18, 0x00, 0xde, 0xef, 0x12, 0x1f, 0x1e, 0x76, 0x42, 0x6a, 0x00, 0x66, 0x5e, 0x5c, 0x44, 0x79,
    0x67, 0x43, 0x22, 0xd4, 0xf7, 0x5e, 0xda, 0xdd, 0x46, 0xde, 0xbd, 0x5c, 0xd9, 0x92, 0xf6, 0xed,
    0x09, 0x06, 0x89, 0xd0, 0x58, 0x5f, 0xf0, 0x75, 0xec, 0x9e, 0x99, 0xad, 0x69, 0x0c, 0x33, 0x95,
    0xbc, 0x4b, 0x31, 0x33, 0x70, 0xb3, 0x8e, 0xf3, 0x55, 0xac, 0xda, 0xdc, 0xd1, 0x22, 0x97, 0x5b,
    0x12, 0xc8, 0x5e, 0xa5, 0xdb, 0x8c, 0x6d, 0xeb, 0x4a, 0xab, 0x71, 0x80, 0x8d, 0xcb, 0x40, 0x8f,
    0xe3, 0xd1, 0xe7, 0x69, 0x0c, 0x43, 0xd3, 0x7b, 0x4c, 0xe6, 0xcc, 0x01, 0x66, 0xfa, 0x7d, 0xaa,
];

/// Why a verifying key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the layout of a key.
    #[error("{0}")]
    Layout(LayoutError),
    /// A point is infinity.
    #[error("the verifying key's {0} is the point at infinity: proofs could be forged")]
    Identity(&'static str),
    /// gamma = delta.
    #[error(
        "gamma equals delta in the verifying key: anybody could forge proofs; its setup was never contributed to"
    )]
    GammaIsDelta,
    /// delta is the generator.
    #[error(
        "delta is the generator of G2 in the verifying key: its setup was never contributed to"
    )]
    DeltaIsGenerator,
    /// A point is not on its curve, or not in the subgroup.
    #[error("the verifying key's {0} is not a point of its group")]
    NotAPoint(&'static str),
}

/// A verifying key whose layout is right; [`Self::validate`] checks its points.
#[derive(Clone, Copy, Debug)]
pub struct VerifyingKey<'a>(VerifyingKeyLayout<'a>);

impl<'a> VerifyingKey<'a> {
    /// Takes the 616 bytes apart, without looking at the points.
    ///
    /// # Errors
    /// [`KeyError::Layout`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, KeyError> {
        VerifyingKeyLayout::parse(bytes)
            .map(Self)
            .map_err(KeyError::Layout)
    }

    /// Takes the bytes apart and checks the points.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn validated(bytes: &'a [u8]) -> Result<Self, KeyError> {
        let key = Self::parse(bytes)?;
        key.validate()?;
        Ok(key)
    }

    /// The parts.
    #[must_use]
    pub const fn layout(&self) -> &VerifyingKeyLayout<'a> {
        &self.0
    }

    /// Refuses keys with which proofs could be forged or a public input ignored.
    ///
    /// # Errors
    /// [`KeyError`] with the first thing that is wrong.
    #[inline(never)]
    pub fn validate(&self) -> Result<(), KeyError> {
        let key = &self.0;
        let [ic0, ic1] = key.ic;
        let firsts = [("alpha", key.alpha), ("IC0", ic0), ("IC1", ic1)];
        let seconds = [
            ("beta", key.beta),
            ("gamma", key.gamma),
            ("delta", key.delta),
        ];
        for (name, point) in firsts {
            if point.iter().all(|byte| *byte == 0) {
                return Err(KeyError::Identity(name));
            }
        }
        for (name, point) in seconds {
            if point.iter().all(|byte| *byte == 0) {
                return Err(KeyError::Identity(name));
            }
        }
        if key.gamma == key.delta {
            return Err(KeyError::GammaIsDelta);
        }
        if *key.delta == G2_GENERATOR {
            return Err(KeyError::DeltaIsGenerator);
        }
        for (name, point) in firsts {
            let mut sum = [0u8; 2 * group::G1];
            put(&mut sum, 0, point);
            group::add(&sum).ok_or(KeyError::NotAPoint(name))?;
        }
        // A pairing with infinity is one, and checks curve and subgroup of the other point.
        for (name, point) in seconds {
            let mut pair = [0u8; PAIR];
            put(&mut pair, group::G1, point);
            group::pairing_is_one(&pair).ok_or(KeyError::NotAPoint(name))?;
        }
        Ok(())
    }
}
