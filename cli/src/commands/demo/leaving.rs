//! The depositor hands a part of its shares in: they wait, and take nothing that an epoch has reserved.

use spl_associated_token_account_interface::address::get_associated_token_address;
use veilpool_chain::SendError;
use veilpool_interface::{PoolError, address, builder};

use super::{
    report::Check,
    stage::{Stage, TOKEN},
};
use crate::cluster::{self, LOCAL_MINT};

/// A tenth of the shares.
const PART: u64 = 10;
const UNITS: u32 = 200_000;

/// Attack P8: nobody is out before the claims that may still come.
pub(super) async fn hand_in(stage: &Stage) -> anyhow::Result<Check> {
    let (chain, pool) = (&stage.chain, &stage.pool);
    let before = chain.pool(pool).await?;
    let shares = before.books.shares / PART;
    let owner = stage.authority();
    let account = get_associated_token_address(&owner, &address::pubkey(&before.rules.share_mint));
    let program = chain.program();
    let request = builder::request_withdrawal(program, pool, &owner, &account, 0, shares);
    let what = "the shares were not handed in";
    cluster::send(chain, &stage.treasury, &[request], what).await?;
    let after = chain.pool(pool).await?;

    let tokens = get_associated_token_address(&owner, &LOCAL_MINT);
    let withdraw = builder::withdraw(program, pool, &owner, 0, &tokens);
    let early = chain.send(&stage.treasury, &[], &[withdraw], UNITS).await;
    let refused = early.err().as_ref().and_then(SendError::reason);
    let [was, is] = [&before, &after].map(|pool| pool.books.free().unwrap_or(0));
    let worth = was.saturating_sub(is);
    Ok(Check {
        what: format!(
            "shares worth {:.2} tokens were handed in: no further epoch counts on them, they are paid after the cool-down and not before",
            worth as f64 / TOKEN as f64
        ),
        holds: after.books.queued == shares
            && after.books.assets == before.books.assets
            && after.books.reserved == before.books.reserved
            && worth > 0
            && refused == Some(PoolError::WithdrawalNotReady),
    })
}
