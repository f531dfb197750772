//! Shares, rates and rewards: integers only, rounded against the user, `None` when a sum does not fit.
//!
//! ```text
//! rate_e      = min(rate_cap, outflow_bps · available / (10⁴ · leaves_e · max_weight))
//! reserved_e  = rate_e · leaves_e · max_weight  ≤  available
//! reward      = weight(class) · rate_e
//! minted      = amount · (shares + 1000) / (assets + 1)        for a deposit
//! paid        = shares' · (assets + 1) / (shares + 1000)       for shares' that are handed in
//! fee         = amount · bps / 10⁴
//! ```
//! `available` is what the pool owns less what open epochs have reserved, so that a valid claim never
//! fails for lack of money. Virtual shares make inflating the first share a loss (attack P6).

use veilpool_protocol::Weight;

/// Basis points in the whole.
pub const BASIS_POINTS: u16 = 10_000;
/// Shares that nobody owns.
pub const VIRTUAL_SHARES: u128 = 1_000;
/// Decimals that shares have more than the token: there are a thousand times as many.
pub const FURTHER_DECIMALS: u8 = 3;
/// Assets that nobody owns.
pub const VIRTUAL_ASSETS: u128 = 1;

const _: () = assert!(VIRTUAL_SHARES == 10u128.pow(FURTHER_DECIMALS as u32));

/// The most that one epoch's rate can be. `None` without leaves or weights.
#[must_use]
pub fn rate(
    available: u64,
    outflow_bps: u16,
    leaves: u32,
    max_weight: u16,
    rate_cap: u64,
) -> Option<u64> {
    // 14, 32 and 16 bits.
    let parts = u64::from(BASIS_POINTS)
        .checked_mul(u64::from(leaves))?
        .checked_mul(u64::from(max_weight))?;
    let rate = scale(available, outflow_bps.into(), parts.into())?;
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
pub fn shares_for(amount: u64, shares: u64, assets: u64) -> Option<u64> {
    let minted = scale(
        amount,
        u128::from(shares).checked_add(VIRTUAL_SHARES)?,
        u128::from(assets).checked_add(VIRTUAL_ASSETS)?,
    )?;
    u64::try_from(minted).ok()
}

/// What some of the shares are worth.
#[must_use]
pub fn assets_for(part: u64, shares: u64, assets: u64) -> Option<u64> {
    let worth = scale(
        part,
        u128::from(assets).checked_add(VIRTUAL_ASSETS)?,
        u128::from(shares).checked_add(VIRTUAL_SHARES)?,
    )?;
    u64::try_from(worth).ok()
}

/// So many basis points of an amount.
#[must_use]
pub fn part(amount: u64, bps: u16) -> Option<u64> {
    let part = scale(amount, bps.into(), BASIS_POINTS.into())?;
    u64::try_from(part).ok()
}

/// `value · by / over`, rounded down. `None` when the product does not fit, or for a division by zero.
#[inline(never)]
pub(crate) fn scale(value: u64, by: u128, over: u128) -> Option<u128> {
    u128::from(value).checked_mul(by)?.checked_div(over)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        fn p5_no_values_overflow_silently(a: u64, b: u16, c: u32, d: u16, e: u64, f: u64) {
            let _ = rate(a, b, c, d, e);
            let _ = reservation(a, c, d);
            let _ = reward(Weight::new(b), a);
            let _ = shares_for(a, f, e);
            let _ = assets_for(a, f, e);
            let _ = part(a, b);
        }

        #[test]
        fn p5_depositing_and_withdrawing_never_gains(amount: u64, assets in 0..=u64::MAX / 2, shares in 0..=u64::MAX / 2) {
            prop_assume!(amount < u64::MAX / 2);
            if let Some(minted) = shares_for(amount, shares, assets)
                && let Some(all) = shares.checked_add(minted)
                && let Some(back) = assets_for(minted, all, assets + amount)
            {
                prop_assert!(back <= amount);
            }
        }

        #[test]
        fn p5_what_all_shares_are_worth_is_never_above_the_assets(assets: u64, shares: u64) {
            if let Some(worth) = assets_for(shares, shares, assets) {
                prop_assert!(worth <= assets.saturating_add(1));
                prop_assert!(shares >= 1_000 * (assets / 1_000).min(1) || worth <= assets);
            }
        }

        #[test]
        fn p5_who_withdraws_leaves_the_others_no_poorer(assets: u64, shares in 1..=u64::MAX, part in 1..=u64::MAX) {
            let part = part % shares + 1;
            if let Some(paid) = assets_for(part, shares, assets)
                && paid <= assets
            {
                let [before, after] = [(assets, shares), (assets - paid, shares - part)]
                    .map(|(assets, shares)| (u128::from(assets) + 1, u128::from(shares) + 1_000));
                // after.0 / after.1 ≥ before.0 / before.1, in whole numbers.
                prop_assert!(after.0 * before.1 >= before.0 * after.1);
            }
        }
    }

    #[test]
    fn p5_an_epoch_without_operators_has_no_rate() {
        assert_eq!(rate(1_000, 100, 0, 12, 5), None);
        assert_eq!(rate(1_000, 100, 4, 0, 5), None);
    }
}
