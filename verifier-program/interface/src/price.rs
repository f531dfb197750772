//! The price of traffic, moved once an epoch by at most an eighth.
//!
//! ```text
//! demand       = settled · 10⁶ / p                                        MiB that the pool was paid for
//! supply       = attested · 10⁵/8 · epoch_seconds / (144 · 2²⁰)           MiB that claims have shown
//! utilisation  = demand / supply
//! p'           = p + p · clamp((utilisation − target) / 8, ±1/8),  within the pool's bounds
//! ```
//! In integers, utilisation in basis points and rounded down; p in millionths of the token's smallest unit per
//! MiB, so that an eighth of it is a whole number. Without supply, demand moves it up, and no demand leaves it.

use veilpool_protocol::{Bandwidth, Thresholds, units::SLOTS_PER_EPOCH};

use crate::{
    Parameters,
    reward::{BASIS_POINTS, scale},
};

/// Below it an eighth of the price is nothing, and it would stay for ever.
pub const MIN_PRICE: u64 = 8;
/// Millionths.
pub const SCALE: u64 = 1_000_000;
/// The most that one epoch moves the price by, in basis points: an eighth.
const MOST: i64 = BASIS_POINTS as i64 / 8;
/// Bytes in a MiB.
const MIB: u128 = 1 << 20;

/// What a claim of a class has shown: bandwidth in 0.1 Mbit/s times slots.
#[must_use]
pub fn shown(class: &Thresholds) -> u64 {
    u64::from(class.bandwidth.get()).saturating_mul(u64::from(class.uptime.get()))
}

/// Utilisation in basis points: without supply `u64::MAX`, and the target without demand either.
fn utilisation(price: u64, settled: u64, attested: u64, parameters: &Parameters) -> Option<u64> {
    let demand = scale(settled, SCALE.into(), price.into())?;
    // 14 and 32 bits.
    let bytes_per_unit =
        (Bandwidth::BITS_PER_SECOND / 8).checked_mul(parameters.epoch_seconds.into())?;
    let bytes = scale(attested, bytes_per_unit.into(), SLOTS_PER_EPOCH.into())?;
    let supply = bytes.checked_div(MIB)?;
    let Some(utilisation) = demand
        .checked_mul(u128::from(BASIS_POINTS))?
        .checked_div(supply)
    else {
        return Some(if settled == 0 {
            parameters.target_utilisation_bps.into()
        } else {
            u64::MAX
        });
    };
    Some(u64::try_from(utilisation).unwrap_or(u64::MAX))
}

/// The next epoch's price. `None` when a sum does not fit, or the price is zero.
#[must_use]
pub fn next(price: u64, settled: u64, attested: u64, parameters: &Parameters) -> Option<u64> {
    let utilisation = utilisation(price, settled, attested, parameters)?;
    let deviation = i64::try_from(utilisation)
        .unwrap_or(i64::MAX)
        .saturating_sub(i64::from(parameters.target_utilisation_bps));
    let change = eighth(deviation).clamp(-MOST, MOST);
    let step = scale(price, change.unsigned_abs().into(), BASIS_POINTS.into())?;
    let step = u64::try_from(step).ok()?;
    let moved = if change < 0 {
        price.saturating_sub(step)
    } else {
        price.saturating_add(step)
    };
    Some(moved.clamp(parameters.min_price, parameters.max_price))
}

/// An eighth, towards zero. By shifting: the chain has no signed division.
const fn eighth(deviation: i64) -> i64 {
    let part = (deviation.unsigned_abs() >> 3) as i64;
    if deviation < 0 { -part } else { part }
}
