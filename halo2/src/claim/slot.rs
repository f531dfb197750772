//! One slot's signature equation: u of R = s·B − m·K, R ≠ O, in 66 rows.
//!
//! ```text
//! key row     K, K' = 2⁶⁴·K as points with their u; T₊ = K + K', T₋ = K − K'; u(K) + domain
//! 64 rows     A ← A + Qᵢ                  Qᵢ in window i of the table up to sign: s·B, from O
//!             M ← 2M + (±K ± K')          by two bits of c: m·K, from T₊
//! end row     R.y of R = A − M, u(R)
//! ```
//! *m·K.* m = (2c₀ + 1) + 2⁶⁴·(2c₁ + 1) for c = c₀ + 2⁶⁴·c₁, and 2c₀ + 1 = 2⁶⁴ + Σ (2bᵢ − 1)·2ⁱ with the 64 bits bᵢ
//! of c₀: so X·K + Y·K' is 64 doublings with one addition each of one of the four points ±K ± K', highest bits
//! first, from K + K'. Every bit is 0 or 1, and c = Σ 2ⁱ(bᵢ + 2⁶⁴·b'ᵢ) is summed beside: c < 2¹²⁸ and the
//! multiplier is of this c.
//!
//! *s·B.* Each Qᵢ is on the curve with a y of window i, so it is one of ±1, ±3, … ±17 times 18ⁱ·(B/2). Their
//! sum is S·(B/2) for an odd |S| < 18⁶⁰, and every such S has digits: exactly the short responses.
//!
//! *No exceptions*: additions are complete (see [`super::curve`]). u(R) exists for every R but O, so O is
//! refused, for absent slots too, whose signature the prover chooses.
//!
//! *Signs.* u names K and K' up to sign, and the circuit does not ask which sign. (−K, −s) is the same
//! signature seen in a mirror: −R has the same u and the same hash. With opposite signs the
//! multiplier is X − 2⁶⁴·Y, another injective function of c; at most two challenges share a multiplier up to
//! sign (`veilpool_circuits::gadget::variable_base`), so a forger gains one bit. That K' is 2⁶⁴·K, and K of order l, is `set_hash`'s, as in the R1CS
//! circuit: whoever makes the set checks it.

use ark_ec::{AdditiveGroup as _, AffineRepr};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective};
use ark_ff::Zero;
use halo2_proofs::{
    halo2curves::ff::{Field, PrimeField},
    plonk::{
        Advice, Column, ConstraintSystem, Constraints, Error, Expression, Selector, VirtualCells,
    },
    poly::Rotation,
};
use veilpool_primitives::digits::{DIGITS, Digit};

use super::{
    curve::{Point, PointExpression, normalise, one, shifted},
    lane::{Lane, windows},
};
use crate::{
    field::Fr,
    sheet::{Cell, Input, Sheet},
};

/// Steps of the ladder.
const STEPS: usize = 64;
/// Rows of a slot.
pub(super) const ROWS: usize = STEPS + 2;
/// The first rows of the ladder have no window.
const IDLE: usize = STEPS - DIGITS;

/// Columns by what they hold in the ladder's rows.
mod column {
    /// A: the sum of windows.
    pub(super) const BASE: usize = 0;
    /// M: the multiple of K.
    pub(super) const KEY: usize = 2;
    /// c, of the bits so far.
    pub(super) const CHALLENGE: usize = 4;
    /// In the key row u(K'), in the row after it u(K) + domain, in the end row u(R).
    pub(super) const SPARE: usize = 5;
    pub(super) const WINDOW_X: usize = 6;
    pub(super) const BASE_PRODUCT: usize = 7;
    pub(super) const DOUBLE: usize = 8;
    pub(super) const ADDEND: usize = 10;
    pub(super) const KEY_PRODUCT: usize = 12;
    pub(super) const LOW_BIT: usize = 13;
    pub(super) const HIGH_BIT: usize = 14;
    /// T₊ and T₋, the same in all rows.
    pub(super) const SUM: usize = 15;
    pub(super) const DIFFERENCE: usize = 17;
}

/// Columns that a slot takes, besides the lane's.
pub(super) const COLUMNS: usize = column::DIFFERENCE + 2;

/// The gates.
#[derive(Clone, Debug)]
pub(super) struct SlotChip {
    columns: Vec<Column<Advice>>,
    lane: Lane,
    key: Selector,
    step: Selector,
    end: Selector,
}

