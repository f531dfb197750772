//! Medians. Nothing in the tables is a mean or a best case.

/// The middle one; of an even number, the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some((lower + upper) / 2.0)
}

/// The smallest value that at least a share `of` of all are not above (nearest rank).
pub(crate) fn quantile(values: &[f64], of: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (of * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

/// The median over rounds of `ours / theirs`, both of the same round, so that what slows the machine for a while slows
/// both. Rounds that lack either don't count.
pub(crate) fn median_ratio(
    rounds: impl IntoIterator<Item = (Option<f64>, Option<f64>)>,
) -> Option<f64> {
    let ratios: Vec<f64> = rounds
        .into_iter()
        .filter_map(|(ours, theirs)| Some(ours? / theirs.filter(|theirs| *theirs > 0.0)?))
        .collect();
    median(&ratios)
}

/// The largest, of those that there are.
pub(crate) fn best(values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    values.into_iter().flatten().max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_one() {
        assert_eq!(median(&[5.0, 1.0, 9.0]), Some(5.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.99), Some(99.0));
        assert_eq!(quantile(&values, 0.5), Some(50.0));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round_and_only_then_their_median() {
        // The machine halves its speed in the second round: the ratio stays.
        let rounds = [(4.0, 2.0), (2.0, 1.0), (9.0, 3.0)];
        let rounds = rounds.map(|(ours, theirs)| (Some(ours), Some(theirs)));
        assert_eq!(median_ratio(rounds), Some(2.0));
        assert_eq!(median_ratio([(Some(1.0), None), (None, Some(1.0))]), None);
        assert_eq!(median_ratio([(Some(1.0), Some(0.0))]), None);
        assert_eq!(best([None, Some(1.0), Some(3.0)]), Some(3.0));
        assert_eq!(best([None]), None);
    }
}
