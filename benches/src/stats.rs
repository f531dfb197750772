//! Medians. Nothing in the tables is a mean or a best case.

use serde::{Deserialize, Serialize};

/// Fewest runs that a median is taken of.
pub const MIN_RUNS: usize = 5;

/// One quantity over several runs, in the unit of the samples (times: microseconds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// The middle one; of an even number, the higher of the two in the middle.
    pub median: u64,
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
    /// How many.
    pub runs: usize,
}

impl Stat {
    /// Of these samples; zeros when there is none.
    #[must_use]
    pub fn of(samples: impl IntoIterator<Item = u64>) -> Self {
        let mut sorted: Vec<u64> = samples.into_iter().collect();
        sorted.sort_unstable();
        let at = |index: usize| sorted.get(index).copied().unwrap_or(0);
        Self {
            median: at(sorted.len() / 2),
            min: at(0),
            max: at(sorted.len().saturating_sub(1)),
            runs: sorted.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_one() {
        let stat = Stat::of([5, 1, 9, 2, 3]);
        assert_eq!(
            stat,
            Stat {
                median: 3,
                min: 1,
                max: 9,
                runs: 5
            }
        );
        assert_eq!(Stat::of([7]).median, 7);
        assert_eq!(Stat::of([1, 2]).median, 2);
        assert_eq!(Stat::of([]).runs, 0);
    }
}
