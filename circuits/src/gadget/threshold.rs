//! Metrics, a class's thresholds, and "for each metric, a majority of all slots passes".
//!
//! *One range check for range and comparison.* With p ∈ {0, 1} the slot's passing bit and T < 2¹⁶
//! the threshold:
//!
//! ```text
//! at least:  0 ≤ value − p·T < 2¹⁶              at most:  0 ≤ value + p·(65535 − T) < 2¹⁶
//! zone:      0 ≤ zone < 2⁸,  p·(zone − Z) = e,  e·Z = 0
//! ```
//! With p = 1 that is value ≥ T (value ≤ T; zone = Z or Z = 0). In any case the value lies between
//! −2¹⁶ and 2¹⁷. The signed message packs the metrics at a spacing of 20 bits: two packings differ
//! by less than 2¹⁸ in each field, so that equal packings have equal fields, and the value *is* the
//! signed one, in its 16 bits (attack C4: nothing unbounded is compared).
//!
//! *Passing bits are the prover's choice*: p·(present − p) = 0 makes p ∈ {0, present}, and p = 0 is
//! always allowed; leaving out a pass can only hurt him. "At least f + 1 pass" is "exactly f + 1
//! are set": the last slot's bit is the linear combination f + 1 − Σ of the others, so that
//! counting costs nothing. Absent slots count as failing (attack C8), and every slot of the set is
//! counted (M2).
//!
//! A slot costs 18 constraints for each of three metrics and 11 for the zone.

use ark_bn254::Fr;
use ark_ff::{PrimeField, Zero};
use ark_relations::gr1cs::SynthesisError;
use veilpool_protocol::{Metrics, Thresholds, attestation::offset, tag};

use crate::{
    gadget::bits::enforce_range,
    num::{Num, power_of_two},
    synthesizer::Synthesizer,
};

/// Bits of bandwidth, uptime and latency.
const METRIC_BITS: u32 = 16;
/// Bits of a zone.
const ZONE_BITS: u32 = 8;

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

    /// Place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
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

/// Metrics of one attestation, twin of [`Metrics`]; bounded by [`enforce_majority`], not by
/// themselves.
pub struct MetricsVar([Num; 4]);

/// A class's thresholds, twin of [`Thresholds`], each in its range.
pub struct ThresholdsVar([Num; 4]);

impl MetricsVar {
    /// New columns. No constraint.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn alloc(cs: &mut Synthesizer, metrics: Option<&Metrics>) -> Result<Self, SynthesisError> {
        let values = metrics.map(|metrics| {
            [
                metrics.bandwidth.get(),
                metrics.uptime.get(),
                metrics.latency.get(),
                u16::from(metrics.zone.get()),
            ]
        });
        let mut column = |metric: Metric| {
            cs.witness(
                "metric",
                values.map(|values| Fr::from(values[metric.index()])),
            )
        };
        Ok(Self([
            column(Metric::Bandwidth)?,
            column(Metric::Uptime)?,
            column(Metric::Latency)?,
            column(Metric::Zone)?,
        ]))
    }

    /// One metric.
    #[must_use]
    pub const fn get(&self, metric: Metric) -> &Num {
        &self.0[metric.index()]
    }

    /// The packed message `v`, twin of `protocol::attestation::pack`. Free. Injective for metrics
    /// between −2¹⁷ and 2¹⁷ and epochs below 2³².
    #[must_use]
    pub fn pack(&self, epoch: &Num) -> Num {
        Num::constant(Fr::from(tag::SCHNORR))
            .add_scaled(epoch, power_of_two(offset::EPOCH))
            .add_scaled(self.get(Metric::Bandwidth), power_of_two(offset::BANDWIDTH))
            .add_scaled(self.get(Metric::Uptime), power_of_two(offset::UPTIME))
            .add_scaled(self.get(Metric::Latency), power_of_two(offset::LATENCY))
            .add_scaled(self.get(Metric::Zone), power_of_two(offset::ZONE))
    }
}

