//! The command as people and scripts use it: as a process of its own.

#![allow(clippy::unwrap_used, clippy::panic)]

mod commands;
mod daemons;
mod demo;
mod pools;
mod process;
mod snarkjs;
