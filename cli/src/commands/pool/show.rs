//! `veilpool pool show`: all figures of a pool.

use std::io::IsTerminal;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};
use solana_pubkey::Pubkey;
use veilpool_interface::{Epoch, Pool, address, reward};
use veilpool_protocol::{AddressBytes, Class};

use super::{describe::parameters_json, render::render};
use crate::{cluster::PoolArguments, commands::measurer::key_text, output::Output};

/// An epoch may be opened so early: this part of its length before the latest one ends.
const LEAD: u32 = 4;

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pool: PoolArguments,
}

/// A pool in figures. Amounts are in the token's smallest unit, times in Unix seconds.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) pool: String,
    pub(super) mint: String,
    pub(super) decimals: u8,
    pub(super) share_mint: String,
    pub(super) vault: String,
    pub(super) bond_vault: String,
    pub(super) escrow_vault: String,
    pub(super) founder: String,
    pub(super) authority: String,
    /// To whom the authority is being handed over.
    pub(super) next_authority: Option<String>,
    pub(super) genesis_hash: String,
    pub(super) domain: String,
    pub(super) set_hash: String,
    pub(super) verifying_key: String,
    pub(super) timelock_seconds: u32,
    pub(super) parameters: Map<String, Value>,
    pub(super) measurers: Vec<String>,
    pub(super) classes: Vec<Class>,

    /// The chain's clock.
    pub(super) now: i64,
    pub(super) assets: u64,
    pub(super) reserved: u64,
    /// What no open epoch has reserved.
    pub(super) available: u64,
    /// What shares that were handed in are worth.
    pub(super) queued_worth: u64,
    /// Neither reserved nor queued.
    pub(super) free: u64,
    pub(super) shares: u64,
    pub(super) queued: u64,
    /// What a whole share is worth, in whole tokens.
    pub(super) share_price: f64,
    pub(super) bonded: u64,
    pub(super) escrowed: u64,
    pub(super) operators: u32,
    /// Places in the registry, those of operators that have left among them.
    pub(super) leaves: u32,
    pub(super) next_epoch: u32,
    pub(super) latest_ends_at: i64,
    pub(super) last_window: i64,
    /// Until the next epoch may be opened; `None` when it can't be, without operators or frozen.
    pub(super) seconds_until_next_epoch: Option<i64>,
    pub(super) price: u64,
    pub(super) settled: u64,
    pub(super) attested: u64,
    pub(super) next_channel: u64,
    pub(super) paused: bool,
    pub(super) paused_until: i64,
    pub(super) paused_seconds: u32,
    pub(super) frozen: bool,
    pub(super) epochs: Vec<OpenEpoch>,
}

/// An epoch whose account is there.
#[derive(Debug, Serialize)]
pub(super) struct OpenEpoch {
    pub(super) epoch: u32,
    pub(super) state: State,
    pub(super) starts_at: i64,
    pub(super) ends_at: i64,
    /// When the window shuts, pauses counted, a running one whole.
    pub(super) claim_until: i64,
    /// For how long claims have been paused since it opened, a running pause whole.
    pub(super) paused_seconds: u32,
    pub(super) leaves: u32,
    pub(super) operators: u32,
    pub(super) measurers: u8,
    pub(super) rate: u64,
    pub(super) budget: u64,
    pub(super) paid: u64,
    pub(super) reserved: u64,
    pub(super) claims: u32,
}

/// How far an epoch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Open, and not begun.
    Announced,
    Running,
    Claiming,
    /// Its account may be closed.
    Shut,
}

