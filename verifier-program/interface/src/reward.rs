//! Shares, rates and rewards: integers only, rounded against the user, `None` when a sum does not fit.
//!
//! ```text
//! rate_e      = min(rate_cap, outflow_bps · available / (10⁴ · leaves_e · max_weight))
//! reserved_e  = rate_e · leaves_e · max_weight  ≤  available
//! reward      = weight(class) · rate_e
//! shares      = amount · (shares + 1000) / (assets + 1)
//! ```
//! `available` is what the pool owns less what open epochs have reserved, so that a valid claim never
//! fails for lack of money. Virtual shares make inflating the first share a loss (attack P6).

use veilpool_protocol::Weight;

/// Basis points in the whole.
pub const BASIS_POINTS: u16 = 10_000;
/// Shares that nobody owns.
pub const VIRTUAL_SHARES: u128 = 1_000;
/// Assets that nobody owns.
pub const VIRTUAL_ASSETS: u128 = 1;

/// The most that one epoch's rate can be. `None` without leaves or weights.
#[must_use]
pub fn rate(
    available: u64,
    outflow_bps: u16,
    leaves: u32,
    max_weight: u16,
    rate_cap: u64,
) -> Option<u64> {
    let budget = u128::from(available).checked_mul(u128::from(outflow_bps))?;
    let parts = u128::from(BASIS_POINTS)
        .checked_mul(u128::from(leaves))?
        .checked_mul(u128::from(max_weight))?;
    let rate = budget.checked_div(parts)?;
    Some(u64::try_from(rate).unwrap_or(u64::MAX).min(rate_cap))
}

/// What an epoch reserves.
#[must_use]
pub fn reservation(rate: u64, leaves: u32, max_weight: u16) -> Option<u64> {
    rate.checked_mul(u64::from(leaves))?
        .checked_mul(u64::from(max_weight))
}

/// What a class earns in an epoch, before the relayer's fee.
#[must_use]
pub fn reward(weight: Weight, rate: u64) -> Option<u64> {
    rate.checked_mul(u64::from(weight.get()))
}

/// Shares for a deposit.
#[must_use]
pub fn shares_for(amount: u64, shares: u128, assets: u64) -> Option<u128> {
    u128::from(amount)
        .checked_mul(shares.checked_add(VIRTUAL_SHARES)?)?
        .checked_div(u128::from(assets).checked_add(VIRTUAL_ASSETS)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assets_for(shares: u128, total: u128, assets: u64) -> Option<u128> {
        shares
            .checked_mul(u128::from(assets) + VIRTUAL_ASSETS)?
            .checked_div(total + VIRTUAL_SHARES)
    }

    proptest! {
        #[test]
        fn p5_a_reservation_never_exceeds_what_is_available(
            available: u64, bps in 1..=BASIS_POINTS, leaves in 1..=1u32 << 20, weight in 1..=u16::MAX, cap: u64,
        ) {
            let rate = rate(available, bps, leaves, weight, cap).unwrap();
            prop_assert!(rate <= cap);
            prop_assert!(reservation(rate, leaves, weight).unwrap() <= available);
            prop_assert!(reward(Weight::new(weight), rate).is_some());
        }

        #[test]
        fn p5_no_values_overflow_silently(a: u64, b: u16, c: u32, d: u16, e: u64, f: u128) {
            let _ = rate(a, b, c, d, e);
            let _ = reservation(a, c, d);
            let _ = reward(Weight::new(b), a);
            let _ = shares_for(a, f, e);
        }

        #[test]
        fn p5_depositing_never_rounds_in_the_users_favour(amount: u64, assets in 0..=u64::MAX / 2, minted in 0..1u128 << 60) {
            prop_assume!(amount < u64::MAX / 2);
            if let Some(shares) = shares_for(amount, minted, assets)
                && let Some(back) = assets_for(shares, minted + shares, assets + amount)
            {
                prop_assert!(back <= u128::from(amount));
            }
        }
    }

    #[test]
    fn p5_an_epoch_without_operators_has_no_rate() {
        assert_eq!(rate(1_000, 100, 0, 12, 5), None);
        assert_eq!(rate(1_000, 100, 4, 0, 5), None);
    }
}
