//! How scalars are cut into windows, and how windows share buckets.

use crate::{engine::Words, msm::NEGATIVE};

/// Bits that windows have to cover: absolute values are below 2^252.6, and a signed top digit needs
/// one bit more.
const BITS: usize = 254;
const MIN_BITS: usize = 3;
const MAX_BITS: usize = 16;

/// Layout of one multiplication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    bits: usize,
    windows: usize,
    groups: usize,
}

/// Where the digits of one window are.
pub(super) struct Digits {
    word: usize,
    shift: u32,
    mask: u64,
    middle: u64,
}

impl Plan {
    /// The cheapest plan for so many points whose tables hold at most `rows` rows (or no more than
    /// the points themselves).
    #[must_use]
    pub fn choose(points: usize, rows: usize) -> Self {
        let mut best = (usize::MAX, Self::with(MIN_BITS, 1, points));
        for bits in MIN_BITS..=MAX_BITS {
            let copies = (rows / points.max(1)).max(1);
            let plan = Self::with(bits, copies, points);
            let cost = plan.cost(points);
            if cost < best.0 {
                best = (cost, plan);
            }
        }
        best.1
    }

    fn with(bits: usize, copies: usize, _points: usize) -> Self {
        let windows = BITS.div_ceil(bits);
        Self {
            bits,
            windows,
            groups: windows.div_ceil(copies),
        }
    }

    // In affine additions of the tree. The serial sums are dearer: projective, one at a time.
    fn cost(&self, points: usize) -> usize {
        let half = (self.bits - 1).div_ceil(2);
        let serial = 2 * 2 * (1usize << half) * 12;
        points * self.windows + self.groups * (2 * self.buckets() + serial)
    }

    /// Bits of a window.
    #[must_use]
    pub const fn bits(&self) -> usize {
        self.bits
    }

    /// Windows of a scalar.
    #[must_use]
    pub const fn windows(&self) -> usize {
        self.windows
    }

    /// Sets of buckets.
    #[must_use]
    pub const fn groups(&self) -> usize {
        self.groups
    }

    /// Multiples of each base in the table, the base included.
    #[must_use]
    pub const fn copies(&self) -> usize {
        self.windows.div_ceil(self.groups)
    }

    /// Largest absolute value of a digit.
    #[must_use]
    pub const fn buckets(&self) -> usize {
        1 << (self.bits - 1)
    }

    /// `Σ 2^(cw + c − 1)` over all windows but the last. With it added, a window's bits less 2^(c−1)
    /// are its signed digit, independent of other windows.
    pub(super) fn offset(&self) -> Words {
        let mut words = [0; 4];
        for window in 0..self.windows - 1 {
            let bit = window * self.bits + self.bits - 1;
            words[bit / 64] |= 1 << (bit % 64);
        }
        words
    }

    pub(super) fn digits(&self, window: usize) -> Digits {
        let bit = window * self.bits;
        Digits {
            word: bit / 64,
            shift: (bit % 64) as u32,
            mask: (1 << self.bits) - 1,
            middle: if window + 1 == self.windows {
                0
            } else {
                1 << (self.bits - 1)
            },
        }
    }
}

impl Digits {
    /// The absolute value, and [`NEGATIVE`] or 0.
    #[inline(always)]
    pub(super) fn of(&self, words: &Words) -> (u32, u32) {
        let low = words[self.word] >> self.shift;
        let next = words.get(self.word + 1).copied().unwrap_or(0);
        // Two shifts, because one by 64 is none.
        let high = next << 1 << (63 - self.shift);
        let digit = ((low | high) & self.mask) as i64 - self.middle as i64;
        (
            digit.unsigned_abs() as u32,
            if digit < 0 { NEGATIVE } else { 0 },
        )
    }
}

/// Sum of integers that fits.
pub(super) fn add(a: &Words, b: &Words) -> Words {
    let mut out = [0; 4];
    let mut carry = 0u128;
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        let sum = u128::from(*a) + u128::from(*b) + carry;
        *out = sum as u64;
        carry = sum >> 64;
    }
    out
}
