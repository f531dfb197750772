//! Metrics, thresholds, what is signed, and counting, one row for each.
//!
//! ```text
//! | v | epoch | bandwidth | uptime | latency | zone |     v is the packed message
//! | t | bandwidth | uptime | latency | zone |             t is the packed thresholds
//! | present | h | c | hi |                                present ∈ {0, 1};  present·(h − c − 2¹²⁸·hi) = 0
//! | value | T | present | p | e | count |                 p ∈ {0, 1};  p·(1 − present) = 0;  count' = count + p
//!       at least:  e = p·(value − T)      at most:  e = −p·(value − T)      zone:  e = 0, p·(value − T)·T = 0
//! | · | · | · | · | · | count |                           (count − (f + 1)) ⋯ (count − n) = 0
//! ```
//! Values, thresholds and e are in [0, 2¹⁶) (zones in [0, 2⁸)), so that e is no difference below zero, and
//! equal packings have equal fields. p = 0 is always allowed: not to count a pass only hurts the prover.

use halo2_proofs::{
    halo2curves::ff::{Field, PrimeField},
    plonk::{
        Advice, Column, ConstraintSystem, Constraints, Error, Expression, Fixed, Selector,
        VirtualCells,
    },
    poly::Rotation,
};
use veilpool_protocol::{
    attestation::{CHALLENGE_BITS, offset},
    tag,
};

use super::super::{Metric, lane::Range};
use crate::{
    field::Fr,
    sheet::{Cell, Input, Sheet},
};

/// Of each metric and its threshold.
pub(super) const RANGES: [Range; 4] = [Range::Word, Range::Word, Range::Word, Range::Byte];
/// Cells of a row.
const CELLS: usize = 6;

/// The gates.
#[derive(Clone, Debug)]
pub(super) struct Thresholds {
    n: usize,
    cells: [Column<Advice>; CELLS],
    /// 1 for at least, −1 for at most, 0 for the zone.
    direction: Column<Fixed>,
    /// 1 for the zone.
    equality: Column<Fixed>,
    metrics: Selector,
    pack: Selector,
    challenge: Selector,
    compare: Selector,
    majority: Selector,
}

pub(super) struct MetricsCells {
    pub(super) packed: Cell,
    pub(super) values: [Cell; 4],
}

pub(super) struct ThresholdsCells {
    pub(super) packed: Cell,
    pub(super) thresholds: [Cell; 4],
}

type Gate = Constraints<Fr, Expression<Fr>, Vec<Expression<Fr>>>;

fn power_of_two(exponent: u32) -> Fr {
    Fr::from(2).pow([u64::from(exponent)])
}

impl Thresholds {
    pub(super) fn configure(
        meta: &mut ConstraintSystem<Fr>,
        n: usize,
        columns: &[Column<Advice>],
    ) -> Self {
        let chip = Self {
            n,
            cells: core::array::from_fn(|i| columns[i]),
            direction: meta.fixed_column(),
            equality: meta.fixed_column(),
            metrics: meta.selector(),
            pack: meta.selector(),
            challenge: meta.selector(),
            compare: meta.selector(),
            majority: meta.selector(),
        };
        meta.create_gate("message", |meta| chip.metrics_gate(meta));
        meta.create_gate("packed thresholds", |meta| chip.pack_gate(meta));
        meta.create_gate("challenge", |meta| chip.challenge_gate(meta));
        meta.create_gate("comparison", |meta| chip.compare_gate(meta));
        meta.create_gate("majority", |meta| chip.majority_gate(meta));
        chip
    }

    fn row(&self, meta: &mut VirtualCells<'_, Fr>) -> [Expression<Fr>; CELLS] {
        self.cells
            .map(|column| meta.query_advice(column, Rotation::cur()))
    }

    fn metrics_gate(&self, meta: &mut VirtualCells<'_, Fr>) -> Gate {
        let selector = meta.query_selector(self.metrics);
        let [packed, epoch, bandwidth, uptime, latency, zone] = self.row(meta);
        let sum = Expression::Constant(Fr::from(u64::from(tag::SCHNORR)))
            + epoch * power_of_two(offset::EPOCH)
            + bandwidth * power_of_two(offset::BANDWIDTH)
            + uptime * power_of_two(offset::UPTIME)
            + latency * power_of_two(offset::LATENCY)
            + zone * power_of_two(offset::ZONE);
        Constraints::with_selector(selector, vec![packed - sum])
    }

    fn pack_gate(&self, meta: &mut VirtualCells<'_, Fr>) -> Gate {
        let selector = meta.query_selector(self.pack);
        let [packed, bandwidth, uptime, latency, zone, _] = self.row(meta);
        let sum = bandwidth
            + uptime * power_of_two(16)
            + latency * power_of_two(32)
            + zone * power_of_two(48);
        Constraints::with_selector(selector, vec![packed - sum])
    }

    fn challenge_gate(&self, meta: &mut VirtualCells<'_, Fr>) -> Gate {
        let selector = meta.query_selector(self.challenge);
        let [present, hash, challenge, high, ..] = self.row(meta);
        let rest = hash - challenge - high * power_of_two(CHALLENGE_BITS);
        let boolean = present.clone() * present.clone() - present.clone();
        Constraints::with_selector(selector, vec![boolean, present * rest])
    }

