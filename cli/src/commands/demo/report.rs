//! What came of it, held against what must come of it.

use std::fmt::Write as _;

use anyhow::Context;
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signature::Signature;
use solana_transaction_status_client_types::UiTransactionEncoding;
use spl_associated_token_account_interface::address::get_associated_token_address;
use veilpool_interface::{Epoch, address, reward};
use veilpool_node::{
    NodeStatus,
    claim::{Phase, inputs::payout},
};
use veilpool_protocol::{ClassId, EpochId};

use super::{
    cast::{Actor, Cast},
    cheat::Attempt,
    leaving,
    stage::{FEE, Stage, TOKEN},
    watch::seen,
};
use crate::{cluster::LOCAL_MINT, output::Output};

/// A node's claim, as its operator sees it.
pub(super) struct Claim {
    pub(super) phase: Phase,
    pub(super) class: Option<ClassId>,
    pub(super) signature: Option<String>,
    pub(super) proving_ms: Option<u64>,
    pub(super) compute_units: Option<u64>,
    pub(super) reason: Option<String>,
}

/// One node's row.
#[derive(Debug, Serialize)]
struct Row {
    node: &'static str,
    story: &'static str,
    /// Median of what measurers attested.
    mbit_per_second: f32,
    uptime_slots: u16,
    class: Option<u8>,
    weight: Option<u16>,
    /// What the chain says the payout address has, in the token's smallest unit.
    paid: u64,
    payout_address: String,
    proving_ms: Option<u64>,
    compute_units: Option<u64>,
    said: Option<String>,
    expected: bool,
}

/// Something that must be so.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    pub(super) what: String,
    pub(super) holds: bool,
}

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    as_expected: bool,
    nodes: Vec<Row>,
    cheat: Vec<Attempt>,
    checks: Vec<Check>,
}

impl Claim {
    /// Of an epoch; `None` before the node has one.
    pub(super) fn of(status: &NodeStatus, epoch: EpochId) -> Option<Self> {
        let claim = status.epochs.iter().find(|claim| claim.epoch == epoch)?;
        Some(Self {
            phase: claim.state,
            class: claim.class,
            signature: claim.signature.clone(),
            proving_ms: claim.proving_ms,
            compute_units: claim.compute_units,
            reason: claim.reason.clone(),
        })
    }
}

impl Report {
    pub(super) async fn make(
        stage: &Stage,
        cast: &Cast,
        epoch: &Epoch,
        claims: Vec<Option<Claim>>,
        cheat: Vec<Attempt>,
    ) -> anyhow::Result<Self> {
        let mut nodes = Vec::new();
        let mut checks = Vec::new();
        for (actor, claim) in cast.actors.iter().zip(&claims) {
            nodes.push(row(stage, epoch, actor, claim.as_ref()).await?);
            if let Some(signature) = claim.as_ref().and_then(|claim| claim.signature.as_deref()) {
                checks.push(only_the_relayer_signed(stage, cast, actor, signature).await?);
            }
        }
        checks.push(books_are_right(stage, &nodes).await?);
        checks.push(leaving::hand_in(stage).await?);
        let logs = std::fs::read_to_string(stage.folder.join("demo.log"))?;
        checks.push(logs_are_clean(cast, epoch, &logs));
        let as_expected = nodes.iter().all(|row| row.expected)
            && cheat.iter().all(Attempt::as_expected)
            && checks.iter().all(|check| check.holds);
        Ok(Self {
            as_expected,
            nodes,
            cheat,
            checks,
        })
    }

    pub(super) const fn as_expected(&self) -> bool {
        self.as_expected
    }

    pub(super) fn print(&self, output: Output) -> anyhow::Result<()> {
        output.show(self, || self.text())
    }

