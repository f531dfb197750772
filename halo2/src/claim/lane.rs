//! The table, and two columns that are used beside everything else: L, whose cells are in the table
//! on every row, and Z, along which limbs of L are summed.
//!
//! | tag | values | for |
//! | --- | --- | --- |
//! | 0 | 0 … 255 | limbs of ranges; a row that looks nothing up has 0 |
//! | 1 + i, i = 0 … 59 | y of (2j + 1)·18ⁱ·(B/2), j = 0 … 8 | windows of s·B |
//! | 61 | 1 | the identity's y: a row of a slot without a window |
//!
//! A range of 8k bits takes k rows, lowest limb first:
//!
//! ```text
//! Z = L + 2⁸·Z'   …   Z = L          the sum of k limbs of 8 bits
//! L' = 8·L                           the last limb has 5 bits, if asked for
//! ```
//! No limb sum here reaches r, so a value has one decomposition.

use std::sync::OnceLock;

use ark_ed_on_bn254::{EdwardsProjective, Fr as SubgroupScalar};
use ark_ff::{Field as _, Zero};
use halo2_proofs::{
    halo2curves::ff::{Field, PrimeField},
    plonk::{Advice, Column, ConstraintSystem, Constraints, Error, Fixed, Selector},
    poly::Rotation,
};
use veilpool_primitives::digits::{DIGITS, RADIX};

use super::curve::{Point, normalise};
use crate::{
    field::Fr,
    sheet::{Cell, Sheet},
};

/// Bits of a limb.
pub(super) const LIMB_BITS: usize = 8;
/// Magnitudes of a digit.
pub(super) const MAGNITUDES: usize = RADIX as usize / 2;
/// Tag of a slot's row without a window.
const NO_WINDOW: usize = DIGITS + 1;

/// What a range is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// 8 bits.
    Byte,
    /// 16 bits.
    Word,
    /// 125 bits: 15 limbs and 5 bits.
    High,
}

impl Range {
    const fn limbs(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Word => 2,
            Self::High => 16,
        }
    }

    pub(super) const fn rows(self) -> usize {
        match self {
            Self::High => self.limbs() + 1,
            Self::Byte | Self::Word => self.limbs(),
        }
    }
}

/// Columns and gates of the lane.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub(super) limb: Column<Advice>,
    pub(super) sum: Column<Advice>,
    tag: Column<Fixed>,
    table: [Column<Fixed>; 2],
    more: Selector,
    last: Selector,
    five_bits: Selector,
}

/// Points (2j + 1)·18ⁱ·(B/2), by window and magnitude.
pub(super) fn windows() -> &'static [[Point; MAGNITUDES]; DIGITS] {
    static WINDOWS: OnceLock<[[Point; MAGNITUDES]; DIGITS]> = OnceLock::new();
    WINDOWS.get_or_init(|| {
        let half = SubgroupScalar::from(2u8)
            .inverse()
            .unwrap_or_else(SubgroupScalar::zero);
        let mut first = <EdwardsProjective as ark_ec::PrimeGroup>::generator() * half;
        core::array::from_fn(|_| {
            let twice: EdwardsProjective = first + first;
            let mut multiple = first;
            let points: Vec<EdwardsProjective> = (0..MAGNITUDES)
                .map(|_| {
                    let point = multiple;
                    multiple += twice;
                    point
                })
                .collect();
            // 17 + 1 = 18 times the first.
            first += points[MAGNITUDES - 1];
            let affine = normalise(&points);
            core::array::from_fn(|j| affine[j])
        })
    })
}

