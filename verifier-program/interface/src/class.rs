//! The class table: what a majority of measurers must have seen, and what it earns.
//!
//! Uptime beats speed: 50 Mbit/s at 99 % earns five times 1 Gbit/s at 90 %.

use veilpool_protocol::{
    Bandwidth, Class, Latency, Thresholds, Uptime, Weight, Zone,
    units::{MAX_CLASSES, SLOTS_PER_EPOCH},
};

/// Bandwidth steps of the default table, in 0.1 Mbit/s.
const BANDWIDTHS: [u16; 3] = [100, 500, 2_000];
/// Uptime steps of the default table, of 144 slots.
const UPTIMES: [u16; 3] = [130, 140, 143];
/// Weights of the default table by uptime, then bandwidth.
const WEIGHTS: [[u16; 3]; 3] = [[1, 1, 2], [4, 5, 6], [8, 10, 12]];

/// The nine default classes: uptime by uptime, within it bandwidth by bandwidth.
#[must_use]
pub fn default_table() -> Vec<Class> {
    UPTIMES
        .iter()
        .zip(WEIGHTS)
        .flat_map(|(uptime, weights)| {
            BANDWIDTHS
                .iter()
                .zip(weights)
                .map(|(bandwidth, weight)| Class {
                    thresholds: Thresholds {
                        bandwidth: Bandwidth::new(*bandwidth),
                        uptime: Uptime::new(*uptime),
                        latency: Latency::new(u16::MAX),
                        zone: Zone::new(0),
                    },
                    weight: Weight::new(weight),
                })
        })
        .collect()
}

/// Whether a table can be a pool's: 1 to 16 classes, each with a weight, none asking for more slots
/// than an epoch has.
#[must_use]
pub fn is_valid_table(classes: &[Class]) -> bool {
    (1..=MAX_CLASSES).contains(&classes.len())
        && classes
            .iter()
            .all(|class| class.weight.get() > 0 && class.thresholds.uptime.get() <= SLOTS_PER_EPOCH)
}

/// The largest weight in a table; 0 for an empty one.
#[must_use]
pub fn max_weight(classes: &[Class]) -> u16 {
    classes
        .iter()
        .map(|class| class.weight.get())
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_beats_speed() {
        let table = default_table();
        assert_eq!(table.len(), 9);
        assert!(is_valid_table(&table));
        // 50 Mbit/s at 99 % against 200 Mbit/s and more at 90 %.
        assert_eq!(table[7].weight.get(), 5 * table[2].weight.get());
        assert_eq!(max_weight(&table), 12);
    }
}
