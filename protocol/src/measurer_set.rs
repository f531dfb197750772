//! The measurers of an epoch: n = 2f + 1 attestation keys, in order.
//!
//! ```text
//! n = 3, 5:  set_hash = P(MEASURER_SET, domain, u(K₁), u(2⁶⁴·K₁), …, u(Kₙ), u(2⁶⁴·Kₙ))
//! n = 7:     h = P(MEASURER_SET, domain, first 7 coordinates)
//!            set_hash = P(MEASURER_SET_TAIL, h, last 7 coordinates)
//! ```
//! in two levels for seven, since the chain's Poseidon takes at most twelve inputs.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::CoordinateBytes;

/// Largest number of measurers.
pub const MAX_MEASURERS: usize = 7;
/// Coordinates in the first level of the hash when there are seven measurers.
pub const SPLIT: usize = 7;

/// How many measurers: 3, 5 or 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MeasurerCount {
    /// f = 1.
    Three,
    /// f = 2, the default.
    Five,
    /// f = 3.
    Seven,
}

/// The number of measurers is not 3, 5 or 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedMeasurerCount(pub usize);

impl core::fmt::Display for UnsupportedMeasurerCount {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} measurers are not supported: use 3, 5 or 7", self.0)
    }
}

impl core::error::Error for UnsupportedMeasurerCount {}

impl MeasurerCount {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Three, Self::Five, Self::Seven];

    /// n.
    #[must_use]
    pub const fn get(self) -> usize {
        match self {
            Self::Three => 3,
            Self::Five => 5,
            Self::Seven => 7,
        }
    }

    /// f + 1 where n = 2f + 1.
    #[must_use]
    pub const fn majority(self) -> usize {
        self.get() / 2 + 1
    }
}

impl TryFrom<usize> for MeasurerCount {
    type Error = UnsupportedMeasurerCount;

    fn try_from(n: usize) -> Result<Self, UnsupportedMeasurerCount> {
        match n {
            3 => Ok(Self::Three),
            5 => Ok(Self::Five),
            7 => Ok(Self::Seven),
            other => Err(UnsupportedMeasurerCount(other)),
        }
    }
}

/// A measurer's attestation key K, a point of BabyJubJub up to sign, with the multiple by which the
/// claim circuit halves its ladder. Not checked to be that; `primitives::MeasurerSet` does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
#[cfg_attr(feature = "api", derive(serde::Serialize, serde::Deserialize))]
pub struct MeasurerKeyBytes {
    /// Montgomery coordinate u of K.
    pub u: CoordinateBytes,
    /// Montgomery coordinate u of 2⁶⁴·K.
    pub shifted_u: CoordinateBytes,
}