impl Lane {
    pub(super) fn configure(meta: &mut ConstraintSystem<Fr>) -> Self {
        let lane = Self {
            limb: meta.advice_column(),
            sum: meta.advice_column(),
            tag: meta.fixed_column(),
            table: [meta.fixed_column(), meta.fixed_column()],
            more: meta.selector(),
            last: meta.selector(),
            five_bits: meta.selector(),
        };
        meta.lookup_any("table", |meta| {
            let input = [
                meta.query_fixed(lane.tag, Rotation::cur()),
                meta.query_advice(lane.limb, Rotation::cur()),
            ];
            let [tag, value] = lane.table;
            let table = [
                meta.query_fixed(tag, Rotation::cur()),
                meta.query_fixed(value, Rotation::cur()),
            ];
            input.into_iter().zip(table).collect()
        });
        meta.create_gate("range: another limb", |meta| {
            let selector = meta.query_selector(lane.more);
            let sum = meta.query_advice(lane.sum, Rotation::cur());
            let limb = meta.query_advice(lane.limb, Rotation::cur());
            let next = meta.query_advice(lane.sum, Rotation::next());
            let base = Fr::from(1u64 << LIMB_BITS);
            Constraints::with_selector(selector, [sum - limb - next * base])
        });
        meta.create_gate("range: last limb", |meta| {
            let selector = meta.query_selector(lane.last);
            let sum = meta.query_advice(lane.sum, Rotation::cur());
            let limb = meta.query_advice(lane.limb, Rotation::cur());
            Constraints::with_selector(selector, [sum - limb])
        });
        meta.create_gate("range: five bits", |meta| {
            let selector = meta.query_selector(lane.five_bits);
            let limb = meta.query_advice(lane.limb, Rotation::cur());
            let next = meta.query_advice(lane.limb, Rotation::next());
            Constraints::with_selector(selector, [next - limb * Fr::from(8)])
        });
        lane
    }

    /// Writes the table. The rows below it are (0, 0), which is in it.
    pub(super) fn write_table(&self, sheet: &mut Sheet<'_>) {
        let limbs = (0..1usize << LIMB_BITS).map(|limb| (0, Fr::from(limb as u64)));
        let windows = windows().iter().enumerate();
        let windows = windows.flat_map(|(i, points)| points.iter().map(move |p| (1 + i, p.y)));
        let [tags, values] = self.table;
        let rows = limbs.chain(windows).chain([(NO_WINDOW, Fr::ONE)]);
        for (row, (tag, value)) in rows.enumerate() {
            sheet.fixed(tags, row, Fr::from(tag as u64));
            sheet.fixed(values, row, value);
        }
    }

    /// L must be a y of this window (of the identity without one).
    pub(super) fn look_up(&self, sheet: &mut Sheet<'_>, row: usize, window: Option<usize>, y: Fr) {
        let tag = window.map_or(NO_WINDOW, |window| 1 + window);
        sheet.fixed(self.tag, row, Fr::from(tag as u64));
        sheet.advice(self.limb, row, y);
    }

    /// The cell's value is in the range. Takes the lane's next free rows from `row` on, and returns the
    /// row after them.
    pub(super) fn enforce(
        &self,
        sheet: &mut Sheet<'_>,
        row: usize,
        cell: &Cell,
        range: Range,
    ) -> Result<usize, Error> {
        let bytes = cell.value.to_repr();
        let limbs = range.limbs();
        let mut rest = cell.value;
        let base_inverse = Fr::from(1u64 << LIMB_BITS).invert().unwrap_or(Fr::ZERO);
        for i in 0..limbs {
            let limb = Fr::from(u64::from(bytes.as_ref()[i]));
            let sum = sheet.advice(self.sum, row + i, rest);
            sheet.advice(self.limb, row + i, limb);
            if i == 0 {
                sheet.equal(&sum, cell);
            }
            let gate = if i + 1 == limbs { self.last } else { self.more };
            sheet.enable(gate, row + i)?;
            rest = (rest - limb) * base_inverse;
            if range == Range::High && i + 1 == limbs {
                sheet.enable(self.five_bits, row + i)?;
                sheet.advice(self.limb, row + limbs, limb * Fr::from(8));
            }
        }
        Ok(row + range.rows())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ark_ec::CurveGroup;

    use super::*;

    #[test]
    fn a_windows_ys_name_its_points_up_to_sign() {
        for points in windows() {
            let ys: BTreeSet<Fr> = points.iter().map(|point| point.y).collect();
            assert_eq!(ys.len(), MAGNITUDES);
            assert!(!ys.contains(&Fr::ONE));
        }
    }

    #[test]
    fn windows_are_odd_multiples_of_powers_of_eighteen() {
        let half = SubgroupScalar::from(2u8).inverse().unwrap();
        let mut power = SubgroupScalar::from(1u8);
        for points in windows() {
            for (j, point) in points.iter().enumerate() {
                let scalar = power * half * SubgroupScalar::from(2 * j as u64 + 1);
                let expected: EdwardsProjective = ark_ec::PrimeGroup::generator();
                assert_eq!(*point, Point::of(&(expected * scalar).into_affine()));
            }
            power *= SubgroupScalar::from(RADIX);
        }
    }
}
