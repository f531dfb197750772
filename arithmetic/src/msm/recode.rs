//! Exponents in the order of points.

use zeroize::Zeroize;

use super::{Plan, plan, tree::NEGATIVE};
use crate::{engine::Words, scalars::Exponents};

/// Exponents by point instead of by column, with the constant of [`Plan::offset`] added.
pub(super) struct Recoded {
    /// Words and reference to the point in copy 0, negated if the exponent is negative.
    pub(super) long: Vec<(Words, u32)>,
    /// Absolute values of at most 2^(c−1), as bucket and reference.
    pub(super) short: Vec<(u32, u32)>,
}

impl Drop for Recoded {
    fn drop(&mut self) {
        for (words, reference) in &mut self.long {
            words.zeroize();
            reference.zeroize();
        }
        for (key, reference) in &mut self.short {
            key.zeroize();
            reference.zeroize();
        }
    }
}

impl Recoded {
    pub(super) fn new(plan: &Plan, columns: &[u32], exponents: &Exponents) -> Self {
        let offset = plan.offset();
        let mut recoded = Self {
            long: Vec::with_capacity(columns.len()),
            short: Vec::with_capacity(columns.len()),
        };
        for (point, column) in columns.iter().enumerate() {
            let Some((words, negative)) = exponents.get(*column as usize) else {
                continue;
            };
            let reference = point as u32 | if negative { NEGATIVE } else { 0 };
            let small = words[1] | words[2] | words[3] == 0 && words[0] <= plan.buckets() as u64;
            if !small {
                recoded.long.push((plan::add(&words, &offset), reference));
            } else if words[0] != 0 {
                recoded.short.push((words[0] as u32, reference));
            }
        }
        recoded
    }
}