    fn text(&self) -> String {
        let mut out = String::from("\n");
        let mark = |good: bool| if good { "✓" } else { "✗" };
        let number =
            |value: Option<u64>| value.map_or_else(|| "–".into(), |value| value.to_string());
        // Writing to a string can't fail.
        let _ = writeln!(
            out,
            "{:<6} {:<22} {:>8} {:>7} {:>5} {:>6} {:>9}  {:<44} {:>8} {:>7}",
            "node",
            "what it is",
            "Mbit/s",
            "uptime",
            "class",
            "weight",
            "paid",
            "payout address",
            "proof ms",
            "CU"
        );
        for row in &self.nodes {
            let class = row
                .class
                .map_or_else(|| "–".into(), |class| class.to_string());
            let weight = row
                .weight
                .map_or_else(|| "–".into(), |weight| weight.to_string());
            let _ = writeln!(
                out,
                "{:<6} {:<22} {:>8.1} {:>3}/144 {:>5} {:>6} {:>9.2}  {:<44} {:>8} {:>7} {}",
                row.node,
                row.story,
                row.mbit_per_second,
                row.uptime_slots,
                class,
                weight,
                row.paid as f64 / TOKEN as f64,
                row.payout_address,
                number(row.proving_ms),
                number(row.compute_units),
                mark(row.expected)
            );
            if let (false, Some(said)) = (row.expected, &row.said) {
                let _ = writeln!(out, "       {said}");
            }
        }
        let _ = writeln!(out, "\nThe cheat, refused:");
        for attempt in &self.cheat {
            let _ = writeln!(
                out,
                "  {} {:<72} {}: {}",
                mark(attempt.as_expected()),
                attempt.what,
                attempt.refused_by,
                // What to do about it is for honest people.
                attempt.found.split(';').next().unwrap_or_default()
            );
        }
        let _ = writeln!(out, "\nChecked:");
        for check in &self.checks {
            let _ = writeln!(out, "  {} {}", mark(check.holds), check.what);
        }
        out.push_str(WHO_SAW_WHAT);
        let _ = write!(
            out,
            "\n{}",
            if self.as_expected {
                "Everything came out as it must."
            } else {
                "NOT everything came out as it must."
            }
        );
        out
    }
}

const WHO_SAW_WHAT: &str = "
What the chain saw          four bonds from four wallets; three claims, each a nullifier, a class, a fresh address and a proof,
                            all from the relayer
What measurers saw          four addresses, each with a pseudonym of this epoch, a WireGuard key and its traffic
What nobody can connect     a payment with a node's address, with a bond, or with the same operator's next epoch
What is not hidden          that the address of a node forwards traffic, that a wallet bonded some operator, and, where few
                            claim a class, that the claim is one of theirs: with four nodes a guess is easy, with thousands it isn't
";

fn median<T: Ord + Copy + Default>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

async fn row(
    stage: &Stage,
    epoch: &Epoch,
    actor: &Actor,
    claim: Option<&Claim>,
) -> anyhow::Result<Row> {
    let subject = actor.secret.subject(epoch.number).to_bytes();
    let attested: Vec<_> = seen(stage, epoch, &subject)
        .into_iter()
        .filter_map(|status| status.attested)
        .collect();
    let payout = address::pubkey(&payout(
        &actor.secret,
        &address::bytes(&stage.pool),
        epoch.number,
    ));
    let tokens = get_associated_token_address(&payout, &LOCAL_MINT);
    let paid = stage
        .chain
        .token_account(&tokens)
        .await?
        .map_or(0, |account| account.amount);
    let paid_class = claim
        .filter(|claim| claim.phase == Phase::Paid)
        .and_then(|claim| claim.class);
    let class = paid_class.and_then(|class| epoch.class(class));
    let due = match actor.part.class.and_then(|class| epoch.class(class)) {
        Some(class) => {
            reward::reward(class.weight, epoch.rate).and_then(|reward| reward.checked_sub(FEE))
        }
        None => Some(0),
    };
    Ok(Row {
        node: actor.part.name,
        story: actor.part.story,
        mbit_per_second: median(attested.iter().map(|metrics| metrics.bandwidth).collect())
            .mbit_per_second(),
        uptime_slots: median(attested.iter().map(|metrics| metrics.uptime).collect()).get(),
        class: paid_class.map(ClassId::get),
        weight: class.map(|class| class.weight.get()),
        paid,
        payout_address: if paid_class.is_some() {
            payout.to_string()
        } else {
            "–".into()
        },
        proving_ms: claim.and_then(|claim| claim.proving_ms),
        compute_units: claim.and_then(|claim| claim.compute_units),
        said: claim.and_then(|claim| claim.reason.clone()),
        expected: paid_class == actor.part.class && Some(paid) == due,
    })
}