/// What a slot computes with.
pub(super) struct SlotValues {
    /// K.
    pub(super) key: EdwardsAffine,
    /// c.
    pub(super) challenge: u128,
    /// Of the response.
    pub(super) digits: [Digit; DIGITS],
}

/// What comes out.
pub(super) struct SlotCells {
    /// u(K).
    pub(super) key_u: Cell,
    /// u(K').
    pub(super) shifted_u: Cell,
    /// u(K) + domain.
    pub(super) key_and_domain: Cell,
    /// The domain's copy.
    pub(super) domain: Cell,
    /// c, below 2¹²⁸.
    pub(super) challenge: Cell,
    /// u(R).
    pub(super) nonce_u: Cell,
}

/// Queries of a gate.
struct At<'a, 'm> {
    columns: &'a [Column<Advice>],
    meta: &'a mut VirtualCells<'m, Fr>,
}

impl At<'_, '_> {
    fn cell(&mut self, column: usize, rotation: i32) -> Expression<Fr> {
        self.meta
            .query_advice(self.columns[column], Rotation(rotation))
    }

    fn point(&mut self, column: usize, rotation: i32) -> PointExpression {
        PointExpression {
            x: self.cell(column, rotation),
            y: self.cell(column + 1, rotation),
        }
    }
}

impl SlotChip {
    pub(super) fn configure(
        meta: &mut ConstraintSystem<Fr>,
        columns: &[Column<Advice>],
        lane: &Lane,
    ) -> Self {
        assert!(columns.len() >= COLUMNS);
        let chip = Self {
            columns: columns.to_vec(),
            lane: lane.clone(),
            key: meta.selector(),
            step: meta.selector(),
            end: meta.selector(),
        };
        meta.create_gate("slot: key", |meta| chip.key_gate(meta));
        meta.create_gate("slot: step", |meta| chip.step_gate(meta));
        meta.create_gate("slot: end", |meta| chip.end_gate(meta));
        chip
    }

    fn key_gate(
        &self,
        meta: &mut VirtualCells<'_, Fr>,
    ) -> Constraints<Fr, Expression<Fr>, Vec<Expression<Fr>>> {
        let selector = meta.query_selector(self.key);
        let domain = meta.query_advice(self.lane.sum, Rotation::cur());
        let mut at = At {
            columns: &self.columns,
            meta,
        };
        let (key, shifted) = (at.point(column::BASE, 0), at.point(column::KEY, 0));
        let key_u = at.cell(column::CHALLENGE, 0);
        let shifted_u = at.cell(column::SPARE, 0);
        let product = at.cell(column::KEY_PRODUCT, 0);
        let (sum, difference) = (at.point(column::SUM, 0), at.point(column::DIFFERENCE, 0));
        let mut constraints = vec![
            key.on_curve(),
            shifted.on_curve(),
            key.montgomery_u(&key_u),
            shifted.montgomery_u(&shifted_u),
            product.clone() - key.product(&shifted),
        ];
        constraints.extend(key.sum(&shifted, &product, &sum));
        constraints.extend(key.sum(&shifted.negate(), &-product, &difference));
        // The ladder's first row: A = O, M = T₊, c = 0.
        let (base, multiple) = (at.point(column::BASE, 1), at.point(column::KEY, 1));
        constraints.extend([base.x, base.y - one()]);
        constraints.extend([multiple.x - sum.x, multiple.y - sum.y]);
        constraints.push(at.cell(column::CHALLENGE, 1));
        constraints.extend(carry(&mut at));
        let key_and_domain = at.cell(column::SPARE, 1);
        constraints.push(key_and_domain - key_u - domain);
        Constraints::with_selector(selector, constraints)
    }

