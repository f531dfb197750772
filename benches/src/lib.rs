//! Benchmarks: circuits, proving, memory, and other provers beside ours, by one command.
//!
//! ```text
//! command → (circuits, proving, scaling, halo2, contests, onchain) → report → (table, plot)
//! ```
//! Times are medians of at least five runs. What is compared is measured by CPU time, in processes of its own, in
//! interleaved rounds ([`peers::contest`]). `veilpool bench` and this crate's own `bench` are the same command; the
//! second is built without the rest of the workspace.

#![forbid(unsafe_code)]

pub mod child;
pub mod circuits;
pub mod clock;
pub mod command;
pub mod contests;
pub mod entrants;
pub mod foreign;
pub mod halo2;
pub mod machine;
pub mod memory;
pub mod onchain;
pub mod peers;
pub mod plot;
pub mod progress;
pub mod proving;
pub mod report;
pub mod scaling;
pub mod stats;
pub mod table;
pub mod task;