impl Figures {
    pub(super) fn of(
        address: &Pubkey,
        pool: &Pool,
        epochs: &[Epoch],
        decimals: u8,
        now: i64,
    ) -> Self {
        let text = |bytes: &AddressBytes| address::pubkey(bytes).to_string();
        let (rules, books) = (&pool.rules, &pool.books);
        let next_authority = rules.next_authority;
        let lead = i64::from(rules.parameters.epoch_seconds / LEAD);
        let opens = books.latest_ends_at.saturating_sub(lead);
        let can_open = !books.frozen && books.operators > 0;
        let mut epochs: Vec<OpenEpoch> = epochs
            .iter()
            .map(|epoch| OpenEpoch::of(epoch, pool, now))
            .collect();
        epochs.sort_by_key(|epoch| epoch.epoch);
        Self {
            pool: address.to_string(),
            mint: text(&rules.mint),
            decimals,
            share_mint: text(&rules.share_mint),
            vault: text(&rules.vault),
            bond_vault: text(&rules.bond_vault),
            escrow_vault: text(&rules.escrow_vault),
            founder: text(&rules.founder),
            authority: text(&rules.authority),
            next_authority: (*next_authority.as_bytes() != [0; 32]).then(|| text(&next_authority)),
            genesis_hash: hex::encode(rules.genesis_hash),
            domain: hex::encode(rules.domain.as_bytes()),
            set_hash: hex::encode(rules.set_hash.as_bytes()),
            verifying_key: hex::encode(rules.verifying_key),
            timelock_seconds: rules.timelock_seconds,
            parameters: parameters_json(&rules.parameters),
            measurers: pool.measurers.iter().map(key_text).collect(),
            classes: pool.classes.clone(),
            now,
            assets: books.assets,
            reserved: books.reserved,
            available: books.available().unwrap_or(0),
            queued_worth: reward::assets_for(books.queued, books.shares, books.assets).unwrap_or(0),
            free: books.free().unwrap_or(0),
            shares: books.shares,
            queued: books.queued,
            share_price: share_price(books.shares, books.assets, decimals),
            bonded: books.bonded,
            escrowed: books.escrowed,
            operators: books.operators,
            leaves: pool.registry.leaf_count,
            next_epoch: books.next_epoch.get(),
            latest_ends_at: books.latest_ends_at,
            last_window: books.last_window,
            seconds_until_next_epoch: can_open.then(|| opens.saturating_sub(now).max(0)),
            price: books.price,
            settled: books.settled,
            attested: books.attested,
            next_channel: books.next_channel,
            paused: now < books.paused_until,
            paused_until: books.paused_until,
            paused_seconds: books.paused_seconds,
            frozen: books.frozen,
            epochs,
        }
    }

    /// A parameter.
    pub(super) fn parameter(&self, name: &str) -> u64 {
        self.parameters
            .get(name)
            .and_then(Value::as_u64)
            .unwrap_or(0)
    }
}

/// Whole tokens for a whole share, virtual ones counted, as the program does.
fn share_price(shares: u64, assets: u64, decimals: u8) -> f64 {
    let tokens = (assets as f64 + reward::VIRTUAL_ASSETS as f64) / 10f64.powi(decimals.into());
    let further = decimals.saturating_add(reward::FURTHER_DECIMALS);
    let shares = (shares as f64 + reward::VIRTUAL_SHARES as f64) / 10f64.powi(further.into());
    tokens / shares
}

impl OpenEpoch {
    fn of(epoch: &Epoch, pool: &Pool, now: i64) -> Self {
        let books = &pool.books;
        let paused = books.paused_seconds;
        let state = if now < epoch.starts_at {
            State::Announced
        } else if now < epoch.ends_at {
            State::Running
        } else if epoch.deadline().has_passed(now, books.paused(now)) {
            State::Shut
        } else {
            State::Claiming
        };
        Self {
            epoch: epoch.number.get(),
            state,
            starts_at: epoch.starts_at,
            ends_at: epoch.ends_at,
            claim_until: epoch.deadline().unix(paused).unwrap_or(i64::MAX),
            paused_seconds: paused.saturating_sub(epoch.paused_before),
            leaves: epoch.leaf_count,
            operators: epoch.operators,
            measurers: epoch.measurers,
            rate: epoch.rate,
            budget: epoch.budget,
            paid: epoch.budget.saturating_sub(epoch.reserved),
            reserved: epoch.reserved,
            claims: epoch.claims,
        }
    }
}

pub(super) async fn run(arguments: &Show, output: Output) -> anyhow::Result<()> {
    let chain = arguments.pool.chain.connect();
    let address = arguments.pool.pool;
    let pool = chain.pool(&address).await?;
    let epochs = chain.epochs(&address).await?;
    let decimals = chain.decimals(&address::pubkey(&pool.rules.mint)).await?;
    let now = chain.now().await?;
    let figures = Figures::of(&address, &pool, &epochs, decimals, now);
    let coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    output.show(&figures, || render(&figures, coloured))
}