    fn step_gate(
        &self,
        meta: &mut VirtualCells<'_, Fr>,
    ) -> Constraints<Fr, Expression<Fr>, Vec<Expression<Fr>>> {
        let selector = meta.query_selector(self.step);
        let window_y = meta.query_advice(self.lane.limb, Rotation::cur());
        let mut at = At {
            columns: &self.columns,
            meta,
        };
        // A' = A + Q.
        let base = at.point(column::BASE, 0);
        let window = PointExpression {
            x: at.cell(column::WINDOW_X, 0),
            y: window_y,
        };
        let product = at.cell(column::BASE_PRODUCT, 0);
        let mut constraints = vec![window.on_curve(), product.clone() - base.product(&window)];
        constraints.extend(base.sum(&window, &product, &at.point(column::BASE, 1)));

        // M' = 2M + T, T = ±K ± K' by the bits.
        let multiple = at.point(column::KEY, 0);
        let double = at.point(column::DOUBLE, 0);
        constraints.extend(multiple.double(&double));
        let (low, high) = (at.cell(column::LOW_BIT, 0), at.cell(column::HIGH_BIT, 0));
        for bit in [&low, &high] {
            constraints.push(bit.clone() * bit.clone() - bit.clone());
        }
        let (sum, difference) = (at.point(column::SUM, 0), at.point(column::DIFFERENCE, 0));
        let same = one() - low.clone() - high.clone() + low.clone() * high.clone() * Fr::from(2);
        let sign = low.clone() * Fr::from(2) - one();
        let addend = at.point(column::ADDEND, 0);
        let x = difference.x.clone() + same.clone() * (sum.x - difference.x);
        let y = difference.y.clone() + same * (sum.y - difference.y);
        constraints.extend([addend.x.clone() - sign * x, addend.y.clone() - y]);
        let product = at.cell(column::KEY_PRODUCT, 0);
        constraints.push(product.clone() - double.product(&addend));
        constraints.extend(double.sum(&addend, &product, &at.point(column::KEY, 1)));

        // c' = 2c + the bits.
        let challenge = at.cell(column::CHALLENGE, 0);
        let next = at.cell(column::CHALLENGE, 1);
        let bits = low + high * Fr::from_u128(1 << 64);
        constraints.push(next - challenge * Fr::from(2) - bits);
        constraints.extend(carry(&mut at));
        Constraints::with_selector(selector, constraints)
    }

    fn end_gate(
        &self,
        meta: &mut VirtualCells<'_, Fr>,
    ) -> Constraints<Fr, Expression<Fr>, Vec<Expression<Fr>>> {
        let selector = meta.query_selector(self.end);
        let mut at = At {
            columns: &self.columns,
            meta,
        };
        let base = at.point(column::BASE, 0);
        let minus_key = at.point(column::KEY, 0).negate();
        let product = at.cell(column::KEY_PRODUCT, 0);
        let nonce = PointExpression {
            x: Expression::Constant(Fr::ZERO),
            y: at.cell(column::LOW_BIT, 0),
        };
        let u = at.cell(column::SPARE, 0);
        // Of the sum only y is needed.
        let [_, y] = base.sum(&minus_key, &product, &nonce);
        let constraints = vec![
            product - base.product(&minus_key),
            y,
            nonce.montgomery_u(&u),
        ];
        Constraints::with_selector(selector, constraints)
    }