impl ThresholdsVar {
    /// New columns; [`Self::enforce_ranges`] bounds them.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn alloc(
        cs: &mut Synthesizer,
        thresholds: Option<&Thresholds>,
    ) -> Result<Self, SynthesisError> {
        let values = thresholds.map(|thresholds| {
            [
                thresholds.bandwidth.get(),
                thresholds.uptime.get(),
                thresholds.latency.get(),
                u16::from(thresholds.zone.get()),
            ]
        });
        let mut column = |metric: Metric| {
            cs.witness(
                "threshold",
                values.map(|values| Fr::from(values[metric.index()])),
            )
        };
        Ok(Self([
            column(Metric::Bandwidth)?,
            column(Metric::Uptime)?,
            column(Metric::Latency)?,
            column(Metric::Zone)?,
        ]))
    }

    /// 16, 16, 16 and 8 bits. 56 constraints.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn enforce_ranges(&self, cs: &mut Synthesizer) -> Result<(), SynthesisError> {
        for metric in Metric::ALL {
            let bits = match metric {
                Metric::Zone => ZONE_BITS,
                _ => METRIC_BITS,
            };
            enforce_range(cs, "threshold bit", self.get(metric), bits)?;
        }
        Ok(())
    }

    /// One threshold.
    #[must_use]
    pub const fn get(&self, metric: Metric) -> &Num {
        &self.0[metric.index()]
    }

    /// Side by side, twin of [`Thresholds::pack`]. Free.
    #[must_use]
    pub fn pack(&self) -> Num {
        self.get(Metric::Bandwidth)
            .add_scaled(self.get(Metric::Uptime), power_of_two(16))
            .add_scaled(self.get(Metric::Latency), power_of_two(32))
            .add_scaled(self.get(Metric::Zone), power_of_two(48))
    }
}

/// A slot as the thresholds see it.
pub struct SlotVar {
    /// Boolean.
    pub present: Num,
    /// What was signed, if present.
    pub metrics: MetricsVar,
}

/// Enforces that at least `majority` of the slots are present and pass, for one metric.
///
/// # Errors
/// Those of the constraint system.
pub fn enforce_majority(
    cs: &mut Synthesizer,
    metric: Metric,
    slots: &[SlotVar],
    thresholds: &ThresholdsVar,
    majority: usize,
) -> Result<(), SynthesisError> {
    let threshold = thresholds.get(metric);
    let target = Num::constant(Fr::from(majority as u64));
    let mut remaining = target.clone();
    let hints = choose_passing(metric, slots, threshold, majority);
    for (j, slot) in slots.iter().enumerate() {
        let is_last = j + 1 == slots.len();
        let passes = if is_last {
            remaining.clone()
        } else {
            cs.witness("passes", hints.as_ref().map(|hints| Fr::from(hints[j])))?
        };
        remaining = remaining - &passes;
        cs.enforce(&passes, &(&slot.present - &passes), &Num::zero())?;

        let value = slot.metrics.get(metric);
        match metric {
            Metric::Bandwidth | Metric::Uptime => {
                let bound = cs.multiply("passes·T", &passes, threshold)?;
                enforce_range(cs, "comparison bit", &(value - &bound), METRIC_BITS)?;
            }
            Metric::Latency => {
                let room = Num::constant(Fr::from(u16::MAX)) - threshold;
                let lift = cs.multiply("passes·(65535 − T)", &passes, &room)?;
                enforce_range(cs, "comparison bit", &(value + &lift), METRIC_BITS)?;
            }
            Metric::Zone => {
                enforce_range(cs, "zone bit", value, ZONE_BITS)?;
                let difference = cs.multiply("passes·(zone − Z)", &passes, &(value - threshold))?;
                cs.enforce(&difference, threshold, &Num::zero())?;
            }
        }
    }
    Ok(())
}

// The first `majority` slots that pass; when there are fewer, those.
fn choose_passing(
    metric: Metric,
    slots: &[SlotVar],
    threshold: &Num,
    majority: usize,
) -> Option<Vec<bool>> {
    let threshold = threshold.value()?;
    let mut left = majority;
    slots
        .iter()
        .map(|slot| {
            let present = !slot.present.value()?.is_zero();
            let value = slot.metrics.get(metric).value()?;
            let passes = present && left > 0 && passes(metric, value, threshold);
            left -= usize::from(passes);
            Some(passes)
        })
        .collect()
}

fn passes(metric: Metric, value: Fr, threshold: Fr) -> bool {
    match metric {
        Metric::Bandwidth | Metric::Uptime => value.into_bigint() >= threshold.into_bigint(),
        Metric::Latency => value.into_bigint() <= threshold.into_bigint(),
        Metric::Zone => threshold.is_zero() || value == threshold,
    }
}