    fn compare_gate(&self, meta: &mut VirtualCells<'_, Fr>) -> Gate {
        let selector = meta.query_selector(self.compare);
        let [value, threshold, present, passes, difference, count] = self.row(meta);
        let next = meta.query_advice(self.cells[5], Rotation::next());
        let direction = meta.query_fixed(self.direction, Rotation::cur());
        let equality = meta.query_fixed(self.equality, Rotation::cur());
        let distance = passes.clone() * (value - threshold.clone());
        Constraints::with_selector(
            selector,
            vec![
                passes.clone() * passes.clone() - passes.clone(),
                passes.clone() * (Expression::Constant(Fr::ONE) - present),
                difference - direction * distance.clone(),
                equality * distance * threshold,
                next - count - passes,
            ],
        )
    }

    fn majority_gate(&self, meta: &mut VirtualCells<'_, Fr>) -> Gate {
        let selector = meta.query_selector(self.majority);
        let [.., count] = self.row(meta);
        let product = (self.n / 2 + 1..=self.n)
            .map(|k| count.clone() - Expression::Constant(Fr::from(k as u64)))
            .reduce(|product, factor| product * factor);
        Constraints::with_selector(selector, product.into_iter().collect())
    }

    /// The packed message of an attestation.
    pub(super) fn metrics(
        &self,
        sheet: &mut Sheet<'_>,
        values: &[Fr; 4],
        epoch: &Cell,
    ) -> Result<MetricsCells, Error> {
        let row = sheet.take(1);
        sheet.enable(self.metrics, row)?;
        let offsets = [
            offset::BANDWIDTH,
            offset::UPTIME,
            offset::LATENCY,
            offset::ZONE,
        ];
        let mut packed =
            Fr::from(u64::from(tag::SCHNORR)) + epoch.value * power_of_two(offset::EPOCH);
        for (value, offset) in values.iter().zip(offsets) {
            packed += *value * power_of_two(offset);
        }
        let packed = sheet.advice(self.cells[0], row, packed);
        sheet.input(self.cells[1], row, Input::Copy(*epoch));
        let values = core::array::from_fn(|i| sheet.advice(self.cells[2 + i], row, values[i]));
        Ok(MetricsCells { packed, values })
    }

    /// The packed thresholds.
    pub(super) fn pack(
        &self,
        sheet: &mut Sheet<'_>,
        thresholds: &[Fr; 4],
    ) -> Result<ThresholdsCells, Error> {
        let row = sheet.take(1);
        sheet.enable(self.pack, row)?;
        let packed = (thresholds.iter().zip(0u32..))
            .map(|(threshold, i)| *threshold * power_of_two(16 * i))
            .sum();
        let packed = sheet.advice(self.cells[0], row, packed);
        let thresholds =
            core::array::from_fn(|i| sheet.advice(self.cells[1 + i], row, thresholds[i]));
        Ok(ThresholdsCells { packed, thresholds })
    }

    /// If present, c is the lowest 128 bits of h. Returns present and hi, which the caller bounds.
    pub(super) fn enforce_challenge(
        &self,
        sheet: &mut Sheet<'_>,
        present: bool,
        hash: &Cell,
        challenge: &Cell,
    ) -> Result<(Cell, Cell), Error> {
        let row = sheet.take(1);
        sheet.enable(self.challenge, row)?;
        // Bits 128 to 252 of h, whatever c is.
        let bytes = hash.value.to_repr();
        let mut high = [0u8; 16];
        high.copy_from_slice(&bytes.as_ref()[16..]);
        let high = u128::from_le_bytes(high) & ((1 << 125) - 1);
        let present = sheet.advice(self.cells[0], row, Fr::from(u64::from(present)));
        sheet.input(self.cells[1], row, Input::Copy(*hash));
        sheet.input(self.cells[2], row, Input::Copy(*challenge));
        let high = sheet.advice(self.cells[3], row, Fr::from_u128(high));
        Ok((present, high))
    }

    /// At least a majority of the slots is present and passes. Returns what the caller bounds.
    pub(super) fn majority(
        &self,
        sheet: &mut Sheet<'_>,
        metric: Metric,
        threshold: &Cell,
        slots: &[(Cell, [Cell; 4])],
    ) -> Result<Vec<Cell>, Error> {
        let mut differences = Vec::with_capacity(slots.len());
        let mut count = Fr::ZERO;
        for (slot, (present, values)) in slots.iter().enumerate() {
            let value = &values[metric as usize];
            let row = sheet.take(1);
            sheet.enable(self.compare, row)?;
            let distance = value.value - threshold.value;
            let (direction, passes) = match metric {
                Metric::Bandwidth | Metric::Uptime => (Fr::ONE, value.value >= threshold.value),
                Metric::Latency => (-Fr::ONE, value.value <= threshold.value),
                Metric::Zone => (
                    Fr::ZERO,
                    distance == Fr::ZERO || threshold.value == Fr::ZERO,
                ),
            };
            let passes = passes && present.value == Fr::ONE;
            sheet.fixed(self.direction, row, direction);
            sheet.fixed(
                self.equality,
                row,
                Fr::from(u64::from(metric == Metric::Zone)),
            );
            sheet.input(self.cells[0], row, Input::Copy(*value));
            sheet.input(self.cells[1], row, Input::Copy(*threshold));
            sheet.input(self.cells[2], row, Input::Copy(*present));
            let passes = Fr::from(u64::from(passes));
            sheet.advice(self.cells[3], row, passes);
            let difference = direction * passes * distance;
            let difference = sheet.advice(self.cells[4], row, difference);
            let so_far = sheet.advice(self.cells[5], row, count);
            if slot == 0 {
                sheet.equal_constant(&so_far, Fr::ZERO);
            }
            count += passes;
            if metric != Metric::Zone {
                differences.push(difference);
            }
        }
        let row = sheet.take(1);
        sheet.enable(self.majority, row)?;
        sheet.advice(self.cells[5], row, count);
        Ok(differences)
    }
}