    /// Fills the next 66 rows.
    pub(super) fn assign(
        &self,
        sheet: &mut Sheet<'_>,
        values: &SlotValues,
        domain: Input,
    ) -> Result<SlotCells, Error> {
        let trace = Trace::of(values);
        let first = sheet.take(ROWS);
        let mut write =
            |row: usize, column: usize, value: Fr| sheet.advice(self.columns[column], row, value);
        let [key, shifted, sum, difference] = trace.key;
        for (column, point) in [(column::BASE, key), (column::KEY, shifted)] {
            write(first, column, point.x);
            write(first, column + 1, point.y);
        }
        let key_u = write(first, column::CHALLENGE, key.u());
        let shifted_u = write(first, column::SPARE, shifted.u());
        write(first, column::KEY_PRODUCT, key.product(&shifted));
        let key_and_domain = write(first + 1, column::SPARE, key.u() + domain.value());

        let mut challenge = Fr::ZERO;
        for (i, step) in trace.steps.iter().enumerate() {
            let row = first + 1 + i;
            for (column, point) in [
                (column::BASE, step.base),
                (column::KEY, step.multiple),
                (column::DOUBLE, step.double),
                (column::ADDEND, step.addend),
            ] {
                write(row, column, point.x);
                write(row, column + 1, point.y);
            }
            write(row, column::CHALLENGE, challenge);
            write(row, column::WINDOW_X, step.window.x);
            write(row, column::BASE_PRODUCT, step.base.product(&step.window));
            write(row, column::KEY_PRODUCT, step.double.product(&step.addend));
            let [low, high] = step.bits.map(|bit| Fr::from(u64::from(bit)));
            write(row, column::LOW_BIT, low);
            write(row, column::HIGH_BIT, high);
            challenge = challenge.double() + low + high * Fr::from_u128(1 << 64);
        }
        for row in first..first + ROWS {
            for (column, point) in [(column::SUM, sum), (column::DIFFERENCE, difference)] {
                write(row, column, point.x);
                write(row, column + 1, point.y);
            }
        }

        let end = first + ROWS - 1;
        let [base, multiple, nonce] = trace.end;
        for (column, point) in [(column::BASE, base), (column::KEY, multiple)] {
            write(end, column, point.x);
            write(end, column + 1, point.y);
        }
        let challenge = write(end, column::CHALLENGE, challenge);
        write(end, column::KEY_PRODUCT, -base.product(&multiple));
        write(end, column::LOW_BIT, nonce.y);
        let nonce_u = write(end, column::SPARE, nonce.u());

        let domain = sheet.input(self.lane.sum, first, domain);
        sheet.enable(self.key, first)?;
        for (i, step) in trace.steps.iter().enumerate() {
            let row = first + 1 + i;
            sheet.enable(self.step, row)?;
            let window = i.checked_sub(IDLE);
            self.lane.look_up(sheet, row, window, step.window.y);
        }
        sheet.enable(self.end, end)?;
        Ok(SlotCells {
            key_u,
            shifted_u,
            key_and_domain,
            domain,
            challenge,
            nonce_u,
        })
    }
}

// T₊ and T₋ are those of the row before.
fn carry(at: &mut At<'_, '_>) -> [Expression<Fr>; 4] {
    core::array::from_fn(|i| at.cell(column::SUM + i, 1) - at.cell(column::SUM + i, 0))
}

/// All points of a slot.
struct Trace {
    /// K, K', T₊, T₋.
    key: [Point; 4],
    steps: Vec<Step>,
    /// s·B, m·K and R.
    end: [Point; 3],
}

struct Step {
    base: Point,
    window: Point,
    multiple: Point,
    double: Point,
    addend: Point,
    bits: [bool; 2],
}

impl Trace {
    fn of(values: &SlotValues) -> Self {
        let key = values.key.into_group();
        let shifted = shifted(&values.key);
        let (sum, difference) = (key + shifted, key - shifted);
        let mut points = vec![key, shifted, sum, difference];

        let (mut base, mut multiple) = (EdwardsProjective::zero(), sum);
        let mut chosen = Vec::with_capacity(STEPS);
        for i in 0..STEPS {
            let bit = STEPS - 1 - i;
            let bits = [bit, bit + STEPS].map(|bit| values.challenge >> bit & 1 == 1);
            let double = multiple.double();
            let mut addend = if bits[0] == bits[1] { sum } else { difference };
            if !bits[0] {
                addend = -addend;
            }
            points.extend([base, multiple, double, addend]);
            let window = i
                .checked_sub(IDLE)
                .map(|window| (window, values.digits[window]));
            if let Some((window, digit)) = window {
                let point = window_point(window, digit);
                base += EdwardsAffine::new_unchecked(
                    crate::field::to_ark(&point.x),
                    crate::field::to_ark(&point.y),
                );
            }
            multiple = double + addend;
            chosen.push((window, bits));
        }
        points.extend([base, multiple, base - multiple]);

        let points = normalise(&points);
        let (key, rest) = points.split_at(4);
        let (steps, end) = rest.split_at(4 * STEPS);
        let identity = Point {
            x: Fr::ZERO,
            y: Fr::ONE,
        };
        let steps = steps
            .chunks_exact(4)
            .zip(chosen)
            .map(|(points, (window, bits))| Step {
                base: points[0],
                multiple: points[1],
                double: points[2],
                addend: points[3],
                window: window.map_or(identity, |(window, digit)| window_point(window, digit)),
                bits,
            })
            .collect();
        Self {
            key: core::array::from_fn(|i| key[i]),
            steps,
            end: core::array::from_fn(|i| end[i]),
        }
    }
}

fn window_point(window: usize, digit: Digit) -> Point {
    let Point { x, y } = windows()[window][digit.index];
    let x = if digit.negative { -x } else { x };
    Point { x, y }
}
