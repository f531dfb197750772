//! Measurer, relayer and keeper over real sockets, with a chain in memory.
#![allow(clippy::unwrap_used)]

mod common;
mod end_to_end;
mod hostile;
mod keeping;
mod listings;
mod logs;
mod probing;
mod relaying;
mod restarts;
