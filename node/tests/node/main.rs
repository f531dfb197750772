//! A node's claims: the state machine in a town of people kept in memory, and the whole daemon on
//! loopback with measurers and a relayer that do their work.

#![allow(clippy::unwrap_used)]

mod claim;
mod daemon;
mod garbage;
mod privacy;
mod servers;
mod town;