/// Attack L2: no key of the operator is in the claim's transaction.
async fn only_the_relayer_signed(
    stage: &Stage,
    cast: &Cast,
    actor: &Actor,
    signature: &str,
) -> anyhow::Result<Check> {
    let signature: Signature = signature.parse()?;
    let config = RpcTransactionConfig {
        encoding: Some(UiTransactionEncoding::Base64),
        max_supported_transaction_version: Some(0),
        ..RpcTransactionConfig::default()
    };
    let answer = stage
        .chain
        .rpc()
        .get_transaction_with_config(&signature, config)
        .await?;
    let transaction = answer
        .transaction
        .transaction
        .decode()
        .context("the chain's transaction is one")?;
    let keys = transaction.message.static_account_keys();
    let signers = usize::from(transaction.message.header().num_required_signatures);
    let operator = address::operator(
        stage.chain.program(),
        &stage.pool,
        &actor.secret.commitment().to_bytes(),
    )
    .0;
    let strangers: [Pubkey; 3] = [actor.bonder, operator, stage.authority()];
    Ok(Check {
        what: format!(
            "{}: the claim's transaction is signed by the relayer alone and names neither the operator's bond nor its wallet",
            actor.part.name
        ),
        holds: signers == 1
            && keys.first() == Some(&cast.relayer_key)
            && !strangers.iter().any(|key| keys.contains(key)),
    })
}

/// What was paid left the pool, and nothing else did.
async fn books_are_right(stage: &Stage, nodes: &[Row]) -> anyhow::Result<Check> {
    let pool = stage.chain.pool(&stage.pool).await?;
    let vault = stage
        .chain
        .token_account(&address::pubkey(&pool.rules.vault))
        .await?;
    let vault = vault.map_or(0, |account| account.amount);
    let assets = pool.books.assets;
    let claims = nodes.iter().filter(|row| row.class.is_some()).count() as u64;
    let paid: u64 = nodes.iter().map(|row| row.paid).sum::<u64>() + claims * FEE;
    Ok(Check {
        what: format!(
            "the pool paid {:.2} tokens, its books say so, and its vault holds what they say",
            paid as f64 / TOKEN as f64
        ),
        holds: vault == assets && assets + paid == super::stage::LIQUIDITY,
    })
}

/// Attack L7: no secret, and no nullifier, subject or payout in the logs.
fn logs_are_clean(cast: &Cast, epoch: &Epoch, logs: &str) -> Check {
    let leaks = cast.actors.iter().any(|actor| {
        let secret = &actor.secret;
        let hexadecimal = [
            hex::encode(secret.expose_bytes().as_slice()),
            hex::encode(secret.nullifier(epoch.number).to_bytes().as_bytes()),
            hex::encode(secret.subject(epoch.number).to_bytes().as_bytes()),
            hex::encode(secret.commitment().to_bytes().as_bytes()),
        ];
        hexadecimal.iter().any(|text| logs.contains(text))
    });
    Check {
        what: format!(
            "the logs ({} lines) hold no secret, nullifier, subject or commitment",
            logs.lines().count()
        ),
        holds: !leaks,
    }
}
