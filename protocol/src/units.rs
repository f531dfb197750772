//! Units of what is measured and paid for. Bandwidth in 0.1 Mbit/s, uptime in heartbeat slots,
//! latency in milliseconds; each of 16 bits, as the circuit's range checks assume.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::FieldBytes;

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
        #[cfg_attr(feature = "api", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
        pub struct $name($int);

        impl $name {
            /// From the number of units.
            #[must_use]
            pub const fn new(units: $int) -> Self {
                Self(units)
            }

            /// The number of units.
            #[must_use]
            pub const fn get(self) -> $int {
                self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

unit! {
    /// Number of an epoch, from 0.
    EpochId, u32
}
unit! {
    /// Bandwidth in units of 0.1 Mbit/s (10⁵ bit/s): the smaller of up and down.
    Bandwidth, u16
}
unit! {
    /// Heartbeat slots answered, of [`SLOTS_PER_EPOCH`].
    Uptime, u16
}
unit! {
    /// Median round-trip time in milliseconds.
    Latency, u16
}
unit! {
    /// Where the node is. 0 = unknown (in a measurement) or any (in a class).
    Zone, u8
}
unit! {
    /// Row of a pool's class table, from 0.
    ClassId, u8
}
unit! {
    /// How many times the epoch's rate a class is paid.
    Weight, u16
}

/// Heartbeat slots in an epoch, whatever its length.
pub const SLOTS_PER_EPOCH: u16 = 144;
/// Largest number of classes in a pool's table.
pub const MAX_CLASSES: usize = 16;

impl Bandwidth {
    /// Bits per second in one unit.
    pub const BITS_PER_SECOND: u64 = 100_000;

    /// Rounds down; saturates at 6,553.5 Mbit/s.
    #[must_use]
    pub fn from_bits_per_second(bits: u64) -> Self {
        Self(u16::try_from(bits / Self::BITS_PER_SECOND).unwrap_or(u16::MAX))
    }

    /// Megabits per second, for people.
    #[must_use]
    pub fn mbit_per_second(self) -> f32 {
        f32::from(self.0) / 10.0
    }
}

impl EpochId {
    /// The epoch after this one; `None` at the end of time.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

/// What one measurer found of one subject in one epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[cfg_attr(feature = "api", derive(serde::Serialize, serde::Deserialize))]
pub struct Metrics {
    /// Smaller of up and down.
    pub bandwidth: Bandwidth,
    /// Heartbeat slots answered.
    pub uptime: Uptime,
    /// Median round trip.
    pub latency: Latency,
    /// 0 when not known.
    pub zone: Zone,
}

/// What a class asks for. A metric passes when bandwidth ≥, uptime ≥, latency ≤, and zone = (or any).
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[cfg_attr(feature = "api", derive(serde::Serialize, serde::Deserialize))]
pub struct Thresholds {
    /// At least.
    pub bandwidth: Bandwidth,
    /// At least.
    pub uptime: Uptime,
    /// At most; `65535` when the class has no bound.
    pub latency: Latency,
    /// Equal; 0 for any.
    pub zone: Zone,
}

impl Thresholds {
    /// `bandwidth + 2^16·uptime + 2^32·latency + 2^48·zone`: 56 bits, one field element of the fold.
    #[must_use]
    pub const fn pack(&self) -> FieldBytes {
        let packed = self.bandwidth.0 as u64
            | (self.uptime.0 as u64) << 16
            | (self.latency.0 as u64) << 32
            | (self.zone.0 as u64) << 48;
        FieldBytes::from_u128(packed as u128)
    }

    /// Whether each metric passes: bandwidth, uptime, latency, zone.
    #[must_use]
    pub fn passes(&self, metrics: &Metrics) -> [bool; 4] {
        [
            metrics.bandwidth >= self.bandwidth,
            metrics.uptime >= self.uptime,
            metrics.latency <= self.latency,
            self.zone.0 == 0 || metrics.zone == self.zone,
        ]
    }
}

/// A row of the pool's class table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[cfg_attr(feature = "api", derive(serde::Serialize, serde::Deserialize))]
pub struct Class {
    /// What a majority of measurers must have seen.
    pub thresholds: Thresholds,
    /// What it earns.
    pub weight: Weight,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_pack_side_by_side() {
        let thresholds = Thresholds {
            bandwidth: Bandwidth::new(0x1111),
            uptime: Uptime::new(0x2222),
            latency: Latency::new(0x3333),
            zone: Zone::new(0x44),
        };
        let packed = thresholds.pack();
        assert_eq!(
            packed.as_bytes()[25..],
            [0x44, 0x33, 0x33, 0x22, 0x22, 0x11, 0x11]
        );
        assert_eq!(packed.as_bytes()[..25], [0; 25]);
    }

    #[test]
    fn bandwidth_rounds_down_and_saturates() {
        assert_eq!(Bandwidth::from_bits_per_second(199_999).get(), 1);
        assert_eq!(Bandwidth::from_bits_per_second(u64::MAX).get(), u16::MAX);
    }
}
